//! The fields of a trace.

use async_graphql::{Context, ID, Object};

use super::{
    Trace,
    filter::{SpanFilterInput, SpanOrder},
    skeleton::TraceSkeleton,
};
use crate::{
    graphql::{
        analysis::TraceAnalysis,
        conversation::Conversation,
        error::Result,
        message::Message,
        page::{self, Connection},
        request,
        scalar::{BigInt, DateTime, Document, Given, PlainId, int, millis},
        score::Score,
        span::Span,
    },
    model::{page::Page, score::ScoreTarget, trace::TraceStatus},
};

/// One run of an agent for one input: what went in, what came out, and the tree of everything that
/// happened between.
#[Object]
impl Trace {
    /// The global ID.
    pub(in crate::graphql) async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The trace's own ID.
    async fn trace_id(&self) -> PlainId {
        PlainId(self.row().id.uuid())
    }

    /// What people call it: its own name, else that of its root span.
    async fn name(&self) -> Option<&str> {
        self.row().shown_name()
    }

    /// The ID of the conversation it belongs to.
    async fn conversation_id(&self) -> Option<PlainId> {
        self.row().conversation_id.map(|id| PlainId(id.uuid()))
    }

    /// The conversation it belongs to; null where it has none, or is not here.
    async fn conversation(&self, ctx: &Context<'_>) -> Result<Option<Conversation>> {
        match self.row().conversation_id {
            Some(id) => Conversation::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The ID of the message that set it off.
    async fn message_id(&self) -> Option<PlainId> {
        self.row().message_id.map(|id| PlainId(id.uuid()))
    }

    /// The message that set it off; null where there is none, or it is not here.
    async fn message(&self, ctx: &Context<'_>) -> Result<Option<Message>> {
        match self.row().message_id {
            Some(id) => Message::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The ID of the trace whose run it is again.
    async fn replay_of_id(&self) -> Option<PlainId> {
        self.row().replay_of.map(|id| PlainId(id.uuid()))
    }

    /// The trace whose run it is again; null where it is none, or that is not here. Those that are this trace's again
    /// are found by `traces(filter: {replayOf: …})`.
    async fn replay_of(&self, ctx: &Context<'_>) -> Result<Option<Self>> {
        match self.row().replay_of {
            Some(id) => Self::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The turn it belongs to.
    async fn turn_id(&self) -> Option<PlainId> {
        self.row().turn_id.map(|id| PlainId(id.uuid()))
    }

    /// Who ran the agent.
    async fn user_id(&self) -> Option<&str> {
        self.row().user_id.as_deref()
    }

    /// The session that the caller puts it in.
    async fn session_id(&self) -> Option<&str> {
        self.row().session_id.as_deref()
    }

    /// Where it stands.
    async fn status(&self) -> TraceStatus {
        self.row().status
    }

    /// When it started.
    async fn start_time(&self) -> DateTime {
        DateTime(self.row().start_time)
    }

    /// When it ended; null while it runs.
    async fn end_time(&self) -> Option<DateTime> {
        self.row().end_time.map(DateTime)
    }

    /// How long it took, in milliseconds; null while it runs.
    async fn duration_ms(&self) -> Option<f64> {
        self.duration().map(millis)
    }

    /// How long it took, in nanoseconds; null while it runs.
    async fn duration_nanos(&self) -> Option<BigInt> {
        self.duration().map(BigInt)
    }

    /// The beginning of what the user asked: as much as a list shows.
    async fn input_preview(&self) -> Option<&str> {
        self.row().input_preview.as_deref()
    }

    /// The beginning of what the agent answered: as much as a list shows.
    async fn output_preview(&self) -> Option<&str> {
        self.row().output_preview.as_deref()
    }

    /// What the user asked.
    async fn user_input(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.body(ctx).await?.and_then(|body| body.user_input.clone()))
    }

    /// What the agent answered.
    async fn final_output(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.body(ctx).await?.and_then(|body| body.final_output.clone()))
    }

    /// The agent's memory at the start.
    async fn initial_memory_state(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        Ok(self.body(ctx).await?.and_then(|body| body.initial_memory_state.clone()).map(Document))
    }

    /// The conversation at the start.
    async fn initial_conversation_state(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        Ok(self.body(ctx).await?.and_then(|body| body.initial_conversation_state.clone()).map(Document))
    }

    /// The settings of the system at the start.
    async fn system_config(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        Ok(self.body(ctx).await?.and_then(|body| body.system_config.clone()).map(Document))
    }

    /// Whatever the application keeps with it: an object.
    async fn metadata(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        Ok(self.body(ctx).await?.and_then(|body| body.metadata.clone()).map(Document))
    }

    /// When something was last written to it.
    async fn last_activity_at(&self) -> DateTime {
        DateTime(self.row().last_activity_at)
    }

    /// Counts the commits that changed the trace or its spans.
    async fn revision(&self) -> BigInt {
        BigInt(self.row().revision)
    }

    /// How many spans it has.
    async fn span_count(&self) -> i32 {
        int(self.row().summary.span_count)
    }

    /// Spans that have not ended.
    async fn running_span_count(&self) -> i32 {
        int(self.row().summary.running_count)
    }

    /// Spans that ended with an error.
    async fn error_count(&self) -> i32 {
        int(self.row().summary.error_count)
    }

    /// Calls of language models.
    async fn llm_call_count(&self) -> i32 {
        int(self.row().summary.llm_call_count)
    }

    /// Calls of tools.
    async fn tool_call_count(&self) -> i32 {
        int(self.row().summary.tool_call_count)
    }

    /// Tokens read and written. Each counts where it was spent: agents repeat the sums of what they called.
    async fn total_tokens(&self) -> BigInt {
        BigInt(self.row().summary.tokens.total())
    }

    /// Tokens read, cached ones included.
    async fn input_tokens(&self) -> BigInt {
        BigInt(self.row().summary.tokens.input)
    }

    /// Tokens written, reasoning included.
    async fn output_tokens(&self) -> BigInt {
        BigInt(self.row().summary.tokens.output)
    }

    /// Of the tokens read: from a cache.
    async fn cache_read_tokens(&self) -> BigInt {
        BigInt(self.row().summary.tokens.cache_read)
    }

    /// Of the tokens read: written to a cache.
    async fn cache_write_tokens(&self) -> BigInt {
        BigInt(self.row().summary.tokens.cache_write)
    }

    /// Of the tokens written: reasoning.
    async fn reasoning_tokens(&self) -> BigInt {
        BigInt(self.row().summary.tokens.reasoning)
    }

    /// What it cost, in US dollars, as far as it is known; null where no span says anything.
    async fn total_cost_usd(&self) -> Option<f64> {
        let summary = &self.row().summary;
        summary.cost_known.then(|| summary.cost.dollars())
    }

    /// The models that were called.
    async fn models(&self) -> &[String] {
        &self.row().summary.models
    }

    /// Levels of its tree.
    async fn depth(&self) -> i32 {
        int(self.row().summary.depth)
    }

    /// Its spans as one list, the whole tree in pre-order by default: parents before their children,
    /// siblings by their start.
    async fn spans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Spans of the page at most.", default_with = "page::default_first()")] first: Option<
            Given<i32>,
        >,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which spans.")] filter: Option<SpanFilterInput>,
        #[graphql(desc = "Which come first.", default)] order_by: SpanOrder,
    ) -> Result<Connection<Span>> {
        let request = page::request(first, after, request::of(ctx)?.limits.most_spans)?;
        let filter = filter.unwrap_or_default().into_model()?;
        let Some(spans) = self.tree(ctx).await? else {
            return Ok(Connection::new(Page::empty(), &request, Some(0)));
        };
        let selected = spans.select(&filter, order_by.into(), &request)?;
        let Page { items, has_next, end } = selected.page;
        let placed = |(cursor, place)| Some((cursor, Span::placed(&spans, place)?));
        let items = items.into_iter().filter_map(placed).collect();
        Ok(Connection::new(Page { items, has_next, end }, &request, Some(selected.total)))
    }

    /// The spans at the top of its tree, by their start. Those below are their `children`.
    async fn root_spans(&self, ctx: &Context<'_>) -> Result<Vec<Span>> {
        let Some(spans) = self.tree(ctx).await? else { return Ok(Vec::new()) };
        request::of(ctx)?.walk("rootSpans", spans.tree.roots().count())?;
        Ok(spans.tree.roots().filter_map(|place| Span::placed(&spans, place)).collect())
    }

    /// All its spans as columns: the whole tree of a large trace in one small answer.
    async fn skeleton(&self, ctx: &Context<'_>) -> Result<Option<TraceSkeleton>> {
        Ok(self.tree(ctx).await?.map(TraceSkeleton))
    }

    /// What it tells: where its time went, what it cost, what went wrong; null where it is gone.
    async fn analysis(&self, ctx: &Context<'_>) -> Result<Option<TraceAnalysis>> {
        self.tree(ctx).await?.map(|spans| TraceAnalysis::of(ctx, spans)).transpose()
    }

    /// Judgements of it.
    async fn scores(&self, ctx: &Context<'_>) -> Result<Vec<Score>> {
        Score::of(ctx, ScoreTarget::Trace(self.row().id)).await
    }
}

impl Trace {
    fn duration(&self) -> Option<u64> {
        self.row().end_time.map(|end| end.nanos_since(self.row().start_time))
    }
}
