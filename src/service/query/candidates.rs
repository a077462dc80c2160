//! Candidates: the traces of a plan's source, chunk by chunk in the order that is asked for.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::{
    Prepared, Queries, TraceOrdering,
    plan::{Listed, Source},
};
use crate::{
    model::{
        TraceId,
        trace::{Trace, TraceStatus},
    },
    service::{ServiceResult, series::Series},
    store::{Direction, KeyRange, keyspace, prefix},
};

/// Traces that go on, or are not followed yet, that are looked at beside an index that lags behind.
const MOST_BESIDE: usize = 5_000;

/// A trace with its place in the order.
pub(super) type Placed = (Vec<u8>, Trace);

/// Traces to judge, in order.
pub(super) struct Candidates {
    ordering: TraceOrdering,
    /// What is left of the index.
    rest: Option<Rest>,
    /// Traces that are known already, in order.
    listed: VecDeque<Placed>,
    /// Those of `listed`, which an index may have too.
    known: HashSet<TraceId>,
}

struct Rest {
    index: &'static str,
    prefix: Vec<u8>,
    range: KeyRange,
}

impl Candidates {
    /// Those behind a place.
    pub(super) async fn begin(
        queries: &Queries,
        prepared: &Prepared,
        after: Option<Vec<u8>>,
    ) -> ServiceResult<Self> {
        let ordering = prepared.ordering;
        let (rest, rows) = match &prepared.plan.source {
            Source::Ordered { index, prefix, range, lags } => {
                let range = match &after {
                    None => range.clone(),
                    Some(place) => {
                        let key = [prefix.as_slice(), place].concat();
                        match ordering.scan() {
                            Direction::Forward => range.clone().after(&key),
                            Direction::Backward => range.clone().before(&key),
                        }
                    }
                };
                let beside = if *lags { queries.beside().await? } else { Vec::new() };
                (Some(Rest { index, prefix: prefix.clone(), range }), beside)
            }
            Source::Listed(Listed::Ids(ids)) => (None, queries.rows(ids).await?),
            Source::Listed(Listed::Index { index, range, lags }) => {
                (None, queries.listed(index, range.clone(), *lags).await?)
            }
        };
        let mut placed: BTreeMap<Vec<u8>, Trace> = BTreeMap::new();
        for row in rows {
            let Some(place) = ordering.place_of(&row) else { continue };
            if after.as_ref().is_none_or(|after| ordering.is_before(after, &place)) {
                placed.insert(place, row);
            }
        }
        let known = placed.values().map(|trace| trace.id).collect();
        let listed = match ordering.scan() {
            Direction::Forward => placed.into_iter().collect(),
            Direction::Backward => placed.into_iter().rev().collect(),
        };
        Ok(Self { ordering, rest, listed, known })
    }

    /// Whether there are no more.
    pub(super) fn are_over(&self) -> bool {
        self.rest.is_none() && self.listed.is_empty()
    }

    /// The next ones, some `size` of them.
    pub(super) async fn next(&mut self, queries: &Queries, size: usize) -> ServiceResult<Vec<Placed>> {
        let Some(rest) = &mut self.rest else {
            let count = size.min(self.listed.len());
            return Ok(self.listed.drain(..count).collect());
        };
        let (direction, store) = (self.ordering.scan(), &queries.context.store);
        let wanted = vec![(rest.range.clone(), direction, size)];
        let found = store.index_pages::<Trace>(rest.index, wanted).await?.pop();
        let (items, more) = found.map(|page| (page.items, page.more)).unwrap_or_default();
        let last = items.last().map(|(key, _)| key.clone());
        let place = |key: &[u8]| key.get(rest.prefix.len()..).unwrap_or_default().to_vec();
        let mut chunk: Vec<_> = items
            .iter()
            .filter_map(|(key, row)| Some((place(key), row.clone()?)))
            .filter(|(_, row)| !self.known.contains(&row.id))
            .collect();
        let frontier = last.as_deref().map(place);
        match (more, last) {
            (true, Some(last)) => {
                rest.range = match direction {
                    Direction::Forward => rest.range.clone().after(&last),
                    Direction::Backward => rest.range.clone().before(&last),
                };
            }
            _ => self.rest = None,
        }
        // Of the others, those that come before what is still to come of the index.
        let over = self.rest.is_none();
        while let Some((place, _)) = self.listed.front() {
            let is_due =
                over || frontier.as_ref().is_some_and(|frontier| !self.ordering.is_before(frontier, place));
            if !is_due {
                break;
            }
            chunk.extend(self.listed.pop_front());
        }
        chunk.sort_by(|(a, _), (b, _)| self.ordering.compare(a, b));
        Ok(chunk)
    }
}

impl Queries {
    async fn rows(&self, ids: &[TraceId]) -> ServiceResult<Vec<Trace>> {
        let rows = self.context.store.get_many(keyspace::TRACE, ids).await?;
        Ok(rows.into_iter().flatten().collect())
    }

    async fn listed(&self, index: &'static str, range: KeyRange, lags: bool) -> ServiceResult<Vec<Trace>> {
        let mut rows = if lags { self.beside().await? } else { Vec::new() };
        let wanted = vec![(range, Direction::Forward, self.context.query.sorted)];
        let found = self.context.store.index_pages::<Trace>(index, wanted).await?.pop();
        rows.extend(found.into_iter().flat_map(|page| page.items).filter_map(|(_, row)| row));
        Ok(rows)
    }

    /// Whether all that indexes of what is over do not have is known, and few enough to be looked at.
    pub(super) async fn can_look_beside(&self) -> ServiceResult<bool> {
        if !Series::new(self.context.clone()).all_are_marked().await? {
            return Ok(false);
        }
        let parts = vec![
            (keyspace::TRACE_BY_STATUS.name, prefix(&TraceStatus::Running)),
            (keyspace::FOLLOW_DUE.name, KeyRange::all()),
        ];
        let counts = self.context.store.count_entries(parts, MOST_BESIDE).await?;
        Ok(counts.iter().all(|(_, more)| !more))
    }

    /// Traces that indexes of what is over do not have, or not as they are now.
    async fn beside(&self) -> ServiceResult<Vec<Trace>> {
        let store = &self.context.store;
        let running = prefix(&TraceStatus::Running);
        let running = store.chunk_keys(keyspace::TRACE_BY_STATUS, running, MOST_BESIDE).await?;
        let due = store.chunk_keys(keyspace::FOLLOW_DUE, KeyRange::all(), MOST_BESIDE).await?;
        let mut ids: Vec<TraceId> = running.items.into_iter().map(|(_, _, id)| id).chain(due.items).collect();
        ids.sort_unstable();
        ids.dedup();
        self.rows(&ids).await
    }
}
