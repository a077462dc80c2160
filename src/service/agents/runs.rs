//! The runs of this process: those that go on, which can be stopped, and those that ended lately, whose output
//! can still be followed.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::output::Output;
use crate::model::{TraceId, agent::RunFailureKind};

/// Runs that ended whose output is kept.
const ENDED: usize = 256;

/// The runs of this process.
pub(super) struct Runs {
    most: usize,
    state: Mutex<State>,
    /// Told when a run is gone.
    gone: Notify,
    /// Whether no further one may begin.
    closed: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    running: HashMap<TraceId, Handle>,
    ended: VecDeque<(TraceId, Arc<Output>)>,
}

struct Handle {
    output: Arc<Output>,
    stop: watch::Sender<Option<RunFailureKind>>,
}

/// The place of a run that goes on. Dropping it ends that.
pub(super) struct Place {
    runs: Arc<Runs>,
    id: TraceId,
    pub(super) output: Arc<Output>,
    /// Why it is to stop, once it is.
    pub(super) stop: watch::Receiver<Option<RunFailureKind>>,
}

/// Why there is no place for a run.
pub(super) enum NoPlace {
    /// There are too many, or the server stops.
    Full,
    /// One with this trace goes on.
    Taken,
}

impl Runs {
    /// Room for so many runs at a time.
    pub(super) fn new(most: usize) -> Arc<Self> {
        let closed = watch::channel(false).0;
        Arc::new(Self { most, state: Mutex::default(), gone: Notify::new(), closed })
    }

    /// A place for a run.
    pub(super) fn begin(self: &Arc<Self>, id: TraceId) -> Result<Place, NoPlace> {
        let (stop, stopped) = watch::channel(None);
        let output = Output::new();
        let mut state = self.state.lock();
        if self.is_closed() || state.running.len() >= self.most {
            return Err(NoPlace::Full);
        }
        match state.running.entry(id) {
            Entry::Occupied(_) => Err(NoPlace::Taken),
            Entry::Vacant(free) => {
                free.insert(Handle { output: Arc::clone(&output), stop });
                Ok(Place { runs: Arc::clone(self), id, output, stop: stopped })
            }
        }
    }

    /// Stops a run. Whether there is such a run.
    pub(super) fn stop(&self, id: TraceId, why: RunFailureKind) -> bool {
        let state = self.state.lock();
        state.running.get(&id).is_some_and(|handle| {
            handle.stop.send_replace(Some(why));
            true
        })
    }

    /// Stops all runs; no further one begins.
    pub(super) fn stop_all(&self, why: RunFailureKind) {
        let state = self.state.lock();
        self.closed.send_replace(true);
        for handle in state.running.values() {
            handle.stop.send_replace(Some(why));
        }
    }

    /// Whether no further one may begin.
    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Waits until no further one may begin.
    pub(super) async fn closed(&self) {
        // The sender is our own, so this ends only with that.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Waits until none goes on.
    pub(super) async fn ended(&self) {
        loop {
            let gone = self.gone.notified();
            if self.state.lock().running.is_empty() {
                return;
            }
            gone.await;
        }
    }

    /// The output of a run that goes on, or ended lately.
    pub(super) fn output(&self, id: TraceId) -> Option<Arc<Output>> {
        let state = self.state.lock();
        let ended = || state.ended.iter().find(|(ended, _)| *ended == id).map(|(_, output)| output);
        state.running.get(&id).map(|handle| &handle.output).or_else(ended).cloned()
    }
}

impl Place {
    /// The trace of the run.
    pub(super) const fn trace(&self) -> TraceId {
        self.id
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.runs.state.lock();
        state.running.remove(&self.id);
        if self.output.is_over() {
            if state.ended.len() == ENDED {
                state.ended.pop_front();
            }
            state.ended.push_back((self.id, Arc::clone(&self.output)));
        } else {
            // It never began: whoever follows it has nothing to wait for.
            self.output.close();
        }
        drop(state);
        self.runs.gone.notify_waiters();
    }
}
