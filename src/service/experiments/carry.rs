//! Carrying out experiments: item after item, some at the same time, from where they stand to their end.

use std::collections::{HashMap, VecDeque};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::sync::watch;

use super::Experiments;
use crate::{
    live::Topic,
    model::{
        ExperimentId,
        dataset::DatasetItem,
        experiment::{Experiment, ExperimentItem, ExperimentStatus, ItemStatus},
        page::PageRequest,
    },
    service::{ServiceResult, agents::patiently},
    store::{Direction, KeyRange, between, key::Key, keyspace},
};

/// Items, or marks, that are read at a time.
const PAGE: usize = 64;

/// A run that is to be made, or of which it is to be found out what came of it.
pub(super) struct Due {
    pub(super) item: DatasetItem,
    pub(super) repetition: u32,
    /// How it stood when an earlier process ended.
    pub(super) before: Option<ExperimentItem>,
}

impl Experiments {
    /// Goes on with the experiments that an earlier process was carrying out; answers how many. The runs that were cut
    /// off with it must have been ended: see [`Agents::end_interrupted`](crate::service::agents::Agents::end_interrupted).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resume(&self) -> ServiceResult<usize> {
        let (mut resumed, mut range) = (0, KeyRange::all());
        loop {
            let page =
                self.context.store.scan(keyspace::EXPERIMENT_RUN, range, Direction::Forward, PAGE).await?;
            let Some(last) = page.items.last() else { return Ok(resumed) };
            range = KeyRange::all().after(&last.key.encode());
            for found in page.items {
                if self.carried.lock().insert(found.key) {
                    self.set_off(found.key);
                    resumed += 1;
                }
            }
        }
    }

    /// Lets an experiment go on by itself. Its place must be taken.
    pub(super) fn set_off(&self, id: ExperimentId) {
        let experiments = self.clone();
        tokio::spawn(async move {
            if let Err(error) = experiments.carry(id).await {
                tracing::error!(experiment = %id, %error, "an experiment is not carried on");
            }
            experiments.carried.lock().remove(&id);
        });
    }

    async fn carry(&self, id: ExperimentId) -> ServiceResult<()> {
        let mut watch = self.context.hub.watch(Topic::Experiment(id));
        let (stop, stopped) = watch::channel(false);
        let (mut runs, mut work) = (FuturesUnordered::new(), Work::default());
        let mut given_up = None;
        loop {
            let found = patiently(|| self.get_many(std::slice::from_ref(&id)).boxed()).await?.pop().flatten();
            let Some(experiment) = found else { return Ok(()) };
            if experiment.status.is_final() {
                break;
            }
            while runs.len() < experiment.setup.parallelism as usize {
                match work.next(self, &experiment).await? {
                    Next::Run(due) => {
                        let (due, stopped) = (*due, stopped.clone());
                        runs.push(self.carry_item(experiment.clone(), due, stopped).boxed());
                    }
                    Next::Nothing => break,
                    Next::Gone => {
                        given_up = Some("its dataset was deleted".to_owned());
                        break;
                    }
                }
            }
            if runs.is_empty() || given_up.is_some() {
                break;
            }
            tokio::select! {
                Some(outcome) = runs.next() => outcome?,
                // Many changes are its own runs'; what counts is whether it is over.
                _ = watch.beyond(experiment.revision) => {}
                // Its mark stays: the next process goes on.
                () = self.agents.closed() => {
                    while runs.next().await.is_some() {}
                    return Ok(());
                }
            }
        }
        // It is over, or everything is done: what still goes on is stopped.
        stop.send_replace(true);
        while let Some(outcome) = runs.next().await {
            outcome?;
        }
        if self.agents.is_closed() {
            return Ok(());
        }
        self.end_left(id).await?;
        let end = match given_up {
            Some(why) => (ExperimentStatus::Failed, Some(why)),
            None => (ExperimentStatus::Completed, None),
        };
        patiently(|| self.finish(id, end.clone()).boxed()).await
    }

    /// Ends the runs of an experiment that is over which an earlier process was in the midst of.
    async fn end_left(&self, id: ExperimentId) -> ServiceResult<()> {
        let found = self.get_many(&[id]).await?.pop().flatten();
        if found.is_none_or(|experiment| experiment.counts.running == 0) {
            return Ok(());
        }
        for item in self.all_items(id).await? {
            if item.status == ItemStatus::Running {
                let end = match self.over(&item).await? {
                    Some(end) => end,
                    None => super::item::cancelled(),
                };
                self.end_item(&item, &end).await?;
            }
        }
        Ok(())
    }
}

/// What comes next.
enum Next {
    Run(Box<Due>),
    Nothing,
    /// The dataset is not there any more.
    Gone,
}

/// The runs that are still to be made, read as they are needed.
#[derive(Default)]
struct Work {
    due: VecDeque<Due>,
    /// The cursor to go on from in the dataset's version.
    after: Option<String>,
    is_read: bool,
}

impl Work {
    async fn next(&mut self, experiments: &Experiments, experiment: &Experiment) -> ServiceResult<Next> {
        loop {
            if let Some(due) = self.due.pop_front() {
                return Ok(Next::Run(Box::new(due)));
            }
            if self.is_read {
                return Ok(Next::Nothing);
            }
            if !self.read(experiments, experiment).await? {
                return Ok(Next::Gone);
            }
        }
    }

    /// Reads more items. Whether the dataset is there.
    async fn read(&mut self, experiments: &Experiments, experiment: &Experiment) -> ServiceResult<bool> {
        let datasets = &experiments.datasets;
        if datasets.get_many(&[experiment.dataset_id]).await?.pop().flatten().is_none() {
            return Ok(false);
        }
        let page = PageRequest { first: PAGE, after: self.after.take() };
        let version = (experiment.dataset_id, experiment.dataset_version);
        let Some(page) = datasets.items_of(&[version], &page).await?.pop() else { return Ok(false) };
        (self.after, self.is_read) = (page.end.map(|cursor| cursor.encode()), !page.has_next);
        let items: Vec<_> = page.items.into_iter().map(|(_, item)| item).collect();
        let mut begun = experiments.begun(experiment.id, &items).await?;
        for item in items {
            for repetition in 1..=experiment.setup.repetitions {
                let before = begun.remove(&(item.state.place, repetition));
                if before.as_ref().is_none_or(|before| before.status == ItemStatus::Running) {
                    self.due.push_back(Due { item: item.clone(), repetition, before });
                }
            }
        }
        Ok(true)
    }
}

impl Experiments {
    /// The runs of some items, which stand one after another, that have begun.
    async fn begun(
        &self,
        id: ExperimentId,
        items: &[DatasetItem],
    ) -> ServiceResult<HashMap<(u64, u32), ExperimentItem>> {
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return Ok(HashMap::new()) };
        let range = between(&id, Some(&first.state.place), Some(&(last.state.place + 1)));
        let found =
            self.context.store.scan(keyspace::EXPERIMENT_ITEM, range, Direction::Forward, usize::MAX).await?;
        Ok(found.items.into_iter().map(|it| ((it.key.1, it.key.2), it.record)).collect())
    }
}
