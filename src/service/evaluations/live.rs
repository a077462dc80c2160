//! Following an evaluation live: first how far it is, then every change, until it is over.

use futures_util::{Stream, stream};

use super::Evaluations;
use crate::{
    live::{Topic, Watch},
    model::{EvaluationId, Refusal, evaluation::Evaluation, refusal::Entity},
    service::ServiceResult,
    store::keyspace,
};

/// How far an evaluation is.
#[derive(Debug, Clone)]
pub struct EvaluationProgress {
    /// Whether this is the state at the beginning.
    pub snapshot: bool,
    /// The evaluation as it stands.
    pub evaluation: Evaluation,
}

impl Evaluations {
    /// An evaluation as it stands, then after every change; ends when it is over. What changed between two looks is
    /// told once, so a slow follower misses steps and never the end.
    pub async fn follow_progress(
        &self,
        id: EvaluationId,
    ) -> ServiceResult<impl Stream<Item = ServiceResult<EvaluationProgress>> + Send + use<>> {
        // Watch before reading, so that no change falls between.
        let watch = self.context.hub.watch(Topic::Evaluation(id));
        let found = self.context.store.get(keyspace::EVALUATION, &id).await?;
        found.ok_or_else(|| Refusal::not_found("evaluationId", Entity::Evaluation, id))?;
        let follower = Follower { evaluations: self.clone(), id, watch, seen: None, is_over: false };
        Ok(stream::try_unfold(follower, Follower::next))
    }
}

/// One follower of an evaluation.
struct Follower {
    evaluations: Evaluations,
    id: EvaluationId,
    watch: Watch,
    /// The revision that was sent.
    seen: Option<u64>,
    is_over: bool,
}

impl Follower {
    async fn next(mut self) -> ServiceResult<Option<(EvaluationProgress, Self)>> {
        if self.is_over {
            return Ok(None);
        }
        if let Some(seen) = self.seen {
            self.watch.beyond(seen).await;
        }
        let store = &self.evaluations.context.store;
        let Some(evaluation) = store.get(keyspace::EVALUATION, &self.id).await? else { return Ok(None) };
        // What is shown must be durable.
        store.flush().await?;
        let snapshot = self.seen.replace(evaluation.revision).is_none();
        self.is_over = evaluation.status.is_final();
        Ok(Some((EvaluationProgress { snapshot, evaluation }, self)))
    }
}
