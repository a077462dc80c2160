//! Traces and their spans: starting, writing, ending, reading.

mod export;
mod list;
mod live;
mod read;
mod reprice;
mod running;
mod select;
mod write;

pub(super) use self::list::{row_tells, trace_name};
pub use self::{
    export::{TracePiece, WholeSpan},
    list::{ComponentFilter, TraceFilter, TraceOrder},
    live::SpanChanges,
    read::{BodyKey, TraceSpans},
    reprice::{ModelCosts, Repriced, Repricing},
    running::TraceChanges,
    select::{SelectedSpans, SpanFilter, SpanOrder},
    write::{SpanWrite, WrittenSpan, start},
};
use super::Context;
use crate::model::SpanId;

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

    /// An ID for a span whose sender gives it none.
    #[must_use]
    pub fn new_span_id(&self) -> SpanId {
        self.context.new_id()
    }
}
