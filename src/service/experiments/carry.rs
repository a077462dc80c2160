//! Carrying out experiments: item after item, some at the same time, from where they stand to their end.

use std::collections::{HashMap, VecDeque};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::sync::watch;

use super::Experiments;
use crate::{
    live::{Topic, Watch},
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
    /// Goes on with the experiments that are not over and that nobody is at: those of an earlier process, and those
    /// that the store failed. Answers how many. The runs that were cut off with an earlier process must have been ended:
    /// see [`Agents::end_interrupted`](crate::service::agents::Agents::end_interrupted).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resume(&self) -> ServiceResult<usize> {
        let (mut resumed, mut range) = (0, KeyRange::all());
        loop {
            if self.agents.is_closed() {
                return Ok(resumed);
            }
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
                tracing::warn!(experiment = %id, %error, "an experiment does not go on for now");
            }
            experiments.carried.lock().remove(&id);
        });
    }

    async fn carry(&self, id: ExperimentId) -> ServiceResult<()> {
        let mut watch = self.context.hub.watch(Topic::Experiment(id));
        let (stop, stopped) = watch::channel(false);
        let mut runs = Runs::new();
        let left = match self.run_items(id, &mut runs, &mut watch, stopped).await {
            Ok(left) => left,
            Err(error) => {
                // Else they would go on beside those that are begun in their place.
                self.let_end(id, &mut runs, &mut watch, &stop).await;
                return Err(error);
            }
        };
        let end = match left {
            Left::Alone => return Ok(()),
            Left::Done => (ExperimentStatus::Completed, None),
            Left::GivenUp(why) => (ExperimentStatus::Failed, Some(why)),
        };
        // It is over, or everything is done: what still goes on is stopped.
        stop.send_replace(true);
        let mut outcome = Ok(());
        while let Some(ended) = runs.next().await {
            outcome = outcome.and(ended);
        }
        outcome?;
        if self.agents.is_closed() {
            return Ok(());
        }
        self.end_left(id).await?;
        patiently(|| self.finish(id, end.clone()).boxed()).await
    }

    /// Runs the items that are still to be run, until none is left, or the experiment is over.
    async fn run_items<'a>(
        &'a self,
        id: ExperimentId,
        runs: &mut Runs<'a>,
        watch: &mut Watch,
        stopped: watch::Receiver<bool>,
    ) -> ServiceResult<Left> {
        let mut work = Work::default();
        loop {
            let found = patiently(|| self.get_many(std::slice::from_ref(&id)).boxed()).await?.pop().flatten();
            let Some(experiment) = found else { return Ok(Left::Alone) };
            if experiment.status.is_final() {
                return Ok(Left::Done);
            }
            while runs.len() < experiment.setup.parallelism as usize {
                match work.next(self, &experiment).await? {
                    Next::Run(due) => {
                        let (due, stopped) = (*due, stopped.clone());
                        runs.push(self.carry_item(experiment.clone(), due, stopped).boxed());
                    }
                    Next::Nothing => break,
                    Next::Gone => return Ok(Left::GivenUp("its dataset was deleted".to_owned())),
                }
            }
            if runs.is_empty() {
                return Ok(Left::Done);
            }
            tokio::select! {
                Some(outcome) = runs.next() => outcome?,
                // Many changes are its own runs'; what counts is whether it is over.
                _ = watch.beyond(experiment.revision) => {}
                // Its mark stays: the next process goes on.
                () = self.agents.closed() => {
                    while runs.next().await.is_some() {}
                    return Ok(Left::Alone);
                }
            }
        }
    }

    /// Lets runs come to their ends, and stops them where the experiment is over by then.
    async fn let_end(
        &self,
        id: ExperimentId,
        runs: &mut Runs<'_>,
        watch: &mut Watch,
        stop: &watch::Sender<bool>,
    ) {
        let mut seen = 0;
        loop {
            tokio::select! {
                ended = runs.next() => {
                    if ended.is_none() {
                        return;
                    }
                }
                newer = watch.beyond(seen) => {
                    seen = newer;
                    let found = self.get_many(&[id]).await.unwrap_or_default();
                    if found.into_iter().flatten().any(|experiment| experiment.status.is_final()) {
                        stop.send_replace(true);
                    }
                }
            }
        }
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

/// Runs that go on.
type Runs<'a> = FuturesUnordered<BoxFuture<'a, ServiceResult<()>>>;

/// How an experiment is left.
enum Left {
    /// As it is: it was deleted, or the next process goes on with it.
    Alone,
    /// Everything is done, or it was over.
    Done,
    /// It cannot go on, because of this.
    GivenUp(String),
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
