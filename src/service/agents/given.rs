//! What a model is given, as the spans of its calls keep it. It grows with the run and each call is given all of it
//! again, so every message is written as JSON once, and not at all where nothing is recorded.

use super::run::{Run, said_by};
use crate::model::{
    Json,
    chat::{self, ChatMessage},
    message::MessageRole,
};

/// What a model is given.
pub(super) struct Given {
    /// `None`: it is not recorded.
    messages: Option<Vec<Json>>,
    has_system: bool,
}

impl Given {
    pub(super) fn of(run: &Run, system: &str, messages: &[ChatMessage]) -> Self {
        let has_system = !system.is_empty();
        let written = run.recorder.takes_inputs().then(|| {
            let system = has_system.then(|| said_by(MessageRole::System, system));
            system.into_iter().chain(messages.iter().cloned()).map(chat::message_to_json).collect()
        });
        Self { messages: written, has_system }
    }

    /// Adds what it is given from now on.
    pub(super) fn add(&mut self, more: &[ChatMessage]) {
        if let Some(messages) = &mut self.messages {
            messages.extend(more.iter().cloned().map(chat::message_to_json));
        }
    }

    /// All of it.
    pub(super) fn json(&self) -> Option<Json> {
        self.messages.as_ref().map(Json::list)
    }

    /// All but what it is told by the system.
    pub(super) fn without_system(&self) -> Option<Json> {
        let messages = self.messages.as_ref()?;
        Some(Json::list(messages.iter().skip(usize::from(self.has_system))))
    }
}
