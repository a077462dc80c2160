//! The critical path, and how much went on at once.

use std::{cmp::Reverse, collections::BTreeMap};

use async_graphql::{Context, Object, SimpleObject};

use super::{TraceAnalysis, default_first, most};
use crate::{
    graphql::{
        error::Result,
        page::default_first as default_page,
        scalar::{Given, int, millis},
        span::Span,
    },
    model::{
        self,
        analysis::{CriticalPath, Lane, PathSegment},
        stats::float,
    },
};

/// The chain of spans that the end of the trace waited for.
pub(super) struct CriticalPathFigures(pub TraceAnalysis);

/// The chain of spans that the end of the trace waited for, walked from the end back: of the spans below one, it
/// waited for the one that ended last; that one began when the one had ended that had ended last before. Shortening
/// what is not on it does not shorten the trace.
#[Object]
impl CriticalPathFigures {
    /// How long it is, in milliseconds: the time in which any span at the top of the tree was at work.
    async fn duration_ms(&self) -> f64 {
        millis(self.path().nanos)
    }

    /// How many stretches it has.
    async fn segment_count(&self) -> i32 {
        int(self.path().segments.len())
    }

    /// Its stretches, in the order of time. In each one span did something itself.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn segments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Stretches at most.", default_with = "default_page()")] first: Option<Given<i32>>,
    ) -> Result<Vec<PathSegmentFigures>> {
        let segments = self.path().segments.iter().take(most(ctx, first)?);
        Ok(segments.filter_map(|segment| self.segment(segment.place, Some(segment.lane))).collect())
    }

    /// The spans on it by how much of it is theirs, the one with most first.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn spans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Spans at most.", default_with = "default_first()")] first: Option<Given<i32>>,
    ) -> Result<Vec<PathSegmentFigures>> {
        let mut spans: BTreeMap<usize, u64> = BTreeMap::new();
        for PathSegment { place, lane } in &self.path().segments {
            let nanos = spans.entry(*place).or_default();
            *nanos = nanos.saturating_add(lane.nanos());
        }
        let mut spans: Vec<_> = spans.into_iter().collect();
        spans.sort_by_key(|(_, nanos)| Reverse(*nanos));
        let spans = spans.into_iter().take(most(ctx, first)?);
        Ok(spans.filter_map(|(place, _)| self.segment(place, None)).collect())
    }
}

impl CriticalPathFigures {
    fn path(&self) -> &CriticalPath {
        &self.0.analysis.critical_path
    }

    /// One stretch, or all of a span's.
    fn segment(&self, place: usize, lane: Option<Lane>) -> Option<PathSegmentFigures> {
        let whole = self.path().nanos;
        let nanos = match lane {
            Some(lane) => lane.nanos(),
            None => self.0.figures(place)?.path_nanos,
        };
        let start = self.0.spans.trace.start_time.nanos();
        let offset = |lane: Lane| {
            let distance = millis(lane.start.abs_diff(start));
            if lane.start < start { -distance } else { distance }
        };
        Some(PathSegmentFigures {
            span: Span::placed(&self.0.spans, place)?,
            start_offset_ms: lane.map(offset),
            duration_ms: millis(nanos),
            share: if whole > 0 { float(nanos) / float(whole) } else { 0.0 },
        })
    }
}

/// A stretch of the critical path, or all that one span has of it.
#[derive(SimpleObject)]
struct PathSegmentFigures {
    /// The span whose own time it is.
    span: Span,
    /// Milliseconds from the start of the trace to its start, negative before that; null of all that a span has.
    start_offset_ms: Option<f64>,
    /// How long it is, in milliseconds.
    duration_ms: f64,
    /// Its part of the path, 0 to 1.
    share: f64,
}

/// How many spans were at work at once. Those count that have no span below them, because one that has waits for
/// them; and none that takes no time.
#[derive(SimpleObject)]
pub(super) struct ConcurrencyFigures {
    /// The most at once.
    peak: i32,
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
            peak: int(found.peak),
            average: found.average,
            busy_ms: millis(found.busy_nanos),
            parallel_ms: millis(found.parallel_nanos),
        }
    }
}
