//! Spans in the API: one interface, and an object type for each kind of operation.

mod content;
mod details;
mod fields;
mod inputs;
mod interface;
mod mutations;
mod parts;

use std::sync::Arc;

use async_graphql::Context;

pub(super) use self::{interface::kinds, mutations::SpanMutation};
use super::{
    analysis::TraceAnalysis,
    error::Result,
    ids::GlobalId,
    page::Listed,
    request::{self, SpanKey},
    trace::Trace,
};
use crate::{
    model::{
        SpanId, TraceId,
        analysis::SpanFigures,
        span::{SpanBody, SpanHead},
        summary::Summary,
        tree::Node,
    },
    service::tracing::TraceSpans,
};

/// A span, and its place in its trace's tree where that is known.
#[derive(Clone)]
pub(super) struct Span {
    head: Arc<SpanHead>,
    trace: Trace,
    place: Option<Place>,
}

/// A place in a tree.
#[derive(Clone)]
struct Place {
    spans: Arc<TraceSpans>,
    /// The index in the pre-order.
    index: usize,
    node: Node,
}

impl Span {
    /// The span at a place of a tree.
    pub(super) fn placed(spans: &Arc<TraceSpans>, index: usize) -> Option<Self> {
        let (node, head) = spans.at(index)?;
        let place = Place { spans: Arc::clone(spans), index, node: *node };
        Some(Self { head: Arc::clone(head), trace: Trace::with_spans(spans), place: Some(place) })
    }

    /// A span whose tree is read only if something asks for it.
    pub(super) fn alone(trace: Trace, head: SpanHead) -> Self {
        Self { head: Arc::new(head), trace, place: None }
    }

    /// The span of a trace, if both are there.
    pub(super) async fn load(ctx: &Context<'_>, trace: TraceId, span: SpanId) -> Result<Option<Self>> {
        let spans = request::of(ctx)?.trees.load(trace).await?;
        Ok(spans.and_then(|spans| Self::placed(&spans, spans.place_of(span)?)))
    }

    fn trace_id(&self) -> TraceId {
        self.trace.row().id
    }

    fn global_id(&self) -> GlobalId {
        GlobalId::Span(self.trace_id(), self.head.id)
    }

    /// What it and all below it add up to. They count as walked, for the field that asks.
    pub(in crate::graphql) async fn subtree_summary(
        &self,
        ctx: &Context<'_>,
        field: &str,
    ) -> Result<Summary> {
        let Some(place) = self.place(ctx).await? else { return Ok(Summary::default()) };
        request::of(ctx)?.walk(field, place.node.subtree_size)?;
        Ok(place.spans.subtree_summary(place.index))
    }

    /// Its figures in the analysis of its trace, which is made once for all that ask; `None` where it is gone.
    async fn figures(&self, ctx: &Context<'_>) -> Result<Option<SpanFigures>> {
        let Some(place) = self.place(ctx).await? else { return Ok(None) };
        Ok(TraceAnalysis::of(ctx, place.spans)?.figures(place.index).copied())
    }

    /// Its place in the tree; `None` where it is no longer there.
    async fn place(&self, ctx: &Context<'_>) -> Result<Option<Place>> {
        if let Some(place) = &self.place {
            return Ok(Some(place.clone()));
        }
        let spans = self.trace.tree(ctx).await?;
        Ok(spans.and_then(|spans| {
            let index = spans.place_of(self.head.id)?;
            let node = *spans.at(index)?.0;
            Some(Place { spans, index, node })
        }))
    }

    /// Its large fields: read for all spans of the request that ask, at once.
    async fn body(&self, ctx: &Context<'_>) -> Result<Option<Arc<SpanBody>>> {
        if self.head.body_blocks.is_empty() && self.head.attached.blocks.is_empty() {
            return Ok(None);
        }
        let key = SpanKey { trace_id: self.trace_id(), head: Arc::clone(&self.head) };
        request::of(ctx)?.span_bodies.load(key).await
    }
}

impl Place {
    fn parent(&self) -> Option<Span> {
        Span::placed(&self.spans, self.node.parent?)
    }

    fn children(&self) -> Vec<Span> {
        self.spans.tree.children(self.index).filter_map(|index| Span::placed(&self.spans, index)).collect()
    }
}

impl Listed for Span {
    const CONNECTION: &'static str = "SpanConnection";
    const EDGE: &'static str = "SpanEdge";
}
