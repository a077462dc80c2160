//! What clients write to spans, and by what they choose some.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::changes::{CallTokens, ComponentVersionUse, NewEvent, NewLink};
use crate::{
    model::{
        Refusal, SpanId, TraceId,
        ledger::NanoUsd,
        span::{NewSpan, SpanAction, SpanBody, SpanChanges, SpanCompletion, SpanDetails, SpanOp, SpanStatus},
    },
    rest::{
        request::id,
        scalar::{Document, Moment, Written, nanos},
        traces::Include,
        words,
    },
    service::tracing::{self, SpanFilter, SpanWrite},
};

/// Declares a struct with what can be written to a span at any time, and `changes`, which takes it out.
///
/// They are fields of their own and not flattened, so that a member that nobody knows is refused by its name.
macro_rules! with_changes {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        pub(in crate::rest) struct $name {
            $($(#[$field_meta])* $field: $kind,)*
            /// Why it stands where it stands, in short.
            status_message: Option<String>,
            /// The model that answered.
            model: Option<String>,
            /// Who runs the model.
            provider: Option<String>,
            /// Why the model stopped.
            finish_reason: Option<String>,
            /// Milliseconds until the first token.
            #[schema(minimum = 0)]
            time_to_first_token_ms: Option<f64>,
            /// The tool.
            tool_name: Option<String>,
            /// The model's own ID of the tool call.
            tool_call_id: Option<String>,
            /// The agent.
            agent_name: Option<String>,
            /// The plan.
            plan_id: Option<Uuid>,
            /// The plan's step.
            step_id: Option<Uuid>,
            /// How many documents were found.
            #[schema(maximum = 4_294_967_295_i64)]
            document_count: Option<u32>,
            /// The provider's ID of the model's answer. Spans with the same one are of one call, and count once.
            response_id: Option<String>,
            /// The tokens used, as reported. They replace what was reported before.
            tokens: Option<CallTokens>,
            /// What the token counts include; `INCLUSIVE` where nothing is said.
            counting_rule: Option<words::CountingRule>,
            /// What it cost, in US dollars, as reported.
            #[schema(minimum = 0)]
            cost_usd: Option<f64>,
            /// Component versions behind it, added to those it has.
            components: Option<Vec<ComponentVersionUse>>,
            /// What went in.
            inputs: Option<Document>,
            /// What came out.
            outputs: Option<Document>,
            /// The agent's memory at that moment.
            memory_snapshot: Option<Document>,
            /// The conversation at that moment.
            conversation_context: Option<Document>,
            /// What went wrong.
            error_details: Option<Document>,
            /// Whatever else there is to say: an object. Members are added to those it has.
            #[schema(value_type = Option<Object>)]
            attributes: Option<Document>,
            /// What happened during it, added to the events it has.
            events: Option<Vec<NewEvent>>,
            /// Spans elsewhere that it has to do with, added to the links it has.
            links: Option<Vec<NewLink>>,
        }

        impl $name {
            fn changes(&mut self) -> Result<SpanChanges, Refusal> {
                let cost = self.cost_usd.map(|cost| NanoUsd::from_dollars("costUsd", cost)).transpose()?;
                Ok(SpanChanges {
                    name: None,
                    status_message: self.status_message.take(),
                    details: SpanDetails {
                        model: self.model.take(),
                        provider: self.provider.take(),
                        finish_reason: self.finish_reason.take(),
                        time_to_first_token_nanos: nanos(self.time_to_first_token_ms, "timeToFirstTokenMs")?,
                        tool_name: self.tool_name.take(),
                        tool_call_id: self.tool_call_id.take(),
                        agent_name: self.agent_name.take(),
                        plan_id: id(self.plan_id),
                        step_id: id(self.step_id),
                        document_count: self.document_count,
                        response_id: self.response_id.take(),
                    },
                    tokens: self.tokens.take().map(Into::into),
                    rule: self.counting_rule.map(|rule| rule.0),
                    cost,
                    components: ComponentVersionUse::all(self.components.take())?,
                    body: SpanBody {
                        inputs: self.inputs.take().map(Into::into),
                        outputs: self.outputs.take().map(Into::into),
                        memory_snapshot: self.memory_snapshot.take().map(Into::into),
                        conversation_context: self.conversation_context.take().map(Into::into),
                        error_details: self.error_details.take().map(Into::into),
                        attributes: self.attributes.take().map(Into::into),
                        events: self.events.take().unwrap_or_default().into_iter().map(Into::into).collect(),
                        links: self.links.take().unwrap_or_default().into_iter().map(Into::into).collect(),
                        ..SpanBody::default()
                    },
                })
            }
        }
    };
}

with_changes! {
    /// A new span. It may have ended already.
    CreateSpan {
        /// The ID, where the client chooses it: a second creation is then refused, and not a second span.
        span_id: Option<Uuid>,
        /// The span that caused it. It may come later.
        parent_span_id: Option<Uuid>,
        /// What kind of operation it is.
        operation_type: words::OperationType,
        /// What the operation is called.
        name: String,
        /// When it started; now, where nothing is said.
        start_time: Option<Moment>,
        /// When it ended, where it has.
        end_time: Option<Moment>,
        /// Where it stands; where nothing is said, `OK` with an end and `RUNNING` without.
        status: Option<words::SpanStatus>,
    }
}

with_changes! {
    /// A change of a span that has not ended. What is left out stays as it is. With a `status` other than `RUNNING`, or
    /// with an `endTime`, it is the span's end.
    UpdateSpan {
        /// A new name, for a span that goes on.
        name: Option<String>,
        /// How it ended; `OK`, where only `endTime` says that it did.
        status: Option<words::SpanStatus>,
        /// When it ended; now, where only `status` says that it did.
        end_time: Option<Moment>,
    }
}

impl CreateSpan {
    pub(super) fn into_write(
        mut self,
        trace_id: TraceId,
        new_id: impl FnOnce() -> SpanId,
    ) -> Result<SpanWrite, Refusal> {
        let changes = self.changes()?;
        let id = id(self.span_id).unwrap_or_else(new_id);
        let span = NewSpan {
            id,
            parent_id: self.parent_span_id.map(Into::into),
            operation_type: self.operation_type.0,
            name: self.name,
            start_time: self.start_time.map(Into::into),
            end_time: self.end_time.map(Into::into),
            status: self.status.map(|status| status.0),
            changes,
        };
        Ok(SpanWrite { trace_id, op: SpanOp { id, action: SpanAction::Create(Box::new(span)) } })
    }
}

impl UpdateSpan {
    pub(super) fn into_write(mut self, trace_id: TraceId, id: SpanId) -> Result<SpanWrite, Refusal> {
        let changes = self.changes()?;
        let status = self.status.map(|status| status.0);
        let ends = self.end_time.is_some() || status.is_some_and(|status| status != SpanStatus::Running);
        let action = if ends {
            if self.name.is_some() {
                return Err(Refusal::invalid("name", "a span that ends keeps its name; change it before"));
            }
            let status = status.unwrap_or(SpanStatus::Ok);
            let end_time = self.end_time.map(Into::into);
            SpanAction::Complete(Box::new(SpanCompletion { status, end_time, changes }))
        } else {
            SpanAction::Update(Box::new(SpanChanges { name: self.name, ..changes }))
        };
        Ok(SpanWrite { trace_id, op: SpanOp { id, action } })
    }
}

/// Which spans of a trace. All that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ListSpans {
    /// Of this type; of any of them, where it is given several times.
    #[serde(default)]
    r#type: Vec<words::OperationType>,
    /// In this state; in any of them, where it is given several times.
    #[serde(default)]
    status: Vec<words::SpanStatus>,
    /// With this text in its name, whatever the case of its letters.
    name: Option<String>,
    /// Started at this moment or later.
    #[param(value_type = Option<Moment>)]
    from: Option<Moment>,
    /// Started before this moment.
    #[param(value_type = Option<Moment>)]
    to: Option<Moment>,
    /// This span, or one below it.
    subtree_of: Option<Uuid>,
    /// Which come first; `TREE` where nothing is said.
    pub(super) order: Option<SpanOrder>,
    /// What is shown beside the rest: `bodies`, what went into each span and what came out.
    #[serde(default)]
    pub(super) include: Vec<Include>,
    /// Spans of the page at most; 1,000 where nothing is said.
    #[param(value_type = Option<u32>)]
    pub(super) limit: Option<Written<u32>>,
    /// Go on behind this cursor: `next` of the page before.
    pub(super) after: Option<String>,
}

impl ListSpans {
    pub(super) fn filter(self) -> SpanFilter {
        SpanFilter {
            types: self.r#type.into_iter().map(|word| word.0).collect(),
            statuses: self.status.into_iter().map(|word| word.0).collect(),
            name_contains: self.name,
            started_from: self.from.map(Into::into),
            started_before: self.to.map(Into::into),
            subtree_of: id(self.subtree_of),
        }
    }
}

/// How the spans of a trace are ordered.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::rest) enum SpanOrder {
    /// Parents before their children, siblings by their start.
    #[default]
    Tree,
    /// The one started first comes first.
    StartTime,
    /// The longest comes first, those that go on last.
    Duration,
}

impl From<SpanOrder> for tracing::SpanOrder {
    fn from(order: SpanOrder) -> Self {
        match order {
            SpanOrder::Tree => Self::Tree,
            SpanOrder::StartTime => Self::StartTime,
            SpanOrder::Duration => Self::Duration,
        }
    }
}
