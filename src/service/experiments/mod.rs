//! Experiments: a version of an agent over the items of a dataset, and what came of it.
//!
//! An experiment goes on by itself, whoever waits for it, and leaves a mark in the store for as long as it does, so that
//! the next start of the server goes on with one that was cut off. A run that was over by then is not made again.

mod carry;
mod delete;
mod figures;
mod item;
mod judge;
mod live;
mod read;
mod record;
mod start;

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;

pub(super) use self::delete::purge;
pub use self::{
    live::ExperimentChanges,
    read::ExperimentFilter,
    start::{ChosenVersion, StartExperiment},
};
use super::{
    Context, agents::Agents, datasets::Datasets, evaluators::Evaluators, scores::Scores, tracing::Tracing,
};
use crate::model::ExperimentId;

/// How large experiments may be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExperimentLimits {
    /// Experiments that may go on at the same time: each keeps its runs busy.
    pub running: usize,
    /// Runs of one experiment that may go on at the same time: providers of models take no more of most callers.
    pub parallelism: u32,
    /// Runs of one experiment, items times repetitions: their figures are read together when it is summed up.
    pub runs: u64,
    /// Evaluators of one experiment: each may ask a model for every run.
    pub evaluators: usize,
    /// How often a run is begun again that the server was stopped in, until it counts as failed: else one that brings
    /// the server down would do so for ever.
    pub attempts: u32,
}

impl Default for ExperimentLimits {
    fn default() -> Self {
        Self { running: 8, parallelism: 32, runs: 20_000, evaluators: 16, attempts: 10 }
    }
}

/// Use cases of experiments. Cheap to clone.
#[derive(Clone)]
pub struct Experiments {
    context: Context,
    agents: Arc<Agents>,
    datasets: Arc<Datasets>,
    tracing: Arc<Tracing>,
    scores: Arc<Scores>,
    evaluators: Arc<Evaluators>,
    /// Those that this process carries out.
    carried: Arc<Mutex<HashSet<ExperimentId>>>,
}

impl Experiments {
    /// The use cases over one context, with the agents that are tried out and what judges them.
    #[must_use]
    pub fn new(context: Context, agents: Agents, evaluators: Evaluators) -> Self {
        Self {
            agents: Arc::new(agents),
            evaluators: Arc::new(evaluators),
            datasets: Arc::new(Datasets::new(context.clone())),
            tracing: Arc::new(Tracing::new(context.clone())),
            scores: Arc::new(Scores::new(context.clone())),
            carried: Arc::default(),
            context,
        }
    }

    fn limits(&self) -> &ExperimentLimits {
        &self.agents.config().experiments
    }
}
