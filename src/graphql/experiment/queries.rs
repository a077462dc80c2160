//! The roots that read experiments.

use async_graphql::{Context, ID, InputObject, Object};

use super::{
    Experiment,
    compare::{self, ExperimentComparison},
};
use crate::{
    graphql::{
        error::Result,
        ids,
        page::{self, Connection},
        request,
        scalar::Given,
    },
    model::{Refusal, experiment::ExperimentStatus},
    service::experiments::ExperimentFilter,
};

/// Experiments.
#[derive(Default)]
pub(in crate::graphql) struct ExperimentQuery;

/// See [`ExperimentQuery`].
#[Object]
impl ExperimentQuery {
    /// The experiment with this ID; null where there is none.
    async fn experiment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The experiment's global ID or UUID.")] id: ID,
    ) -> Result<Option<Experiment>> {
        Experiment::load(ctx, ids::read("id", &id)?).await
    }

    /// Experiments, the one started last first.
    async fn experiments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Experiments of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which experiments.")] filter: Option<ExperimentFilterInput>,
    ) -> Result<Connection<Experiment>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let filter = filter.unwrap_or_default().into_model()?;
        let experiments = &data.services.experiments;
        let page = experiments.list(&filter, &request).await?;
        let total = if page::is_counted(ctx) { experiments.count(&filter).await? } else { None };
        Ok(Connection::new(page.map(Experiment::new), &request, total))
    }

    /// Two experiments over the same dataset side by side: item by item, and what each measure shows over all.
    async fn compare_experiments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first: its global ID or UUID.")] a: ID,
        #[graphql(desc = "The second: its global ID or UUID.")] b: ID,
    ) -> Result<ExperimentComparison> {
        compare::compare(ctx, &a, &b).await
    }
}

/// Which experiments. All that is given must hold.
#[derive(Default, InputObject)]
#[graphql(name = "ExperimentFilter")]
struct ExperimentFilterInput {
    /// Over this dataset: its global ID or UUID.
    dataset_id: Option<ID>,
    /// In one of these states; an empty list means any.
    statuses: Option<Vec<ExperimentStatus>>,
    /// Of this agent: its component's global ID, or its own.
    agent_id: Option<ID>,
    /// With this text in its name, whatever the case of its letters.
    name: Option<String>,
}

impl ExperimentFilterInput {
    fn into_model(self) -> Result<ExperimentFilter, Refusal> {
        let agent = self.agent_id.as_ref();
        Ok(ExperimentFilter {
            dataset_id: ids::read_optional("filter.datasetId", self.dataset_id.as_ref())?,
            statuses: self.statuses.unwrap_or_default(),
            agent_id: agent.map(|id| ids::read_component("filter.agentId", id)).transpose()?,
            name_contains: self.name,
        })
    }
}
