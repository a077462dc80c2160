//! Messages on their way: what is acknowledged of a trace is its spans; the messages that its conversation
//! gets of them are made right behind. Who reads the conversation meanwhile waits for them, so that nobody
//! sees the one without the other. It knows only which conversations are waited for, not by what.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::model::ConversationId;

/// How long a reader waits: whoever reads on and on while messages come on and on must get an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The conversations that messages are on their way to.
pub struct Arriving {
    counts: Mutex<HashMap<ConversationId, usize>>,
    arrived: watch::Sender<()>,
}

impl Default for Arriving {
    fn default() -> Self {
        Self { counts: Mutex::default(), arrived: watch::Sender::new(()) }
    }
}

/// Messages on their way to one conversation, until it is dropped.
#[derive(Debug)]
pub(super) struct Arrival {
    arriving: Arc<Arriving>,
    conversation: ConversationId,
}

impl std::fmt::Debug for Arriving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arriving").finish_non_exhaustive()
    }
}

impl Arriving {
    /// Notes that messages are on their way.
    pub(super) fn begin(self: &Arc<Self>, conversation: ConversationId) -> Arrival {
        *self.counts.lock().entry(conversation).or_default() += 1;
        Arrival { arriving: Arc::clone(self), conversation }
    }

    /// Waits for what is on its way to these conversations, but not for ever.
    pub(super) async fn settled(&self, conversations: &[ConversationId]) {
        // Watched before it is asked, so that nothing arrives unseen in between.
        let mut arrived = self.arrived.subscribe();
        let mut due = self.due(conversations);
        let waiting = async {
            // Each has to be settled once, and not all at the same moment: others go on.
            while !due.is_empty() && arrived.changed().await.is_ok() {
                due = self.due(&due);
            }
        };
        let _ = tokio::time::timeout(PATIENCE, waiting).await;
    }

    /// Those of the conversations that something is on its way to.
    fn due(&self, conversations: &[ConversationId]) -> Vec<ConversationId> {
        let counts = self.counts.lock();
        if counts.is_empty() {
            return Vec::new();
        }
        conversations.iter().filter(|id| counts.contains_key(id)).copied().collect()
    }

    /// Waits for everything that is on its way at this moment, but not for ever.
    pub(super) async fn all_settled(&self) {
        let due: Vec<_> = self.counts.lock().keys().copied().collect();
        self.settled(&due).await;
    }

    /// Whether anything is on its way.
    pub(super) fn is_any(&self) -> bool {
        !self.counts.lock().is_empty()
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut counts = self.arriving.counts.lock();
        if let Some(count) = counts.get_mut(&self.conversation) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.conversation);
                drop(counts);
                self.arriving.arrived.send_replace(());
            }
        }
    }
}
