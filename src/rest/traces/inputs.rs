//! What clients write to traces, and by what they choose some.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    model::{
        Refusal,
        component::VersionHash,
        trace::{NewTrace, TraceBody, TraceCompletion, TraceStatus},
    },
    rest::{
        request::id,
        scalar::{Document, Moment, Written},
        words,
    },
    service::tracing::{self, ComponentFilter, TraceFilter},
};

/// A new trace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct StartTrace {
    /// The ID, where the client chooses it: a second start is then refused, and not a second trace.
    trace_id: Option<Uuid>,
    /// What people call it.
    name: Option<String>,
    /// The conversation it belongs to.
    conversation_id: Option<Uuid>,
    /// The message that set it off.
    message_id: Option<Uuid>,
    /// The turn it belongs to.
    turn_id: Option<Uuid>,
    /// Who runs the agent.
    user_id: Option<String>,
    /// The session to put it in.
    session_id: Option<String>,
    /// When it started; now, where nothing is said.
    start_time: Option<Moment>,
    /// The trace whose run it is again.
    replay_of: Option<Uuid>,
    /// What the user asked.
    user_input: Option<String>,
    /// The agent's memory at the start.
    initial_memory_state: Option<Document>,
    /// The conversation at the start.
    initial_conversation_state: Option<Document>,
    /// The settings of the system at the start.
    system_config: Option<Document>,
    /// Whatever the application keeps with it: an object.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Document>,
}

impl StartTrace {
    pub(in crate::rest) fn into_model(self) -> NewTrace {
        NewTrace {
            id: id(self.trace_id),
            name: self.name,
            conversation_id: id(self.conversation_id),
            message_id: id(self.message_id),
            turn_id: id(self.turn_id),
            user_id: self.user_id,
            session_id: self.session_id,
            start_time: self.start_time.map(Into::into),
            replay_of: id(self.replay_of),
            body: TraceBody {
                user_input: self.user_input,
                final_output: None,
                initial_memory_state: self.initial_memory_state.map(Into::into),
                initial_conversation_state: self.initial_conversation_state.map(Into::into),
                system_config: self.system_config.map(Into::into),
                metadata: self.metadata.map(Into::into),
            },
        }
    }
}

/// The end of a trace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct CompleteTrace {
    /// How it ended: not `RUNNING`. `COMPLETED` where nothing is said.
    status: Option<words::TraceStatus>,
    /// What the agent answered.
    final_output: Option<String>,
    /// When it ended; now, where nothing is said.
    end_time: Option<Moment>,
}

impl CompleteTrace {
    pub(super) fn into_model(self) -> TraceCompletion {
        TraceCompletion {
            status: self.status.map_or(TraceStatus::Completed, |status| status.0),
            final_output: self.final_output,
            end_time: self.end_time.map(Into::into),
        }
    }
}

/// Which traces. All that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ListTraces {
    /// Of this conversation.
    conversation_id: Option<Uuid>,
    /// Of this session.
    session_id: Option<String>,
    /// Of this user.
    user_id: Option<String>,
    /// In this state; in one of them, where it is given several times.
    #[serde(default)]
    status: Vec<words::TraceStatus>,
    /// With a span that used this component.
    component_id: Option<String>,
    /// With a span that used this version of the component: the hash that names it, beside `componentId`.
    version_hash: Option<String>,
    /// Started at this moment or later.
    #[param(value_type = Option<Moment>)]
    from: Option<Moment>,
    /// Started before this moment.
    #[param(value_type = Option<Moment>)]
    to: Option<Moment>,
    /// With this text in its name, whatever the case of its letters.
    name: Option<String>,
    /// With, or without, a span that ended with an error.
    #[param(value_type = Option<bool>)]
    has_errors: Option<Written<bool>>,
    /// Of runs that are this trace's again.
    replay_of: Option<Uuid>,
    /// Which come first; `NEWEST_FIRST` where nothing is said.
    #[param(inline)]
    pub(super) order: Option<TraceOrder>,
    /// Traces of the page at most; 50 where nothing is said.
    #[param(value_type = Option<u32>)]
    pub(super) limit: Option<Written<u32>>,
    /// Go on behind this cursor: `next` of the page before.
    pub(super) after: Option<String>,
}

impl ListTraces {
    pub(super) fn filter(self) -> Result<TraceFilter, Refusal> {
        Ok(TraceFilter {
            conversation_id: id(self.conversation_id),
            session_id: self.session_id,
            user_id: self.user_id,
            statuses: self.status.into_iter().map(|status| status.0).collect(),
            component: component(self.component_id, self.version_hash)?,
            started_from: self.from.map(Into::into),
            started_before: self.to.map(Into::into),
            name_contains: self.name,
            has_errors: self.has_errors.map(|Written(wanted)| wanted),
            replay_of: id(self.replay_of),
        })
    }
}

fn component(id: Option<String>, hash: Option<String>) -> Result<Option<ComponentFilter>, Refusal> {
    let hash = hash.map(|hash| VersionHash::parse("versionHash", &hash)).transpose()?;
    match (id, hash) {
        (Some(component_id), version_hash) => Ok(Some(ComponentFilter { component_id, version_hash })),
        (None, Some(_)) => {
            Err(Refusal::invalid("versionHash", "a version is of a component: give `componentId` too"))
        }
        (None, None) => Ok(None),
    }
}

/// Which page of the traces of a conversation.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(in crate::rest) struct PageOnly {
    /// Entries of the page at most; 50 where nothing is said.
    #[param(value_type = Option<u32>)]
    pub(in crate::rest) limit: Option<Written<u32>>,
    /// Go on behind this cursor: `next` of the page before.
    pub(in crate::rest) after: Option<String>,
}

/// How traces are ordered.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::rest) enum TraceOrder {
    /// The one started last comes first.
    #[default]
    NewestFirst,
    /// The one started first comes first.
    OldestFirst,
}

impl From<TraceOrder> for tracing::TraceOrder {
    fn from(order: TraceOrder) -> Self {
        match order {
            TraceOrder::NewestFirst => Self::NewestFirst,
            TraceOrder::OldestFirst => Self::OldestFirst,
        }
    }
}

/// What is shown of a trace.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ShowTrace {
    /// What is shown beside the rest: `bodies`, what went into each span and what came out.
    #[serde(default)]
    pub(super) include: Vec<Include>,
}

/// What is shown where it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) enum Include {
    /// What went into each span, what came out, and what else was sent with it.
    Bodies,
}
