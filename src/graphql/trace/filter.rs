//! Filters and orders of traces and of a trace's spans.

use async_graphql::{Enum, ID, InputObject};

use crate::{
    graphql::{
        ids,
        scalar::{Given, OptionalGiven},
    },
    model::{
        Refusal, Timestamp,
        component::VersionHash,
        span::{OperationType, SpanStatus},
        trace::TraceStatus,
    },
    service::tracing::{self, ComponentFilter, SpanFilter, TraceFilter},
};

/// Which traces. All that is given must hold.
#[derive(Default, InputObject)]
#[graphql(name = "TraceFilter")]
pub(in crate::graphql) struct TraceFilterInput {
    /// Of this conversation: its global ID or UUID.
    conversation_id: Option<ID>,
    /// Of this session.
    session_id: Option<String>,
    /// Of this user.
    user_id: Option<String>,
    /// In one of these states; an empty list means any.
    statuses: Option<Vec<TraceStatus>>,
    /// With a span that used this component, or this version of it.
    component: Option<ComponentUseInput>,
    /// Started at this moment or later.
    from: Option<Given<Timestamp>>,
    /// Started before this moment.
    to: Option<Given<Timestamp>>,
    /// With this text in its name, whatever the case of its letters.
    name: Option<String>,
    /// With, or without, a span that ended with an error.
    has_errors: Option<bool>,
    /// Of runs that are this trace's again: its global ID or UUID.
    replay_of: Option<ID>,
}

/// A component, or one version of it.
#[derive(InputObject)]
#[graphql(name = "ComponentUseFilter")]
pub(super) struct ComponentUseInput {
    /// The component: its global ID or its own.
    component_id: ID,
    /// The hash that names the version; without it any version is meant.
    version_hash: Option<String>,
}

impl TraceFilterInput {
    pub(in crate::graphql) fn into_model(self) -> Result<TraceFilter, Refusal> {
        let within = |refusal: Refusal| refusal.below("filter");
        let component = self.component.map(ComponentUseInput::into_model).transpose();
        Ok(TraceFilter {
            conversation_id: ids::read_optional("filter.conversationId", self.conversation_id.as_ref())?,
            session_id: self.session_id,
            user_id: self.user_id,
            statuses: self.statuses.unwrap_or_default(),
            component: component.map_err(within)?,
            started_from: self.from.read("filter.from")?,
            started_before: self.to.read("filter.to")?,
            name_contains: self.name,
            has_errors: self.has_errors,
            replay_of: ids::read_optional("filter.replayOf", self.replay_of.as_ref())?,
        })
    }
}

impl ComponentUseInput {
    fn into_model(self) -> Result<ComponentFilter, Refusal> {
        let hash = |text: String| VersionHash::parse("component.versionHash", &text);
        Ok(ComponentFilter {
            component_id: ids::read_component("component.componentId", &self.component_id)?,
            version_hash: self.version_hash.map(hash).transpose()?,
        })
    }
}

/// How traces are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "tracing::TraceOrder")]
pub(super) enum TraceOrder {
    /// The one started last comes first.
    #[default]
    NewestFirst,
    /// The one started first comes first.
    OldestFirst,
}

/// Which spans of a trace. All that is given must hold.
#[derive(Default, InputObject)]
#[graphql(name = "SpanFilter")]
pub(super) struct SpanFilterInput {
    /// Of one of these types; an empty list means any.
    types: Option<Vec<OperationType>>,
    /// In one of these states; an empty list means any.
    statuses: Option<Vec<SpanStatus>>,
    /// With this text in its name, whatever the case of its letters.
    name: Option<String>,
    /// Started at this moment or later.
    from: Option<Given<Timestamp>>,
    /// Started before this moment.
    to: Option<Given<Timestamp>>,
    /// This span, or one below it: its global ID or UUID.
    subtree_of: Option<ID>,
}

impl SpanFilterInput {
    pub(super) fn into_model(self) -> Result<SpanFilter, Refusal> {
        Ok(SpanFilter {
            types: self.types.unwrap_or_default(),
            statuses: self.statuses.unwrap_or_default(),
            name_contains: self.name,
            started_from: self.from.read("filter.from")?,
            started_before: self.to.read("filter.to")?,
            subtree_of: ids::read_optional("filter.subtreeOf", self.subtree_of.as_ref())?,
        })
    }
}

/// How the spans of a trace are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "tracing::SpanOrder")]
pub(super) enum SpanOrder {
    /// Parents before their children, siblings by their start.
    #[default]
    Tree,
    /// The one started first comes first.
    StartTime,
    /// The longest comes first, those that go on last.
    Duration,
}
