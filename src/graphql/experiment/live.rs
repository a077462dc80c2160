//! The root that follows an experiment.

use async_graphql::{Context, ID, SimpleObject, Subscription};
use futures_util::Stream;

use super::{Experiment, item::ExperimentItem};
use crate::{
    graphql::{
        error::Result,
        ids, request,
        scalar::{BigInt, Given, OptionalGiven},
    },
    service::experiments::ExperimentChanges,
};

/// Follows experiments.
#[derive(Default)]
pub(in crate::graphql) struct ExperimentSubscription;

/// See [`ExperimentSubscription`].
#[Subscription]
impl ExperimentSubscription {
    /// An experiment as it stands, then every change of its runs. Nothing is lost between the two. Ends with the
    /// experiment.
    async fn experiment_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The experiment: its global ID or UUID.")] experiment_id: ID,
        #[graphql(
            desc = "Resume behind this revision, which the last message carried; without it a snapshot comes first."
        )]
        after: Option<Given<u64>>,
    ) -> Result<impl Stream<Item = Result<ExperimentProgressPayload>> + use<>> {
        let (id, after) = (ids::read("experimentId", &experiment_id)?, after.read("after")?);
        let data = request::of(ctx)?;
        let changes = data.services.experiments.live(id, after).await?;
        Ok(data.events(changes))
    }
}

/// What changed in an experiment.
#[derive(SimpleObject)]
struct ExperimentProgressPayload {
    /// Everything up to this revision of the experiment has been sent: resume behind it.
    revision: BigInt,
    /// Whether this is the state at the beginning, and not yet a change.
    snapshot: bool,
    /// The experiment as it stands.
    experiment: Experiment,
    /// The runs that changed, each as it stands, the one changed last at the end. None in a snapshot: those are
    /// `experiment.items`.
    items: Vec<ExperimentItem>,
}

impl From<ExperimentChanges> for ExperimentProgressPayload {
    fn from(changes: ExperimentChanges) -> Self {
        let ExperimentChanges { revision, snapshot, experiment, items } = changes;
        let items = items.into_iter().map(ExperimentItem::from).collect();
        Self { revision: BigInt(revision), snapshot, experiment: experiment.into(), items }
    }
}
