//! Following a conversation live: first what was said, then every change of its messages, resumable by
//! revision.
//!
//! A follower subscribes first and reads second; each change is read from the store, so nothing is
//! buffered for a slow follower: it reads later. A long history comes in several parts, each with the
//! revision that it can be resumed after. What a branch shares with its ancestors never changes and has
//! no revision in it: it comes before the first. So revision 0 means that nothing was received yet:
//! whoever drops within a long shared part begins anew.

use futures_util::{Stream, stream};

use super::{Conversations, results};
use crate::{
    live::{Topic, Watch},
    model::{
        ConversationId, Refusal,
        conversation::{Conversation, History},
        message::Message,
        refusal::Entity,
    },
    service::ServiceResult,
    store::{Direction, between, key::Key, keyspace},
};

/// Messages that changed in a conversation.
#[derive(Debug, Clone)]
pub struct MessageChanges {
    /// Everything up to this revision has been sent: resume after it.
    pub revision: u64,
    /// Whether this is still the state at the beginning, not yet a change.
    pub snapshot: bool,
    /// The conversation as it stands.
    pub conversation: Conversation,
    /// The messages as they stand: by their place in the history while it is a snapshot, else in the order
    /// they changed.
    pub messages: Vec<Message>,
}

/// Messages sent at once, at most: what a client takes in well. Those of one revision stay together.
const MESSAGES_AT_ONCE: usize = 500;

impl Conversations {
    /// The messages of a conversation: its whole history first (or, with `after`, what changed since that
    /// revision), then every change: a new message, or a call that got its result. All that is sent is
    /// durable. Ends when the conversation is deleted.
    pub async fn messages_live(
        &self,
        id: ConversationId,
        after: Option<u64>,
    ) -> ServiceResult<impl Stream<Item = ServiceResult<MessageChanges>> + Send + use<>> {
        // Watch before reading, so that no change falls between.
        let watch = self.context.hub.watch(Topic::Conversation(id));
        let found = self.context.store.get(keyspace::CONVERSATION, &id).await?;
        let found = found.ok_or_else(|| Refusal::not_found("conversationId", Entity::Conversation, id))?;
        if after.is_some_and(|after| after > found.revision) {
            let message =
                format!("the conversation is at revision {}; resume with one you received", found.revision);
            return Err(Refusal::invalid("after", message).into());
        }
        let seen = after.unwrap_or(0);
        let follower = MessageFollower {
            conversations: self.clone(),
            id,
            watch,
            seen,
            shared: 0..if seen == 0 { found.first_ordinal } else { 0 },
            durable: 0,
            behind: after.is_none() || seen < found.revision,
            snapshot: after.is_none(),
        };
        Ok(stream::try_unfold(follower, MessageFollower::next))
    }
}

/// One follower of a conversation.
struct MessageFollower {
    conversations: Conversations,
    id: ConversationId,
    watch: Watch,
    /// Everything up to here was sent.
    seen: u64,
    /// The ordinals of shared messages that were not sent yet.
    shared: std::ops::Range<u64>,
    /// Everything up to here is known to be durable.
    durable: u64,
    /// Whether there may be more to read than was sent, as at the beginning.
    behind: bool,
    /// Whether the state at the beginning is still being sent.
    snapshot: bool,
}

impl MessageFollower {
    async fn next(mut self) -> ServiceResult<Option<(MessageChanges, Self)>> {
        loop {
            if !self.behind {
                self.durable = self.watch.beyond(self.seen).await;
            }
            let Some(conversation) = self.read().await? else { return Ok(None) };
            let snapshot = self.snapshot;
            let mut messages = self.shared_messages(&conversation).await?;
            if self.shared.is_empty() {
                messages.extend(self.changed(conversation.revision).await?);
            }
            if messages.is_empty() && !snapshot {
                continue;
            }
            if snapshot {
                messages.sort_unstable_by_key(|message| message.ordinal);
            }
            let changes = MessageChanges { revision: self.seen, snapshot, conversation, messages };
            return Ok(Some((changes, self)));
        }
    }

