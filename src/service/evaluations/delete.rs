//! Deleting an evaluation. The scores that it gave stay: they are the traces'.

use super::Evaluations;
use crate::{
    model::{EvaluationId, Refusal, evaluations::Evaluation, refusal::Entity},
    service::{ServiceError, ServiceResult},
    store::{Touched, keyspace},
};

impl Evaluations {
    /// Deletes an evaluation; answers what it was. The scores stay that it gave, and the traces of judges.
    ///
    /// # Errors
    /// One that is not over is refused.
    pub async fn delete(&self, id: EvaluationId) -> ServiceResult<Evaluation> {
        let deleted = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let found = tx.get(keyspace::EVALUATION, &id).await?;
                let found =
                    found.ok_or_else(|| Refusal::not_found("evaluationId", Entity::Evaluation, id))?;
                if !found.status.is_final() {
                    return Err(runs(&found).into());
                }
                tx.delete_indexed(&found)?;
                // Who follows it is told that there is no more.
                tx.touch(Touched::Evaluation { id, revision: found.revision + 1 });
                Ok(found)
            })
        });
        deleted.await
    }
}

fn runs(evaluation: &Evaluation) -> Refusal {
    Refusal::IllegalTransition {
        entity: Entity::Evaluation,
        state: evaluation.status.to_string(),
        action: "be deleted".to_owned(),
        legal: vec!["be cancelled first".to_owned()],
    }
}
