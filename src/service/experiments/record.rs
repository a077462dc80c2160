//! Writing how experiments stand. Each step of a run is one commit with the experiment that counts it.

use super::Experiments;
use crate::{
    model::{
        ExperimentId, Refusal, Timestamp, TraceId,
        dataset::DatasetItem,
        experiment::{Experiment, ExperimentItem, ExperimentStatus, ItemEnd, ItemStatus},
        refusal::Entity,
    },
    service::{ServiceError, ServiceResult},
    store::{Touched, Tx, keyspace},
};

impl Experiments {
    /// Changes an experiment in one commit.
    pub(super) async fn change(
        &self,
        id: ExperimentId,
        change: impl Fn(&mut Experiment, Timestamp) -> Result<(), Refusal> + Send + Sync,
    ) -> ServiceResult<Experiment> {
        let (now, change) = (self.context.now(), &change);
        let _turn = self.context.store.turn(id.bytes()).await;
        let changed = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = required(tx, id).await?;
                let mut new = old.touched();
                change(&mut new, now)?;
                put(tx, &old, &new)?;
                Ok(new)
            })
        });
        changed.await
    }

    /// Notes that the run of an item begins, or begins again. `None`: the experiment is over, or gone.
    pub(super) async fn begin_item(
        &self,
        experiment: ExperimentId,
        (item, repetition): (&DatasetItem, u32),
        trace_id: TraceId,
    ) -> ServiceResult<Option<ExperimentItem>> {
        let now = self.context.now();
        let _turn = self.context.store.turn(experiment.bytes()).await;
        let begun = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let found = tx.get(keyspace::EXPERIMENT, &experiment).await?;
                let Some(old) = found.filter(|found| !found.status.is_final()) else { return Ok(None) };
                let key = (experiment, item.state.place, repetition);
                let before = tx.get(keyspace::EXPERIMENT_ITEM, &key).await?;
                let mut new = old.touched();
                if before.is_none() {
                    new.counts.add(ItemStatus::Running);
                }
                let begun = ExperimentItem {
                    experiment_id: experiment,
                    item_id: item.id,
                    item: item.state,
                    repetition,
                    status: ItemStatus::Running,
                    attempt: before.as_ref().map_or(0, |before| before.attempt) + 1,
                    trace_id,
                    output_preview: None,
                    error: None,
                    evaluator_errors: Vec::new(),
                    started_at: before.as_ref().map_or(now, |before| before.started_at),
                    ended_at: None,
                    revision: new.revision,
                };
                tx.put_indexed(before.as_ref(), &begun)?;
                put(tx, &old, &new)?;
                Ok(Some(begun))
            })
        });
        begun.await
    }

    /// Notes what came of the run of an item. One that was noted to be over stays as it is.
    pub(super) async fn end_item(&self, item: &ExperimentItem, end: &ItemEnd) -> ServiceResult<()> {
        let now = self.context.now();
        let _turn = self.context.store.turn(item.experiment_id.bytes()).await;
        let ended = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = required(tx, item.experiment_id).await?;
                let key = (item.experiment_id, item.item.place, item.repetition);
                let before = tx.get(keyspace::EXPERIMENT_ITEM, &key).await?;
                let Some(before) = before.filter(|before| before.status == ItemStatus::Running) else {
                    return Ok(());
                };
                let mut new = old.touched();
                new.counts.remove(before.status);
                new.counts.add(end.status);
                new.check_errors(now);
                let ended = ExperimentItem { revision: new.revision, ..before.ended(end, now) };
                tx.put_indexed(Some(&before), &ended)?;
                put(tx, &old, &new)
            })
        });
        ended.await
    }

    /// Ends an experiment of which nothing goes on any more, unless it was deleted by then, and takes its mark away.
    pub(super) async fn finish(
        &self,
        id: ExperimentId,
        (status, error): (ExperimentStatus, Option<String>),
    ) -> ServiceResult<()> {
        let (now, error) = (self.context.now(), &error);
        let _turn = self.context.store.turn(id.bytes()).await;
        let finished = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let found = tx.get(keyspace::EXPERIMENT, &id).await?;
                if let Some(old) = found.filter(|found| !found.status.is_final()) {
                    let mut new = old.touched();
                    new.end(status, error.clone(), now);
                    put(tx, &old, &new)?;
                }
                tx.delete(keyspace::EXPERIMENT_RUN, &id);
                Ok(())
            })
        });
        finished.await
    }
}

/// The experiment, which must be there, and still the same when the transaction commits.
pub(super) async fn required(tx: &mut Tx<'_>, id: ExperimentId) -> ServiceResult<Experiment> {
    let found = tx.get(keyspace::EXPERIMENT, &id).await?;
    Ok(found.ok_or_else(|| Refusal::not_found("experimentId", Entity::Experiment, id))?)
}

/// Writes the experiment and tells who watches it.
fn put(tx: &mut Tx<'_>, old: &Experiment, new: &Experiment) -> ServiceResult<()> {
    tx.put_indexed(Some(old), new)?;
    tx.touch(Touched::Experiment { id: new.id, revision: new.revision });
    Ok(())
}
