//! What traces add up to over time and by what they have in common: the model's side of charts and of comparing
//! versions. Knows nothing of how it is kept.
//!
//! A trace that is over comes to its [`Facts`]: what it counts for itself, and what its spans count, by each thing
//! that they have in common with others. Facts are added to cells, of which there is one for each thing and each
//! stretch of time, and taken back when the trace changes. So a chart reads a cell for each of its points, however
//! many traces there are.

mod compare;
mod distribution;
mod facts;
mod measure;
mod sketch;

use bincode::{Decode, Encode};

pub use self::{
    compare::{ComparedFigure, Difference, IntervalMethod, Side, compare},
    distribution::{Distribution, LARGEST},
    facts::{Facts, MAX_FOUND_TOOLS, MAX_SCORE_NAMES, version_key},
    measure::{Counted, MAX_CATEGORIES, Measure, ScoreMeasure, TokenSums},
    sketch::{ACCURACY, Sketch},
};
use super::{Timestamp, query::TraceFigure, trace::Trace, words::words};

words! {
    /// What traces or spans have in common, by which they are counted.
    Dimension {
        /// Nothing: all of them.
        All = 1 "ALL",
        /// The model that was called.
        Model = 2 "MODEL",
        /// The kind of operation.
        Operation = 3 "OPERATION",
        /// The component, whatever its version.
        Component = 4 "COMPONENT",
        /// The version of a component.
        Version = 5 "VERSION",
        /// The user.
        User = 6 "USER",
        /// A tag of the conversation.
        Tag = 7 "TAG",
        /// The tool that was called.
        Tool = 8 "TOOL",
    }
}

words! {
    /// What traces that are over can be found by, beside what their own rows are indexed by.
    FoundBy {
        /// A model that was called.
        Model = 1 "MODEL",
        /// A tool that was called.
        Tool = 2 "TOOL",
        /// A component, whatever its version.
        Component = 3 "COMPONENT",
        /// The name of a score of it, or of one of its spans.
        Score = 4 "SCORE",
    }
}

words! {
    /// What traces that are over are ordered by.
    Ranking {
        /// How long they took, in nanoseconds.
        Duration = 1 "DURATION",
        /// What they cost, in billionths of a dollar and one more; 0: that is not known.
        Cost = 2 "COST",
        /// How many tokens they used.
        Tokens = 3 "TOKENS",
    }
}

impl Ranking {
    /// Where a trace stands by it; `None` while it has no such figure.
    #[must_use]
    pub fn of(self, trace: &Trace) -> Option<u64> {
        let figure = self.figure().of(trace);
        match self {
            Self::Duration | Self::Tokens => figure,
            Self::Cost => Some(figure.map_or(0, |cost| cost.saturating_add(1))),
        }
    }

    /// The figure that it is of.
    #[must_use]
    pub const fn figure(self) -> TraceFigure {
        match self {
            Self::Duration => TraceFigure::Duration,
            Self::Cost => TraceFigure::Cost,
            Self::Tokens => TraceFigure::TotalTokens,
        }
    }
}

words! {
    /// How long the stretches are that traces are counted by.
    Resolution {
        /// Five minutes.
        FiveMinutes = 1 "FIVE_MINUTES",
        /// An hour.
        Hour = 2 "HOUR",
        /// A day in UTC.
        Day = 3 "DAY",
        /// All of time.
        Ever = 4 "EVER",
    }
}

impl Resolution {
    /// How long a stretch is, in nanoseconds; `None`: it has no end.
    #[must_use]
    pub const fn nanos(self) -> Option<i64> {
        const SECOND: i64 = 1_000_000_000;
        match self {
            Self::FiveMinutes => Some(300 * SECOND),
            Self::Hour => Some(3_600 * SECOND),
            Self::Day => Some(86_400 * SECOND),
            Self::Ever => None,
        }
    }

    /// The start of the stretch that a moment lies in.
    #[must_use]
    pub const fn start_of(self, moment: Timestamp) -> Timestamp {
        match self.nanos() {
            Some(nanos) => {
                Timestamp::from_nanos(moment.nanos().saturating_sub(moment.nanos().rem_euclid(nanos)))
            }
            None => Timestamp::from_nanos(0),
        }
    }

    /// The start of the next stretch.
    #[must_use]
    pub const fn next(self, start: Timestamp) -> Option<Timestamp> {
        match self.nanos() {
            Some(nanos) => match start.nanos().checked_add(nanos) {
                Some(next) => Some(Timestamp::from_nanos(next)),
                None => None,
            },
            None => None,
        }
    }
}

/// What is counted of one thing in one stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Cell {
    /// The traces that have to do with it.
    pub traces: Measure,
    /// The spans that have to do with it.
    pub spans: Measure,
    /// Scores of those traces and of their spans, by name.
    pub scores: Vec<(String, ScoreMeasure)>,
}

impl Cell {
    /// Counts all that another one counts.
    pub fn merge(&mut self, other: &Self) {
        self.traces.merge(&other.traces);
        self.spans.merge(&other.spans);
        self.merge_scores(&other.scores);
    }

    /// Counts scores that another one counts.
    pub fn merge_scores(&mut self, scores: &[(String, ScoreMeasure)]) {
        for (name, more) in scores {
            match self.scores.binary_search_by(|(known, _)| known.cmp(name)) {
                Ok(place) => {
                    if let Some((_, known)) = self.scores.get_mut(place) {
                        known.merge(more);
                    }
                }
                Err(place) => self.scores.insert(place, (name.clone(), more.clone())),
            }
        }
    }

    /// Takes back what another one counts and this one counted.
    pub fn remove(&mut self, other: &Self) {
        self.traces.remove(&other.traces);
        self.spans.remove(&other.spans);
        self.remove_scores(&other.scores);
    }

    fn remove_scores(&mut self, scores: &[(String, ScoreMeasure)]) {
        for (name, less) in scores {
            if let Ok(place) = self.scores.binary_search_by(|(known, _)| known.cmp(name))
                && let Some((_, known)) = self.scores.get_mut(place)
            {
                known.remove(less);
            }
        }
        self.scores.retain(|(_, known)| known.count > 0);
    }

    /// Whether both count the same. Categories of scores are left out: which of very many are told apart depends
    /// on which came first.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let plain = |cell: &Self| {
            let mut cell = cell.clone();
            cell.scores.iter_mut().for_each(|(_, scores)| scores.categories.clear());
            cell
        };
        plain(self) == plain(other)
    }

    /// Whether nothing is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.traces.count == 0 && self.spans.count == 0 && self.scores.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_begin_at_round_times_before_1970_too() {
        let at = Timestamp::from_nanos;
        assert_eq!(Resolution::Hour.start_of(at(7_200_000_000_001)), at(7_200_000_000_000));
        assert_eq!(Resolution::Hour.start_of(at(-1)), at(-3_600_000_000_000));
        assert_eq!(Resolution::Ever.start_of(at(-1)), at(0));
        for resolution in Resolution::ALL {
            for nanos in [i64::MIN, i64::MAX] {
                // No overflow.
                let start = resolution.start_of(at(nanos));
                let _ = resolution.next(start);
            }
        }
    }
}
