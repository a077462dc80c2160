//! Which of the messages that a call was given are new to its conversation.
//!
//! Every call sends the history again, or the last part of it, or none of it. What is known is told by
//! what was said, not by where it stands.

use std::collections::HashMap;

use crate::model::TraceId;

/// A message that the conversation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// What was said: the same for the same words.
    pub fingerprint: [u8; 16],
    /// The trace that it came from.
    pub trace_id: Option<TraceId>,
}

/// What a conversation has, the oldest first, and where each fingerprint stands in it.
#[derive(Debug, Default)]
pub(super) struct History {
    said: Vec<Said>,
    places: HashMap<[u8; 16], Vec<usize>>,
}

/// Where a call joins its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Joint {
    /// Messages of the call, from the first, that the conversation has.
    pub known: usize,
    /// The place behind the last of them in the conversation.
    pub place: usize,
}

impl History {
    pub(super) fn push(&mut self, said: Said) {
        self.places.entry(said.fingerprint).or_default().push(self.said.len());
        self.said.push(said);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Whether this stands at a place.
    pub(super) fn has_at(&self, place: usize, fingerprint: [u8; 16]) -> bool {
        self.said.get(place).is_some_and(|said| said.fingerprint == fingerprint)
    }

    /// Where a call of `trace` that was given these messages joins.
    pub(super) fn join(&self, given: &[[u8; 16]], trace: TraceId) -> Joint {
        if let Some(known) = self.longest_overlap(given) {
            return Joint { known, place: self.said.len() };
        }
        let joint = self.last_known(given);
        // Somebody who says the same again, without the history before it, says it anew.
        let repeats = given.len() == 1
            && joint.known == 1
            && joint
                .place
                .checked_sub(1)
                .and_then(|place| self.said.get(place))
                .is_some_and(|said| said.trace_id != Some(trace));
        if repeats { Joint { known: 0, place: self.said.len() } } else { joint }
    }

    /// How many of the first messages are the last ones of the conversation.
    fn longest_overlap(&self, given: &[[u8; 16]]) -> Option<usize> {
        let most = given.len().min(self.said.len());
        (1..=most).rev().find(|count| {
            let end = self.said.len() - count;
            self.said.iter().skip(end).map(|said| &said.fingerprint).eq(given.iter().take(*count))
        })
    }

    /// Walks both from the beginning: the last message of the call that stands in the conversation behind
    /// those before it.
    fn last_known(&self, given: &[[u8; 16]]) -> Joint {
        let mut joint = Joint { known: 0, place: 0 };
        for (index, fingerprint) in given.iter().enumerate() {
            let places = self.places.get(fingerprint).map(Vec::as_slice).unwrap_or_default();
            if let Some(place) = places.get(places.partition_point(|place| *place < joint.place)) {
                joint = Joint { known: index + 1, place: place + 1 };
            }
        }
        if joint.known == 0 { Joint { known: 0, place: self.said.len() } } else { joint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: TraceId = TraceId::from_bytes([1; 16]);
    const THERE: TraceId = TraceId::from_bytes([2; 16]);

    fn prints(text: &str) -> Vec<[u8; 16]> {
        text.bytes().map(|byte| [byte; 16]).collect()
    }

    /// What a call adds to a conversation: each letter is a message.
    fn added(history: &str, given: &str) -> String {
        let mut known = History::default();
        for fingerprint in prints(history) {
            known.push(Said { fingerprint, trace_id: Some(THERE) });
        }
        given.chars().skip(known.join(&prints(given), HERE).known).collect()
    }

    #[test]
    fn only_what_is_new_is_added() {
        for (history, given, new, why) in [
            ("", "a", "a", "the first message"),
            ("ab", "abc", "c", "the whole history is sent again"),
            ("abcdef", "defg", "g", "the last part of it is"),
            ("ab", "c", "c", "none of it is"),
            ("ab", "a", "a", "the same words again are said anew"),
            ("abc", "abc", "", "the same call again"),
            ("abcd", "abx", "x", "the user goes on from an earlier place"),
            ("abcd", "scde", "e", "a summary stands for the beginning"),
            ("exab", "exc", "c", "examples stand before each question"),
        ] {
            assert_eq!(added(history, given), new, "{why}");
        }
    }
}
