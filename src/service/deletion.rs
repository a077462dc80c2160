//! Deleting what has many parts: its record first, then its parts in commits of a bounded size.
//!
//! The commit that removes a record leaves a mark (`deletion`), and from then on nothing can be added:
//! writers name the record, or the absence of the mark, as a precondition. Parts are removed under the
//! mark, the mark last. So a process that dies in between leaves nothing that is half there, only parts
//! that nobody sees and a mark by which [`finish`] goes on.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Context, ServiceError, ServiceResult, datasets, experiments};
use crate::{
    model::{ConversationId, Refusal, TraceId, message::Message, score::Score},
    store::{
        Chunk, KeyRange, StoreResult, Touched, Tx,
        key::Key,
        keyspace::{self, Deleted, score_key, score_roots},
        prefix,
    },
};

/// Parts that are removed in one commit.
pub(super) const AT_ONCE: usize = 500;

/// Traces that are deleted at the same time.
const TRACES_AT_ONCE: usize = 32;

/// What was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Removed {
    /// Conversations.
    pub(super) conversations: Vec<ConversationId>,
    /// Messages.
    pub(super) messages: u64,
    /// Traces.
    pub(super) traces: u64,
    /// Plans.
    pub(super) plans: u64,
}

/// Refuses to make something anew while parts of what had its id are still to go.
pub(super) async fn refuse_pending(tx: &mut Tx<'_>, field: &str, deleted: Deleted) -> ServiceResult<()> {
    if tx.get(keyspace::DELETION, &deleted).await?.is_some() {
        let message = "what had this id is still being deleted; try again in a moment";
        return Err(Refusal::invalid(field, message).into());
    }
    Ok(())
}

/// Deletes a trace, whole. Answers whether there was one.
pub async fn delete_trace(context: &Context, id: TraceId) -> ServiceResult<bool> {
    delete_trace_with(context, id, Deleted::Trace(id)).await
}

async fn delete_trace_with(context: &Context, id: TraceId, with: Deleted) -> ServiceResult<bool> {
    let removed = context.store.remove_trace(id, with).await?;
    purge_trace(context, id).await?;
    Ok(removed)
}

/// Finishes the deletions that a process which died left behind; answers how many.
pub(super) async fn finish(context: &Context) -> ServiceResult<usize> {
    let pending = pending(context, None).await?;
    complete(context, pending.clone()).await?;
    Ok(pending.len())
}

/// Something whose parts are still to go, and what it was deleted with.
pub(super) type Pending = (Deleted, Deleted);

/// What is still to go: all, or what was deleted with something.
pub(super) async fn pending(context: &Context, with: Option<Deleted>) -> ServiceResult<Vec<Pending>> {
    let (mut pending, mut range) = (Vec::new(), KeyRange::all());
    loop {
        let found = context.store.chunk(keyspace::DELETION, range, AT_ONCE).await?;
        let Some(last) = found.items.last().map(|found| found.key) else { return Ok(pending) };
        let marks = found.items.into_iter().map(|found| (found.key, found.record.0));
        pending.extend(marks.filter(|(_, cause)| with.is_none_or(|with| with == *cause)));
        range = KeyRange::all().after(&last.encode());
    }
}

/// Removes the parts of what was deleted, and of the branches of conversations; answers what went.
pub(super) async fn complete(context: &Context, pending: Vec<Pending>) -> ServiceResult<Removed> {
    let mut removed = Removed::default();
    let conversations = pending.iter().filter_map(|(deleted, with)| match deleted {
        Deleted::Conversation(id) => Some((*id, *with)),
        Deleted::Trace(_) | Deleted::Dataset(_) | Deleted::Experiment(_) => None,
    });
    let conversations = super::conversations::remove_branches(context, conversations.collect()).await?;
    for (deleted, _) in &pending {
        match deleted {
            Deleted::Trace(id) => purge_trace(context, *id).await?,
            Deleted::Dataset(id) => datasets::purge(context, *id).await?,
            Deleted::Experiment(id) => experiments::purge(context, *id).await?,
            Deleted::Conversation(_) => {}
        }
    }
    // What something was deleted with goes last: while its mark stands, asking again goes on.
    for (id, with) in conversations.iter().rev() {
        purge_conversation(context, *id, *with, &mut removed).await?;
    }
    removed.conversations = conversations.into_iter().map(|(id, _)| id).collect();
    Ok(removed)
}

/// Removes what belongs to a conversation whose record is gone, then its mark.
async fn purge_conversation(
    context: &Context,
    id: ConversationId,
    with: Deleted,
    removed: &mut Removed,
) -> ServiceResult<()> {
    let mark = Deleted::Conversation(id);
    purge_traces(context, id, with, removed).await?;
    purge_plans(context, id, removed).await?;
    purge_messages(context, id, removed).await?;
    loop {
        let scores = &scores_of(context, mark).await?;
        let purged = remove(context, mark, |tx| {
            remove_scores(tx, &scores.items);
            if !scores.more {
                tx.delete(keyspace::LINEAGE, &id);
                tx.delete(keyspace::DELETION, &mark);
            }
            Ok(())
        });
        if !purged.await? || !scores.more {
            return Ok(());
        }
    }
}

