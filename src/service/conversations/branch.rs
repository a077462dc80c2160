//! Branches: conversations that go on from a message of another, whose history they share.

use super::{Conversations, history_of, put, required};
use crate::{
    model::{
        ConversationId, MessageId, Refusal,
        conversation::Conversation,
        page::{ListId, Page, PageRequest},
        refusal::Entity,
    },
    service::{
        ServiceError, ServiceResult,
        listing::{self, Listing},
    },
    store::{Direction, keyspace, prefix},
};

impl Conversations {
    /// Begins a conversation that goes on after a message of another one's history, with that one's
    /// settings. Nothing is copied: the branch shares what was said up to that message. It takes the
    /// parent's title where none is given.
    pub async fn branch(
        &self,
        parent: ConversationId,
        from: MessageId,
        title: Option<String>,
    ) -> ServiceResult<Conversation> {
        let limits = &self.context.limits;
        limits.short_text("title", title.as_deref())?;
        let (id, title) = (self.context.new_id(), &title);
        let _turn = self.context.store.turn(parent.bytes()).await;
        let branched = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = required(tx, parent).await?;
                let history = history_of(tx, &old).await?;
                let address = tx.get(keyspace::MESSAGE_ADDRESS, &from).await?;
                let address =
                    address.ok_or_else(|| Refusal::not_found("messageId", Entity::Message, from))?;
                if !history.holds(address.conversation_id, address.ordinal) {
                    let message = format!("the message `{from}` is not in the history of this conversation");
                    return Err(Refusal::invalid("messageId", message).into());
                }
                let lineage = history.branch(address.ordinal);
                limits.count("conversationId", lineage.segments.len(), limits.branch_depth)?;
                let mut branch = old.branch(id, (from, address.ordinal), self.context.now());
                branch.title = title.clone().or(branch.title);
                tx.put(keyspace::LINEAGE, &id, &lineage)?;
                put(tx, None, &branch)?;
                let mut branched = old.clone();
                branched.branch_count += 1;
                branched.revision += 1;
                put(tx, Some(&old), &branched)?;
                Ok(branch)
            })
        });
        branched.await
    }

    /// A page of the branches that leave each conversation directly, the oldest first: two calls to the
    /// engine.
    pub async fn branches(
        &self,
        ids: &[ConversationId],
        page: &PageRequest,
    ) -> ServiceResult<Vec<Page<Conversation>>> {
        let listing = |id: &ConversationId| Listing {
            index: keyspace::CONVERSATION_BY_PARENT.name,
            range: prefix(id),
            direction: Direction::Forward,
            list: ListId::of(&format!("branches of {id}")),
        };
        let listings: Vec<_> = ids.iter().map(listing).collect();
        listing::first_pages(&self.context.store, &listings, page).await
    }
}
