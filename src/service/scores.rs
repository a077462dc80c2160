//! Scores: recording judgements and finding those of a target.

use super::{Context, ServiceError, ServiceResult, followers};
use crate::{
    model::{
        Refusal, ScoreId,
        limits::RecordLimits,
        page::{Cursor, ListId, Page, PageRequest},
        refusal::Entity,
        score::{NewScore, Score, ScoreTarget, ScoreValue},
    },
    store::{
        Direction, TablePage,
        key::Key,
        keyspace::{self, Deleted, KeyBytes, score_key, score_root, score_roots},
        prefix,
    },
};

/// Use cases of scores. Cheap to clone.
#[derive(Clone)]
pub struct Scores {
    context: Context,
}

impl Scores {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Records a judgement of something that exists. A score whose id is taken replaces the one that has
    /// it; recording the same again changes nothing.
    pub async fn record(&self, new: NewScore) -> ServiceResult<Score> {
        check(&new, &self.context.limits)?;
        let score = &Score {
            id: new.id.unwrap_or_else(|| self.context.new_id()),
            target: new.target,
            name: new.name,
            value: new.value,
            comment: new.comment,
            source: new.source,
            created_at: self.context.now(),
            evaluator: new.evaluator,
            judged_in: new.judged_in,
            judged_revision: new.judged_revision,
        };
        let recorded = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                // The mark is a precondition where the target's record would be one that changes all the
                // time: a target that is deleted from here on makes this run again, and find it gone.
                let owner = match score.target {
                    ScoreTarget::Trace(id) | ScoreTarget::Span(id, _) => Deleted::Trace(id),
                    ScoreTarget::Conversation(id) | ScoreTarget::Message(id, _) => Deleted::Conversation(id),
                };
                tx.get(keyspace::DELETION, &owner).await?;
                self.target_exists(&score.target).await?;
                let key = score_key(&score.target, score.id);
                if let Some(KeyBytes(known)) = tx.get(keyspace::SCORE_ADDRESS, &score.id).await? {
                    if let Some(same) = tx.get(keyspace::SCORE, &key).await?
                        && same == (Score { created_at: same.created_at, ..score.clone() })
                    {
                        return Ok(same);
                    }
                    tx.delete_key(keyspace::SCORE, known);
                }
                if let ScoreTarget::Trace(id) | ScoreTarget::Span(id, _) = score.target {
                    followers::mark(tx, id).await?;
                }
                tx.put(keyspace::SCORE, &key, score)?;
                tx.put(keyspace::SCORE_ADDRESS, &score.id, &KeyBytes(key.encode()))?;
                Ok(score.clone())
            })
        });
        recorded.await
    }

    /// The scores of each target, the oldest id first: one call to the engine.
    pub async fn of_targets(&self, targets: &[ScoreTarget]) -> ServiceResult<Vec<Vec<Score>>> {
        let most = self.context.lists.scanned_per_page;
        let range = |target: &ScoreTarget| (prefix(&score_root(target)), Direction::Forward, most);
        let pages =
            self.context.store.scan_many(keyspace::SCORE, targets.iter().map(range).collect()).await?;
        Ok(pages.into_iter().map(|page| page.items.into_iter().map(|found| found.record).collect()).collect())
    }

    /// A page of a target's scores, the oldest id first: one call to the engine.
    pub async fn list(&self, target: &ScoreTarget, page: &PageRequest) -> ServiceResult<Page<Score>> {
        let list = ListId::of(&format!("scores of {target:?}"));
        let mut range = prefix(&score_root(target));
        if let Some(cursor) = &page.after {
            range = range.after(&Cursor::decode(list, cursor)?);
        }
        let found = self.context.store.scan(keyspace::SCORE, range, Direction::Forward, page.first).await?;
        let items: Vec<_> = found
            .items
            .into_iter()
            .map(|found| (Cursor::new(list, &found.key.encode()), found.record))
            .collect();
        let end = items.last().map(|(cursor, _)| cursor.clone());
        Ok(Page { items, has_next: found.more, end })
    }

    /// The scores of each conversation and its messages, or of each trace and its spans, and whether there are
    /// more than are read at once: one call to the engine.
    pub(in crate::service) async fn of_owners(
        &self,
        owners: &[Deleted],
    ) -> ServiceResult<Vec<(Vec<Score>, bool)>> {
        let most = self.context.lists.scanned_per_page;
        let ranges = owners.iter().flat_map(score_roots);
        let ranges = ranges.map(|root| (prefix(&root), Direction::Forward, most)).collect();
        let pages = self.context.store.scan_many(keyspace::SCORE, ranges).await?;
        let whole = |pages: &[TablePage<keyspace::ScoreKey, Score>]| {
            let scores = pages.iter().flat_map(|page| page.items.iter().map(|found| found.record.clone()));
            (scores.collect(), pages.iter().any(|page| page.more))
        };
        Ok(pages.chunks(2).map(whole).collect())
    }

    /// The scores with these ids, in their order: two calls to the engine.
    pub async fn get_many(&self, ids: &[ScoreId]) -> ServiceResult<Vec<Option<Score>>> {
        let store = &self.context.store;
        let addresses = store.get_many(keyspace::SCORE_ADDRESS, ids).await?;
        let decode =
            |address: Option<KeyBytes>| address.and_then(|KeyBytes(key)| keyspace::ScoreKey::decode(&key));
        let keys: Vec<_> = addresses.into_iter().map(decode).collect();
        let wanted: Vec<_> = keys.iter().flatten().copied().collect();
        let mut found = store.get_many(keyspace::SCORE, &wanted).await?.into_iter();
        Ok(keys.into_iter().map(|key| key.and_then(|_| found.next().flatten())).collect())
    }

    async fn target_exists(&self, target: &ScoreTarget) -> ServiceResult<()> {
        let store = &self.context.store;
        match *target {
            ScoreTarget::Trace(id) => {
                let found = store.get(keyspace::TRACE, &id).await?;
                found.map(drop).ok_or_else(|| Refusal::not_found("traceId", Entity::Trace, id))?;
            }
            ScoreTarget::Span(trace, id) => {
                let spans = store.trace_spans(&[trace]).await?.pop().flatten();
                let spans = spans.ok_or_else(|| Refusal::not_found("traceId", Entity::Trace, trace))?;
                if !spans.heads.iter().any(|head| head.id == id) {
                    return Err(Refusal::not_found("spanId", Entity::Span, id).into());
                }
            }
            ScoreTarget::Conversation(id) => {
                let found = store.get(keyspace::CONVERSATION, &id).await?;
                found
                    .map(drop)
                    .ok_or_else(|| Refusal::not_found("conversationId", Entity::Conversation, id))?;
            }
            ScoreTarget::Message(conversation, id) => {
                let address = store.get(keyspace::MESSAGE_ADDRESS, &id).await?;
                let address = address.ok_or_else(|| Refusal::not_found("messageId", Entity::Message, id))?;
                if address.conversation_id != conversation {
                    let message = format!("the message is in the conversation `{}`", address.conversation_id);
                    return Err(Refusal::invalid("conversationId", message).into());
                }
            }
        }
        Ok(())
    }
}

fn check(new: &NewScore, limits: &RecordLimits) -> Result<(), Refusal> {
    limits.name("name", &new.name)?;
    new.value.check()?;
    if let ScoreValue::Category(category) = &new.value {
        limits.name("value.category", category)?;
    }
    limits.text("comment", new.comment.as_deref())
}
