//! Judging a condition by what is known of a trace so far: yes, no, or not known yet.
//!
//! What costs more to know is read only for what the cheaper does not decide.

use std::collections::HashMap;

use serde_json::Value;

use super::{SpanCondition, TraceCondition};
use crate::model::{
    SpanId,
    score::{Score, ScoreTarget},
    span::{SpanBody, SpanHead},
    trace::Trace,
    tree::Node,
};

/// What a condition must know of a trace, beside its row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each can be needed without the others")]
pub struct Needs {
    /// The tags of its conversation.
    pub tags: bool,
    /// The heads of its spans.
    pub heads: bool,
    /// Its scores, and those of its spans.
    pub scores: bool,
    /// Bodies of its spans.
    pub bodies: bool,
}

impl Needs {
    const NOTHING: Self = Self { tags: false, heads: false, scores: false, bodies: false };

    fn and(self, other: Self) -> Self {
        Self {
            tags: self.tags || other.tags,
            heads: self.heads || other.heads,
            scores: self.scores || other.scores,
            bodies: self.bodies || other.bodies,
        }
    }
}

/// What is known of a trace.
#[derive(Clone, Copy)]
pub struct TraceView<'a> {
    /// Its row.
    pub row: &'a Trace,
    /// What it is called.
    pub name: &'a str,
    /// The tags of its conversation, if they have been read.
    pub tags: Option<&'a [String]>,
    /// Its spans, if they have been read.
    pub spans: Option<&'a SpansView<'a>>,
    /// Its scores and those of its spans, if they have been read.
    pub scores: Option<&'a [Score]>,
}

/// The spans of a trace.
pub struct SpansView<'a> {
    /// The heads with their places, in the order of the tree.
    pub spans: Vec<(&'a Node, &'a SpanHead)>,
    /// Bodies that have been read, by span: attributes alone. `None`: it has been looked for and there is none.
    pub attributes: &'a HashMap<SpanId, Option<Value>>,
}

impl SpansView<'_> {
    /// The attributes of a span's body.
    #[must_use]
    pub fn attributes_of(body: &SpanBody) -> Option<Value> {
        body.attributes.as_ref()?.read().ok()
    }
}

