//! Use cases and their rules: conversations, plans, tracing, components, scores, datasets, experiments.
//!
//! A service checks what it is given, applies the model's rules, and keeps the outcome in the store.
//! It knows nothing of GraphQL, HTTP or OTLP, and packs no key.

pub mod agents;
mod arriving;
pub mod components;
mod context;
pub mod conversations;
pub mod datasets;
pub mod deletion;
mod error;
pub mod evaluations;
pub mod evaluators;
pub mod experiments;
pub mod followers;
pub mod import;
pub mod ingest;
pub mod listing;
pub mod plans;
pub mod scores;
pub mod series;
pub mod tracing;

use std::sync::Arc;

use self::{
    agents::{Agents, Runtime},
    components::Components,
    conversations::Conversations,
    datasets::Datasets,
    evaluations::Evaluations,
    evaluators::Evaluators,
    experiments::Experiments,
    followers::{Follower, Followers},
    ingest::Ingest,
    plans::Plans,
    scores::Scores,
    series::Series,
    tracing::Tracing,
};
pub use self::{
    arriving::Arriving,
    context::Context,
    error::{ServiceError, ServiceResult},
};

/// All use cases of a project. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Conversations and their messages.
    pub conversations: Conversations,
    /// Plans and their steps.
    pub plans: Plans,
    /// Traces and their spans.
    pub tracing: Tracing,
    /// Components and their versions.
    pub components: Components,
    /// Judgements.
    pub scores: Scores,
    /// What traces add up to over time.
    pub series: Series,
    /// What follows of a trace's end.
    pub followers: Followers,
    /// What other systems report.
    pub ingest: Ingest,
    /// Agents that this server runs.
    pub agents: Agents,
    /// Inputs that agents are tried out on.
    pub datasets: Datasets,
    /// Agents that are tried out.
    pub experiments: Experiments,
    /// Rules and judges that say how good what agents did is.
    pub evaluators: Evaluators,
    /// Evaluators over many traces.
    pub evaluations: Evaluations,
}

impl Services {
    /// The use cases over one context. Agents find no models and no tools.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self::with(context, Runtime::default())
    }

    /// The use cases over one context, with what agents are run with.
    #[must_use]
    pub fn with(context: Context, runtime: Runtime) -> Self {
        let agents = Agents::new(context.clone(), runtime);
        let evaluators = Evaluators::new(context.clone(), agents.clone());
        let evaluations = Evaluations::new(context.clone(), evaluators.clone());
        let series = Series::new(context.clone());
        let followers: Vec<Arc<dyn Follower>> = vec![Arc::new(series.clone()), Arc::new(evaluations.clone())];
        let followers = Followers::new(context.clone(), followers);
        Self {
            experiments: Experiments::new(context.clone(), agents.clone(), evaluators.clone()),
            datasets: Datasets::new(context.clone()),
            agents,
            evaluations,
            evaluators,
            conversations: Conversations::new(context.clone()),
            plans: Plans::new(context.clone()),
            tracing: Tracing::new(context.clone()),
            components: Components::new(context.clone()),
            scores: Scores::new(context.clone()),
            series,
            followers,
            ingest: Ingest::new(context),
        }
    }
}
