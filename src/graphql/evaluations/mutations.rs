//! The roots that evaluate traces: those that are there, and new ones.

use async_graphql::{Context, Object, SimpleObject};

use super::{
    Evaluation, EvaluationRule,
    inputs::{
        CancelEvaluationInput, DeleteEvaluationInput, DeleteEvaluationRuleInput, SetEvaluationRuleInput,
        StartEvaluationInput,
    },
};
use crate::{
    graphql::{
        error::Result,
        payload::{outcome, payload},
        refusal::Refusal,
        request,
        scalar::PlainId,
    },
    service::evaluations::Evaluations,
};

/// Evaluates traces.
#[derive(Default)]
pub(in crate::graphql) struct EvaluationMutation;

/// See [`EvaluationMutation`].
#[Object]
impl EvaluationMutation {
    /// Begins to have evaluators judge traces that are there. It goes on in the background, also after a restart of
    /// the server: follow it with `evaluationProgress`. A score that an evaluator gave before is replaced.
    async fn start_evaluation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which evaluators, and which traces.")] input: StartEvaluationInput,
    ) -> Result<StartEvaluationPayload> {
        let service = service(ctx)?;
        Ok(outcome(input.into_model(), async |new| service.start(new).await).await?.into())
    }

    /// Stops an evaluation. The scores stay that it gave.
    async fn cancel_evaluation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which evaluation.")] input: CancelEvaluationInput,
    ) -> Result<CancelEvaluationPayload> {
        let service = service(ctx)?;
        Ok(outcome(input.into_model(), async |id| service.cancel(id).await).await?.into())
    }

    /// Deletes an evaluation that is over; one that is not is refused. The scores stay that it gave, and the traces of
    /// its judges.
    async fn delete_evaluation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which evaluation.")] input: DeleteEvaluationInput,
    ) -> Result<DeleteEvaluationPayload> {
        let service = service(ctx)?;
        let deleted = outcome(input.into_model(), async |id| service.delete(id).await).await?;
        Ok(match deleted {
            Ok(evaluation) => {
                DeleteEvaluationPayload { evaluation_id: Some(PlainId(evaluation.id.uuid())), refusal: None }
            }
            Err(refusal) => DeleteEvaluationPayload { evaluation_id: None, refusal: Some(refusal.into()) },
        })
    }

    /// Sets a rule by which new traces are judged, once they are over; it takes the place of the one that has its
    /// name. It holds for traces that end from now on.
    async fn set_evaluation_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rule.")] input: SetEvaluationRuleInput,
    ) -> Result<SetEvaluationRulePayload> {
        let service = service(ctx)?;
        Ok(outcome(input.into_model(), async |new| service.set_rule(new).await).await?.into())
    }

    /// Deletes a rule. The scores stay that were given by it.
    async fn delete_evaluation_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which rule.")] input: DeleteEvaluationRuleInput,
    ) -> Result<DeleteEvaluationRulePayload> {
        let service = service(ctx)?;
        Ok(outcome(Ok(input.name), async |name: String| service.delete_rule(&name).await).await?.into())
    }
}

fn service<'a>(ctx: &Context<'a>) -> Result<&'a Evaluations> {
    Ok(&request::of(ctx)?.services.evaluations)
}

payload!(
    /// An evaluation that was begun.
    StartEvaluationPayload {
        /// The evaluation; null where it was refused.
        evaluation: Evaluation
    }
);

payload!(
    /// An evaluation that was stopped.
    CancelEvaluationPayload {
        /// The evaluation as it stands; null where it was refused.
        evaluation: Evaluation
    }
);

/// An evaluation that was deleted.
#[derive(SimpleObject)]
struct DeleteEvaluationPayload {
    /// Its ID; null where it was refused.
    evaluation_id: Option<PlainId>,
    /// Why it was refused.
    refusal: Option<Refusal>,
}

payload!(
    /// A rule that was set.
    SetEvaluationRulePayload {
        /// The rule as it stands; null where it was refused.
        rule: EvaluationRule
    }
);

payload!(
    /// A rule that was deleted.
    DeleteEvaluationRulePayload {
        /// The rule as it stood; null where it was refused.
        rule: EvaluationRule
    }
);