    /// The conversation as it durably stands; `None` once it is deleted.
    async fn read(&mut self) -> ServiceResult<Option<Conversation>> {
        let store = &self.conversations.context.store;
        let Some(conversation) = store.get(keyspace::CONVERSATION, &self.id).await? else { return Ok(None) };
        if conversation.revision < self.seen {
            // It was deleted, and another was begun with its id.
            return Ok(None);
        }
        if conversation.revision > self.durable {
            // A client that resumes after a loss of power must not hold a revision that is given out again.
            store.flush().await?;
            self.durable = conversation.revision;
        }
        Ok(Some(conversation))
    }

    /// The messages that changed after what was sent, up to a revision.
    async fn changed(&mut self, upto: u64) -> ServiceResult<Vec<Message>> {
        let (mut found, more) = self.entries(self.seen + 1, upto + 1, MESSAGES_AT_ONCE).await?;
        let first = found.first().map(|(revision, _)| *revision);
        let last = found.last().map(|(revision, _)| *revision).filter(|_| more);
        self.seen = match last {
            // The rest of the last revision is still to be read: it goes with the next ones.
            Some(last) if first < Some(last) => {
                found.retain(|(revision, _)| *revision < last);
                last - 1
            }
            // One commit brought more than are sent at once: it goes whole.
            Some(only) => {
                found = self.entries(only, only + 1, usize::MAX).await?.0;
                only
            }
            None => upto,
        };
        self.behind = more;
        self.snapshot &= more;
        // One that changed again meanwhile comes later, with the revision of that change.
        let stands = |(revision, message): (u64, Option<Message>)| {
            message.filter(|message| message.revision == revision)
        };
        Ok(found.into_iter().filter_map(stands).collect())
    }

    /// What changed from one revision up to, not including, another: the revisions with the messages.
    async fn entries(
        &self,
        from: u64,
        upto: u64,
        limit: usize,
    ) -> ServiceResult<(Vec<(u64, Option<Message>)>, bool)> {
        let store = &self.conversations.context.store;
        let range = (between(&self.id, Some(&from), Some(&upto)), Direction::Forward, limit);
        let page = store.index_pages::<Message>(keyspace::MESSAGE_BY_REVISION.name, vec![range]).await?.pop();
        let Some(page) = page else { return Ok((Vec::new(), false)) };
        let entry = |(key, message): (Vec<u8>, Option<Message>)| {
            <(ConversationId, u64, u64)>::decode(&key).map(|(_, revision, _)| (revision, message))
        };
        Ok((page.items.into_iter().filter_map(entry).collect(), page.more))
    }

    /// The next messages of the part that a branch shares.
    async fn shared_messages(&mut self, conversation: &Conversation) -> ServiceResult<Vec<Message>> {
        if self.shared.is_empty() {
            return Ok(Vec::new());
        }
        let store = &self.conversations.context.store;
        let lineage = store.get(keyspace::LINEAGE, &self.id).await?.unwrap_or_default();
        let history = History::of(conversation, lineage);
        let end = self.shared.end.min(self.shared.start + MESSAGES_AT_ONCE as u64);
        let parts = history.cover(self.shared.start, end);
        let range = |part: &crate::model::conversation::Segment| {
            let keys = between(&part.conversation_id, Some(&part.start), Some(&part.end));
            (keys, Direction::Forward, MESSAGES_AT_ONCE)
        };
        let pages = store.scan_many(keyspace::MESSAGE, parts.iter().map(range).collect()).await?;
        let mut messages: Vec<_> =
            pages.into_iter().flat_map(|page| page.items).map(|found| found.record).collect();
        results::resolve(store, vec![(&history, messages.as_mut_slice())]).await?;
        self.shared.start = end;
        self.behind = true;
        Ok(messages)
    }
}
