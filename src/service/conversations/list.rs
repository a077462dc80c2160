//! Lists of conversations: filtered, ordered, a page at a time.

use super::Conversations;
use crate::{
    model::{
        Timestamp,
        conversation::Conversation,
        page::{ListId, Page, PageRequest},
    },
    service::{
        ServiceResult,
        listing::{self, Listing},
    },
    store::{Direction, KeyRange, between, keyspace},
};

/// Which conversations. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ConversationFilter {
    /// Of this user.
    pub user_id: Option<String>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// With this text in the title, whatever the case of its letters.
    pub title_contains: Option<String>,
    /// Held with this model.
    pub model_name: Option<String>,
    /// Only branches, or only those that are none.
    pub is_branch: Option<bool>,
    /// Created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Created before this moment.
    pub created_before: Option<Timestamp>,
    /// Last active at this moment or later.
    pub active_from: Option<Timestamp>,
    /// Last active before this moment.
    pub active_before: Option<Timestamp>,
}

/// How a list of conversations is ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ConversationOrder {
    /// The one that was active last comes first.
    #[default]
    LastActiveFirst,
    /// The one that has rested longest comes first.
    LastActiveLast,
    /// The one created last comes first.
    NewestFirst,
    /// The one created first comes first.
    OldestFirst,
}

impl ConversationOrder {
    const fn direction(self) -> Direction {
        match self {
            Self::LastActiveFirst | Self::NewestFirst => Direction::Backward,
            Self::LastActiveLast | Self::OldestFirst => Direction::Forward,
        }
    }

    const fn by_activity(self) -> bool {
        matches!(self, Self::LastActiveFirst | Self::LastActiveLast)
    }
}

impl ConversationFilter {
    /// Whether a conversation is meant.
    #[must_use]
    pub fn matches(&self, conversation: &Conversation) -> bool {
        // Taken apart without `..`, so that a new condition cannot be forgotten here.
        let Self {
            user_id,
            tags,
            title_contains,
            model_name,
            is_branch,
            created_from,
            created_before,
            active_from,
            active_before,
        } = self;
        let (created, active) = (conversation.created_at, conversation.last_activity_at);
        let title = || conversation.title.as_deref().unwrap_or_default().to_lowercase();
        (user_id.is_none() || conversation.user_id == *user_id)
            && tags.iter().all(|tag| conversation.tags.contains(tag))
            && (model_name.is_none() || conversation.model_name == *model_name)
            && is_branch.is_none_or(|wanted| conversation.parent_conversation_id.is_some() == wanted)
            && created_from.is_none_or(|from| created >= from)
            && created_before.is_none_or(|before| created < before)
            && active_from.is_none_or(|from| active >= from)
            && active_before.is_none_or(|before| active < before)
            && title_contains.as_ref().is_none_or(|text| title().contains(&text.to_lowercase()))
    }

    /// The index in the wanted order that leaves least to look at, and the part that the filter allows.
    fn index(&self, order: ConversationOrder) -> (&'static str, KeyRange) {
        if !order.by_activity() {
            let range = between(&(), self.created_from.as_ref(), self.created_before.as_ref());
            return (keyspace::CONVERSATION_BY_CREATION.name, range);
        }
        let (from, before) = (self.active_from.as_ref(), self.active_before.as_ref());
        match (&self.user_id, self.tags.first()) {
            (Some(user), _) => (keyspace::CONVERSATION_BY_USER.name, between(user, from, before)),
            (None, Some(tag)) => (keyspace::CONVERSATION_BY_TAG.name, between(tag, from, before)),
            (None, None) => (keyspace::CONVERSATION_BY_ACTIVITY.name, between(&(), from, before)),
        }
    }

    fn listing(&self, order: ConversationOrder) -> Listing {
        let (index, range) = self.index(order);
        let list = ListId::of(&format!("conversations {self:?} {order:?}"));
        Listing { index, range, direction: order.direction(), list }
    }
}

impl Conversations {
    /// A page of the conversations that the filter means.
    pub async fn list(
        &self,
        filter: &ConversationFilter,
        order: ConversationOrder,
        page: &PageRequest,
    ) -> ServiceResult<Page<Conversation>> {
        self.context.arriving.all_settled().await;
        let listing = filter.listing(order);
        let found = listing::filtered(
            &self.context.store,
            &listing,
            page,
            &self.context.lists,
            |conversation: &Conversation| filter.matches(conversation),
        );
        found.await
    }

    /// How many conversations the filter means; `None` where counting takes more work than one page may
    /// cost.
    pub async fn count(&self, filter: &ConversationFilter) -> ServiceResult<Option<u64>> {
        self.context.arriving.all_settled().await;
        let (store, limits) = (&self.context.store, &self.context.lists);
        let listing = filter.listing(ConversationOrder::default());
        listing::count(store, &listing, limits, |found: &Conversation| filter.matches(found)).await
    }
}
