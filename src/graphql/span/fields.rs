//! The fields that every span has.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    Span,
    parts::{SpanComponent, SpanEvent, SpanLink},
};
use crate::{
    graphql::{
        error::Result,
        request,
        scalar::{BigInt, DateTime, Document, PlainId, int, millis},
        score::Score,
        trace::Trace,
    },
    model::{
        Json,
        ledger::{CostSource, CountingRule, NanoUsd},
        score::ScoreTarget,
        span::{OperationType, SpanBody, SpanStatus},
        tree::Placement,
    },
};

/// The fields that every span has, as the interface and all object types take them over.
pub(super) struct Common<'a>(pub &'a Span);

/// See [`Common`].
#[Object]
impl Common<'_> {
    /// The global ID. It holds for the span whatever becomes of its trace.
    pub async fn id(&self) -> ID {
        self.0.global_id().encode()
    }

    /// The span's own ID, unique within its trace. An 8-byte ID of OpenTelemetry stands in its last 8 bytes.
    async fn span_id(&self) -> PlainId {
        PlainId(self.0.head.id.uuid())
    }

    /// The ID of its trace.
    async fn trace_id(&self) -> PlainId {
        PlainId(self.0.trace_id().uuid())
    }

    /// Its trace.
    async fn trace(&self) -> &Trace {
        &self.0.trace
    }

    /// The span that caused it, as its sender said; that span may come later, or never.
    async fn parent_span_id(&self) -> Option<PlainId> {
        self.0.head.parent_id.map(|id| PlainId(id.uuid()))
    }

    /// The global ID of the span above it in the tree; null at the top.
    async fn parent_id(&self, ctx: &Context<'_>) -> Result<Option<ID>> {
        Ok(self
            .0
            .place(ctx)
            .await?
            .and_then(|place| place.parent())
            .map(|parent| parent.global_id().encode()))
    }

    /// The span above it in the tree; null at the top.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Span>> {
        Ok(self.0.place(ctx).await?.and_then(|place| place.parent()))
    }

    /// The spans directly below it in the tree, by their start.
    async fn children(&self, ctx: &Context<'_>) -> Result<Vec<Span>> {
        let Some(place) = self.0.place(ctx).await? else { return Ok(Vec::new()) };
        request::of(ctx)?.walk("children", place.node.child_count as usize)?;
        Ok(place.children())
    }

    /// How many spans stand directly below it.
    async fn child_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.0.place(ctx).await?.map_or(0, |place| int(place.node.child_count)))
    }

    /// How many spans stand below it, at whatever depth.
    async fn descendant_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.0.place(ctx).await?.map_or(0, |place| int(place.node.subtree_size.saturating_sub(1))))
    }

    /// Tokens of it and of all below it, counted as those of a trace are.
    async fn subtree_tokens(&self, ctx: &Context<'_>) -> Result<BigInt> {
        let summary = self.0.subtree_summary(ctx, "subtreeTokens").await?;
        Ok(BigInt(summary.tokens.total()))
    }

    /// What it and all below it cost, in US dollars, as far as it is known; null where none of them says anything.
    async fn subtree_cost_usd(&self, ctx: &Context<'_>) -> Result<Option<f64>> {
        let summary = self.0.subtree_summary(ctx, "subtreeCostUsd").await?;
        Ok(summary.cost_known.then(|| summary.cost.dollars()))
    }

    /// Levels above it in the tree; 0 at the top.
    async fn depth(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(self.0.place(ctx).await?.map_or(0, |place| int(place.node.depth)))
    }

    /// How it came to its place in the tree.
    async fn placement(&self, ctx: &Context<'_>) -> Result<Placement> {
        Ok(self.0.place(ctx).await?.map_or(Placement::Root, |place| place.node.placement))
    }

    /// What kind of operation it is.
    async fn operation_type(&self) -> OperationType {
        self.0.head.operation_type
    }

    /// What the operation is called.
    async fn name(&self) -> &str {
        &self.0.head.name
    }

    /// When it started.
    async fn start_time(&self) -> DateTime {
        DateTime(self.0.head.start_time)
    }

    /// When it ended; null while it goes on.
    async fn end_time(&self) -> Option<DateTime> {
        self.0.head.end_time.map(DateTime)
    }

    /// Milliseconds from the start of its trace to its own.
    async fn start_offset_ms(&self) -> f64 {
        millis(self.0.head.start_time.nanos_since(self.0.trace.row().start_time))
    }

    /// How long it took, in milliseconds; null while it goes on.
    async fn duration_ms(&self) -> Option<f64> {
        self.0.head.duration_nanos().map(millis)
    }

    /// How long it took, in nanoseconds; null while it goes on.
    async fn duration_nanos(&self) -> Option<BigInt> {
        self.0.head.duration_nanos().map(BigInt)
    }

    /// How long it did something itself, in milliseconds: without the time in which spans directly below it were at
    /// work. One that goes on counts up to now. Null where its trace is gone.
    async fn self_time_ms(&self, ctx: &Context<'_>) -> Result<Option<f64>> {
        Ok(self.0.figures(ctx).await?.map(|figures| millis(figures.self_nanos)))
    }

    /// Whether its trace waited for what it did itself: see `TraceAnalysis.criticalPath`.
    async fn on_critical_path(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.0.figures(ctx).await?.is_some_and(|figures| figures.path_nanos > 0))
    }

    /// Where it stands.
    async fn status(&self) -> SpanStatus {
        self.0.head.status
    }

    /// Why it stands there, in short.
    async fn status_message(&self) -> Option<&str> {
        self.0.head.status_message.as_deref()
    }

    /// Tokens read and written, by one meaning whatever the sender's way of counting: cached and reasoning
    /// tokens included. Null where none were reported.
    async fn total_tokens(&self) -> Option<BigInt> {
        let ledger = &self.0.head.ledger;
        ledger.reports_tokens().then(|| BigInt(ledger.totals().total()))
    }

    /// Tokens read by the model, as reported.
    async fn input_tokens(&self) -> Option<BigInt> {
        self.0.head.ledger.tokens.input.map(BigInt)
    }

    /// Tokens written by the model, as reported.
    async fn output_tokens(&self) -> Option<BigInt> {
        self.0.head.ledger.tokens.output.map(BigInt)
    }

    /// Input tokens that came from a cache, as reported.
    async fn cache_read_tokens(&self) -> Option<BigInt> {
        self.0.head.ledger.tokens.cache_read.map(BigInt)
    }

    /// Input tokens that were written to a cache, as reported.
    async fn cache_write_tokens(&self) -> Option<BigInt> {
        self.0.head.ledger.tokens.cache_write.map(BigInt)
    }

    /// Output tokens spent on reasoning, as reported.
    async fn reasoning_tokens(&self) -> Option<BigInt> {
        self.0.head.ledger.tokens.reasoning.map(BigInt)
    }

    /// What the reported counts include; null where none were reported.
    async fn counting_rule(&self) -> Option<CountingRule> {
        self.0.head.ledger.rule
    }

    /// What it cost, in US dollars; null where nobody knows.
    async fn cost_usd(&self) -> Option<f64> {
        self.0.head.ledger.cost.map(NanoUsd::dollars)
    }

    /// Where the cost comes from; null where nothing was used.
    async fn cost_source(&self) -> Option<CostSource> {
        self.0.head.ledger.source
    }

    /// The price table that a computed cost rests on.
    async fn price_version(&self) -> Option<&str> {
        self.0.head.ledger.price_version.as_deref()
    }

    /// What went in.
    async fn inputs(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        self.document(ctx, SpanBody::read_inputs).await
    }

    /// What came out.
    async fn outputs(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        self.document(ctx, SpanBody::read_outputs).await
    }

    /// The agent's memory at that moment.
    async fn memory_snapshot(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        self.document(ctx, |body| body.memory_snapshot.clone()).await
    }

    /// The conversation at that moment.
    async fn conversation_context(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        self.document(ctx, |body| body.conversation_context.clone()).await
    }

    /// What went wrong.
    async fn error_details(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        self.document(ctx, |body| body.error_details.clone()).await
    }

    /// Whatever else was sent with it: an object.
    async fn attributes(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        self.document(ctx, |body| body.attributes.clone()).await
    }

    /// Where it came from, for spans that another system sent: its `resource`, `scope`, `kind` and the like, as
    /// OpenTelemetry names them. An object.
    async fn origin(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        self.document(ctx, |body| body.origin.clone()).await
    }

    /// What happened during it, in the order it was sent.
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<SpanEvent>> {
        let body = self.0.body(ctx).await?;
        Ok(body.map(|body| SpanEvent::all(&self.0.global_id(), &body)).unwrap_or_default())
    }

    /// How many events there are.
    async fn event_count(&self) -> i32 {
        int(self.0.head.event_count)
    }

    /// Spans elsewhere that it has to do with.
    async fn links(&self, ctx: &Context<'_>) -> Result<Vec<SpanLink>> {
        let body = self.0.body(ctx).await?;
        Ok(body.map(|body| SpanLink::all(&self.0.global_id(), &body)).unwrap_or_default())
    }

    /// How many links there are.
    async fn link_count(&self) -> i32 {
        int(self.0.head.link_count)
    }

    /// The component versions behind it.
    async fn components(&self) -> Vec<SpanComponent> {
        SpanComponent::all(&self.0.global_id(), &self.0.head)
    }

    /// Judgements of it.
    async fn scores(&self, ctx: &Context<'_>) -> Result<Vec<Score>> {
        Score::of(ctx, ScoreTarget::Span(self.0.trace_id(), self.0.head.id)).await
    }

    /// The revision of its trace that last changed it.
    async fn revision(&self) -> BigInt {
        BigInt(self.0.head.revision)
    }
}

impl Common<'_> {
    async fn document(
        &self,
        ctx: &Context<'_>,
        field: impl Fn(&SpanBody) -> Option<Json>,
    ) -> Result<Option<Document>> {
        let body: Option<Arc<SpanBody>> = self.0.body(ctx).await?;
        Ok(body.and_then(|body| field(&body)).map(Document))
    }
}
