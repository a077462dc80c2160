//! Scores in the API.

mod fields;
mod mutations;

use std::sync::Arc;

use async_graphql::Context;

pub(super) use self::{fields::ScoreValueType, mutations::ScoreMutation};
use super::{error::Result, ids::GlobalId, request};
use crate::model::{self, ScoreId, score::ScoreTarget};

/// A score.
#[derive(Clone)]
pub(super) struct Score(model::score::Score);

impl Score {
    /// The scores of a target.
    pub(super) async fn of(ctx: &Context<'_>, target: ScoreTarget) -> Result<Vec<Self>> {
        let scores = request::of(ctx)?.scores.load(target).await?;
        Ok(scores.map(|scores: Arc<Vec<_>>| scores.iter().cloned().map(Self).collect()).unwrap_or_default())
    }

    /// The score with this ID, if it is there.
    pub(super) async fn load(ctx: &Context<'_>, id: ScoreId) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.scores_by_id.load(id).await?.map(Self))
    }

    pub(super) fn global_id(&self) -> GlobalId {
        GlobalId::Score(self.0.id)
    }
}

impl From<model::score::Score> for Score {
    fn from(row: model::score::Score) -> Self {
        Self(row)
    }
}
