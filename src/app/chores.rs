//! What a server does unasked: finishing what a killed one left, ending plans whose time ran out and
//! reported traces for which nothing comes any more, making the messages that are still to be made, what follows of
//! traces that are over, going on with experiments and evaluations, and having the store put aside what it gathered.

use std::time::Duration;

use crate::service::{ServiceResult, Services};

/// How late a plan or a trace that nobody touches may be seen to be over.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// How long what writes the index of texts keeps its memory after the last trace, or twice as long.
const TIDY_EVERY: Duration = Duration::from_secs(3);

/// Runs until it is aborted: whatever it is at can be cut off anywhere.
pub(super) async fn run(services: Services) {
    match services.conversations.finish_deletions().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "finished deletions that were cut off"),
        Err(error) => tracing::warn!(%error, "deletions that were cut off are not finished"),
    }
    if let Err(error) = services.ingest.find_open().await {
        tracing::warn!(%error, "reported traces that were left open are not known");
    }
    match services.agents.end_interrupted().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "ended runs of agents that were cut off"),
        Err(error) => tracing::warn!(%error, "runs of agents that were cut off are not ended"),
    }
    match services.agents.resume_plans().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "plans that were being carried out go on"),
        Err(error) => tracing::warn!(%error, "plans that were being carried out do not go on"),
    }
    resume_experiments(&services).await;
    resume_evaluations(&services).await;
    tokio::join!(services.followers.run(), services.evaluations.run(), sweeps(&services), tidies(&services));
}

/// Does what is due from time to time.
async fn sweeps(services: &Services) {
    let mut sweeps = tokio::time::interval(SWEEP_EVERY);
    sweeps.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        sweeps.tick().await;
        if let Err(error) = sweep(services).await {
            tracing::warn!(%error, "plans whose time ran out are not ended");
        }
        if let Err(error) = services.ingest.settle_due().await {
            tracing::warn!(%error, "reported traces for which nothing comes are not ended");
        }
        if let Err(error) = services.ingest.find_due().await {
            tracing::warn!(%error, "messages that failed are not made anew");
        }
        resume_experiments(services).await;
        resume_evaluations(services).await;
        if let Err(error) = services.upkeep.rest().await {
            tracing::warn!(%error, "what the store gathered in memory stays there");
        }
    }
}

/// Has what is not needed at the moment give back its memory.
async fn tidies(services: &Services) {
    let mut tidies = tokio::time::interval(TIDY_EVERY);
    tidies.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tidies.tick().await;
        if let Err(error) = services.search.tidy().await {
            tracing::warn!(%error, "the index of texts does not rest");
        }
    }
}

/// Goes on with experiments that nobody is at: those of an earlier process, and those that the store failed.
async fn resume_experiments(services: &Services) {
    match services.experiments.resume().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "experiments that were being carried out go on"),
        Err(error) => tracing::warn!(%error, "experiments that were being carried out do not go on for now"),
    }
}

/// Goes on with evaluations that nobody is at: those of an earlier process, and those that the store failed.
async fn resume_evaluations(services: &Services) {
    match services.evaluations.resume().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "evaluations go on that were cut off"),
        Err(error) => tracing::warn!(%error, "evaluations that were cut off do not go on"),
    }
}

/// Ends all plans whose time ran out.
async fn sweep(services: &Services) -> ServiceResult<()> {
    while services.plans.expire_due().await? > 0 {}
    Ok(())
}
