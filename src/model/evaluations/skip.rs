//! Why evaluators did not apply: the reasons, each once, with how often it was the one.

use bincode::{Decode, Encode};

use crate::model::{SpanId, TraceId, component::ComponentRef, text::shortened};

/// Reasons that an evaluation or a rule keeps: enough to see why so little was judged.
pub const MAX_SKIPS: usize = 20;

/// Bytes of a reason that are kept.
const REASON_BYTES: usize = 500;

/// An evaluator that did not apply, and why.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EvaluationSkip {
    /// The evaluator.
    pub evaluator: ComponentRef,
    /// Why it did not apply.
    pub reason: String,
    /// How often that was the reason.
    pub count: u64,
    /// The first trace of which it was.
    pub trace_id: TraceId,
    /// The span of it, where it looked at one.
    pub span_id: Option<SpanId>,
}

impl EvaluationSkip {
    /// Once, for this reason.
    #[must_use]
    pub fn new(evaluator: ComponentRef, reason: &str, trace_id: TraceId, span_id: Option<SpanId>) -> Self {
        Self { evaluator, reason: shortened(reason, REASON_BYTES), count: 1, trace_id, span_id }
    }

    fn is_as(&self, other: &Self) -> bool {
        self.evaluator == other.evaluator && self.reason == other.reason
    }

    /// Adds reasons to the first ones: those that are known are counted, new ones kept as long as there is room.
    pub fn add_to_first(known: &mut Vec<Self>, more: &[Self]) {
        for skip in more {
            if let Some(known) = known.iter_mut().find(|known| known.is_as(skip)) {
                known.count = known.count.saturating_add(skip.count);
            } else if known.len() < MAX_SKIPS {
                known.push(skip.clone());
            }
        }
    }

    /// Adds reasons to the last ones, the newest at the end: those that are known are counted, and the one that was
    /// not met for longest makes room for a new one.
    pub fn add_to_last(known: &mut Vec<Self>, more: &[Self]) {
        for skip in more {
            let before = known.iter().position(|known| known.is_as(skip)).map(|place| known.remove(place));
            let skip = before.map_or_else(
                || skip.clone(),
                |before| Self { count: before.count.saturating_add(skip.count), ..before },
            );
            known.push(skip);
        }
        let old = known.len().saturating_sub(MAX_SKIPS);
        known.drain(..old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::component::VersionHash;

    fn skip(reason: usize) -> EvaluationSkip {
        let evaluator = ComponentRef {
            component_id: "evaluators/a".to_owned(),
            version_hash: VersionHash::from_bytes([1; 32]),
        };
        EvaluationSkip::new(evaluator, &format!("reason {reason}"), TraceId::from_bytes([2; 16]), None)
    }

    fn reasons(skips: &[EvaluationSkip]) -> Vec<(&str, u64)> {
        skips.iter().map(|skip| (skip.reason.as_str(), skip.count)).collect()
    }

    #[test]
    fn the_first_reasons_stay_and_count_on() {
        let mut known = Vec::new();
        let all: Vec<_> = (0..30).map(skip).collect();
        EvaluationSkip::add_to_first(&mut known, &all);
        EvaluationSkip::add_to_first(&mut known, &[skip(3), skip(29)]);
        assert_eq!(known.len(), MAX_SKIPS);
        assert_eq!(
            reasons(&known)[..4],
            [("reason 0", 1), ("reason 1", 1), ("reason 2", 1), ("reason 3", 2)]
        );
    }

    #[test]
    fn the_last_reasons_take_the_place_of_those_that_are_not_met_any_more() {
        let mut known = Vec::new();
        let all: Vec<_> = (0..MAX_SKIPS).map(skip).collect();
        EvaluationSkip::add_to_last(&mut known, &all);
        EvaluationSkip::add_to_last(&mut known, &[skip(0), skip(90)]);
        assert_eq!(known.len(), MAX_SKIPS);
        assert_eq!(reasons(&known)[MAX_SKIPS - 2..], [("reason 0", 2), ("reason 90", 1)]);
        assert!(!reasons(&known).contains(&("reason 1", 1)));
    }
}
