//! Keeping the series in step with the traces: what a trace counted before is taken back, and what it counts now is
//! added, in one commit.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;

use super::Series;
use crate::{
    model::{
        ConversationId, Timestamp, TraceId,
        score::Score,
        series::{Cell, Dimension, Facts, FoundBy, Ranking, Resolution},
    },
    service::{
        ServiceError, ServiceResult,
        followers::{Followed, Follower},
    },
    store::{
        Direction, Tx,
        keyspace::{self, Deleted, FollowerState, Nothing, SeriesKey, score_roots},
        prefix,
    },
};

/// The code of series among the followers.
const CODE: u8 = 1;

/// What is kept; with another figure, all is counted anew.
const FORMAT: u32 = 1;

/// Scores of a trace and its spans that are counted.
const SCORES_PER_TRACE: usize = 1_000;

impl Follower for Series {
    fn code(&self) -> u8 {
        CODE
    }

    fn name(&self) -> &'static str {
        "series"
    }

    fn format(&self) -> u32 {
        FORMAT
    }

    fn follow<'a>(&'a self, traces: &'a [Followed]) -> BoxFuture<'a, ServiceResult<()>> {
        Box::pin(async move {
            let facts = self.facts(traces).await?;
            self.count(&facts).await
        })
    }
}

impl Series {
    /// Whether every trace from before there were series has been counted, or is marked to be.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::service) async fn all_are_marked(&self) -> ServiceResult<bool> {
        let state = self.context.store.get(keyspace::FOLLOWER, &CODE).await?;
        Ok(state == Some(FollowerState { format: FORMAT, marked: None }))
    }

    /// What each trace counts; `None`: nothing, because it is gone or goes on.
    async fn facts(&self, traces: &[Followed]) -> ServiceResult<Vec<(TraceId, Option<Facts>)>> {
        let tags = self.tags(traces).await?;
        let scores = self.scores(traces).await?;
        let facts = traces.iter().zip(scores).map(|(followed, scores)| {
            let facts = followed.over().map(|spans| {
                let tags = spans.trace.conversation_id.and_then(|id| tags.get(&id));
                Facts::of(&spans.trace, &spans.heads, tags.map_or(&[], Vec::as_slice), &scores)
            });
            (followed.id, facts)
        });
        Ok(facts.collect())
    }

    async fn tags(&self, traces: &[Followed]) -> ServiceResult<BTreeMap<ConversationId, Vec<String>>> {
        let mut ids: Vec<_> =
            traces.iter().filter_map(|followed| followed.over()?.trace.conversation_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let found = self.context.store.get_many(keyspace::CONVERSATION, &ids).await?;
        Ok(found.into_iter().flatten().map(|conversation| (conversation.id, conversation.tags)).collect())
    }

    async fn scores(&self, traces: &[Followed]) -> ServiceResult<Vec<Vec<Score>>> {
        let ranges = traces.iter().flat_map(|followed| {
            score_roots(&Deleted::Trace(followed.id))
                .into_iter()
                .map(|root| (prefix(&root), Direction::Forward, SCORES_PER_TRACE))
        });
        let pages = self.context.store.scan_many(keyspace::SCORE, ranges.collect()).await?;
        let scores = pages.chunks(2).map(|pages| {
            pages.iter().flat_map(|page| &page.items).map(|found| found.record.clone()).collect()
        });
        Ok(scores.collect())
    }

    /// Puts what these traces count in the place of what they counted before.
    async fn count(&self, facts: &[(TraceId, Option<Facts>)]) -> ServiceResult<()> {
        let counted = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let ids: Vec<_> = facts.iter().map(|(id, _)| *id).collect();
                let before = tx.get_many(keyspace::TRACE_FACTS, &ids).await?;
                let changed = facts.iter().zip(&before).filter(|((_, now), before)| now != *before);
                let changed: Vec<_> = changed
                    .map(|((id, now), before)| Change { id, before: before.as_ref(), now: now.as_ref() })
                    .collect();
                recount(tx, &changed).await
            })
        });
        counted.await
    }
}

