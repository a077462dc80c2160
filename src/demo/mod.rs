//! Agents that are not there: scripted runs, recorded live as real agents would record theirs.
//!
//! They show what a database full of life looks like. Nothing here calls a model: what is said and
//! found is made up from a seed, and says so wherever it can be seen (`scripted` in model names, tags
//! and metadata). The times are real, because a run is recorded while it plays. This part knows only
//! the use cases and the model.

mod agent;
mod author;
mod cast;
mod player;
mod span;
mod step;
mod stories;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::sync::watch;

use self::{agent::Agent, cast::Cast};
use crate::{
    model::clock::{SharedClock, SharedIds},
    service::{ServiceResult, Services},
};

/// How a demo goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// From one event of a span to the next, on average; zero for as fast as it can be written.
    pub pace: Duration,
    /// Agents at work at the same time.
    pub agents: usize,
    /// Runs of all agents together; `None`: until it is stopped.
    pub runs: Option<u64>,
    /// What the runs are made from: the same seed gives the same runs.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { pace: Duration::from_millis(250), agents: 2, runs: None, seed: 1 }
    }
}

/// What a demo is given.
#[derive(Clone)]
pub struct Theatre {
    /// The use cases that the runs are recorded through.
    pub services: Services,
    /// The clock.
    pub clock: SharedClock,
    /// Where new ids come from.
    pub ids: SharedIds,
}

/// Plays until all runs are done or `stop` becomes true. Runs that are cut off are ended as cancelled.
/// Answers how many runs were recorded.
///
/// # Errors
/// When the store fails.
pub async fn play(theatre: Theatre, options: &Options, stop: watch::Receiver<bool>) -> ServiceResult<u64> {
    let cast = Arc::new(Cast::register(&theatre.services).await?);
    let Theatre { services, clock, ids } = theatre;
    let agent = Agent { services, clock, ids, cast, options: options.clone(), stop };
    let agents = (0..options.agents.max(1) as u64).map(|number| agent.clone().work(number));
    let runs: ServiceResult<Vec<_>> = join_all(agents).await.into_iter().collect();
    Ok(runs?.into_iter().sum())
}
