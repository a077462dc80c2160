//! Rules by which new traces are evaluated.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{fields::EvaluatorError, skip::EvaluatorSkip, versions};
use crate::{
    graphql::{
        component::ComponentVersion,
        error::Result,
        ids::GlobalId,
        request,
        scalar::{BigInt, DateTime, Document},
    },
    model,
    service::evaluations::shown_condition,
};

/// A rule.
#[derive(Clone)]
pub(in crate::graphql) struct EvaluationRule(Arc<model::evaluations::EvaluationRule>);

impl EvaluationRule {
    /// The rule with this name, if it is there.
    pub(in crate::graphql) async fn load(ctx: &Context<'_>, name: String) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.evaluation_rules.load(name).await?.map(Self))
    }

    fn global_id(&self) -> GlobalId {
        GlobalId::EvaluationRule(self.0.name.clone())
    }
}

impl From<model::evaluations::EvaluationRule> for EvaluationRule {
    fn from(row: model::evaluations::EvaluationRule) -> Self {
        Self(row.into())
    }
}

/// A rule that says by which evaluators new traces are judged, once they are over.
#[Object]
impl EvaluationRule {
    /// The global ID.
    async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// What people call it: there is one rule of a name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The versions of the evaluators.
    async fn evaluators(&self, ctx: &Context<'_>) -> Result<Vec<ComponentVersion>> {
        versions(ctx, &self.0.evaluators).await
    }

    /// Which traces: the condition, as `POST /api/v1/traces/query` takes it in `where`.
    #[graphql(name = "where")]
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn condition(&self) -> Result<Document> {
        Ok(Document(shown_condition(&self.0.filter)?))
    }

    /// The share of the traces that is evaluated, chosen by a hash of their IDs.
    async fn sample(&self) -> f64 {
        self.0.sample
    }

    /// Whether it is followed.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// When it was first made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// Traces that were judged by it since it was made. One that went on after it was over counts again.
    async fn done_count(&self) -> BigInt {
        BigInt(self.0.done)
    }

    /// Scores that were given.
    async fn scored_count(&self) -> BigInt {
        BigInt(self.0.tally.scored)
    }

    /// Of the scores: those that pass.
    async fn passed_count(&self) -> BigInt {
        BigInt(self.0.tally.passed)
    }

    /// Of the scores: those that do not pass. The rest knows no passing.
    async fn failed_count(&self) -> BigInt {
        BigInt(self.0.tally.failed)
    }

    /// Where an evaluator did not apply, and gave no score.
    async fn skipped_count(&self) -> BigInt {
        BigInt(self.0.tally.skipped)
    }

    /// Where an evaluator failed, and gave no score.
    async fn error_count(&self) -> BigInt {
        BigInt(self.0.tally.errors)
    }

    /// The last errors: 100 at most, the newest at the end.
    async fn errors(&self) -> Vec<EvaluatorError> {
        EvaluatorError::all(&self.global_id(), &self.0.errors)
    }

    /// Why evaluators did not apply: the last reasons, 20 at most, each once with how often it was the one; the one that
    /// was met last stands at the end.
    async fn skips(&self) -> Vec<EvaluatorSkip> {
        EvaluatorSkip::all(&self.global_id(), &self.0.skips)
    }
}
