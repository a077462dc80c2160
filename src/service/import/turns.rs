//! A transcript's turns: what the user says, and all that the agent does until the user speaks again.

use std::ops::Range;

use super::transcript::Entry;
use crate::model::message::MessageRole;

/// A turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    /// Its messages, by their places.
    pub messages: Range<usize>,
    /// Whether the agent did anything in it: else there is no run to make a trace of.
    pub has_run: bool,
}

/// The turns in their order. Instructions before the first turn belong to none.
pub(super) fn split(entries: &[Entry]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let acts = matches!(entry.role, MessageRole::Assistant | MessageRole::Tool);
        match turns.last_mut() {
            Some(turn) if entry.role != MessageRole::User || !turn.has_run => {
                turn.messages.end = place + 1;
                turn.has_run |= acts;
            }
            None if entry.role == MessageRole::System => {}
            _ => turns.push(Turn { messages: place..place + 1, has_run: acts }),
        }
    }
    turns
}
