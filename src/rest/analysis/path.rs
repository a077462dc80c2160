//! The critical path, and how much went on at once.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::spans::SpanRef;
use crate::{
    model::{
        self,
        analysis::{Lane, PathSegment, TraceAnalysis},
        stats::float,
    },
    rest::scalar::millis,
    service::tracing::TraceSpans,
};

/// The chain of spans that the end of the trace waited for. Shortening what is not on it does not shorten the trace.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct CriticalPathFigures {
    /// How long it is, in milliseconds: the time in which any span at the top of the tree was at work.
    duration_ms: f64,
    /// How many stretches it has.
    segment_count: u64,
    /// Its stretches, in the order of time. In each one span did something itself.
    segments: Vec<PathSegmentFigures>,
    /// The spans on it by how much of it is theirs, the one with most first.
    spans: Vec<PathSegmentFigures>,
}

/// A stretch of the critical path, or all that one span has of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct PathSegmentFigures {
    /// The span whose own time it is.
    span: SpanRef,
    /// Milliseconds from the start of the trace to its start, negative before that; null of all that a span has.
    start_offset_ms: Option<f64>,
    /// How long it is, in milliseconds.
    duration_ms: f64,
    /// Its part of the path, 0 to 1.
    share: f64,
}

impl CriticalPathFigures {
    pub(super) fn of(spans: &TraceSpans, analysis: &TraceAnalysis, most: usize) -> Self {
        let path = &analysis.critical_path;
        let mut by_span: BTreeMap<usize, u64> = BTreeMap::new();
        for PathSegment { place, lane } in &path.segments {
            let nanos = by_span.entry(*place).or_default();
            *nanos = nanos.saturating_add(lane.nanos());
        }
        let mut by_span: Vec<_> = by_span.into_iter().collect();
        by_span.sort_by_key(|(_, nanos)| Reverse(*nanos));
        let figures = |place, nanos, lane| PathSegmentFigures::of(spans, (place, nanos, lane), path.nanos);
        let segments = path.segments.iter().take(most);
        Self {
            duration_ms: millis(path.nanos),
            segment_count: path.segments.len() as u64,
            segments: segments
                .filter_map(|segment| figures(segment.place, segment.lane.nanos(), Some(segment.lane)))
                .collect(),
            spans: by_span
                .into_iter()
                .take(most)
                .filter_map(|(place, nanos)| figures(place, nanos, None))
                .collect(),
        }
    }
}

impl PathSegmentFigures {
    fn of(spans: &TraceSpans, (place, nanos, lane): (usize, u64, Option<Lane>), whole: u64) -> Option<Self> {
        let start = spans.trace.start_time.nanos();
        let offset = |lane: Lane| {
            let distance = millis(lane.start.abs_diff(start));
            if lane.start < start { -distance } else { distance }
        };
        Some(Self {
            span: SpanRef::at(spans, place)?,
            start_offset_ms: lane.map(offset),
            duration_ms: millis(nanos),
            share: if whole > 0 { float(nanos) / float(whole) } else { 0.0 },
        })
    }
}

/// How many spans were at work at once. Those count that have no span below them, because one that has waits for
/// them; and none that takes no time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ConcurrencyFigures {
    /// The most at once.
    peak: u64,
    /// How many on average, while any was at work; null where none ever was.
    average: Option<f64>,
    /// Milliseconds in which at least one was.
    busy_ms: f64,
    /// Milliseconds in which at least two were.
    parallel_ms: f64,
}

impl From<&model::analysis::Concurrency> for ConcurrencyFigures {
    fn from(found: &model::analysis::Concurrency) -> Self {
        Self {
            peak: found.peak,
            average: found.average,
            busy_ms: millis(found.busy_nanos),
            parallel_ms: millis(found.parallel_nanos),
        }
    }
}
