//! Traces and their spans: starting, writing, ending, reading.

mod list;
mod live;
mod read;
mod write;

pub use self::{
    list::{ComponentFilter, TraceFilter, TraceOrder},
    live::{SpanChanges, TraceChanges},
    read::{BodyKey, TraceSpans},
    write::{SpanWrite, WrittenSpan, start},
};
use super::Context;

/// Use cases of traces and spans. Cheap to clone.
#[derive(Clone)]
pub struct Tracing {
    context: Context,
}

impl Tracing {
    /// The use cases over this store.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }
}
