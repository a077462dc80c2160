//! `POST /traces/query`: traces that are looked for by more than a query in an address holds.
//!
//! The condition is [`TraceCondition`]: whoever gives the language more words changes that one type.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::inputs::TraceOrder;
use crate::{
    model::{Refusal, component::VersionHash},
    rest::{request::id, scalar::Moment, words},
    service::tracing::{ComponentFilter, TraceFilter},
};

/// Which traces, in which order, which page.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct QueryTraces {
    /// Which traces; all, where nothing is said.
    pub(super) filter: Option<TraceCondition>,
    /// Which come first; `NEWEST_FIRST` where nothing is said.
    pub(super) order_by: Option<TraceOrder>,
    /// Traces of the page at most; 50 where nothing is said.
    #[schema(minimum = 1)]
    pub(super) limit: Option<u32>,
    /// Go on behind this cursor: `next` of the page before.
    pub(super) after: Option<String>,
}

/// Which traces. All that is given must hold.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct TraceCondition {
    /// Of this conversation.
    conversation_id: Option<Uuid>,
    /// Of this session.
    session_id: Option<String>,
    /// Of this user.
    user_id: Option<String>,
    /// In one of these states; an empty list means any.
    statuses: Option<Vec<words::TraceStatus>>,
    /// With a span that used this component, or this version of it.
    component: Option<ComponentUse>,
    /// Started at this moment or later.
    from: Option<Moment>,
    /// Started before this moment.
    to: Option<Moment>,
    /// With this text in its name, whatever the case of its letters.
    name: Option<String>,
    /// With, or without, a span that ended with an error.
    has_errors: Option<bool>,
    /// Of runs that are this trace's again.
    replay_of: Option<Uuid>,
}

/// A component, or one version of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct ComponentUse {
    /// The component.
    component_id: String,
    /// The hash that names the version; without it any version is meant.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    version_hash: Option<String>,
}

impl TraceCondition {
    pub(super) fn into_model(self) -> Result<TraceFilter, Refusal> {
        Ok(TraceFilter {
            conversation_id: id(self.conversation_id),
            session_id: self.session_id,
            user_id: self.user_id,
            statuses: self.statuses.unwrap_or_default().into_iter().map(|status| status.0).collect(),
            component: self.component.map(ComponentUse::into_model).transpose()?,
            started_from: self.from.map(Into::into),
            started_before: self.to.map(Into::into),
            name_contains: self.name,
            has_errors: self.has_errors,
            replay_of: id(self.replay_of),
        })
    }
}

impl ComponentUse {
    fn into_model(self) -> Result<ComponentFilter, Refusal> {
        let hash = |hash: String| VersionHash::parse("filter.component.versionHash", &hash);
        Ok(ComponentFilter {
            component_id: self.component_id,
            version_hash: self.version_hash.map(hash).transpose()?,
        })
    }
}
