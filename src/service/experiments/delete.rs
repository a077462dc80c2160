//! Deleting an experiment: its record first, then its runs' rows. The traces of the runs stay, with their scores.

use super::{Experiments, record::required};
use crate::{
    model::{
        ExperimentId, Refusal,
        experiment::{Experiment, ExperimentStatus},
        refusal::Entity,
    },
    service::{Context, ServiceError, ServiceResult, deletion},
    store::{
        Touched,
        keyspace::{self, Deleted, DeletedWith},
        prefix,
    },
};

impl Experiments {
    /// Deletes an experiment with the rows of its runs; answers what it was. Traces and their scores stay: who wants
    /// them gone deletes them.
    ///
    /// # Errors
    /// One that runs is refused, and one whose runs are still ending.
    pub async fn delete(&self, id: ExperimentId) -> ServiceResult<Experiment> {
        let _turn = self.context.store.turn(id.bytes()).await;
        let deleted = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let experiment = required(tx, id).await?;
                if experiment.status == ExperimentStatus::Running {
                    return Err(runs(&experiment).into());
                }
                if experiment.counts.running > 0 && self.carried.lock().contains(&id) {
                    let message = "runs of it are still ending; try again in a moment";
                    return Err(Refusal::invalid("experimentId", message).into());
                }
                let mark = Deleted::Experiment(id);
                tx.delete_indexed(&experiment)?;
                tx.delete(keyspace::EXPERIMENT_RUN, &id);
                tx.put(keyspace::DELETION, &mark, &DeletedWith(mark))?;
                // Who follows it is told that there is no more.
                tx.touch(Touched::Experiment { id, revision: experiment.revision + 1 });
                Ok(experiment)
            })
        });
        let deleted = deleted.await?;
        purge(&self.context, id).await?;
        Ok(deleted)
    }
}

fn runs(experiment: &Experiment) -> Refusal {
    Refusal::IllegalTransition {
        entity: Entity::Experiment,
        state: experiment.status.to_string(),
        action: "be deleted".to_owned(),
        legal: vec!["be cancelled first".to_owned()],
    }
}

/// Removes the rows of an experiment whose record is gone, then its mark.
pub(in crate::service) async fn purge(context: &Context, id: ExperimentId) -> ServiceResult<()> {
    let mark = Deleted::Experiment(id);
    loop {
        let rows = &context.store.chunk(keyspace::EXPERIMENT_ITEM, prefix(&id), deletion::AT_ONCE).await?;
        let removed = deletion::remove(context, mark, |tx| {
            for row in &rows.items {
                tx.delete_indexed(&row.record)?;
            }
            if !rows.more {
                tx.delete(keyspace::DELETION, &mark);
            }
            Ok(())
        });
        if !removed.await? || !rows.more {
            return Ok(());
        }
    }
}
