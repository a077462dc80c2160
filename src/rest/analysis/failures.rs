//! What failed, and what was tried again.

use serde::Serialize;
use utoipa::ToSchema;

use super::spans::SpanRef;
use crate::{
    model::analysis::{Failure, Retry, RetryOutcome},
    rest::{scalar::millis, words},
    service::tracing::TraceSpans,
};

/// Levels of a path that are told.
const PATH_LEVELS: usize = 32;

/// A span that failed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct FailureFigures {
    /// The span.
    span: SpanRef,
    /// Why, as the span says it; null where it does not.
    status_message: Option<String>,
    /// The names of the spans from the top of the tree down to it; of deeper trees the last 32.
    path: Vec<String>,
    /// How many spans above it, without a gap, failed too, and so repeat its failure.
    repeated_by: u64,
    /// Whether a span below it failed, whose failure it may repeat.
    is_repeat: bool,
    /// Whether all above it failed, up to the top of the tree.
    reached_top: bool,
    /// Milliseconds from the start of the trace to its failure; negative where it failed before.
    failed_at_ms: f64,
}

impl FailureFigures {
    pub(super) fn at(spans: &TraceSpans, failure: &Failure) -> Option<Self> {
        let (_, head) = spans.at(failure.place)?;
        let (start, end) = (spans.trace.start_time, head.end_time.unwrap_or(head.start_time));
        let (after, before) = (millis(end.nanos_since(start)), millis(start.nanos_since(end)));
        Some(Self {
            span: SpanRef::at(spans, failure.place)?,
            status_message: head.status_message.clone(),
            path: path(spans, failure.place),
            repeated_by: failure.repeated_by,
            is_repeat: failure.is_repeat,
            reached_top: failure.reached_top,
            failed_at_ms: if before > 0.0 { -before } else { after },
        })
    }
}

fn path(spans: &TraceSpans, place: usize) -> Vec<String> {
    let above = |place: &usize| spans.at(*place).and_then(|(node, _)| node.parent);
    let places = std::iter::successors(Some(place), above).take(PATH_LEVELS);
    let mut names: Vec<_> = places.filter_map(|place| Some(spans.at(place)?.1.name.clone())).collect();
    names.reverse();
    names
}

/// Something that failed and was tried again: spans directly below the same span, of the same operation type, name,
/// tool and model, each of which started when the one before had failed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct RetryFigures {
    /// How many attempts there were: two or more.
    attempt_count: u64,
    /// What came of the last.
    outcome: words::RetryOutcome,
    /// The first attempt.
    first_attempt: Option<SpanRef>,
    /// The last attempt.
    last_attempt: Option<SpanRef>,
}

impl RetryFigures {
    pub(super) fn of(spans: &TraceSpans, retry: &Retry) -> Self {
        let span = |place: Option<&usize>| SpanRef::at(spans, *place?);
        Self {
            attempt_count: retry.attempts.len() as u64,
            outcome: retry.outcome.into(),
            first_attempt: span(retry.attempts.first()),
            last_attempt: span(retry.attempts.last()),
        }
    }
}

/// What came of trying again, in numbers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct RetryTotalFigures {
    /// Things that were tried again.
    count: u64,
    /// Attempts after the first ones.
    attempt_count: u64,
    /// Things whose last attempt ended well.
    recovered_count: u64,
    /// Things whose last attempt failed too.
    failed_count: u64,
}

impl RetryTotalFigures {
    pub(super) fn of(retries: &[Retry]) -> Self {
        let ended = |outcome| retries.iter().filter(|retry| retry.outcome == outcome).count() as u64;
        let again = retries.iter().map(|retry| retry.attempts.len().saturating_sub(1) as u64);
        Self {
            count: retries.len() as u64,
            attempt_count: again.sum(),
            recovered_count: ended(RetryOutcome::Recovered),
            failed_count: ended(RetryOutcome::Failed),
        }
    }
}
