//! Deleting conversations, whole: with their messages, traces, plans and scores.

use std::sync::atomic::Ordering;

use super::{Conversations, has_one_of, put};
use crate::{
    model::{ConversationId, Refusal, conversation::Conversation, refusal::Entity},
    service::{
        Context, ServiceError, ServiceResult,
        deletion::{self, Removed},
    },
    store::{
        Touched,
        keyspace::{self, Deleted, DeletedWith},
        prefix,
    },
};

/// What becomes of the branches of a conversation that is deleted. They share its messages, so they
/// cannot stay without it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeleteBranches {
    /// A conversation with branches is not deleted.
    #[default]
    Refuse,
    /// They are deleted too, and theirs.
    Delete,
}

/// What was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedConversation {
    /// The conversation, then its branches.
    pub conversation_ids: Vec<ConversationId>,
    /// How many messages.
    pub messages: u64,
    /// How many traces.
    pub traces: u64,
    /// How many plans.
    pub plans: u64,
}

/// Branches that are found at a time.
const BRANCHES_AT_ONCE: usize = 500;

impl Conversations {
    /// Deletes a conversation. It is gone with the first commit; what belongs to it goes in further ones,
    /// and all of it when this returns. Where that was cut off, deleting again goes on, as does
    /// [`Conversations::finish_deletions`].
    pub async fn delete(
        &self,
        id: ConversationId,
        branches: DeleteBranches,
    ) -> ServiceResult<DeletedConversation> {
        let deleted = self.delete_if(id, branches, None).await?;
        Ok(deleted.ok_or_else(|| missing(id))?)
    }

    /// As [`Conversations::delete`], where the conversation has one of these revisions, if they are given; `None`:
    /// it has another one.
    pub async fn delete_if(
        &self,
        id: ConversationId,
        branches: DeleteBranches,
        revisions: Option<&[u64]>,
    ) -> ServiceResult<Option<DeletedConversation>> {
        let this = Deleted::Conversation(id);
        let pending = match remove(&self.context, id, (this, branches), revisions).await? {
            Removal::Done => vec![(this, this)],
            Removal::Missing => deletion::pending(&self.context, Some(this)).await?,
            Removal::OtherRevision => return Ok(None),
        };
        if pending.is_empty() {
            return Err(missing(id).into());
        }
        let removed = deletion::complete(&self.context, pending).await;
        // Once more: until now nothing could be made anew in its place.
        self.context.deletions.fetch_add(1, Ordering::Release);
        let Removed { conversations, messages, traces, plans } = removed?;
        Ok(Some(DeletedConversation { conversation_ids: conversations, messages, traces, plans }))
    }

    /// Finishes the deletions that a process which died left behind; answers how many. To be run once
    /// after the store was opened; it may run while everything else goes on.
    pub async fn finish_deletions(&self) -> ServiceResult<usize> {
        let finished = deletion::finish(&self.context).await;
        self.context.deletions.fetch_add(1, Ordering::Release);
        finished
    }
}

/// Removes the records of everything that branches off conversations whose records are gone, and
/// answers all of them with what they are deleted with. Until that is done no message may go: a branch would lose part of its history.
pub(in crate::service) async fn remove_branches(
    context: &Context,
    mut removed: Vec<(ConversationId, Deleted)>,
) -> ServiceResult<Vec<(ConversationId, Deleted)>> {
    let (mut next, mut before) = (0, Vec::new());
    while let Some((parent, with)) = removed.get(next).copied() {
        let range = prefix(&parent);
        let found =
            context.store.chunk_keys(keyspace::CONVERSATION_BY_PARENT, range, BRANCHES_AT_ONCE).await?;
        for (_, _, branch) in &found.items {
            if remove(context, *branch, (with, DeleteBranches::Delete), None).await? == Removal::Done {
                removed.push((*branch, with));
            }
        }
        // The same ones again would be entries of branches that are not there.
        if found.items.is_empty() || found.items == before {
            next += 1;
        }
        before = found.items;
    }
    Ok(removed)
}

fn missing(id: ConversationId) -> Refusal {
    Refusal::not_found("conversationId", Entity::Conversation, id)
}

/// What became of a conversation's record that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Removal {
    /// It is removed.
    Done,
    /// There is none.
    Missing,
    /// It has another revision than those that were named.
    OtherRevision,
}

/// Removes a conversation's record and marks it as deleted, with what it is deleted with; where revisions are given,
/// if it has one of them.
async fn remove(
    context: &Context,
    id: ConversationId,
    (with, branches): (Deleted, DeleteBranches),
    revisions: Option<&[u64]>,
) -> ServiceResult<Removal> {
    let _turn = context.store.turn(id.bytes()).await;
    let removed = context.store.transact::<_, ServiceError, _>(|tx| {
        Box::pin(async move {
            let Some(conversation) = tx.get(keyspace::CONVERSATION, &id).await? else {
                return Ok(Removal::Missing);
            };
            if !has_one_of(&conversation, revisions) {
                return Ok(Removal::OtherRevision);
            }
            if branches == DeleteBranches::Refuse && conversation.branch_count > 0 {
                let count = conversation.branch_count;
                let message = format!("{count} branches share its messages; delete them too, or first");
                return Err(Refusal::invalid("conversationId", message).into());
            }
            if let Some(parent) = conversation.parent_conversation_id
                && let Some(parent) = tx.get(keyspace::CONVERSATION, &parent).await?
            {
                let mut pruned = parent.clone();
                pruned.branch_count = pruned.branch_count.saturating_sub(1);
                pruned.revision += 1;
                put(tx, Some(&parent), &pruned)?;
            }
            tx.delete_indexed::<Conversation>(&conversation)?;
            tx.put(keyspace::DELETION, &Deleted::Conversation(id), &DeletedWith(with))?;
            tx.touch(Touched::Conversation { id, revision: conversation.revision + 1 });
            Ok(Removal::Done)
        })
    });
    let removed = removed.await?;
    if removed == Removal::Done {
        context.deletions.fetch_add(1, Ordering::Release);
    }
    Ok(removed)
}
