//! Filters and orders of plans.

use async_graphql::{Enum, ID, InputObject};

use crate::{
    graphql::ids,
    model::{Refusal, plan::PlanStatus},
    service::plans::{self, PlanFilter},
};

/// Which plans. All that is given must hold.
#[derive(Default, InputObject)]
#[graphql(name = "PlanFilter")]
pub(super) struct PlanFilterInput {
    /// Of this conversation: its global ID or UUID.
    conversation_id: Option<ID>,
    /// In one of these states; an empty list means any.
    statuses: Option<Vec<PlanStatus>>,
    /// With this text in its title, whatever the case of its letters.
    title: Option<String>,
}

impl PlanFilterInput {
    pub(super) fn into_model(self) -> Result<PlanFilter, Refusal> {
        Ok(PlanFilter {
            conversation_id: ids::read_optional("filter.conversationId", self.conversation_id.as_ref())?,
            statuses: self.statuses.unwrap_or_default(),
            title_contains: self.title,
        })
    }
}

/// How plans are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "plans::PlanOrder")]
pub(super) enum PlanOrder {
    /// The one made last comes first.
    #[default]
    NewestFirst,
    /// The one made first comes first.
    OldestFirst,
}
