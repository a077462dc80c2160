//! The roots that read plans.

use async_graphql::{Context, ID, Object};

use super::{
    Plan,
    filter::{PlanFilterInput, PlanOrder},
};
use crate::graphql::{
    error::Result,
    ids,
    page::{self, Connection},
    request,
    scalar::Given,
};

/// Plans.
#[derive(Default)]
pub(in crate::graphql) struct PlanQuery;

/// See [`PlanQuery`].
#[Object]
impl PlanQuery {
    /// The plan with this ID; null where there is none.
    async fn plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan's global ID or UUID.")] id: ID,
    ) -> Result<Option<Plan>> {
        Plan::load(ctx, ids::read("id", &id)?).await
    }

    /// Plans, the newest first by default.
    async fn plans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Plans of the page at most.", default_with = "page::default_first()")] first: Option<
            Given<i32>,
        >,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which plans.")] filter: Option<PlanFilterInput>,
        #[graphql(desc = "Which come first.", default)] order_by: PlanOrder,
    ) -> Result<Connection<Plan>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let filter = filter.unwrap_or_default().into_model()?;
        let plans = &data.services.plans;
        let page = plans.list(&filter, order_by.into(), &request).await?;
        let total = if page::is_counted(ctx) { plans.count(&filter).await? } else { None };
        Ok(Connection::new(page.map(Plan::new), &request, total))
    }
}
