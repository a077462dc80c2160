//! What comes of one evaluator that looks at one thing, and of many together.

use bincode::{Decode, Encode};

use crate::model::{SpanId, TraceId, component::ComponentRef, score::Score};

/// What came of an evaluator that looked at something.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It judged.
    Scored {
        /// The score, as it is kept.
        score: Box<Score>,
        /// Whether what it judged passed; `None` where its judgement knows no passing, as of a number without a bar.
        passed: Option<bool>,
    },
    /// It does not apply, and why: what it looks at is not there. Nothing is kept.
    Skipped(String),
    /// It failed, and why, as a judge that gives no verdict. Nothing is kept.
    Failed(String),
}

/// Outcomes, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Tally {
    /// Scores.
    pub scored: u64,
    /// Of them: what passed.
    pub passed: u64,
    /// Of them: what did not pass. The rest knows no passing.
    pub failed: u64,
    /// What did not apply.
    pub skipped: u64,
    /// What failed.
    pub errors: u64,
}

impl Tally {
    /// Counts an outcome.
    pub const fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Scored { passed, .. } => {
                self.scored = self.scored.saturating_add(1);
                match passed {
                    Some(true) => self.passed = self.passed.saturating_add(1),
                    Some(false) => self.failed = self.failed.saturating_add(1),
                    None => {}
                }
            }
            Outcome::Skipped(_) => self.skipped = self.skipped.saturating_add(1),
            Outcome::Failed(_) => self.errors = self.errors.saturating_add(1),
        }
    }

    /// Adds others.
    pub const fn add(&mut self, other: &Self) {
        self.scored = self.scored.saturating_add(other.scored);
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.errors = self.errors.saturating_add(other.errors);
    }

    /// What does not add up.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let judged = self.passed.saturating_add(self.failed);
        (judged > self.scored).then_some("more has passed and failed than was scored")
    }
}

/// An evaluator that failed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EvaluationError {
    /// What it looked at.
    pub trace_id: TraceId,
    /// The span of it, where it looked at one.
    pub span_id: Option<SpanId>,
    /// The evaluator.
    pub evaluator: ComponentRef,
    /// Why it failed.
    pub message: String,
}
