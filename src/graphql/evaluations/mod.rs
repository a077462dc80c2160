//! Evaluations in the API: evaluators over many traces, and rules for new ones.

mod fields;
mod inputs;
mod live;
mod mutations;
mod queries;
mod rule;
mod skip;

use std::sync::Arc;

use async_graphql::Context;

pub(super) use self::{
    live::EvaluationSubscription, mutations::EvaluationMutation, queries::EvaluationRunQuery,
    rule::EvaluationRule,
};
use super::{component::ComponentVersion, error::Result, ids::GlobalId, page::Listed, request};
use crate::model::{self, EvaluationId, component::ComponentRef};

/// An evaluation.
#[derive(Clone)]
pub(super) struct Evaluation(Arc<model::evaluations::Evaluation>);

impl Evaluation {
    /// The evaluation with this ID, if it is there.
    pub(super) async fn load(ctx: &Context<'_>, id: EvaluationId) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.evaluations.load(id).await?.map(Self))
    }

    fn global_id(&self) -> GlobalId {
        GlobalId::Evaluation(self.0.id)
    }
}

impl From<model::evaluations::Evaluation> for Evaluation {
    fn from(row: model::evaluations::Evaluation) -> Self {
        Self(row.into())
    }
}

impl Listed for Evaluation {
    const CONNECTION: &'static str = "EvaluationConnection";
    const EDGE: &'static str = "EvaluationEdge";
}

/// These versions, as far as they are there.
async fn versions(ctx: &Context<'_>, versions: &[ComponentRef]) -> Result<Vec<ComponentVersion>> {
    let found = request::of(ctx)?.versions.load_many(versions).await?;
    Ok(found.into_iter().flatten().map(ComponentVersion::new).collect())
}
