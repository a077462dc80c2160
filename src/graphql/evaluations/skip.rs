//! Why evaluators did not apply.

use async_graphql::{Context, ID, Object};

use crate::{
    graphql::{
        component::ComponentVersion,
        error::Result,
        ids::{self, GlobalId},
        scalar::{BigInt, PlainId},
        span::Span,
        trace::Trace,
    },
    model::evaluations::EvaluationSkip,
};

/// A reason why an evaluator did not apply.
pub(super) struct EvaluatorSkip {
    id: ID,
    skip: EvaluationSkip,
}

impl EvaluatorSkip {
    /// The reasons of an evaluation or a rule.
    pub(super) fn all(of: &GlobalId, skips: &[EvaluationSkip]) -> Vec<Self> {
        let one = |(index, skip): (usize, &EvaluationSkip)| Self {
            id: ids::part(of, "skip", index),
            skip: skip.clone(),
        };
        skips.iter().enumerate().map(one).collect()
    }
}

/// A reason why an evaluator did not apply and gave no score, with how often it was the one.
#[Object]
impl EvaluatorSkip {
    /// Tells the reasons of an evaluation apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// Why it did not apply, for people to read.
    async fn reason(&self) -> &str {
        &self.skip.reason
    }

    /// How often that was the reason.
    async fn count(&self) -> BigInt {
        BigInt(self.skip.count)
    }

    /// The version of the evaluator.
    async fn evaluator(&self, ctx: &Context<'_>) -> Result<Option<ComponentVersion>> {
        ComponentVersion::load(ctx, self.skip.evaluator.clone()).await
    }

    /// The ID of the first trace of which it was the reason.
    async fn trace_id(&self) -> PlainId {
        PlainId(self.skip.trace_id.uuid())
    }

    /// That trace; null where it is gone.
    async fn trace(&self, ctx: &Context<'_>) -> Result<Option<Trace>> {
        Trace::load(ctx, self.skip.trace_id).await
    }

    /// The span of it; null where the evaluator looked at the whole trace.
    async fn span(&self, ctx: &Context<'_>) -> Result<Option<Span>> {
        match self.skip.span_id {
            Some(span) => Span::load(ctx, self.skip.trace_id, span).await,
            None => Ok(None),
        }
    }
}
