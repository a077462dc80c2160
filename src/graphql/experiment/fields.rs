//! The fields of an experiment.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{Experiment, item::ExperimentItem, summary::ExperimentSummary};
use crate::{
    graphql::{
        component::ComponentVersion,
        dataset::Dataset,
        error::{Failure, Result},
        page::{self, Connection},
        request,
        scalar::{BigInt, DateTime, Document, Given, PlainId, int},
    },
    model::{
        Json,
        component::ComponentRef,
        experiment::{ExperimentStatus, ItemCounts, ItemStatus},
    },
};

/// A version of an agent that is run over the items of a version of a dataset, and judged.
#[Object]
impl Experiment {
    /// The global ID.
    pub(in crate::graphql) async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The experiment's own ID.
    async fn experiment_id(&self) -> PlainId {
        PlainId(self.0.id.uuid())
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The ID of its dataset.
    async fn dataset_id(&self) -> PlainId {
        PlainId(self.0.dataset_id.uuid())
    }

    /// Its dataset; null where that was deleted.
    async fn dataset(&self, ctx: &Context<'_>) -> Result<Option<Dataset>> {
        Dataset::load(ctx, self.0.dataset_id).await
    }

    /// The version of the dataset.
    async fn dataset_version(&self) -> BigInt {
        BigInt(self.0.dataset_version)
    }

    /// The version of the agent; null where it is not here.
    async fn agent(&self, ctx: &Context<'_>) -> Result<Option<ComponentVersion>> {
        ComponentVersion::load(ctx, self.0.setup.agent.clone()).await
    }

    /// Versions of a prompt, a model's settings or tools, in place of the agent's own.
    async fn components(&self, ctx: &Context<'_>) -> Result<Vec<ComponentVersion>> {
        versions(ctx, &self.0.setup.components).await
    }

    /// Another model than the agent's, with the same settings; null where it is the agent's.
    async fn model(&self) -> Option<&str> {
        self.0.setup.model.as_deref()
    }

    /// Values of the instructions' variables, beside those that the agent has: an object of texts.
    async fn variables(&self) -> Document {
        let texts = self.0.setup.variables.iter();
        let texts = texts.map(|(name, value)| (name.clone(), value.as_str().into()));
        Document(Json::of(&serde_json::Value::Object(texts.collect())))
    }

    /// What judges each run that gave an answer.
    async fn evaluators(&self, ctx: &Context<'_>) -> Result<Vec<ComponentVersion>> {
        versions(ctx, &self.0.setup.evaluators).await
    }

    /// How often each item is run.
    async fn repetitions(&self) -> i32 {
        int(self.0.setup.repetitions)
    }

    /// Runs that go on at the same time.
    async fn parallelism(&self) -> i32 {
        int(self.0.setup.parallelism)
    }

    /// Runs that may fail: with one more, the experiment is given up. Null where all may.
    async fn max_errors(&self) -> Option<i32> {
        self.0.setup.max_errors.map(int)
    }

    /// Where it stands.
    async fn status(&self) -> ExperimentStatus {
        self.0.status
    }

    /// Why it was given up.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// Its runs by where they stand.
    async fn counts(&self) -> ExperimentCounts {
        self.0.counts.into()
    }

    /// When it began.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it ended; null while it goes on.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// Counts the commits that changed it or its items.
    async fn revision(&self) -> BigInt {
        BigInt(self.0.revision)
    }

    /// The runs that have begun, in the dataset's order.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Runs of the page at most.", default_with = "page::default_first()")] first: Option<
            Given<i32>,
        >,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Runs in one of these states; an empty list means any.")] statuses: Option<
            Vec<ItemStatus>,
        >,
    ) -> Result<Connection<ExperimentItem>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let list = (self.0.id, statuses.unwrap_or_default());
        let total = list.1.is_empty().then(|| self.0.counts.total.saturating_sub(self.0.counts.pending()));
        let page = data.experiment_items.load((list, request.clone())).await?.ok_or(Failure::Internal)?;
        Ok(Connection::new(page.map(ExperimentItem::from), &request, total))
    }

    /// What its runs add up to so far. Read from the traces of all its runs, so that what was judged or priced anew counts
    /// as it does now; runs whose traces were deleted count for nothing but their state.
    async fn summary(&self, ctx: &Context<'_>) -> Result<ExperimentSummary> {
        let summary = request::of(ctx)?.services.experiments.summary(&self.0).await?;
        Ok(ExperimentSummary::of(&self.0, summary))
    }
}

/// The runs of an experiment by where they stand.
#[derive(SimpleObject)]
pub(super) struct ExperimentCounts {
    /// All that there are to be: items times repetitions.
    total: i32,
    /// Those that have not begun. In an experiment that is over, they never will.
    pending: i32,
    /// Those that go on.
    running: i32,
    /// Those that gave an answer.
    completed: i32,
    /// Those that failed.
    failed: i32,
    /// Those that were stopped.
    cancelled: i32,
}

impl From<ItemCounts> for ExperimentCounts {
    fn from(counts: ItemCounts) -> Self {
        Self {
            total: int(counts.total),
            pending: int(counts.pending()),
            running: int(counts.running),
            completed: int(counts.completed),
            failed: int(counts.failed),
            cancelled: int(counts.cancelled),
        }
    }
}

async fn versions(ctx: &Context<'_>, references: &[ComponentRef]) -> Result<Vec<ComponentVersion>> {
    let found = request::of(ctx)?.versions.load_many(references).await?;
    Ok(found.into_iter().flatten().map(ComponentVersion::new).collect())
}
