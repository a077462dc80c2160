//! Rules that say which new traces are evaluated, and by what.

use bincode::{Decode, Encode};

use super::{EvaluationError, EvaluationSkip, EvaluationTarget, MAX_ERRORS, Progress, Tally};
use crate::model::{Json, Timestamp, component::ComponentRef};

/// Says by which evaluators new traces are judged once they are over.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct EvaluationRule {
    /// What people call it: there is one rule of a name.
    pub name: String,
    /// The versions of the evaluators.
    pub evaluators: Vec<ComponentRef>,
    /// Which traces, as the services write a condition.
    pub filter: Json,
    /// What of each is judged.
    pub target: EvaluationTarget,
    /// The share of the traces that is evaluated, chosen by a hash of their ids.
    pub sample: f64,
    /// Whether it is followed.
    pub enabled: bool,
    /// When it was first made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Traces that were judged by it. One that went on after it was over counts again.
    pub done: u64,
    /// What came of it since it was made.
    pub tally: Tally,
    /// The last errors, the newest at the end; [`MAX_ERRORS`] at most.
    pub errors: Vec<EvaluationError>,
    /// Why evaluators did not apply: the last reasons, the one met last at the end;
    /// [`MAX_SKIPS`](super::MAX_SKIPS) at most.
    pub skips: Vec<EvaluationSkip>,
}

impl EvaluationRule {
    /// Takes in what was done.
    pub fn progress(&mut self, progress: Progress) {
        self.done = self.done.saturating_add(progress.done);
        self.tally.add(&progress.tally);
        self.errors.extend(progress.errors);
        let old = self.errors.len().saturating_sub(MAX_ERRORS);
        self.errors.drain(..old);
        EvaluationSkip::add_to_last(&mut self.skips, &progress.skips);
    }
}
