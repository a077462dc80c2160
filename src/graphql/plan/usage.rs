//! What attempts at steps used: what the spans that they ran in add up to, with all below them.

use async_graphql::Context;
use futures_util::future::try_join_all;

use crate::{
    graphql::{error::Result, span::Span},
    model::plan::StepAttempt,
};

/// What attempts used.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// Tokens read and written.
    pub(super) tokens: u64,
    /// US dollars, as far as known; `None`: nothing is known.
    pub(super) cost: Option<f64>,
}

/// What attempts used, for the field that asks. Their trees are read together.
pub(super) async fn usage<'a>(
    ctx: &Context<'_>,
    field: &str,
    attempts: impl IntoIterator<Item = &'a StepAttempt>,
) -> Result<Usage> {
    let of_attempt = async |attempt: &StepAttempt| {
        let Some((trace, span)) = attempt.span else { return Ok(None) };
        match Span::load(ctx, trace, span).await? {
            Some(span) => span.subtree_summary(ctx, field).await.map(Some),
            None => Ok(None),
        }
    };
    let mut usage = Usage::default();
    for summary in try_join_all(attempts.into_iter().map(of_attempt)).await?.into_iter().flatten() {
        usage.tokens = usage.tokens.saturating_add(summary.tokens.total());
        if summary.cost_known {
            usage.cost = Some(usage.cost.unwrap_or(0.0) + summary.cost.dollars());
        }
    }
    Ok(usage)
}
