//! Runs of an experiment's items.

use async_graphql::{Context, ID, Object};

use super::Experiment;
use crate::{
    graphql::{
        dataset::DatasetItem,
        error::Result,
        ids::{self, GlobalId},
        page::Listed,
        scalar::{BigInt, DateTime, PlainId, int},
        score::Score,
        trace::Trace,
    },
    model::{self, experiment::ItemStatus, score::ScoreTarget},
};

/// The run of an item.
#[derive(Clone)]
pub(super) struct ExperimentItem(model::experiment::ExperimentItem);

impl From<model::experiment::ExperimentItem> for ExperimentItem {
    fn from(row: model::experiment::ExperimentItem) -> Self {
        Self(row)
    }
}

impl Listed for ExperimentItem {
    const CONNECTION: &'static str = "ExperimentItemConnection";
    const EDGE: &'static str = "ExperimentItemEdge";
}

/// The run of one item in an experiment, from its beginning on.
#[Object]
impl ExperimentItem {
    /// Tells runs apart in client caches.
    async fn id(&self) -> ID {
        let experiment = GlobalId::Experiment(self.0.experiment_id);
        let place = usize::try_from(self.0.item.place).unwrap_or(usize::MAX);
        ids::part(&experiment, &format!("item {}", self.0.repetition), place)
    }

    /// The experiment.
    async fn experiment(&self, ctx: &Context<'_>) -> Result<Option<Experiment>> {
        Experiment::load(ctx, self.0.experiment_id).await
    }

    /// The ID of the item.
    async fn item_id(&self) -> PlainId {
        PlainId(self.0.item_id.uuid())
    }

    /// The item as it was run; null where its dataset was deleted.
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<DatasetItem>> {
        DatasetItem::load_at(ctx, self.0.item).await
    }

    /// Which run of the item it is, from 1.
    async fn repetition(&self) -> i32 {
        int(self.0.repetition)
    }

    /// Where it stands.
    async fn status(&self) -> ItemStatus {
        self.0.status
    }

    /// How often it was begun: again where the server stopped in its midst.
    async fn attempt(&self) -> i32 {
        int(self.0.attempt)
    }

    /// The ID of the trace of its last attempt.
    async fn trace_id(&self) -> PlainId {
        PlainId(self.0.trace_id.uuid())
    }

    /// The trace of its last attempt; null where it is not there, or not any more.
    async fn trace(&self, ctx: &Context<'_>) -> Result<Option<Trace>> {
        Trace::load(ctx, self.0.trace_id).await
    }

    /// How it was judged: the scores of its trace.
    async fn scores(&self, ctx: &Context<'_>) -> Result<Vec<Score>> {
        Score::of(ctx, ScoreTarget::Trace(self.0.trace_id)).await
    }

    /// The beginning of the answer; all of it is the trace's `finalOutput`.
    async fn output_preview(&self) -> Option<&str> {
        self.0.output_preview.as_deref()
    }

    /// Why there is no answer.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// What evaluators could not judge, and why.
    async fn evaluator_errors(&self) -> &[String] {
        &self.0.evaluator_errors
    }

    /// When it first began.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// When it ended, and was judged; null while it goes on.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// The experiment's revision that last changed it.
    async fn revision(&self) -> BigInt {
        BigInt(self.0.revision)
    }
}
