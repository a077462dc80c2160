//! Lists of plans, and those whose time has run out.

use super::Plans;
use crate::{
    model::{
        ConversationId, PlanId, Timestamp,
        page::{ListId, Page, PageRequest},
        plan::{Plan, PlanStatus},
    },
    service::{
        ServiceResult,
        listing::{self, Listing},
    },
    store::{Direction, KeyRange, between, keyspace, prefix},
};

/// Which plans. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PlanFilter {
    /// Of this conversation.
    pub conversation_id: Option<ConversationId>,
    /// In one of these states; empty: in any.
    pub statuses: Vec<PlanStatus>,
    /// With this text in its title, whatever the case of its letters.
    pub title_contains: Option<String>,
}

/// How a list of plans is ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum PlanOrder {
    /// The one made last comes first.
    #[default]
    NewestFirst,
    /// The one made first comes first.
    OldestFirst,
}

impl PlanFilter {
    fn matches(&self, plan: &Plan) -> bool {
        let Self { conversation_id, statuses, title_contains } = self;
        (conversation_id.is_none_or(|id| plan.conversation_id == id))
            && (statuses.is_empty() || statuses.contains(&plan.status))
            && title_contains
                .as_ref()
                .is_none_or(|text| plan.title.to_lowercase().contains(&text.to_lowercase()))
    }

    fn listing(&self, order: PlanOrder) -> Listing {
        let (index, range) = match (self.conversation_id, self.statuses.as_slice()) {
            (Some(id), _) => (keyspace::PLAN_BY_CONVERSATION.name, prefix(&id)),
            (None, [status]) => (keyspace::PLAN_BY_STATUS.name, prefix(status)),
            _ => (keyspace::PLAN_BY_CREATION.name, KeyRange::all()),
        };
        let direction = match order {
            PlanOrder::NewestFirst => Direction::Backward,
            PlanOrder::OldestFirst => Direction::Forward,
        };
        Listing { index, range, direction, list: ListId::of(&format!("plans {self:?} {order:?}")) }
    }
}

impl Plans {
    /// A page of the plans that the filter means.
    pub async fn list(
        &self,
        filter: &PlanFilter,
        order: PlanOrder,
        page: &PageRequest,
    ) -> ServiceResult<Page<Plan>> {
        let (store, limits) = (&self.context.store, &self.context.lists);
        listing::filtered(store, &filter.listing(order), page, limits, |plan: &Plan| filter.matches(plan))
            .await
    }

    /// How many plans the filter means; `None` where counting takes more work than one page may cost.
    pub async fn count(&self, filter: &PlanFilter) -> ServiceResult<Option<u64>> {
        let (store, limits) = (&self.context.store, &self.context.lists);
        let listing = filter.listing(PlanOrder::NewestFirst);
        listing::count(store, &listing, limits, |plan: &Plan| filter.matches(plan)).await
    }

    /// The newest plans of each of these conversations, in their order: two calls to the engine.
    pub async fn for_conversations(
        &self,
        ids: &[ConversationId],
        page: &PageRequest,
    ) -> ServiceResult<Vec<Page<Plan>>> {
        let listing = |id: &ConversationId| Listing {
            index: keyspace::PLAN_BY_CONVERSATION.name,
            range: prefix(id),
            direction: Direction::Backward,
            list: ListId::of(&format!("plans of {id}")),
        };
        let listings: Vec<_> = ids.iter().map(listing).collect();
        listing::first_pages(&self.context.store, &listings, page).await
    }

    /// Plans whose deadline is not after `now`, the longest overdue first.
    pub(super) async fn due(&self, now: Timestamp, limit: usize) -> ServiceResult<Vec<PlanId>> {
        let range = between(&(), None, Some(&now.plus_nanos(1)));
        let page =
            self.context.store.scan(keyspace::PLAN_BY_DEADLINE, range, Direction::Forward, limit).await?;
        Ok(page.items.into_iter().map(|found| found.key.1).collect())
    }
}
