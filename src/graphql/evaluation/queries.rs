//! The roots that read evaluations and rules.

use async_graphql::{Context, ID, InputObject, Object};

use super::{Evaluation, EvaluationRule};
use crate::{
    graphql::{
        error::Result,
        ids,
        page::{self, Connection},
        request,
        scalar::Given,
    },
    model::evaluation::EvaluationStatus,
    service::evaluations::EvaluationFilter,
};

/// Evaluations and rules.
#[derive(Default)]
pub(in crate::graphql) struct EvaluationQuery;

/// Which evaluations. All that is given must hold.
#[derive(Default, InputObject)]
#[graphql(name = "EvaluationFilter")]
struct EvaluationFilterInput {
    /// In one of these states; an empty list means any.
    statuses: Option<Vec<EvaluationStatus>>,
}

/// See [`EvaluationQuery`].
#[Object]
impl EvaluationQuery {
    /// The evaluation with this ID; null where there is none.
    async fn evaluation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The evaluation's global ID or UUID.")] id: ID,
    ) -> Result<Option<Evaluation>> {
        Evaluation::load(ctx, ids::read("id", &id)?).await
    }

    /// Evaluations, the one asked for last first.
    async fn evaluations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Evaluations of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which evaluations.")] filter: Option<EvaluationFilterInput>,
    ) -> Result<Connection<Evaluation>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let statuses = filter.unwrap_or_default().statuses.unwrap_or_default();
        let filter = EvaluationFilter { statuses };
        let evaluations = &data.services.evaluations;
        let page = evaluations.list(&filter, &request).await?;
        let total = if page::is_counted(ctx) { evaluations.count(&filter).await? } else { None };
        Ok(Connection::new(page.map(Evaluation::from), &request, total))
    }

    /// The rules by which new traces are judged, by their names: all of them, for there are few.
    async fn evaluation_rules(&self, ctx: &Context<'_>) -> Result<Vec<EvaluationRule>> {
        let rules = request::of(ctx)?.services.evaluations.rules().await?;
        Ok(rules.into_iter().map(EvaluationRule::from).collect())
    }
}
