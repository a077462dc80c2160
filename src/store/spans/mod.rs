//! How spans are kept: in blocks a trace, never one by one.
//!
//! A write to a trace raises its revision and adds one block of heads (`span_head`, keyed by trace and
//! revision) and, where it brings any, blocks of bodies (`span_body`). A head is written whole every
//! time; reading a trace's heads in key order, the last one of each span wins, and reading from a
//! revision on gives what changed since. A body is written in parts (what a start knew, what an end
//! adds); the head lists the blocks that hold them, so a body is read only when it is asked for, and
//! no index entry a span is needed: a span's address is its trace and its id. What comes apart from its
//! span, as records of a log do, is a part of its own that stays when the span is received again.
//!
//! Once a trace is complete, or has gathered many small blocks, they are merged (`merge`).

mod block;
mod cache;
mod load;
mod merge;
mod remove;
mod write;

pub use self::{
    block::{BodyBlock, HeadBlock},
    load::{BodyRequest, SpanDelta, StoredSpans},
    write::{BODY_PARTS, PackedBodies, START_PART, STATE_PART, TraceWrite, TraceWritten},
};
pub(super) use self::{cache::TraceCache, merge::MergeQueue};

/// How span blocks are kept and cached.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpanConfig {
    /// Heads of recently written traces that are kept in memory, so that a write need not read them
    /// first. One takes about 1.5 kB. A trace with more spans than this is kept while it is written.
    pub cached_spans: usize,
    /// Small blocks that a running trace gathers before they are merged.
    pub merge_after_blocks: u32,
}

impl Default for SpanConfig {
    fn default() -> Self {
        Self { cached_spans: 20_000, merge_after_blocks: 512 }
    }
}
