//! What an evaluator finds, before it is kept.

use crate::model::{TraceId, score::ScoreValue};

/// What an evaluator finds.
#[derive(Debug)]
pub(super) enum Found {
    /// It judges.
    Verdict(Verdict),
    /// It does not apply, and why.
    Skipped(String),
    /// It fails, and why.
    Failed(String),
}

/// A judgement.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) value: ScoreValue,
    pub(super) passed: Option<bool>,
    pub(super) comment: String,
    /// The trace of the judging itself.
    pub(super) judged_in: Option<TraceId>,
}

impl Found {
    /// The judgement of a rule.
    pub(super) fn rule(passed: bool, comment: impl Into<String>) -> Self {
        Self::Verdict(Verdict {
            value: ScoreValue::Boolean(passed),
            passed: Some(passed),
            comment: comment.into(),
            judged_in: None,
        })
    }

    /// That it does not apply.
    pub(super) fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }
}
