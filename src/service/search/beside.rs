//! Traces that go on, which are in no index yet: the texts of the newest ones are looked through by every search.

use std::collections::HashSet;

use super::{Asked, Hit, Place, Search, documents::Documents, follow};
use crate::{
    model::{
        TraceId,
        trace::{Trace, TraceStatus},
    },
    service::ServiceResult,
    store::{
        Direction, KeyRange,
        keyspace::{self, FollowerState},
        prefix,
    },
};

/// Traces that go on of which the rows are read.
const MOST_RUNNING: usize = 1_000;

/// Traces that are counted, of those that are not searched.
const MOST_COUNTED: usize = 10_000;

/// The traces that a search looks through by itself.
#[derive(Default)]
pub(super) struct Running {
    /// Those that started last first.
    rows: Vec<Trace>,
    ids: HashSet<TraceId>,
}

/// Traces that go on in which something was found.
pub struct FoundRunning {
    /// Of each the first hit, the newest first.
    pub hits: Vec<Hit>,
    /// All that were looked through. The index may have them as they were before.
    pub traces: HashSet<TraceId>,
}

/// Behind which place, and up to which.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stretch {
    pub(super) after: Option<Place>,
    pub(super) until: Option<Place>,
}

impl Stretch {
    pub(super) fn has(&self, place: &Place) -> bool {
        self.after.is_none_or(|after| *place > after) && self.until.is_none_or(|until| *place <= until)
    }

    /// Whether it may have documents of a trace.
    fn may_have(&self, trace: &Trace) -> bool {
        let first = Place { started: trace.start_time, trace: trace.id, number: 0 };
        let last = Place { number: u32::MAX, ..first };
        self.after.is_none_or(|after| last > after) && self.until.is_none_or(|until| first <= until)
    }
}

impl Running {
    pub(super) fn has(&self, id: TraceId) -> bool {
        self.ids.contains(&id)
    }

    pub(super) fn into_ids(self) -> HashSet<TraceId> {
        self.ids
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

impl Search {
    /// The traces that go on, the newest ones, with no more spans than may be looked through.
    pub(super) async fn running(&self) -> ServiceResult<Running> {
        let most = self.context.search.as_ref().map_or(0, |index| index.config().running_spans);
        if most == 0 {
            return Ok(Running::default());
        }
        let wanted = vec![(prefix(&TraceStatus::Running), Direction::Backward, MOST_RUNNING)];
        let found = self.context.store.index_pages::<Trace>(keyspace::TRACE_BY_STATUS.name, wanted).await?;
        let mut left = most as u64;
        // One that is too large is passed over. One without spans takes some reading, too.
        let fits = |row: &Trace| match left.checked_sub(row.summary.span_count.max(1)) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        };
        let rows = found.into_iter().flat_map(|page| page.items).filter_map(|(_, row)| row);
        let rows: Vec<_> = rows.filter(fits).collect();
        let ids = rows.iter().map(|row| row.id).collect();
        Ok(Running { rows, ids })
    }

    /// What those traces have of what is looked for, by its place: of a trace all, or only the first.
    pub(super) async fn find_in(
        &self,
        running: &Running,
        asked: &Asked,
        stretch: Stretch,
        one_of_a_trace: bool,
    ) -> ServiceResult<Vec<Hit>> {
        let wanted = running.rows.iter().filter(|row| stretch.may_have(row));
        let ids: Vec<_> = wanted.map(|row| row.id).collect();
        let mut hits = Vec::new();
        for spans in self.tracing.stored_spans(&ids).await?.into_iter().flatten() {
            let mut documents = Documents::of(self, spans);
            while let Some(some) = documents.next().await? {
                let found = some.iter().filter(|document| stretch.has(&document.place));
                let found = found.filter(|document| asked.query.is_in(&document.texts, &asked.kinds));
                let found = found.map(|document| Hit { place: document.place, item: document.item });
                let before = hits.len();
                hits.extend(found.take(if one_of_a_trace { 1 } else { usize::MAX }));
                if one_of_a_trace && hits.len() > before {
                    break;
                }
            }
        }
        hits.sort_unstable_by_key(|hit| hit.place);
        Ok(hits)
    }

    /// How many traces say something that is not searched, counted up to 10,000: those that ended a moment ago or have
    /// changed since, and those that go on, of which so many were looked through.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn not_searched(&self, looked_through: usize) -> ServiceResult<u64> {
        let Some(index) = &self.context.search else { return Ok(0) };
        let store = &self.context.store;
        let state = store.get(keyspace::FOLLOWER, &follow::CODE).await?;
        if state != Some(FollowerState { format: index.generation(), marked: None }) {
            // Until all are marked nothing tells which are in an index that is new.
            let all = vec![(keyspace::TRACE_BY_START.name, KeyRange::all())];
            let counts = store.count_entries(all, MOST_COUNTED).await?;
            return Ok(counts.first().map_or(0, |(count, _)| *count as u64));
        }
        let parts = vec![(keyspace::TRACE_BY_STATUS.name, prefix(&TraceStatus::Running))];
        let counts = store.count_entries(parts, MOST_COUNTED).await?;
        let running = counts.first().map_or(0, |(running, _)| running.saturating_sub(looked_through));
        let left_out = self.marked().await?.saturating_add(running);
        Ok(left_out.min(MOST_COUNTED) as u64)
    }

    /// How many traces are marked, once each: one may wait for what is at once and for what is later.
    async fn marked(&self) -> ServiceResult<usize> {
        let store = &self.context.store;
        // In this order: what is handed on meanwhile is in both.
        let at_once = store.first_keys(keyspace::FOLLOW_DUE, MOST_COUNTED).await?;
        let later = store.first_keys(keyspace::FOLLOW_BY_START, MOST_COUNTED).await?;
        let marked: HashSet<_> = at_once.into_iter().chain(later.into_iter().map(|(_, id)| id)).collect();
        Ok(marked.len())
    }
}
