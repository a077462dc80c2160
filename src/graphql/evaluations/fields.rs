//! The fields of an evaluation.

use async_graphql::{Context, ID, Object};

use super::{Evaluation, skip::EvaluatorSkip, versions};
use crate::{
    graphql::{
        component::ComponentVersion,
        error::Result,
        ids::{self, GlobalId},
        scalar::{BigInt, DateTime, Document, PlainId},
        span::Span,
        trace::Trace,
    },
    model::evaluations::{EvaluationError, EvaluationStatus, Selection},
    service::evaluations::shown_condition,
};

/// Evaluators that judge traces which are there, in the background.
#[Object]
impl Evaluation {
    /// The global ID.
    async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The evaluation's own ID.
    async fn evaluation_id(&self) -> PlainId {
        PlainId(self.0.id.uuid())
    }

    /// What people call it.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Where it stands.
    async fn status(&self) -> EvaluationStatus {
        self.0.status
    }

    /// The versions of the evaluators.
    async fn evaluators(&self, ctx: &Context<'_>) -> Result<Vec<ComponentVersion>> {
        versions(ctx, &self.0.evaluators).await
    }

    /// Which traces: the condition, as `POST /api/v1/traces/query` takes it in `where`; null where they were named by
    /// their IDs.
    #[graphql(name = "where")]
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn condition(&self) -> Result<Option<Document>> {
        Ok(match &self.0.selection {
            Selection::Traces(_) => None,
            Selection::Filter { filter, .. } => Some(Document(shown_condition(filter)?)),
        })
    }

    /// The share of the traces that is evaluated, chosen by a hash of their IDs.
    async fn sample(&self) -> f64 {
        self.0.sample
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When its first trace was begun.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it was over.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// Why it cannot go on, where it has failed.
    async fn error_message(&self) -> Option<&str> {
        self.0.error_message.as_deref()
    }

    /// Traces that are evaluated; null as long as they are not counted.
    async fn selected_count(&self) -> Option<BigInt> {
        self.0.selected.map(BigInt)
    }

    /// Of them: those that are done.
    async fn done_count(&self) -> BigInt {
        BigInt(self.0.done)
    }

    /// Scores that were given: each evaluator gives one to each trace, or to each span that is judged.
    async fn scored_count(&self) -> BigInt {
        BigInt(self.0.tally.scored)
    }

    /// Of the scores: those that pass.
    async fn passed_count(&self) -> BigInt {
        BigInt(self.0.tally.passed)
    }

    /// Of the scores: those that do not pass. The rest knows no passing, as a number without a bar.
    async fn failed_count(&self) -> BigInt {
        BigInt(self.0.tally.failed)
    }

    /// Where an evaluator did not apply, and gave no score: what it looks at is not there, or not known.
    async fn skipped_count(&self) -> BigInt {
        BigInt(self.0.tally.skipped)
    }

    /// Where an evaluator failed, and gave no score.
    async fn error_count(&self) -> BigInt {
        BigInt(self.0.tally.errors)
    }

    /// The first errors: 100 at most.
    async fn errors(&self) -> Vec<EvaluatorError> {
        EvaluatorError::all(&self.global_id(), &self.0.errors)
    }

    /// Why evaluators did not apply: the first reasons, 20 at most, each once with how often it was the one.
    async fn skips(&self) -> Vec<EvaluatorSkip> {
        EvaluatorSkip::all(&self.global_id(), &self.0.skips)
    }
}

/// An evaluator that failed.
pub(super) struct EvaluatorError {
    id: ID,
    error: EvaluationError,
}

impl EvaluatorError {
    /// The errors of an evaluation or a rule.
    pub(super) fn all(of: &GlobalId, errors: &[EvaluationError]) -> Vec<Self> {
        let one = |(index, error): (usize, &EvaluationError)| Self {
            id: ids::part(of, "error", index),
            error: error.clone(),
        };
        errors.iter().enumerate().map(one).collect()
    }
}

/// An evaluator that failed, and why.
#[Object]
impl EvaluatorError {
    /// Tells the errors of an evaluation apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// What happened, for people to read.
    async fn message(&self) -> &str {
        &self.error.message
    }

    /// The version of the evaluator.
    async fn evaluator(&self, ctx: &Context<'_>) -> Result<Option<ComponentVersion>> {
        ComponentVersion::load(ctx, self.error.evaluator.clone()).await
    }

    /// The ID of the trace that it looked at.
    async fn trace_id(&self) -> PlainId {
        PlainId(self.error.trace_id.uuid())
    }

    /// The trace; null where it is gone.
    async fn trace(&self, ctx: &Context<'_>) -> Result<Option<Trace>> {
        Trace::load(ctx, self.error.trace_id).await
    }

    /// The span that it looked at; null where it looked at the whole trace.
    async fn span(&self, ctx: &Context<'_>) -> Result<Option<Span>> {
        match self.error.span_id {
            Some(span) => Span::load(ctx, self.error.trace_id, span).await,
            None => Ok(None),
        }
    }
}
