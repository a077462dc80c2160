//! Traces in the API.

mod fields;
mod filter;
mod live;
mod mutations;
mod queries;
mod skeleton;

use std::sync::Arc;

use async_graphql::Context;

pub(super) use self::{
    filter::TraceFilterInput,
    live::TraceSubscription,
    mutations::{StartTraceInput, TraceMutation},
    queries::TraceQuery,
};
use super::{error::Result, ids::GlobalId, page::Listed, request};
use crate::{
    model::{self, TraceId, trace::TraceBody},
    service::tracing::TraceSpans,
};

/// A trace, with its spans where they have been read.
#[derive(Clone)]
pub(super) struct Trace(Source);

#[derive(Clone)]
enum Source {
    Row(Arc<model::trace::Trace>),
    Spans(Arc<TraceSpans>),
}

impl Trace {
    /// A trace whose spans are read only if something asks for them.
    pub(super) fn new(row: impl Into<Arc<model::trace::Trace>>) -> Self {
        Self(Source::Row(row.into()))
    }

    /// The trace of spans that have been read.
    pub(super) fn with_spans(spans: &Arc<TraceSpans>) -> Self {
        Self(Source::Spans(Arc::clone(spans)))
    }

    /// The trace with this ID, if it is there.
    pub(super) async fn load(ctx: &Context<'_>, id: TraceId) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.traces.load(id).await?.map(Self::new))
    }

    /// Its small fields.
    pub(super) fn row(&self) -> &model::trace::Trace {
        match &self.0 {
            Source::Row(row) => row,
            Source::Spans(spans) => &spans.trace,
        }
    }

    /// Its spans: read for all traces of the request that ask, at once. `None` where the trace is gone.
    pub(super) async fn tree(&self, ctx: &Context<'_>) -> Result<Option<Arc<TraceSpans>>> {
        match &self.0 {
            Source::Row(row) => request::of(ctx)?.trees.load(row.id).await,
            Source::Spans(spans) => Ok(Some(Arc::clone(spans))),
        }
    }

    async fn body(&self, ctx: &Context<'_>) -> Result<Option<Arc<TraceBody>>> {
        request::of(ctx)?.trace_bodies.load(self.row().id).await
    }

    pub(super) fn global_id(&self) -> GlobalId {
        GlobalId::Trace(self.row().id)
    }
}

impl From<model::trace::Trace> for Trace {
    fn from(row: model::trace::Trace) -> Self {
        Self::new(row)
    }
}

impl Listed for Trace {
    const CONNECTION: &'static str = "TraceConnection";
    const EDGE: &'static str = "TraceEdge";
}
