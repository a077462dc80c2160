//! What failed, and what was tried again.

use async_graphql::SimpleObject;

use super::TraceAnalysis;
use crate::{
    graphql::{
        scalar::{int, millis},
        span::Span,
    },
    model::analysis::{Failure, Retry, RetryOutcome},
};

/// Levels of a path that are told: more are read by `parent`.
const PATH_LEVELS: usize = 32;

/// A span that failed.
#[derive(SimpleObject)]
pub(super) struct FailureFigures {
    /// The span.
    span: Span,
    /// The names of the spans from the top of the tree down to it; of deeper trees the last 32.
    path: Vec<String>,
    /// How many spans above it, without a gap, failed too, and so repeat its failure.
    repeated_by: i32,
    /// Whether a span below it failed, whose failure it may repeat.
    is_repeat: bool,
    /// Whether all above it failed, up to the top of the tree.
    reached_top: bool,
    /// Milliseconds from the start of the trace to its failure; negative where it failed before.
    failed_at_ms: f64,
}

impl FailureFigures {
    pub(super) fn at(of: &TraceAnalysis, failure: &Failure) -> Option<Self> {
        let (_, head) = of.spans.at(failure.place)?;
        let (start, end) = (of.spans.trace.start_time, head.end_time.unwrap_or(head.start_time));
        let (after, before) = (millis(end.nanos_since(start)), millis(start.nanos_since(end)));
        Some(Self {
            span: Span::placed(&of.spans, failure.place)?,
            path: path(of, failure.place),
            repeated_by: int(failure.repeated_by),
            is_repeat: failure.is_repeat,
            reached_top: failure.reached_top,
            failed_at_ms: if before > 0.0 { -before } else { after },
        })
    }
}

fn path(of: &TraceAnalysis, place: usize) -> Vec<String> {
    let above = |place: &usize| of.spans.at(*place).and_then(|(node, _)| node.parent);
    let places = std::iter::successors(Some(place), above).take(PATH_LEVELS);
    let mut names: Vec<_> = places.filter_map(|place| Some(of.spans.at(place)?.1.name.clone())).collect();
    names.reverse();
    names
}

/// Something that failed and was tried again: spans directly below the same span, of the same operation type, name,
/// tool and model, each of which started when the one before had failed.
#[derive(SimpleObject)]
pub(super) struct RetryFigures {
    /// How many attempts there were: two or more.
    attempt_count: i32,
    /// What came of the last.
    outcome: RetryOutcome,
    /// The first attempt.
    first_attempt: Option<Span>,
    /// The last attempt.
    last_attempt: Option<Span>,
}

impl RetryFigures {
    pub(super) fn of(of: &TraceAnalysis, retry: &Retry) -> Self {
        let span = |place: Option<&usize>| Span::placed(&of.spans, *place?);
        Self {
            attempt_count: int(retry.attempts.len()),
            outcome: retry.outcome,
            first_attempt: span(retry.attempts.first()),
            last_attempt: span(retry.attempts.last()),
        }
    }
}

/// What came of trying again, in numbers.
#[derive(SimpleObject)]
pub(super) struct RetryTotalFigures {
    /// Things that were tried again.
    count: i32,
    /// Attempts after the first ones.
    attempt_count: i32,
    /// Things whose last attempt ended well.
    recovered_count: i32,
    /// Things whose last attempt failed too.
    failed_count: i32,
}

impl RetryTotalFigures {
    pub(super) fn of(retries: &[Retry]) -> Self {
        let ended = |outcome| int(retries.iter().filter(|retry| retry.outcome == outcome).count());
        Self {
            count: int(retries.len()),
            attempt_count: int(retries.iter().map(|retry| retry.attempts.len() - 1).sum::<usize>()),
            recovered_count: ended(RetryOutcome::Recovered),
            failed_count: ended(RetryOutcome::Failed),
        }
    }
}
