//! Candidates: the traces of a plan's source, chunk by chunk in the order that is asked for.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::{
    Queries, TraceOrdering,
    plan::{Listed, Plan, Source},
};
use crate::{
    model::{
        TraceId,
        trace::{Trace, TraceStatus},
    },
    service::{ServiceResult, series::Series},
    store::{Direction, KeyRange, key::Key, keyspace, prefix},
};

/// Traces that go on, or are not followed yet, that are looked at beside an index that lags behind.
const MOST_BESIDE: usize = 5_000;

/// Rows that are read at a time for their places alone: one takes some 1 kB, and its place 40 bytes.
const ROWS_AT_ONCE: usize = 2_000;

/// A trace with its place in the order.
pub(super) type Placed = (Vec<u8>, Trace);

/// Traces to judge, in order.
pub(super) struct Candidates {
    ordering: TraceOrdering,
    /// What is left of the index.
    rest: Option<Rest>,
    /// Traces whose places are known already, in order.
    listed: VecDeque<(Vec<u8>, TraceId)>,
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
        plan: &Plan,
        ordering: TraceOrdering,
        after: Option<&[u8]>,
    ) -> ServiceResult<Self> {
        let mut places = Places { ordering, after, traces: BTreeMap::new() };
        let mut rest = None;
        match &plan.source {
            Source::Ordered { index, prefix, range, lags } => {
                let range = match after {
                    None => range.clone(),
                    Some(place) => {
                        let key = [prefix.as_slice(), place].concat();
                        match ordering.scan() {
                            Direction::Forward => range.clone().after(&key),
                            Direction::Backward => range.clone().before(&key),
                        }
                    }
                };
                if *lags {
                    queries.place_those_beside(&mut places).await?;
                }
                rest = Some(Rest { index, prefix: prefix.clone(), range });
            }
            Source::Listed(Listed::Ids(ids)) => queries.place(ids, &mut places).await?,
            Source::Listed(Listed::Started(started)) => {
                for of in started {
                    places.add_at(of.encode(), of.1);
                }
            }
            Source::Listed(Listed::Index { index, range, lags }) => {
                if *lags {
                    queries.place_those_beside(&mut places).await?;
                }
                queries.place_listed(index, range.clone(), &mut places).await?;
            }
        }
        let known = places.traces.values().copied().collect();
        let listed = match ordering.scan() {
            Direction::Forward => places.traces.into_iter().collect(),
            Direction::Backward => places.traces.into_iter().rev().collect(),
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
            return queries.with_rows(self.listed.drain(..count).collect()).await;
        };
        let (direction, store) = (self.ordering.scan(), &queries.context.store);
        let wanted = vec![(rest.range.clone(), direction, size)];
        let found = store.index_pages::<Trace>(rest.index, wanted).await?.pop();
        let (items, more) = found.map(|page| (page.items, page.more)).unwrap_or_default();
        let last = items.last().map(|(key, _)| key.clone());
        let place = |key: &[u8]| key.get(rest.prefix.len()..).unwrap_or_default().to_vec();
        let mut chunk: Vec<_> = items
            .into_iter()
            .filter_map(|(key, row)| Some((place(&key), row?)))
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
        let mut due = Vec::new();
        while let Some((place, _)) = self.listed.front() {
            let is_due =
                over || frontier.as_ref().is_some_and(|frontier| !self.ordering.is_before(frontier, place));
            if !is_due {
                break;
            }
            due.extend(self.listed.pop_front());
        }
        chunk.extend(queries.with_rows(due).await?);
        chunk.sort_by(|(a, _), (b, _)| self.ordering.compare(a, b));
        Ok(chunk)
    }
}

/// Places behind another one.
struct Places<'a> {
    ordering: TraceOrdering,
    after: Option<&'a [u8]>,
    traces: BTreeMap<Vec<u8>, TraceId>,
}

impl Places<'_> {
    fn add(&mut self, row: &Trace) {
        if let Some(place) = self.ordering.place_of(row) {
            self.add_at(place, row.id);
        }
    }

    fn add_at(&mut self, place: Vec<u8>, id: TraceId) {
        if self.after.is_none_or(|after| self.ordering.is_before(after, &place)) {
            self.traces.insert(place, id);
        }
    }
}

impl Queries {
    /// These traces with their rows; those that are gone are left out.
    async fn with_rows(&self, placed: Vec<(Vec<u8>, TraceId)>) -> ServiceResult<Vec<Placed>> {
        if placed.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = placed.iter().map(|(_, id)| *id).collect();
        let rows = self.context.store.get_many(keyspace::TRACE, &ids).await?;
        Ok(placed.into_iter().zip(rows).filter_map(|((place, _), row)| Some((place, row?))).collect())
    }

    async fn place(&self, ids: &[TraceId], places: &mut Places<'_>) -> ServiceResult<()> {
        for some in ids.chunks(ROWS_AT_ONCE) {
            let rows = self.context.store.get_many(keyspace::TRACE, some).await?;
            rows.iter().flatten().for_each(|row| places.add(row));
        }
        Ok(())
    }

    async fn place_listed(
        &self,
        index: &'static str,
        mut range: KeyRange,
        places: &mut Places<'_>,
    ) -> ServiceResult<()> {
        // The plan counted them; more that have come since wait for the next page.
        for _ in 0..=self.context.query.sorted / ROWS_AT_ONCE {
            let wanted = vec![(range.clone(), Direction::Forward, ROWS_AT_ONCE)];
            let Some(page) = self.context.store.index_pages::<Trace>(index, wanted).await?.pop() else {
                return Ok(());
            };
            page.items.iter().filter_map(|(_, row)| row.as_ref()).for_each(|row| places.add(row));
            match page.items.last() {
                Some((last, _)) if page.more => range = range.after(last),
                _ => break,
            }
        }
        Ok(())
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

    /// Places traces that indexes of what is over do not have, or not as they are now.
    async fn place_those_beside(&self, places: &mut Places<'_>) -> ServiceResult<()> {
        let store = &self.context.store;
        let running = prefix(&TraceStatus::Running);
        let running = store.chunk_keys(keyspace::TRACE_BY_STATUS, running, MOST_BESIDE).await?;
        let due = store.chunk_keys(keyspace::FOLLOW_DUE, KeyRange::all(), MOST_BESIDE).await?;
        let mut ids: Vec<TraceId> = running.items.into_iter().map(|(_, _, id)| id).chain(due.items).collect();
        ids.sort_unstable();
        ids.dedup();
        self.place(&ids, places).await
    }
}
