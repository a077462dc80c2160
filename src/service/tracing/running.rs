//! Following all running traces: first those that run, then every change, resumable by cursor.
//!
//! Many traces have no common revision. Their common order is that of the commits in this run of the server,
//! which the feed remembers for a while; a cursor is a place in it. A follower whose place is not remembered,
//! or is of another run, begins with a snapshot again, and is told so.

use std::{collections::HashMap, str::FromStr, time::Duration};

use futures_util::{Stream, stream};
use uuid::Uuid;

use super::{TraceFilter, TraceOrder, Tracing, list::row_tells};
use crate::{
    model::{
        Refusal, TraceId,
        page::PageRequest,
        query::TraceCondition,
        trace::{Trace, TraceStatus},
    },
    service::{ServiceError, ServiceResult},
};

/// Traces that run, or ran until just now.
#[derive(Debug, Clone)]
pub struct TraceChanges {
    /// Every change up to here has been sent: resume after it.
    pub cursor: String,
    /// Whether this is the state at the beginning (or after falling behind): it replaces what was shown.
    pub snapshot: bool,
    /// The traces. One that has ended is sent a last time.
    pub traces: Vec<Trace>,
}

/// Running traces in a snapshot: more than that nobody watches one by one.
const RUNNING_AT_ONCE: usize = 1_000;

/// Changes of many traces are gathered this long, so that a busy server sends one list and not a
/// message for every write.
const GATHER: Duration = Duration::from_millis(20);

/// A place in the feed of one run of the server.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    run: Uuid,
    place: u64,
}

impl Cursor {
    fn text(self) -> String {
        format!("{}-{}", self.run.simple(), self.place)
    }
}

impl FromStr for Cursor {
    type Err = ServiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('-').and_then(|(run, place)| {
            Some(Self { run: Uuid::try_parse(run).ok()?, place: place.parse().ok()? })
        });
        parts.ok_or_else(|| Refusal::invalid("after", "resume with a cursor that you received").into())
    }
}

impl Tracing {
    /// The traces that run and match the filter (its `statuses` aside), then every change of them. One that
    /// was sent is followed to its end, whether or not it still matches.
    ///
    /// With `after`, what changed behind that cursor and matches comes first: also what began and ended
    /// meanwhile. A cursor that is no longer remembered begins anew, with a snapshot.
    pub fn running_traces(
        &self,
        filter: TraceFilter,
        after: Option<&str>,
    ) -> ServiceResult<impl Stream<Item = ServiceResult<TraceChanges>> + Send + use<>> {
        let after: Option<Cursor> = after.map(str::parse).transpose()?;
        let run = self.context.hub.traces().run(|| self.context.ids.next());
        let filter = TraceFilter { statuses: Vec::new(), ..filter };
        let follower = TraceFollower {
            tracing: self.clone(),
            condition: filter.clone().into(),
            filter,
            run,
            next: after
                .filter(|after| after.run == run)
                .map_or(Next::Snapshot, |after| Next::Resume(after.place)),
            sent: HashMap::new(),
        };
        Ok(stream::try_unfold(follower, TraceFollower::next))
    }
}

/// What a follower is to do next.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// Send all that run.
    Snapshot,
    /// Send what changed behind this place, to someone of whom nothing else is known.
    Resume(u64),
    /// Send what changes behind this place.
    Changes(u64),
}

/// One follower of all running traces.
struct TraceFollower {
    tracing: Tracing,
    filter: TraceFilter,
    /// What the filter means.
    condition: TraceCondition,
    run: Uuid,
    next: Next,
    /// Those that run and were sent, with the revision that was sent.
    sent: HashMap<TraceId, u64>,
}

impl TraceFollower {
    async fn next(mut self) -> ServiceResult<Option<(TraceChanges, Self)>> {
        loop {
            let changes = match self.next {
                Next::Snapshot => Some(self.snapshot().await?),
                Next::Resume(place) => self.resume(place).await?,
                Next::Changes(place) => self.changes(place).await?,
            };
            if let Some(changes) = changes {
                return Ok(Some((changes, self)));
            }
        }
    }

    /// All that run. The place is taken first: what changes meanwhile is read twice, and sent once.
    async fn snapshot(&mut self) -> ServiceResult<TraceChanges> {
        let place = self.tracing.context.hub.traces().end();
        let traces = self.running().await?;
        self.sent = traces.iter().map(|trace| (trace.id, trace.revision)).collect();
        Ok(self.at(place, true, traces))
    }

    /// What changed while the follower was away.
    async fn resume(&mut self, place: u64) -> ServiceResult<Option<TraceChanges>> {
        let Some((ids, place)) = self.tracing.context.hub.traces().since(place) else {
            self.next = Next::Snapshot;
            return Ok(None);
        };
        // Those that run were sent before, in a revision that is behind any change to come.
        self.sent = self.running().await?.iter().map(|trace| (trace.id, 0)).collect();
        let mut found = self.read(ids).await?;
        found.retain(|trace| row_tells(&self.condition, trace) == Some(true));
        let traces = self.newer(found, true);
        Ok(self.told(place, traces))
    }

    /// What changes from now on.
    async fn changes(&mut self, place: u64) -> ServiceResult<Option<TraceChanges>> {
        let feed = self.tracing.context.hub.traces();
        feed.beyond(place).await;
        tokio::time::sleep(GATHER).await;
        let Some((ids, place)) = feed.since(place) else {
            self.next = Next::Snapshot;
            return Ok(None);
        };
        let found = self.read(ids).await?;
        let traces = self.newer(found, false);
        Ok(self.told(place, traces))
    }

    async fn running(&self) -> ServiceResult<Vec<Trace>> {
        let filter = TraceFilter { statuses: vec![TraceStatus::Running], ..self.filter.clone() };
        let page = PageRequest { first: RUNNING_AT_ONCE, after: None };
        let found = self.tracing.list_traces(&filter, TraceOrder::NewestFirst, &page).await?;
        Ok(found.items.into_iter().map(|(_, trace)| trace).collect())
    }

    /// The traces as they stand, each once.
    async fn read(&self, mut ids: Vec<TraceId>) -> ServiceResult<Vec<Trace>> {
        ids.sort_unstable();
        ids.dedup();
        Ok(self.tracing.traces(&ids).await?.into_iter().flatten().collect())
    }

    /// Those that are to be sent, and were not in this revision. Of those that have ended only what was
    /// sent while it ran, or all where `also_ended` says so.
    fn newer(&mut self, traces: Vec<Trace>, also_ended: bool) -> Vec<Trace> {
        let mut newer = Vec::new();
        for trace in traces {
            let sent = self.sent.get(&trace.id).copied();
            let ended = trace.status.is_final();
            let wanted = match sent {
                Some(revision) => trace.revision > revision,
                None if ended => also_ended,
                None => row_tells(&self.condition, &trace) == Some(true),
            };
            if ended {
                self.sent.remove(&trace.id);
            } else if wanted {
                self.sent.insert(trace.id, trace.revision);
            }
            if wanted {
                newer.push(trace);
            }
        }
        newer
    }

    /// Changes that are worth a message.
    fn told(&mut self, place: u64, traces: Vec<Trace>) -> Option<TraceChanges> {
        let any = !traces.is_empty();
        let changes = self.at(place, false, traces);
        any.then_some(changes)
    }

    fn at(&mut self, place: u64, snapshot: bool, traces: Vec<Trace>) -> TraceChanges {
        self.next = Next::Changes(place);
        TraceChanges { cursor: Cursor { run: self.run, place }.text(), snapshot, traces }
    }
}
