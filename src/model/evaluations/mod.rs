//! Evaluations: evaluators that judge many traces, those that are there or those that come.

mod outcome;
mod rule;
mod skip;

use bincode::{Decode, Encode};

pub use self::{
    outcome::{EvaluationError, Outcome, Tally},
    rule::EvaluationRule,
    skip::{EvaluationSkip, MAX_SKIPS},
};
use super::{
    EvaluationId, Json, Refusal, Timestamp, TraceId, component::ComponentRef, evaluator::SpanSelector,
    refusal::Entity, words::words,
};

words! {
    /// Where an evaluation stands.
    EvaluationStatus {
        /// It waits, or looks which traces there are.
        Pending = 1 "PENDING",
        /// It goes on.
        Running = 2 "RUNNING",
        /// It is through with all traces.
        Completed = 3 "COMPLETED",
        /// It was stopped.
        Cancelled = 4 "CANCELLED",
        /// It cannot go on.
        Failed = 5 "FAILED",
    }
}

impl EvaluationStatus {
    /// Whether it is over.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

/// Which traces are evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Selection {
    /// These.
    Traces(Vec<TraceId>),
    /// Those that fulfil a condition, the newest first.
    Filter {
        /// The condition, as the services write it.
        filter: Json,
        /// Traces at most.
        limit: u64,
    },
}

/// What of a trace is judged.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum EvaluationTarget {
    /// The whole.
    Trace,
    /// Each of these spans.
    Spans(SpanSelector),
}

/// Evaluators that judge traces which are there.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Evaluation {
    /// The id.
    pub id: EvaluationId,
    /// What people call it.
    pub name: Option<String>,
    /// The versions of the evaluators.
    pub evaluators: Vec<ComponentRef>,
    /// Which traces.
    pub selection: Selection,
    /// What of each is judged.
    pub target: EvaluationTarget,
    /// The share of the traces that is evaluated, chosen by a hash of their ids.
    pub sample: f64,
    /// Where it stands.
    pub status: EvaluationStatus,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its first trace was begun.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Why it cannot go on.
    pub error_message: Option<String>,
    /// Traces that are to be evaluated; `None`: they are not counted yet.
    pub selected: Option<u64>,
    /// Of them: those that are done.
    pub done: u64,
    /// What came of it, each evaluator and target counted.
    pub tally: Tally,
    /// Where the list of traces is gone on with, of a filter.
    pub cursor: Option<String>,
    /// The errors; the first [`MAX_ERRORS`].
    pub errors: Vec<EvaluationError>,
    /// Counts its changes.
    pub revision: u64,
    /// Why evaluators did not apply; the first [`MAX_SKIPS`] reasons.
    pub skips: Vec<EvaluationSkip>,
}

/// Errors that an evaluation or a rule keeps: enough to see what they have in common.
pub const MAX_ERRORS: usize = 100;

/// Traces that are done, and what came of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// How many.
    pub done: u64,
    /// What came of them.
    pub tally: Tally,
    /// The errors among it.
    pub errors: Vec<EvaluationError>,
    /// Why evaluators did not apply.
    pub skips: Vec<EvaluationSkip>,
    /// Behind which place of the list they stand, where they are of a list.
    pub cursor: Option<String>,
}

impl Progress {
    /// Adds what comes behind it.
    pub fn add(&mut self, later: Self) {
        self.done = self.done.saturating_add(later.done);
        self.tally.add(&later.tally);
        self.errors.extend(later.errors);
        EvaluationSkip::add_to_first(&mut self.skips, &later.skips);
        self.cursor = later.cursor.or_else(|| self.cursor.take());
    }
}

impl Evaluation {
    /// Says how many traces there are, which begins it.
    pub fn begin(&mut self, selected: u64, now: Timestamp) {
        if self.status == EvaluationStatus::Pending {
            self.status = EvaluationStatus::Running;
            self.selected = Some(selected);
            self.started_at = Some(now);
            self.revision += 1;
        }
    }

    /// Takes in what was done. More may have been found than were counted.
    pub fn progress(&mut self, progress: &Progress) {
        self.done = self.done.saturating_add(progress.done);
        self.selected = self.selected.map(|selected| selected.max(self.done));
        self.tally.add(&progress.tally);
        let room = MAX_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(progress.errors.iter().take(room).cloned());
        EvaluationSkip::add_to_first(&mut self.skips, &progress.skips);
        if progress.cursor.is_some() {
            self.cursor.clone_from(&progress.cursor);
        }
        self.revision += 1;
    }

