//! The indexes that may answer a condition, and which part of each.

use super::{
    TraceOrdering,
    plan::{Chosen, Source},
};
use crate::{
    model::{
        Timestamp, TraceId,
        query::{QuerySource, SpanCondition, TraceCondition, TraceFigure},
        series::{Dimension, FoundBy, Ranking},
    },
    store::{KeyRange, key::Key, keyspace},
};

/// When traces must have started.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Started {
    pub(super) from: Option<Timestamp>,
    pub(super) before: Option<Timestamp>,
}

impl Started {
    pub(super) fn of(required: &[&TraceCondition]) -> Self {
        let mut started = Self::default();
        for condition in required {
            if let TraceCondition::Started { from, before } = condition {
                started.from = started.from.max(*from);
                started.before = [started.before, *before].into_iter().flatten().min();
            }
        }
        started
    }

    /// Whether any time is meant.
    fn is_ever(&self) -> bool {
        self.from.is_none() && self.before.is_none()
    }

    /// The keys of an index by time with a prefix.
    fn within(&self, prefix: &[u8]) -> KeyRange {
        let mut range = KeyRange::prefix(prefix);
        let bound = |moment: Timestamp| [prefix, &moment.encode()].concat();
        if let Some(from) = self.from {
            range.start = std::ops::Bound::Included(bound(from));
        }
        if let Some(before) = self.before {
            range.end = std::ops::Bound::Excluded(bound(before));
        }
        range
    }
}

/// An index that has at least all that is meant.
pub(super) struct Choice {
    pub(super) kind: QuerySource,
    pub(super) index: &'static str,
    prefix: Vec<u8>,
    /// The keys, where they are not bounded by time.
    range: Option<KeyRange>,
    /// Whether it has only traces that are over, a moment after.
    pub(super) lags: bool,
    /// What its traces have in common, where a series counts them by it.
    counted_by: Option<(Dimension, String)>,
}

impl Choice {
    fn new(kind: QuerySource, index: &'static str, prefix: Vec<u8>) -> Self {
        Self { kind, index, prefix, range: None, lags: false, counted_by: None }
    }

    /// All traces, in the order of their time.
    pub(super) fn all() -> Self {
        let all = Self::new(QuerySource::All, keyspace::TRACE_BY_START.name, Vec::new());
        Self { counted_by: Some((Dimension::All, String::new())), ..all }
    }

    fn found_by(kind: QuerySource, by: FoundBy, value: &str) -> Self {
        let prefix = (by, value.to_owned()).encode();
        let dimension = match by {
            FoundBy::Model => Some(Dimension::Model),
            FoundBy::Tool => Some(Dimension::Tool),
            FoundBy::Component => Some(Dimension::Component),
            FoundBy::Score => None,
        };
        let counted_by = dimension.map(|dimension| (dimension, value.to_owned()));
        Self { lags: true, counted_by, ..Self::new(kind, keyspace::TRACE_FOUND_BY.name, prefix) }
    }

    /// What counts its traces, where all of them are meant, whenever they started.
    pub(super) fn counted_by(&self, started: &Started) -> Option<&(Dimension, String)> {
        self.counted_by.as_ref().filter(|_| started.is_ever())
    }

    /// The keys, by the times that are meant.
    pub(super) fn keys(&self, started: &Started) -> KeyRange {
        self.range.clone().unwrap_or_else(|| started.within(&self.prefix))
    }

    /// Whether a condition bounds its keys, beside the one that it was made for.
    pub(super) fn is_bounded_by(&self, condition: &TraceCondition) -> bool {
        self.range.is_none() && matches!(condition, TraceCondition::Started { .. })
    }

    /// Whether the row of a trace tells that the index does not have it.
    pub(super) const fn is_told_by_rows(&self) -> bool {
        !matches!(self.kind, QuerySource::Tool | QuerySource::Score)
    }

    /// Its traces in its own order, as many as were counted. `read`: those whose spans may have to be read.
    pub(super) fn chosen(self, started: &Started, traces: (usize, bool), read: (usize, bool)) -> Chosen {
        let range = self.keys(started);
        let Self { kind, index, prefix, lags, .. } = self;
        let wide = |(count, more): (usize, bool)| (count as u64, more);
        let source = Source::Ordered { index, prefix, range, lags };
        Chosen { kind, source, traces: wide(traces), read: wide(read) }
    }
}

