//! Candidates: the traces of a plan's source, chunk by chunk in the order that is asked for.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::{
    Queries, TraceOrdering,
    plan::{Listed, Plan, Source},
};
use crate::{
    model::{
        Timestamp, TraceId,
        trace::{Trace, TraceStatus},
    },
    search::{Hit, Place},
    service::{ServiceResult, search::TextTraces, series::Series},
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
    /// Those of `listed`, and others, which an index may have too and which are not taken from it.
    known: HashSet<TraceId>,
}

/// What of an index was not looked at yet.
enum Rest {
    Keys {
        index: &'static str,
        prefix: Vec<u8>,
        range: KeyRange,
    },
    Texts(TextTraces),
    /// The same, all behind what is known: nothing is looked for while that is enough.
    TextsBehind(TextTraces),
}

/// A part of an index.
struct Part {
    traces: Vec<Placed>,
    /// The place of the last one, whether it is still there or not.
    end: Option<Vec<u8>>,
    /// What is left.
    rest: Option<Rest>,
}

impl Rest {
    /// The next ones.
    async fn next(self, queries: &Queries, direction: Direction, size: usize) -> ServiceResult<Part> {
        match self {
            Self::Keys { index, prefix, range } => {
                let wanted = vec![(range.clone(), direction, size)];
                let found = queries.context.store.index_pages::<Trace>(index, wanted).await?.pop();
                let (items, more) = found.map(|page| (page.items, page.more)).unwrap_or_default();
                let last = items.last().map(|(key, _)| key.clone());
                let place = |key: &[u8]| key.get(prefix.len()..).unwrap_or_default().to_vec();
                let end = last.as_deref().map(place);
                let traces = items.into_iter().filter_map(|(key, row)| Some((place(&key), row?))).collect();
                let range = last.filter(|_| more).map(|last| match direction {
                    Direction::Forward => range.after(&last),
                    Direction::Backward => range.before(&last),
                });
                Ok(Part { traces, end, rest: range.map(|range| Self::Keys { index, prefix, range }) })
            }
            Self::Texts(texts) | Self::TextsBehind(texts) => {
                let hits = queries.search.find_ended(&texts, size).await?;
                let place = |Hit { place, .. }: &Hit| ((place.started, place.trace).encode(), place.trace);
                let placed: Vec<_> = hits.iter().map(place).collect();
                let end = placed.last().map(|(place, _)| place.clone());
                let after = hits.last().filter(|_| hits.len() >= size).map(|hit| hit.place);
                let rest = after.map(|after| Self::Texts(TextTraces { after: Some(after), ..texts }));
                Ok(Part { traces: queries.with_rows(placed).await?, end, rest })
            }
        }
    }
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
                rest = Some(Rest::Keys { index, prefix: prefix.clone(), range });
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
            Source::Texts(begun) => {
                for first in &begun.first {
                    places.add_at(first.encode(), first.1);
                }
                let cursor = after.and_then(<(Timestamp, TraceId)>::decode);
                let cursor = cursor.map(|(started, trace)| Place { started, trace, number: u32::MAX });
                // Places go from the newest on: the later one is behind the other.
                let after = begun.rest.after.max(cursor);
                rest = Some(Rest::TextsBehind(TextTraces { after, ..begun.rest.clone() }));
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
        let rest = match self.rest.take() {
            Some(Rest::TextsBehind(texts)) if self.listed.is_empty() => {
                self.begin_behind(queries, &texts).await?;
                Rest::Texts(texts)
            }
            Some(rest @ (Rest::Keys { .. } | Rest::Texts(_))) => rest,
            behind_or_none => {
                self.rest = behind_or_none;
                let count = size.min(self.listed.len());
                return queries.with_rows(self.listed.drain(..count).collect()).await;
            }
        };
        let part = rest.next(queries, self.ordering.scan(), size).await?;
        self.rest = part.rest;
        let mut chunk = part.traces;
        chunk.retain(|(_, row)| !self.known.contains(&row.id));
        let frontier = part.end;
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

    /// Lists the traces that go on and have a text: the index has them as they were before, if it does.
    async fn begin_behind(&mut self, queries: &Queries, texts: &TextTraces) -> ServiceResult<()> {
        let running = queries.search.find_running(texts).await?;
        let place = |hit: &Hit| ((hit.place.started, hit.place.trace).encode(), hit.place.trace);
        self.listed.extend(running.hits.iter().map(place));
        self.known.extend(running.traces);
        Ok(())
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
