//! Conversations and their messages: making, changing, reading.

mod add;
mod append;
mod branch;
mod delete;
mod history;
mod list;
mod live;
mod of_trace;
mod results;

use self::append::Append;
pub(super) use self::delete::remove_branches;
pub use self::{
    add::AddedMessage,
    delete::{DeleteBranches, DeletedConversation},
    history::{HistoryOrder, HistoryRequest},
    list::{ConversationFilter, ConversationOrder},
    live::MessageChanges,
};
use super::{Context, ServiceError, ServiceResult, deletion};
use crate::{
    model::{
        ConversationId, MessageId, Refusal,
        conversation::{Conversation, ConversationPatch, History, NewConversation},
        message::Message,
        refusal::Entity,
    },
    store::{
        Queued, Touched, Tx,
        keyspace::{self, Deleted},
    },
};

/// Use cases of conversations. Cheap to clone.
#[derive(Clone)]
pub struct Conversations {
    context: Context,
}

impl Conversations {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Begins a conversation.
    pub async fn create(&self, new: NewConversation) -> ServiceResult<Conversation> {
        let begun = &self.begun(new)?;
        let created = self.context.store.transact::<_, ServiceError, _>(|tx| Box::pin(create(tx, begun)));
        created.await?;
        Ok(begun.clone())
    }

    /// As [`Conversations::create`], and no longer than until the commit is queued. Where that meets a conflict,
    /// nothing is begun.
    pub(super) async fn queue_new(&self, new: NewConversation) -> ServiceResult<Queued<()>> {
        let begun = &self.begun(new)?;
        self.context.store.queue::<_, ServiceError, _>(|tx| Box::pin(create(tx, begun))).await
    }

    fn begun(&self, new: NewConversation) -> ServiceResult<Conversation> {
        new.check(&self.context.limits)?;
        let id = new.id.unwrap_or_else(|| self.context.new_id());
        Ok(Conversation::begin(id, new, self.context.now()))
    }

    /// Changes a conversation's own fields. A patch that changes nothing writes nothing.
    pub async fn update(&self, id: ConversationId, patch: ConversationPatch) -> ServiceResult<Conversation> {
        let updated = self.update_if(id, patch, None).await?;
        Ok(updated.ok_or_else(|| Refusal::not_found("conversationId", Entity::Conversation, id))?)
    }

    /// As [`Conversations::update`], where the conversation has one of these revisions, if they are given; `None`:
    /// it has another one.
    pub async fn update_if(
        &self,
        id: ConversationId,
        patch: ConversationPatch,
        revisions: Option<&[u64]>,
    ) -> ServiceResult<Option<Conversation>> {
        patch.check(&self.context.limits)?;
        let patch = &patch;
        let _turn = self.context.store.turn(id.bytes()).await;
        let updated = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = required(tx, id).await?;
                if !has_one_of(&old, revisions) {
                    return Ok(None);
                }
                let new = old.patched(patch.clone(), self.context.now());
                if new != old {
                    put(tx, Some(&old), &new)?;
                }
                Ok(Some(new))
            })
        });
        updated.await
    }

    /// The conversations with these ids, in their order, with the messages that are on their way to them: one
    /// call to the engine.
    pub async fn get_many(&self, ids: &[ConversationId]) -> ServiceResult<Vec<Option<Conversation>>> {
        self.context.arriving.settled(ids).await;
        self.get_many_now(ids).await
    }

    /// As [`Conversations::get_many`], as they stand at this moment.
    pub(in crate::service) async fn get_many_now(
        &self,
        ids: &[ConversationId],
    ) -> ServiceResult<Vec<Option<Conversation>>> {
        Ok(self.context.store.get_many(keyspace::CONVERSATION, ids).await?)
    }

    /// The messages with these ids, in their order: two calls to the engine.
    pub async fn messages(&self, ids: &[MessageId]) -> ServiceResult<Vec<Option<Message>>> {
        let store = &self.context.store;
        let addresses = store.get_many(keyspace::MESSAGE_ADDRESS, ids).await?;
        let keys: Vec<_> =
            addresses.iter().flatten().map(|address| (address.conversation_id, address.ordinal)).collect();
        let mut found = store.get_many(keyspace::MESSAGE, &keys).await?.into_iter();
        Ok(addresses.into_iter().map(|address| address.and_then(|_| found.next().flatten())).collect())
    }
}

/// Puts a conversation where there is none.
async fn create(tx: &mut Tx<'_>, begun: &Conversation) -> ServiceResult<()> {
    let id = begun.id;
    if tx.get(keyspace::CONVERSATION, &id).await?.is_some() {
        return Err(Refusal::already_exists("conversationId", Entity::Conversation, id).into());
    }
    deletion::refuse_pending(tx, "id", Deleted::Conversation(id)).await?;
    put(tx, None, begun)
}

/// The conversation, which must be there, and still the same when the transaction commits.
pub(super) async fn required(tx: &mut Tx<'_>, id: ConversationId) -> ServiceResult<Conversation> {
    let found = tx.get(keyspace::CONVERSATION, &id).await?;
    Ok(found.ok_or_else(|| Refusal::not_found("conversationId", Entity::Conversation, id))?)
}

/// Whether the conversation has one of these revisions, if they are given.
fn has_one_of(conversation: &Conversation, revisions: Option<&[u64]>) -> bool {
    revisions.is_none_or(|revisions| revisions.contains(&conversation.revision))
}

/// What the conversation's history is made of.
async fn history_of(tx: &mut Tx<'_>, conversation: &Conversation) -> ServiceResult<History> {
    let lineage = match conversation.first_ordinal {
        0 => None,
        _ => tx.get(keyspace::LINEAGE, &conversation.id).await?,
    };
    Ok(History::of(conversation, lineage.unwrap_or_default()))
}

/// Writes the conversation and tells who watches it.
fn put(tx: &mut Tx<'_>, old: Option<&Conversation>, new: &Conversation) -> ServiceResult<()> {
    tx.put_indexed(old, new)?;
    tx.touch(Touched::Conversation { id: new.id, revision: new.revision });
    Ok(())
}
