//! What is put into the index, and what is found in it.

use std::cmp::Reverse;

use crate::model::{MessageId, SpanId, Timestamp, TraceId, search::TextKind};

/// The texts of one thing, each kind for itself and no longer than is indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    most: usize,
    texts: Vec<(TextKind, String)>,
}

impl Texts {
    /// No texts, of which each kind is to have no more than `most` bytes.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { most, texts: Vec::new() }
    }

    /// Adds a text, as much of it as fits. Answers whether more of this kind would fit.
    pub fn add(&mut self, kind: TextKind, text: &str) -> bool {
        let known = self.texts.iter().position(|(known, _)| *known == kind);
        let place = known.unwrap_or_else(|| {
            self.texts.push((kind, String::new()));
            self.texts.len() - 1
        });
        let Some((_, all)) = self.texts.get_mut(place) else { return false };
        let separator = if all.is_empty() { "" } else { "\n" };
        let room = self.most.saturating_sub(all.len() + separator.len());
        let end = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        if let Some(part) = text.get(..end).filter(|part| !part.is_empty()) {
            all.push_str(separator);
            all.push_str(part);
        }
        end == text.len() && room > end
    }

    /// The texts that are not empty.
    pub fn iter(&self) -> impl Iterator<Item = (TextKind, &str)> {
        let texts = self.texts.iter().map(|(kind, text)| (*kind, text.as_str()));
        texts.filter(|(_, text)| !text.is_empty())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// Whose texts a document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// The trace's own.
    Trace,
    /// A span's.
    Span(SpanId),
    /// Those of a message that the trace's run wrote, or was set off by.
    Message(MessageId),
}

/// The texts of a trace, of one of its spans or of one of its messages.
#[derive(Debug, Clone)]
pub struct Document {
    /// Where it stands among all others.
    pub place: Place,
    /// Whose texts these are.
    pub item: Item,
    /// The texts.
    pub texts: Texts,
}

/// Where a document stands: by the start of its trace, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// When the trace started.
    pub started: Timestamp,
    /// The trace.
    pub trace: TraceId,
    /// Which of the trace's documents it is, from 0.
    pub number: u32,
}

impl Place {
    fn key(&self) -> (Reverse<Timestamp>, Reverse<TraceId>, u32) {
        (Reverse(self.started), Reverse(self.trace), self.number)
    }

    /// The place as bytes, for cursors.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 28] {
        let mut bytes = [0; 28];
        let parts = self.started.ascending().into_iter().chain(*self.trace.bytes());
        for (slot, byte) in bytes.iter_mut().zip(parts.chain(self.number.to_be_bytes())) {
            *slot = byte;
        }
        bytes
    }

    /// The place that [`Place::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (started, rest) = bytes.split_first_chunk::<8>()?;
        let (trace, rest) = rest.split_first_chunk::<16>()?;
        Some(Self {
            started: Timestamp::from_ascending(*started),
            trace: TraceId::from_bytes(*trace),
            number: u32::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

/// The newest first; of one trace, in the order of its documents.
impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A document that has what was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hit {
    /// Where it stands.
    pub place: Place,
    /// Whose texts have it.
    pub item: Item,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_no_more_fits() {
        let mut texts = Texts::new(8);
        assert!(texts.add(TextKind::Input, "abc"));
        assert!(!texts.add(TextKind::Input, "düe"));
        assert!(!texts.add(TextKind::Input, "e"));
        assert!(!texts.add(TextKind::Name, "üüüüü"));
        let all: Vec<_> = texts.iter().collect();
        assert_eq!(all, [(TextKind::Input, "abc\ndüe"), (TextKind::Name, "üüüü")]);
    }

    #[test]
    fn a_place_comes_back_from_its_bytes() {
        let place =
            Place { started: Timestamp::from_nanos(-5), trace: TraceId::from_bytes([7; 16]), number: 3 };
        assert_eq!(Place::from_bytes(&place.to_bytes()), Some(place));
        assert_eq!(Place::from_bytes(&place.to_bytes()[1..]), None);
        assert!(place < Place { started: Timestamp::from_nanos(-6), ..place });
        assert!(place < Place { number: 4, ..place });
    }
}