    /// Ends it as completed, or as failed where something is wrong. One that is over stays as it is.
    pub fn end(&mut self, error: Option<String>, now: Timestamp) {
        if self.status.is_final() {
            return;
        }
        self.status = if error.is_some() { EvaluationStatus::Failed } else { EvaluationStatus::Completed };
        self.error_message = error;
        self.ended_at = Some(now);
        self.revision += 1;
    }

    /// Stops it. What was judged stays.
    pub fn cancel(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.status.is_final() {
            return Err(Refusal::IllegalTransition {
                entity: Entity::Evaluation,
                state: self.status.to_string(),
                action: "be cancelled".to_owned(),
                legal: Vec::new(),
            });
        }
        self.status = EvaluationStatus::Cancelled;
        self.ended_at = Some(now);
        self.revision += 1;
        Ok(())
    }

    /// What does not add up, as nothing that is done here leaves it.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if self.selected.is_some_and(|selected| self.done > selected) {
            return Some("more traces are done than were selected");
        }
        if self.status.is_final() != self.ended_at.is_some() {
            return Some("its end does not fit its status");
        }
        if self.status == EvaluationStatus::Running && self.started_at.is_none() {
            return Some("it goes on and was never begun");
        }
        if self.errors.len() as u64 > self.tally.errors {
            return Some("it keeps more errors than it counts");
        }
        let skipped = self.skips.iter().fold(0, |sum: u64, skip| sum.saturating_add(skip.count));
        if skipped > self.tally.skipped {
            return Some("it has more reasons for what it skipped than it counts");
        }
        self.tally.fault()
    }
}

/// Checks a share, from above 0 to 1.
pub fn checked_sample(field: &str, sample: f64) -> Result<f64, Refusal> {
    if sample > 0.0 && sample <= 1.0 {
        Ok(sample)
    } else {
        Err(Refusal::invalid(field, format!("{sample} is not a share above 0 and up to 1")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn new() -> Evaluation {
        Evaluation {
            id: EvaluationId::from_bytes([1; 16]),
            name: None,
            evaluators: Vec::new(),
            selection: Selection::Traces(Vec::new()),
            target: EvaluationTarget::Trace,
            sample: 1.0,
            status: EvaluationStatus::Pending,
            created_at: Timestamp::from_nanos(0),
            started_at: None,
            ended_at: None,
            error_message: None,
            selected: None,
            done: 0,
            tally: Tally::default(),
            cursor: None,
            errors: Vec::new(),
            revision: 1,
            skips: Vec::new(),
        }
    }

    fn evaluator() -> ComponentRef {
        ComponentRef {
            component_id: "evaluators/a".to_owned(),
            version_hash: crate::model::component::VersionHash::from_bytes([3; 32]),
        }
    }

    fn failed() -> Outcome {
        Outcome::Failed("no".to_owned())
    }

    proptest! {
        /// Whatever happens in whatever order, what is kept adds up, and what is over stays as it is.
        #[test]
        fn it_adds_up(steps in prop::collection::vec((0_u8..5, 0_u64..4), 0..20)) {
            let mut evaluation = new();
            let now = Timestamp::from_nanos(1);
            for (step, count) in steps {
                let before = evaluation.clone();
                match step {
                    0 => evaluation.begin(count, now),
                    1 | 2 if evaluation.status == EvaluationStatus::Running => {
                        let mut progress = Progress { done: count, ..Progress::default() };
                        for _ in 0..count * 20 {
                            progress.tally.count(&failed());
                            progress.errors.push(EvaluationError {
                                trace_id: TraceId::from_bytes([2; 16]),
                                span_id: None,
                                evaluator: evaluator(),
                                message: "no".to_owned(),
                            });
                            let reason = format!("reason {}", progress.tally.errors);
                            progress.tally.count(&Outcome::Skipped(reason.clone()));
                            let trace = TraceId::from_bytes([2; 16]);
                            progress.skips.push(EvaluationSkip::new(evaluator(), &reason, trace, None));
                        }
                        evaluation.progress(&progress);
                    }
                    3 => evaluation.end((count == 0).then(|| "no".to_owned()), now),
                    _ => drop(evaluation.cancel(now)),
                }
                prop_assert_eq!(evaluation.fault(), None);
                if before.status.is_final() {
                    prop_assert_eq!(&evaluation, &before);
                }
                prop_assert_eq!(evaluation.revision > before.revision, evaluation != before);
            }
        }
    }
}
