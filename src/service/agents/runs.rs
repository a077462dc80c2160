//! The runs of this process: those that go on, which can be stopped, and those that ended lately, whose output
//! can still be followed.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::output::Output;
use crate::model::{TraceId, agent::RunFailureKind};

/// Runs that ended whose output is kept.
const ENDED: usize = 256;

/// The runs of this process.
pub(super) struct Runs {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: HashMap<TraceId, Handle>,
    ended: VecDeque<(TraceId, Arc<Output>)>,
    /// Whether no further one may begin.
    closed: bool,
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

impl Runs {
    /// Room for so many runs at a time.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default() })
    }

    /// A place for a run; `None` where there are too many.
    pub(super) fn begin(self: &Arc<Self>, id: TraceId) -> Option<Place> {
        let (stop, stopped) = watch::channel(None);
        let output = Output::new();
        let mut state = self.state.lock();
        if state.closed || state.running.len() >= self.most {
            return None;
        }
        state.running.insert(id, Handle { output: Arc::clone(&output), stop });
        Some(Place { runs: Arc::clone(self), id, output, stop: stopped })
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
        let mut state = self.state.lock();
        state.closed = true;
        for handle in state.running.values() {
            handle.stop.send_replace(Some(why));
        }
    }

    /// Whether no further one may begin.
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Waits until none goes on.
    pub(super) async fn ended(&self) {
        let running = || {
            let state = self.state.lock();
            state.running.values().next().map(|handle| Arc::clone(&handle.output))
        };
        while let Some(output) = running() {
            output.ended().await;
            // Its place goes a moment later.
            tokio::task::yield_now().await;
        }
    }

    /// The output of a run that goes on, or ended lately.
    pub(super) fn output(&self, id: TraceId) -> Option<Arc<Output>> {
        let state = self.state.lock();
        let ended = || state.ended.iter().find(|(ended, _)| *ended == id).map(|(_, output)| output);
        state.running.get(&id).map(|handle| &handle.output).or_else(ended).cloned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.runs.state.lock();
        state.running.remove(&self.id);
        if state.ended.len() == ENDED {
            state.ended.pop_front();
        }
        state.ended.push_back((self.id, Arc::clone(&self.output)));
    }
}
