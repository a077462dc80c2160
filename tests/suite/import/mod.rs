//! The import of transcripts: what is read from files in each form, whole and damaged, and what is
//! made of it.

mod damage;
mod forms;
mod layouts;
mod reading;
mod recordings;
mod writing;

use std::io::{Cursor, Write};

use dendro::{
    model::limits::RecordLimits,
    service::import::{Format, Item, Problem, Reader, Transcript, open},
};

/// What a file holds.
#[derive(Debug, Default, PartialEq)]
pub struct Contents {
    pub transcripts: Vec<Transcript>,
    pub problems: Vec<Problem>,
}

impl Contents {
    /// The problems as they are told.
    fn told(&self) -> Vec<String> {
        self.problems.iter().map(ToString::to_string).collect()
    }

    fn first_words(&self) -> Vec<&str> {
        self.transcripts.iter().map(|it| it.messages[0].content.as_deref().unwrap_or_default()).collect()
    }
}

pub fn read_as(name: &str, bytes: &[u8], format: Option<Format>) -> Contents {
    let input = open(Cursor::new(bytes.to_vec())).unwrap();
    let mut contents = Contents::default();
    for item in Reader::new(name, input, format, RecordLimits::default()) {
        match item {
            Item::Transcript(transcript) => contents.transcripts.push(*transcript),
            Item::Problem(problem) => contents.problems.push(problem),
        }
    }
    contents
}

pub fn read(name: &str, bytes: impl AsRef<[u8]>) -> Contents {
    read_as(name, bytes.as_ref(), None)
}

pub fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/transcripts/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}
