//! What of a text is shown where something was found in it.

use std::ops::Range;

use crate::{
    model::search::TextKind,
    search::{TextQuery, Texts},
};

/// Bytes of an excerpt at most.
const LENGTH: usize = 300;

/// Bytes of it before the first place.
const BEFORE: usize = 80;

/// A part of a text in which something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The kind of the text.
    pub kind: TextKind,
    /// The part, with an ellipsis where it was cut.
    pub text: String,
    /// The places in it, in bytes.
    pub places: Vec<Range<usize>>,
}

/// The part of these texts that tells most: of the text in which most of what was looked for stands. `None` where it
/// stands in none, because they have changed.
pub(super) fn of(texts: &Texts, query: &TextQuery, kinds: &[TextKind]) -> Option<Excerpt> {
    let wanted = texts.iter().filter(|(kind, _)| kinds.is_empty() || kinds.contains(kind));
    let marked = wanted.map(|(kind, text)| (kind, text, query.mark(text)));
    // Of several that have as much, the first.
    let best = marked.reduce(|best, next| if next.2.clauses > best.2.clauses { next } else { best });
    let (kind, text, marks) = best.filter(|(.., marks)| marks.clauses > 0)?;
    let first = marks.places.first()?;
    let start = edge(text, first.start.saturating_sub(BEFORE));
    let end = edge(text, start.saturating_add(LENGTH).max(first.end).min(text.len()));
    let part = text.get(start..end)?;
    let (cut, rest) = (if start > 0 { "…" } else { "" }, if end < text.len() { "…" } else { "" });
    let places = marks.places.into_iter().take_while(|place| place.end <= end);
    let moved = |place: usize| place - start + cut.len();
    let places = places.map(|place| moved(place.start)..moved(place.end)).collect();
    Some(Excerpt { kind, text: format!("{cut}{part}{rest}"), places })
}

/// The nearest place before, or at, this one that is between two characters.
fn edge(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
