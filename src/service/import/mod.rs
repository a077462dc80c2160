//! The import of chat transcripts: read, made into records, written.
//!
//! Reading ([`Reader`]) and making ([`Recording::of`]) are pure: the same file gives the same records with
//! the same ids, so an import that runs twice, or again after it was killed, changes nothing that is
//! there and adds what is missing. This module must not know where files lie or what a terminal is.

mod assemble;
mod components;
mod content;
mod matching;
mod message;
mod moment;
mod place;
mod reader;
mod record;
mod report;
mod run;
mod runs;
mod source;
mod split;
mod tau_bench;
mod times;
mod transcript;
mod turns;
mod write;

pub use self::{
    assemble::{Defaults, Recording},
    components::ImportedVersion,
    place::{Place, Problem, Skipped},
    reader::{Item, Reader},
    report::{Counts, Written},
    run::{FileReport, Progress, run},
    runs::Run,
    source::{ZSTD_MAGIC, Zstd, open},
    split::{Damage, MAX_RECORD_BYTES, Record, Splitter, unreadable},
    times::Known,
    transcript::{Answers, Call, Entry, Format, ToolDefinition, Transcript},
    write::{Importer, WriteError},
};
