//! Reported traces whose root never comes: they count as over once nothing has come for long.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;

use super::Ingest;
use crate::{
    model::{
        Timestamp, TraceId,
        trace::{Trace, TraceOrigin, TraceStatus},
    },
    service::ServiceResult,
    store::{Direction, keyspace, prefix, spans::TraceWrite},
};

/// How late a trace may be seen to be over.
pub const SETTLE_EVERY: Duration = Duration::from_secs(15);

/// Traces that are watched for their end: 40 bytes each. Those beyond are looked for when the server
/// starts again.
const MOST_OPEN: usize = 500_000;

/// Traces that are read at a time when the server starts.
const PAGE: usize = 1_000;

/// The reported traces that are not over, with when something came last.
pub(super) struct Open {
    traces: Mutex<HashMap<TraceId, Timestamp>>,
    settle_after_nanos: i64,
}

impl Open {
    pub(super) fn new(settle_after_seconds: u64) -> Self {
        let nanos = i64::try_from(settle_after_seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
        Self { traces: Mutex::default(), settle_after_nanos: nanos }
    }

    /// Notes how a trace stands after something came.
    pub(super) fn note(&self, trace: &Trace) {
        let mut traces = self.traces.lock();
        if trace.origin != TraceOrigin::Reported || trace.status.is_final() {
            traces.remove(&trace.id);
        } else if traces.len() < MOST_OPEN || traces.contains_key(&trace.id) {
            traces.insert(trace.id, trace.last_activity_at);
        }
    }

    fn due(&self, now: Timestamp) -> Vec<TraceId> {
        let before = now.plus_nanos(-self.settle_after_nanos);
        let traces = self.traces.lock();
        traces.iter().filter(|(_, active)| **active < before).map(|(id, _)| *id).collect()
    }
}

impl Ingest {
    /// Looks for the traces that an earlier run of the server left open.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_open(&self) -> ServiceResult<()> {
        let mut range = prefix(&TraceStatus::Running);
        loop {
            let part = (range.clone(), Direction::Forward, PAGE);
            let index = keyspace::TRACE_BY_STATUS.name;
            let page = self.context.store.index_pages::<Trace>(index, vec![part]).await?.pop();
            let Some((last, _)) = page.as_ref().and_then(|page| page.items.last()) else { return Ok(()) };
            range = range.after(last);
            page.iter()
                .flat_map(|page| &page.items)
                .filter_map(|(_, trace)| trace.as_ref())
                .for_each(|trace| self.open.note(trace));
        }
    }

    /// Ends the traces for which nothing has come for long; answers how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_due(&self) -> ServiceResult<usize> {
        let due = self.open.due(self.context.now());
        for id in &due {
            let write = TraceWrite { settle: true, ..TraceWrite::default() };
            match self.context.store.write_trace(*id, &write, &self.context.rules()).await? {
                Ok(written) => {
                    self.open.note(&written.trace);
                    if written.changed {
                        self.due.add(&written.trace).await;
                    }
                }
                // It was deleted.
                Err(_) => {
                    self.open.traces.lock().remove(id);
                }
            }
        }
        Ok(due.len())
    }
}
