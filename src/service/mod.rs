//! Use cases and their rules: conversations, plans, tracing, components, scores, evaluation, experiments.
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
pub mod evaluation;
pub mod evaluations;
pub mod evaluators;
pub mod experiments;
pub mod followers;
pub mod import;
pub mod ingest;
pub mod listing;
pub mod plans;
pub mod query;
pub mod scores;
pub mod search;
pub mod series;
pub mod tables;
pub mod tracing;
pub mod upkeep;

use std::sync::Arc;

use self::{
    agents::{Agents, Runtime},
    components::Components,
    conversations::Conversations,
    datasets::Datasets,
    evaluation::ConversationEvaluations,
    evaluations::Evaluations,
    evaluators::Evaluators,
    experiments::Experiments,
    followers::{Follower, Followers},
    ingest::Ingest,
    plans::Plans,
    query::Queries,
    scores::Scores,
    search::Search,
    series::Series,
    tables::Tables,
    tracing::Tracing,
    upkeep::Upkeep,
};
pub use self::{
    arriving::Arriving,
    context::{Context, Shared},
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
    /// What traces say, by its words.
    pub search: Search,
    /// Traces and spans by conditions.
    pub queries: Queries,
    /// What traces add up to over time.
    pub series: Series,
    /// What follows of a trace's end.
    pub followers: Followers,
    /// All of it as tables.
    pub tables: Tables,
    /// How conversations went.
    pub conversation_evaluations: ConversationEvaluations,
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
    /// How the store is, and what it needs while nothing is written.
    pub upkeep: Upkeep,
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
        let search = Search::new(context.clone());
        let mut follow: Vec<Arc<dyn Follower>> = vec![Arc::new(series.clone())];
        follow.extend(search.follower());
        follow.push(Arc::new(evaluations.clone()));
        let followers = Followers::new(context.clone(), follow);
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
            queries: Queries::new(context.clone()),
            search,
            series,
            followers,
            tables: Tables::new(context.clone()),
            conversation_evaluations: ConversationEvaluations::new(context.clone()),
            upkeep: Upkeep::new(context.clone()),
            ingest: Ingest::new(context),
        }
    }
}
