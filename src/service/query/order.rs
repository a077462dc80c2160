//! The order of what is found, and the place of a trace in it.

use std::cmp::Ordering;

use crate::{
    model::{
        query::{OrderDirection, SpanOrderField, TraceOrderField},
        series::Ranking,
        trace::Trace,
    },
    store::{Direction, key::Key},
};

/// How traces are ordered. But for the time of their start, only those that are over have an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceOrdering {
    /// By what.
    pub field: TraceOrderField,
    /// Which end comes first.
    pub direction: OrderDirection,
}

impl Default for TraceOrdering {
    fn default() -> Self {
        Self { field: TraceOrderField::StartTime, direction: OrderDirection::Descending }
    }
}

/// How spans are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanOrdering {
    /// By what.
    pub field: SpanOrderField,
    /// Which end comes first.
    pub direction: OrderDirection,
}

impl Default for SpanOrdering {
    fn default() -> Self {
        Self { field: SpanOrderField::StartTime, direction: OrderDirection::Descending }
    }
}

impl TraceOrdering {
    /// The ranking that has this order; `None`: it is that of the indexes by time.
    pub(super) const fn ranking(self) -> Option<Ranking> {
        match self.field {
            TraceOrderField::StartTime => None,
            TraceOrderField::Duration => Some(Ranking::Duration),
            TraceOrderField::Cost => Some(Ranking::Cost),
            TraceOrderField::Tokens => Some(Ranking::Tokens),
        }
    }

    pub(super) const fn scan(self) -> Direction {
        match self.direction {
            OrderDirection::Ascending => Direction::Forward,
            OrderDirection::Descending => Direction::Backward,
        }
    }

    /// A trace's place, as the keys of the index with this order end; `None`: it has none.
    pub(super) fn place_of(self, trace: &Trace) -> Option<Vec<u8>> {
        let Some(ranking) = self.ranking() else { return Some((trace.start_time, trace.id).encode()) };
        let rank = ranking.of(trace).filter(|_| trace.status.is_final())?;
        Some((rank, trace.start_time, trace.id).encode())
    }

    /// Which of two places comes first.
    pub(super) fn compare(self, first: &[u8], second: &[u8]) -> Ordering {
        match self.direction {
            OrderDirection::Ascending => first.cmp(second),
            OrderDirection::Descending => second.cmp(first),
        }
    }

    /// Whether the first place comes before the second.
    pub(super) fn is_before(self, first: &[u8], second: &[u8]) -> bool {
        self.compare(first, second) == Ordering::Less
    }
}
