//! When things happened in a transcript, and what is said of it where nobody knows.
//!
//! A message without a time of its own stands one microsecond behind the one before it: enough to keep
//! the order, too little to be taken for a duration. The first stands at the base that the import is
//! given. What is known is written into the metadata of all that is made, as [`Known::text`].

use super::transcript::{Entry, Transcript};
use crate::model::Timestamp;

/// From one message without a time to the next: the least that Python, `PostgreSQL` and browsers keep.
const STEP_NANOS: i64 = 1_000;

/// What a transcript tells of its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Every message has its time.
    Recorded,
    /// Some have; the others stand behind them.
    Partly,
    /// None has: the times keep the order and say nothing else.
    OrderOnly,
}

impl Known {
    /// As metadata says it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Partly => "partly recorded",
            Self::OrderOnly => "order only",
        }
    }

    /// What is known of these messages.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        match entries.iter().filter(|entry| entry.timestamp.is_some()).count() {
            0 => Self::OrderOnly,
            count if count == entries.len() => Self::Recorded,
            _ => Self::Partly,
        }
    }
}

/// The times of a transcript's messages.
pub(super) struct Times {
    pub known: Known,
    /// When each was said.
    said: Vec<Timestamp>,
    /// The same, never going back: what durations are made of.
    flow: Vec<Timestamp>,
}

impl Times {
    /// The times of a transcript; `base` is where it begins, if it does not say so.
    pub(super) fn of(transcript: &Transcript, base: Timestamp) -> Self {
        let entries = &transcript.messages;
        let first = entries.iter().find_map(|entry| entry.timestamp);
        let mut next = transcript.created_at.or(first).unwrap_or(base);
        let mut said = Vec::with_capacity(entries.len());
        for entry in entries {
            let time = entry.timestamp.unwrap_or(next);
            said.push(time);
            next = time.plus_nanos(STEP_NANOS);
        }
        let flow = said.iter().scan(Timestamp::from_nanos(i64::MIN), |latest, time| {
            *latest = time.max(latest).to_owned();
            Some(*latest)
        });
        Self { known: Known::of(entries), flow: flow.collect(), said }
    }

    /// When the message at this place was said.
    pub(super) fn said(&self, place: usize) -> Option<Timestamp> {
        self.said.get(place).copied()
    }

    /// The same, but never before an earlier message.
    pub(super) fn flow(&self, place: usize) -> Option<Timestamp> {
        self.flow.get(place).copied()
    }
}
