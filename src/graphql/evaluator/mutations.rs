//! The root that makes evaluators.

use async_graphql::{Context, Object, SimpleObject};

use super::{fields::Evaluator, inputs::CreateEvaluatorInput};
use crate::graphql::{component::Component, error::Result, payload::outcome, refusal::Refusal, request};

/// Makes evaluators.
#[derive(Default)]
pub(in crate::graphql) struct EvaluatorMutation;

/// See [`EvaluatorMutation`].
#[Object]
impl EvaluatorMutation {
    /// Makes an evaluator, or a new version of one. The same content again is the same version. A judge's model must
    /// be known.
    async fn create_evaluator(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The evaluator.")] input: CreateEvaluatorInput,
    ) -> Result<CreateEvaluatorPayload> {
        let evaluators = &request::of(ctx)?.services.evaluators;
        Ok(match outcome(input.into_model(), async |new| evaluators.create(new).await).await? {
            Ok(made) => CreateEvaluatorPayload {
                evaluator: Some(made.version.into()),
                component: Some(made.component.into()),
                created: made.created,
                refusal: None,
            },
            Err(refusal) => CreateEvaluatorPayload {
                evaluator: None,
                component: None,
                created: false,
                refusal: Some(refusal.into()),
            },
        })
    }
}

/// An evaluator that was made.
#[derive(SimpleObject)]
struct CreateEvaluatorPayload {
    /// The evaluator in this version: the one with the same content, where there was one; null where it was refused.
    evaluator: Option<Evaluator>,
    /// The evaluator's component; null where it was refused.
    component: Option<Component>,
    /// Whether the content was new to the evaluator.
    created: bool,
    /// Why it was refused.
    refusal: Option<Refusal>,
}
