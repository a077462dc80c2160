//! Following an experiment live: first how it stands, then every change of its items, resumable by revision.

use futures_util::{Stream, stream};

use super::Experiments;
use crate::{
    live::{Topic, Watch},
    model::{
        ExperimentId, Refusal,
        experiment::{Experiment, ExperimentItem},
        refusal::Entity,
    },
    service::ServiceResult,
    store::{Direction, between, keyspace},
};

/// What changed in an experiment.
#[derive(Debug, Clone)]
pub struct ExperimentChanges {
    /// Everything up to this revision has been sent: resume after it.
    pub revision: u64,
    /// Whether this is the state at the beginning.
    pub snapshot: bool,
    /// The experiment as it stands.
    pub experiment: Experiment,
    /// The items that changed, each as it stands, the one changed last at the end. None in a snapshot.
    pub items: Vec<ExperimentItem>,
}

/// Items that are sent at a time.
const AT_ONCE: usize = 200;

impl Experiments {
    /// How an experiment stands (or, with `after`, the items that changed since that revision), then every change. Ends
    /// with the experiment.
    pub async fn live(
        &self,
        id: ExperimentId,
        after: Option<u64>,
    ) -> ServiceResult<impl Stream<Item = ServiceResult<ExperimentChanges>> + Send + use<>> {
        // Watch before reading, so that no change falls between.
        let watch = self.context.hub.watch(Topic::Experiment(id));
        let experiment = self.get_many(&[id]).await?.pop().flatten();
        let experiment =
            experiment.ok_or_else(|| Refusal::not_found("experimentId", Entity::Experiment, id))?;
        if after.is_some_and(|after| after > experiment.revision) {
            let message = format!(
                "the experiment is at revision {}; resume with one you received",
                experiment.revision
            );
            return Err(Refusal::invalid("after", message).into());
        }
        let follower = Follower {
            experiments: self.clone(),
            id,
            watch,
            seen: after.unwrap_or(0),
            snapshot: after.is_none(),
            behind: after.is_none_or(|after| after < experiment.revision),
            is_over: after == Some(experiment.revision) && is_over(&experiment),
        };
        Ok(stream::try_unfold(follower, Follower::next))
    }

    /// Items that changed after a revision, in the order of their changes.
    async fn changed(&self, id: ExperimentId, after: u64) -> ServiceResult<(Vec<ExperimentItem>, bool)> {
        let index = keyspace::EXPERIMENT_ITEM_BY_REVISION.name;
        let range = (between(&id, Some(&(after + 1)), None), Direction::Forward, AT_ONCE);
        let Some(page) = self.context.store.index_pages(index, vec![range]).await?.pop() else {
            return Ok((Vec::new(), false));
        };
        Ok((page.items.into_iter().filter_map(|(_, item)| item).collect(), page.more))
    }
}

/// Whether nothing more of it will change.
fn is_over(experiment: &Experiment) -> bool {
    experiment.status.is_final() && experiment.counts.running == 0
}

/// One follower of an experiment.
struct Follower {
    experiments: Experiments,
    id: ExperimentId,
    watch: Watch,
    /// Everything up to here was sent.
    seen: u64,
    snapshot: bool,
    /// Whether there is something to send without waiting.
    behind: bool,
    /// Whether everything was sent.
    is_over: bool,
}

impl Follower {
    async fn next(mut self) -> ServiceResult<Option<(ExperimentChanges, Self)>> {
        if self.is_over {
            return Ok(None);
        }
        if !self.behind {
            self.watch.beyond(self.seen).await;
        }
        let experiments = &self.experiments;
        let found = experiments.get_many(&[self.id]).await?.pop().flatten();
        let Some(experiment) = found else { return Ok(None) };
        let (items, more) =
            if self.snapshot { (Vec::new(), false) } else { experiments.changed(self.id, self.seen).await? };
        // What is shown must be durable: a client that resumes after a loss of power must not hold a
        // revision that is given out again.
        experiments.context.store.flush().await?;
        // An item may have changed again since the experiment was read: then its revision is beyond.
        let last = items.last().map(|item: &ExperimentItem| item.revision);
        let revision = match last {
            Some(last) if more => last,
            Some(last) => last.max(experiment.revision),
            None => experiment.revision,
        };
        self.is_over = !more && is_over(&experiment);
        let changes = ExperimentChanges { revision, snapshot: self.snapshot, experiment, items };
        (self.seen, self.snapshot, self.behind) = (revision, false, more);
        Ok(Some((changes, self)))
    }
}