/// What a trace counted, and what it counts now.
struct Change<'a> {
    id: &'a TraceId,
    before: Option<&'a Facts>,
    now: Option<&'a Facts>,
}

/// What some traces count by one thing in the shortest stretch of time.
#[derive(Default)]
struct Part {
    /// What they counted before.
    gone: Cell,
    /// What they count now.
    come: Cell,
}

/// Where a part belongs: by what it is counted, the value, and the start of the stretch.
type Place = (Dimension, String, Timestamp);

/// Brings the cells up to date: each is read and written once, however many of the traces it counts. They are added up
/// in the shortest stretches first, so that a longer one takes in one sum in place of a figure for each of its traces.
async fn recount(tx: &mut Tx<'_>, changes: &[Change<'_>]) -> ServiceResult<()> {
    let parts = parts(changes);
    let key = |resolution: Resolution, (dimension, value, start): &Place| {
        (resolution, *dimension, resolution.start_of(*start), value.clone())
    };
    let mut cells: BTreeMap<SeriesKey, Vec<&Part>> = BTreeMap::new();
    for (place, part) in &parts {
        for resolution in Resolution::ALL {
            cells.entry(key(*resolution, place)).or_default().push(part);
        }
    }
    let keys: Vec<_> = cells.keys().cloned().collect();
    let known = tx.get_many(keyspace::SERIES, &keys).await?;
    for ((key, parts), known) in cells.iter().zip(known) {
        let mut cell = known.unwrap_or_default();
        for part in parts {
            cell.remove(&part.gone);
            cell.merge(&part.come);
        }
        if cell.is_empty() {
            tx.delete(keyspace::SERIES, key);
        } else {
            tx.put(keyspace::SERIES, key, &cell)?;
        }
    }
    for change in changes {
        index(tx, change)?;
        match change.now {
            Some(facts) => tx.put(keyspace::TRACE_FACTS, change.id, facts)?,
            None => tx.delete(keyspace::TRACE_FACTS, change.id),
        }
    }
    Ok(())
}

fn parts(changes: &[Change<'_>]) -> BTreeMap<Place, Part> {
    let mut parts: BTreeMap<Place, Part> = BTreeMap::new();
    for change in changes {
        for (facts, counts) in [(change.before, false), (change.now, true)] {
            let Some(facts) = facts else { continue };
            let start = Resolution::FiveMinutes.start_of(facts.start);
            for (dimension, value) in facts.places() {
                let part = parts.entry((dimension, value.to_owned(), start)).or_default();
                facts.count_in(if counts { &mut part.come } else { &mut part.gone }, dimension, value);
            }
        }
    }
    parts
}

/// Brings what a trace can be found by up to date.
fn index(tx: &mut Tx<'_>, change: &Change<'_>) -> ServiceResult<()> {
    let (old, new) = (
        change.before.map(|facts| found(*change.id, facts)),
        change.now.map(|facts| found(*change.id, facts)),
    );
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    for gone in old.difference(&new) {
        match gone {
            Entry::Found(key) => tx.delete(keyspace::TRACE_FOUND_BY, key),
            Entry::Ranked(key) => tx.delete(keyspace::TRACE_RANKED, key),
        }
    }
    for come in new.difference(&old) {
        match come {
            Entry::Found(key) => tx.put(keyspace::TRACE_FOUND_BY, key, &Nothing)?,
            Entry::Ranked(key) => tx.put(keyspace::TRACE_RANKED, key, &Nothing)?,
        }
    }
    Ok(())
}

/// An entry of an index.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    Found((FoundBy, String, Timestamp, TraceId)),
    Ranked((Ranking, u64, Timestamp, TraceId)),
}

fn found(id: TraceId, facts: &Facts) -> BTreeSet<Entry> {
    let found = facts.found_by().map(|(by, value)| Entry::Found((by, value.to_owned(), facts.start, id)));
    found.chain(facts.ranks().map(|(by, value)| Entry::Ranked((by, value, facts.start, id)))).collect()
}
