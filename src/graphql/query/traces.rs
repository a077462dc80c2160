//! Conditions on traces.

use async_graphql::{ID, InputObject};
use uuid::Uuid;

use super::{
    leaves::{ComponentWhere, RangeInput, ScoreWhere, TextMatchInput, TimeRangeInput, as_words, each, inner},
    spans::SpanWhere,
};
use crate::{
    graphql::ids::{self, Named},
    model::{
        ConversationId, Refusal, TraceId,
        query::{Reading, TraceCondition},
        search::TextKind,
        trace::TraceStatus,
    },
    written::condition as written,
};

/// Words to be found in what a trace and its spans say.
#[derive(InputObject)]
struct TextWhere {
    /// Words, phrases and beginnings of words, as `search` takes them.
    query: String,
    /// Only in texts of these kinds; absent or empty: in any.
    #[graphql(name = "in")]
    kinds: Option<Vec<TextKind>>,
}

/// A condition on a trace. All that is given must hold; lists mean one of them, and empty ones say nothing.
#[derive(Default, InputObject)]
pub(in crate::graphql) struct TraceWhere {
    /// All of these hold.
    and: Option<Vec<Self>>,
    /// One of these holds.
    or: Option<Vec<Self>>,
    /// This does not hold.
    not: Option<Box<Self>>,
    /// It is one of these: global IDs or UUIDs.
    trace_ids: Option<Vec<ID>>,
    /// In one of these states.
    statuses: Option<Vec<TraceStatus>>,
    /// Called so: itself, else its root span.
    name: Option<TextMatchInput>,
    /// Of one of these conversations: global IDs or UUIDs.
    conversation_ids: Option<Vec<ID>>,
    /// Of one of these sessions.
    session_ids: Option<Vec<String>>,
    /// Of one of these users.
    user_ids: Option<Vec<String>>,
    /// Its conversation has one of these tags.
    tags: Option<Vec<String>>,
    /// When it started.
    start_time: Option<TimeRangeInput>,
    /// How long it took, in milliseconds. One that goes on has no duration yet.
    duration_ms: Option<RangeInput>,
    /// What it cost, in US dollars. One whose cost is not known is not meant.
    cost_usd: Option<RangeInput>,
    /// Tokens in all.
    total_tokens: Option<RangeInput>,
    /// Tokens read.
    input_tokens: Option<RangeInput>,
    /// Tokens written.
    output_tokens: Option<RangeInput>,
    /// Spans.
    span_count: Option<RangeInput>,
    /// Spans that ended with an error.
    error_count: Option<RangeInput>,
    /// Calls of models.
    llm_call_count: Option<RangeInput>,
    /// Calls of tools.
    tool_call_count: Option<RangeInput>,
    /// Levels of its tree.
    depth: Option<RangeInput>,
    /// One of these models was called.
    models: Option<Vec<String>>,
    /// It used this component, or this version of it.
    component: Option<ComponentWhere>,
    /// It is this trace's run again: a global ID or UUID.
    replay_of: Option<ID>,
    /// One of its spans is so.
    span: Option<SpanWhere>,
    /// It, or one of its spans, has such a score.
    score: Option<ScoreWhere>,
    /// It or its spans say this. Of traces that go on only the newest are searched.
    text: Option<TextWhere>,
}

impl TraceWhere {
    /// The condition; `field` is the argument that holds it.
    pub(in crate::graphql) fn read(self, field: &str) -> Result<TraceCondition, Refusal> {
        Reading::all(field, |reading| self.written(reading))?.read(field)
    }

    /// The condition as JSON has it, which is where its meaning is.
    fn written(self, reading: &mut Reading<'_>) -> Result<written::TraceWhere, Refusal> {
        let r = reading;
        Ok(written::TraceWhere {
            and: each(self.and, r, "and", Self::written)?,
            or: each(self.or, r, "or", Self::written)?,
            not: inner(self.not, r, "not", |not, r| not.written(r).map(Box::new))?,
            trace_ids: uuids(self.trace_ids, (r, "traceIds"), TraceId::uuid)?,
            statuses: as_words(self.statuses),
            name: self.name.map(Into::into),
            conversation_ids: uuids(self.conversation_ids, (r, "conversationIds"), ConversationId::uuid)?,
            session_ids: self.session_ids,
            user_ids: self.user_ids,
            tags: self.tags,
            start_time: self.start_time.map(|it| it.written(&r.field("startTime"))).transpose()?,
            duration_ms: RangeInput::in_field(self.duration_ms, r, "durationMs")?,
            cost_usd: RangeInput::in_field(self.cost_usd, r, "costUsd")?,
            total_tokens: RangeInput::in_field(self.total_tokens, r, "totalTokens")?,
            input_tokens: RangeInput::in_field(self.input_tokens, r, "inputTokens")?,
            output_tokens: RangeInput::in_field(self.output_tokens, r, "outputTokens")?,
            span_count: RangeInput::in_field(self.span_count, r, "spanCount")?,
            error_count: RangeInput::in_field(self.error_count, r, "errorCount")?,
            llm_call_count: RangeInput::in_field(self.llm_call_count, r, "llmCallCount")?,
            tool_call_count: RangeInput::in_field(self.tool_call_count, r, "toolCallCount")?,
            depth: RangeInput::in_field(self.depth, r, "depth")?,
            models: self.models,
            component: self.component.map(|it| it.written(&r.field("component"))).transpose()?,
            replay_of: ids::read_optional::<TraceId>(&r.field("replayOf"), self.replay_of.as_ref())?
                .map(|id| id.uuid()),
            span: inner(self.span, r, "span", SpanWhere::written)?,
            score: self.score.map(|it| it.written(&r.field("score"))).transpose()?,
            text: self
                .text
                .map(|TextWhere { query, kinds }| written::TextWhere { query, kinds: as_words(kinds) }),
        })
    }
}

/// The UUIDs that a list of IDs names.
fn uuids<T: Named>(
    given: Option<Vec<ID>>,
    (reading, name): (&Reading<'_>, &str),
    uuid: impl Fn(&T) -> Uuid,
) -> Result<Option<Vec<Uuid>>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    let ids = ids::read_all(&reading.field(name), &given)?;
    Ok(Some(ids.iter().map(uuid).collect()))
}
