//! Experiments: a version of an agent that is run over the items of a dataset, and what came of each.
//!
//! Rules and sums alone: who runs an agent, and where figures come from, is not known here.

mod figures;
mod item;
mod pairs;

use bincode::{Decode, Encode};

pub use self::{
    figures::{
        Category, Distribution, ExperimentSummary, RunFigures, ScoreKind, ScoreSummary, Spent, numeric,
    },
    item::{ExperimentItem, ItemEnd, ItemStatus, PREVIEW_BYTES},
    pairs::{
        Comparison, ItemFigures, Measure, MeasureDifference, Pair, PairMeasure, Presence, Sheet, compare,
    },
};
use super::{
    DatasetId, ExperimentId, Refusal, Timestamp, component::ComponentRef, refusal::Entity, words::words,
};

words! {
    /// Where an experiment stands.
    ExperimentStatus {
        /// Items are being run.
        Running = 1 "RUNNING",
        /// All items were run, whatever came of them.
        Completed = 2 "COMPLETED",
        /// It was given up, because too many items failed or its dataset is gone.
        Failed = 3 "FAILED",
        /// It was stopped.
        Cancelled = 4 "CANCELLED",
    }
}

impl ExperimentStatus {
    /// Whether nothing more comes.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Running)
    }
}

/// A version of an agent that is run over a version of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Experiment {
    /// The id.
    pub id: ExperimentId,
    /// What people call it.
    pub name: String,
    /// The dataset. It may be gone since.
    pub dataset_id: DatasetId,
    /// The version of it.
    pub dataset_version: u64,
    /// What is run, and how.
    pub setup: ExperimentSetup,
    /// Where it stands.
    pub status: ExperimentStatus,
    /// Why it was given up.
    pub error: Option<String>,
    /// Its runs by where they stand.
    pub counts: ItemCounts,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Counts the commits that changed it or its items.
    pub revision: u64,
}

/// What is run in an experiment, and how.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ExperimentSetup {
    /// The version of the agent.
    pub agent: ComponentRef,
    /// Versions of a prompt, a model's settings or tools, in place of the agent's own.
    pub components: Vec<ComponentRef>,
    /// Another model, with the same settings.
    pub model: Option<String>,
    /// Values of the instructions' variables, beside those that the agent has.
    pub variables: Vec<(String, String)>,
    /// What judges each run that gave an answer.
    pub evaluators: Vec<ComponentRef>,
    /// How often each item is run.
    pub repetitions: u32,
    /// Runs that go on at the same time.
    pub parallelism: u32,
    /// Runs that may fail; with one more, the experiment is given up.
    pub max_errors: Option<u64>,
}

/// The runs of an experiment by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct ItemCounts {
    /// All that there are to be: items times repetitions.
    pub total: u64,
    /// Those that go on.
    pub running: u64,
    /// Those that gave an answer.
    pub completed: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were stopped.
    pub cancelled: u64,
}

impl ItemCounts {
    /// Those that have not begun.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.total
            .saturating_sub(self.running)
            .saturating_sub(self.completed)
            .saturating_sub(self.failed)
            .saturating_sub(self.cancelled)
    }

    /// Counts a run in a state.
    pub const fn add(&mut self, status: ItemStatus) {
        *self.of(status) += 1;
    }

    /// Counts a run in a state no more.
    pub const fn remove(&mut self, status: ItemStatus) {
        let count = self.of(status);
        *count = count.saturating_sub(1);
    }

    const fn of(&mut self, status: ItemStatus) -> &mut u64 {
        match status {
            ItemStatus::Running => &mut self.running,
            ItemStatus::Completed => &mut self.completed,
            ItemStatus::Failed => &mut self.failed,
            ItemStatus::Cancelled => &mut self.cancelled,
        }
    }
}

impl Experiment {
    /// The next revision, in which something is changed.
    #[must_use]
    pub fn touched(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }

    /// Ends it; one that is over stays as it is.
    pub fn end(&mut self, status: ExperimentStatus, error: Option<String>, now: Timestamp) {
        if !self.status.is_final() {
            (self.status, self.error) = (status, error);
            self.ended_at = Some(now.max(self.created_at));
        }
    }

    /// Stops it.
    pub fn cancel(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.status.is_final() {
            return Err(Refusal::IllegalTransition {
                entity: Entity::Experiment,
                state: self.status.to_string(),
                action: "be cancelled".to_owned(),
                legal: Vec::new(),
            });
        }
        self.end(ExperimentStatus::Cancelled, None, now);
        Ok(())
    }

    /// Gives it up where more runs failed than may.
    pub fn check_errors(&mut self, now: Timestamp) {
        if let Some(most) = self.setup.max_errors.filter(|most| self.counts.failed > *most) {
            let message = format!("{} runs failed, and {most} may", self.counts.failed);
            self.end(ExperimentStatus::Failed, Some(message), now);
        }
    }
}