/// All traces, in the order that is asked for.
pub(super) fn in_its_order(required: &[&TraceCondition], ordering: TraceOrdering) -> Choice {
    let Some(ranking) = ordering.ranking() else { return Choice::all() };
    // Only what is over has a place in this order: nothing is looked at beside.
    let (index, prefix) = (keyspace::TRACE_RANKED.name, ranking.encode());
    let figure = figure_range(required, ranking);
    let kind = if figure.is_some() { QuerySource::Figure } else { QuerySource::All };
    // In this order time bounds nothing.
    let counted_by = Choice::all().counted_by.filter(|_| figure.is_none());
    let range = figure.or_else(|| Some(KeyRange::prefix(&prefix)));
    Choice { range, counted_by, ..Choice::new(kind, index, prefix) }
}

/// The ids that traces must be among.
pub(super) fn named(required: &[&TraceCondition]) -> Option<Vec<TraceId>> {
    let sets = required.iter().filter_map(|condition| match condition {
        TraceCondition::Among(ids) => Some(ids),
        _ => None,
    });
    sets.min_by_key(|ids| ids.len()).map(|ids| ids.iter().copied().collect())
}

/// The indexes that have all that a condition means.
pub(super) fn choices(condition: &TraceCondition) -> Vec<Choice> {
    let one = |kind, index, prefix| vec![Choice::new(kind, index, prefix)];
    match condition {
        TraceCondition::Conversation(ids) if let [id] = ids.as_slice() => {
            one(QuerySource::Conversation, keyspace::TRACE_BY_CONVERSATION.name, id.encode())
        }
        TraceCondition::Session(all) if let [session] = all.as_slice() => {
            one(QuerySource::Session, keyspace::TRACE_BY_SESSION.name, session.encode())
        }
        TraceCondition::User(all) if let [user] = all.as_slice() => {
            one(QuerySource::User, keyspace::TRACE_BY_USER.name, user.encode())
        }
        TraceCondition::Status(all) if let [status] = all.as_slice() => {
            one(QuerySource::Status, keyspace::TRACE_BY_STATUS.name, status.encode())
        }
        TraceCondition::ReplayOf(id) => {
            one(QuerySource::Replayed, keyspace::TRACE_BY_REPLAYED.name, id.encode())
        }
        TraceCondition::Component(id, Some(hash)) => {
            one(QuerySource::Version, keyspace::TRACE_BY_COMPONENT.name, (id.clone(), *hash).encode())
        }
        TraceCondition::Component(id, None) => {
            vec![Choice::found_by(QuerySource::Component, FoundBy::Component, id)]
        }
        TraceCondition::Model(all) if let [model] = all.as_slice() => {
            vec![Choice::found_by(QuerySource::Model, FoundBy::Model, model)]
        }
        TraceCondition::Score(score) => {
            vec![Choice::found_by(QuerySource::Score, FoundBy::Score, &score.name)]
        }
        TraceCondition::Span(span) => span.required().into_iter().filter_map(of_span).collect(),
        TraceCondition::Figure(figure, _) => {
            let ranking = match figure {
                TraceFigure::Duration => Ranking::Duration,
                TraceFigure::Cost => Ranking::Cost,
                TraceFigure::TotalTokens => Ranking::Tokens,
                _ => return Vec::new(),
            };
            let range = figure_range(&[condition], ranking);
            let choice = Choice::new(QuerySource::Figure, keyspace::TRACE_RANKED.name, Vec::new());
            vec![Choice { range, lags: true, ..choice }]
        }
        _ => Vec::new(),
    }
}

fn of_span(condition: &SpanCondition) -> Option<Choice> {
    match condition {
        SpanCondition::Tool(all) if let [tool] = all.as_slice() => {
            Some(Choice::found_by(QuerySource::Tool, FoundBy::Tool, tool))
        }
        SpanCondition::Score(score) => {
            Some(Choice::found_by(QuerySource::Score, FoundBy::Score, &score.name))
        }
        _ => None,
    }
}

/// The keys of a ranking within the bounds that conditions set.
fn figure_range(required: &[&TraceCondition], ranking: Ranking) -> Option<KeyRange> {
    let bounds = required.iter().find_map(|condition| match condition {
        TraceCondition::Figure(figure, bounds) => (*figure == ranking.figure()).then_some(bounds),
        _ => None,
    })?;
    // A cost stands in the index as one more.
    let place = |value: u64| if ranking == Ranking::Cost { value.saturating_add(1) } else { value };
    let mut range = KeyRange::prefix(&ranking.encode());
    let least = bounds.least.unwrap_or(0);
    range.start = std::ops::Bound::Included((ranking, place(least)).encode());
    if let Some(next) = bounds.most.and_then(|most| place(most).checked_add(1)) {
        range.end = std::ops::Bound::Excluded((ranking, next).encode());
    }
    Some(range)
}