/// All must hold: one that does not decides.
fn all(judged: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for one in judged {
        match one {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}

/// One must hold: one that does decides.
fn any(judged: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(judged.map(|one| one.map(|one| !one))).map(|none| !none)
}

impl TraceCondition {
    /// What it must know.
    #[must_use]
    pub fn needs(&self) -> Needs {
        match self {
            Self::All(all) | Self::Any(all) => {
                all.iter().fold(Needs::NOTHING, |needs, one| needs.and(one.needs()))
            }
            Self::Not(not) => not.needs(),
            Self::Tag(_) => Needs { tags: true, ..Needs::NOTHING },
            Self::Score(_) => Needs { scores: true, ..Needs::NOTHING },
            Self::Span(span) => Needs { heads: true, ..span.needs() },
            _ => Needs::NOTHING,
        }
    }

    /// Whether a trace fulfils it, by what is known; `None`: that does not tell.
    #[must_use]
    pub fn judge(&self, view: &TraceView<'_>) -> Option<bool> {
        let row = view.row;
        Some(match self {
            Self::All(conditions) => return all(conditions.iter().map(|one| one.judge(view))),
            Self::Any(conditions) => return any(conditions.iter().map(|one| one.judge(view))),
            Self::Not(not) => return not.judge(view).map(|held| !held),
            Self::Among(ids) => ids.contains(&row.id),
            Self::Status(statuses) => statuses.contains(&row.status),
            Self::Name(name) => name.matches(view.name),
            Self::Conversation(ids) => row.conversation_id.is_some_and(|id| ids.contains(&id)),
            Self::Session(all) => row.session_id.as_ref().is_some_and(|session| all.contains(session)),
            Self::User(all) => row.user_id.as_ref().is_some_and(|user| all.contains(user)),
            Self::Tag(wanted) => view.tags?.iter().any(|tag| wanted.contains(tag)),
            Self::Started { from, before } => {
                from.is_none_or(|from| row.start_time >= from)
                    && before.is_none_or(|before| row.start_time < before)
            }
            Self::Figure(figure, bounds) => figure.of(row).is_some_and(|value| bounds.hold(&value)),
            Self::Model(models) => row.summary.models.iter().any(|model| models.contains(model)),
            Self::Component(id, hash) => row.summary.components.iter().any(|component| {
                component.component_id == *id && hash.is_none_or(|hash| hash == component.version_hash)
            }),
            Self::ReplayOf(id) => row.replay_of == Some(*id),
            Self::Score(condition) => view.scores?.iter().any(|score| condition.matches(score)),
            Self::Span(condition) => {
                let spans = view.spans?;
                let judged = spans.spans.iter().map(|(node, head)| {
                    condition.judge(head, node, spans.attributes.get(&head.id), view.scores)
                });
                return any(judged);
            }
            // What says it is looked for before: see `Among`.
            Self::Text(_) => return None,
        })
    }

    /// The spans whose bodies would tell more, by their ids.
    pub fn undecided_spans(&self, view: &TraceView<'_>, found: &mut Vec<SpanId>) {
        match self {
            Self::All(conditions) | Self::Any(conditions) => {
                for one in conditions {
                    one.undecided_spans(view, found);
                }
            }
            Self::Not(not) => not.undecided_spans(view, found),
            Self::Span(condition) if condition.needs().bodies => {
                let Some(spans) = view.spans else { return };
                let undecided = spans.spans.iter().filter(|(node, head)| {
                    !spans.attributes.contains_key(&head.id)
                        && condition.judge(head, node, None, view.scores).is_none()
                });
                found.extend(undecided.map(|(_, head)| head.id));
            }
            _ => {}
        }
    }
}

impl SpanCondition {
    /// What it must know, beside the heads.
    #[must_use]
    pub fn needs(&self) -> Needs {
        match self {
            Self::All(all) | Self::Any(all) => {
                all.iter().fold(Needs::NOTHING, |needs, one| needs.and(one.needs()))
            }
            Self::Not(not) => not.needs(),
            Self::Attribute(..) => Needs { bodies: true, ..Needs::NOTHING },
            Self::Score(_) => Needs { scores: true, ..Needs::NOTHING },
            _ => Needs::NOTHING,
        }
    }

    /// Whether a span fulfils it, by what is known; `None`: that does not tell. `attributes`: as
    /// [`SpansView::attributes`] has them.
    #[must_use]
    pub fn judge(
        &self,
        head: &SpanHead,
        node: &Node,
        attributes: Option<&Option<Value>>,
        scores: Option<&[Score]>,
    ) -> Option<bool> {
        match self {
            Self::All(conditions) => {
                all(conditions.iter().map(|one| one.judge(head, node, attributes, scores)))
            }
            Self::Any(conditions) => {
                any(conditions.iter().map(|one| one.judge(head, node, attributes, scores)))
            }
            Self::Not(not) => not.judge(head, node, attributes, scores).map(|held| !held),
            Self::Attribute(key, test) => {
                let value = attributes?.as_ref().and_then(|attributes| attributes.get(key));
                Some(value.is_some_and(|value| test.matches(value)))
            }
            Self::Score(condition) => {
                let of_span =
                    |score: &&Score| matches!(score.target, ScoreTarget::Span(_, span) if span == head.id);
                Some(scores?.iter().filter(of_span).any(|score| condition.matches(score)))
            }
            leaf => leaf.judge_head(head, node),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_decides_nothing_and_hinders_nothing() {
        let (yes, no, open) = (Some(true), Some(false), None);
        assert_eq!(all([yes, open].into_iter()), open);
        assert_eq!(all([open, no].into_iter()), no);
        assert_eq!(all([].into_iter()), yes);
        assert_eq!(any([no, open].into_iter()), open);
        assert_eq!(any([open, yes].into_iter()), yes);
        assert_eq!(any([].into_iter()), no);
    }
}