/// Removes what belongs to a trace whose record is gone, then its mark: mostly all in one commit.
async fn purge_trace(context: &Context, id: TraceId) -> ServiceResult<()> {
    let (store, mark) = (&context.store, Deleted::Trace(id));
    loop {
        let heads = &store.chunk_keys(keyspace::SPAN_HEAD, prefix(&id), AT_ONCE).await?;
        let bodies = &store.chunk_keys(keyspace::SPAN_BODY, prefix(&id), AT_ONCE).await?;
        let scores = &scores_of(context, mark).await?;
        let last = !(heads.more || bodies.more || scores.more);
        let removed = remove(context, mark, |tx| {
            heads.items.iter().for_each(|key| tx.delete(keyspace::SPAN_HEAD, key));
            bodies.items.iter().for_each(|key| tx.delete(keyspace::SPAN_BODY, key));
            remove_scores(tx, &scores.items);
            if last {
                tx.delete(keyspace::DELETION, &mark);
            }
            Ok(())
        });
        if !removed.await? || last {
            return Ok(());
        }
    }
}

async fn purge_traces(
    context: &Context,
    id: ConversationId,
    with: Deleted,
    removed: &mut Removed,
) -> ServiceResult<()> {
    loop {
        let found = context.store.chunk_keys(keyspace::TRACE_BY_CONVERSATION, prefix(&id), AT_ONCE).await?;
        let deleted = stream::iter(found.items).map(|(_, _, trace)| delete_trace_with(context, trace, with));
        // Side by side they share commits.
        let deleted: Vec<bool> = deleted.buffer_unordered(TRACES_AT_ONCE).try_collect().await?;
        let count = deleted.into_iter().filter(|deleted| *deleted).count();
        if count == 0 {
            return Ok(());
        }
        removed.traces += count as u64;
    }
}

async fn purge_plans(context: &Context, id: ConversationId, removed: &mut Removed) -> ServiceResult<()> {
    loop {
        let found = context.store.chunk_keys(keyspace::PLAN_BY_CONVERSATION, prefix(&id), AT_ONCE).await?;
        let ids = &found.items.iter().map(|(_, _, plan)| *plan).collect::<Vec<_>>();
        let gone = context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let plans: Vec<_> = tx.get_many(keyspace::PLAN, ids).await?.into_iter().flatten().collect();
                for plan in &plans {
                    tx.delete_indexed(plan)?;
                    tx.touch(Touched::Plan { id: plan.id, revision: plan.revision + 1 });
                }
                Ok(plans.len() as u64)
            })
        });
        let gone = gone.await?;
        removed.plans += gone;
        if gone == 0 {
            return Ok(());
        }
    }
}

async fn purge_messages(context: &Context, id: ConversationId, removed: &mut Removed) -> ServiceResult<()> {
    loop {
        let found = &context.store.chunk(keyspace::MESSAGE, prefix(&id), AT_ONCE).await?.items;
        let remove_all =
            |tx: &mut Tx<'_>| found.iter().try_for_each(|found| remove_message(tx, &found.record));
        if found.is_empty() || !remove(context, Deleted::Conversation(id), remove_all).await? {
            return Ok(());
        }
        removed.messages += found.len() as u64;
    }
}

fn remove_message(tx: &mut Tx<'_>, message: &Message) -> StoreResult<()> {
    tx.delete_indexed(message)?;
    tx.delete(keyspace::MESSAGE_ADDRESS, &message.id);
    for call in &message.tool_calls {
        tx.delete(keyspace::TOOL_CALL, &(message.conversation_id, call.call_id.clone()));
    }
    if let Some(call_id) = &message.tool_call_id {
        tx.delete(keyspace::TOOL_RESULT, &(message.conversation_id, call_id.clone()));
    }
    Ok(())
}

/// Scores of what was deleted and of its parts.
async fn scores_of(context: &Context, mark: Deleted) -> ServiceResult<Chunk<Score>> {
    let mut scores = Chunk { items: Vec::new(), more: false };
    for root in score_roots(&mark) {
        let found = context.store.chunk(keyspace::SCORE, prefix(&root), AT_ONCE).await?;
        scores.items.extend(found.items.into_iter().map(|found| found.record));
        scores.more |= found.more;
    }
    Ok(scores)
}

fn remove_scores(tx: &mut Tx<'_>, scores: &[Score]) {
    for score in scores {
        tx.delete(keyspace::SCORE, &score_key(&score.target, score.id));
        tx.delete(keyspace::SCORE_ADDRESS, &score.id);
    }
}

/// Removes parts in one commit, if the mark still stands: what has the same id and no mark is another.
pub(super) async fn remove(
    context: &Context,
    mark: Deleted,
    remove: impl Fn(&mut Tx<'_>) -> StoreResult<()> + Send + Sync,
) -> ServiceResult<bool> {
    let remove = &remove;
    let removed = context.store.transact::<_, ServiceError, _>(|tx| {
        Box::pin(async move {
            let marked = tx.get(keyspace::DELETION, &mark).await?.is_some();
            if marked {
                remove(tx)?;
            }
            Ok(marked)
        })
    });
    removed.await
}
