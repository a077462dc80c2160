//! The root that follows an evaluation.

use async_graphql::{Context, ID, SimpleObject, Subscription};
use futures_util::Stream;

use super::Evaluation;
use crate::{
    graphql::{error::Result, ids, request},
    service::evaluations::EvaluationProgress,
};

/// Follows evaluations.
#[derive(Default)]
pub(in crate::graphql) struct EvaluationSubscription;

/// See [`EvaluationSubscription`].
#[Subscription]
impl EvaluationSubscription {
    /// How far an evaluation is: first as it stands, then after every change, until it is over. Changes that come
    /// faster than they are taken are told together.
    async fn evaluation_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The evaluation: its global ID or UUID.")] evaluation_id: ID,
    ) -> Result<impl Stream<Item = Result<EvaluationProgressPayload>> + use<>> {
        let id = ids::read("evaluationId", &evaluation_id)?;
        let data = request::of(ctx)?;
        Ok(data.events(data.services.evaluations.follow_progress(id).await?))
    }
}

/// How far an evaluation is.
#[derive(SimpleObject)]
struct EvaluationProgressPayload {
    /// Whether this is the state at the beginning, and not yet a change.
    snapshot: bool,
    /// The evaluation as it stands.
    evaluation: Evaluation,
}

impl From<EvaluationProgress> for EvaluationProgressPayload {
    fn from(EvaluationProgress { snapshot, evaluation }: EvaluationProgress) -> Self {
        Self { snapshot, evaluation: evaluation.into() }
    }
}
