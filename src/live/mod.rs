//! Who is watching what, and waking them.
//!
//! A wake-up says only "there is something newer, up to this revision"; what it is, the watcher reads
//! from the store. So nothing is buffered for a slow watcher, a lost wake-up costs nothing, and
//! another server's commits can wake the same way. Knows nothing of how records are kept or shown.

mod feed;

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::watch;

pub use self::feed::Feed;
use crate::{
    model::{ConversationId, EvaluationId, ExperimentId, PlanId, TraceId},
    store::{Observer, Touched},
};

/// Something that can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The spans of a trace.
    Trace(TraceId),
    /// The messages of a conversation.
    Conversation(ConversationId),
    /// The steps of a plan.
    Plan(PlanId),
    /// The items of an experiment.
    Experiment(ExperimentId),
    /// How far an evaluation is.
    Evaluation(EvaluationId),
}

impl Topic {
    fn of(touched: &Touched) -> (Self, u64) {
        match *touched {
            Touched::Trace { id, revision } => (Self::Trace(id), revision),
            Touched::Conversation { id, revision } => (Self::Conversation(id), revision),
            Touched::Plan { id, revision } => (Self::Plan(id), revision),
            Touched::Experiment { id, revision } => (Self::Experiment(id), revision),
            Touched::Evaluation { id, revision } => (Self::Evaluation(id), revision),
        }
    }
}

/// The watchers of this process.
#[derive(Default)]
pub struct Hub {
    topics: Mutex<HashMap<Topic, watch::Sender<u64>>>,
    traces: Feed,
}

impl Observer for Hub {
    fn committed(&self, touched: &[Touched]) {
        for touched in touched {
            let (topic, revision) = Topic::of(touched);
            if let Some(sender) = self.topics.lock().get(&topic) {
                sender.send_if_modified(|known| {
                    let newer = revision > *known;
                    *known = revision.max(*known);
                    newer
                });
            }
            if let Topic::Trace(id) = topic {
                self.traces.add(id);
            }
        }
    }
}

/// A watcher of one topic. Dropping it ends the watch.
pub struct Watch {
    hub: Arc<Hub>,
    topic: Topic,
    revisions: Option<watch::Receiver<u64>>,
}

impl Hub {
    /// Starts to watch a topic: commits from now on wake.
    #[must_use]
    pub fn watch(self: &Arc<Self>, topic: Topic) -> Watch {
        let revisions = self.topics.lock().entry(topic).or_insert_with(|| watch::channel(0).0).subscribe();
        Watch { hub: Arc::clone(self), topic, revisions: Some(revisions) }
    }

    /// The changes of all traces.
    #[must_use]
    pub const fn traces(&self) -> &Feed {
        &self.traces
    }

    /// How many topics are watched.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.topics.lock().len()
    }
}

impl Watch {
    /// Waits for a durable commit with a revision above `seen`, and answers the newest one.
    pub async fn beyond(&mut self, seen: u64) -> u64 {
        if let Some(revisions) = &mut self.revisions {
            let newer = revisions.wait_for(|revision| *revision > seen).await.map(|revision| *revision);
            if let Ok(revision) = newer {
                return revision;
            }
        }
        // The hub keeps the sender while anyone watches, so this cannot be reached.
        std::future::pending().await
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut topics = self.hub.topics.lock();
        self.revisions = None;
        if topics.get(&self.topic).is_some_and(|sender| sender.receiver_count() == 0) {
            topics.remove(&self.topic);
        }
    }
}
