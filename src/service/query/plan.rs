//! Choosing where to look for traces: of the conditions that must hold, the one that leaves least.

use super::{Queries, QueryLimits, TraceOrdering};
use crate::{
    model::{
        Refusal, Timestamp, TraceId,
        query::{QuerySource, SpanCondition, TraceCondition, TraceFigure},
        series::{Dimension, FoundBy, Ranking},
    },
    service::{ServiceResult, series::Series},
    store::{KeyRange, key::Key, keyspace},
};

/// How a query is answered.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where it looks.
    pub kind: QuerySource,
    /// Traces that it looks at for all of its pages together, counted up to [`MOST_COUNTED`].
    pub traces: u64,
    /// Whether there may be more.
    pub more: bool,
    /// Spans of them, by how many traces have on average. `None`: none has to be looked at.
    pub spans: Option<u64>,
    /// Whether attributes of those spans have to be read.
    pub reads_attributes: bool,
    /// Whether what is found is put in order in memory.
    pub sorts: bool,
    pub(super) source: Source,
}

/// Traces that a plan counts.
pub const MOST_COUNTED: usize = 10_000;

/// Where traces are looked for.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// In an index whose keys go on, behind the prefix, with the places of the order that is asked for.
    Ordered {
        index: &'static str,
        prefix: Vec<u8>,
        /// The part of it that is allowed.
        range: KeyRange,
        /// Whether it has only traces that are over, a moment after: the others are looked at beside.
        lags: bool,
    },
    /// In any index, or by their ids: they are put in order.
    Listed(Listed),
}

/// Traces that are put in order.
#[derive(Debug, Clone)]
pub(super) enum Listed {
    Ids(Vec<TraceId>),
    Index { index: &'static str, range: KeyRange, lags: bool },
}

/// An index that has at least all that is meant.
struct Choice {
    kind: QuerySource,
    index: &'static str,
    prefix: Vec<u8>,
    /// The keys, where they are not bounded by time.
    range: Option<KeyRange>,
    lags: bool,
}

impl Choice {
    fn new(kind: QuerySource, index: &'static str, prefix: Vec<u8>) -> Self {
        Self { kind, index, prefix, range: None, lags: false }
    }

    fn found_by(kind: QuerySource, by: FoundBy, value: &str) -> Self {
        let prefix = (by, value.to_owned()).encode();
        Self { lags: true, ..Self::new(kind, keyspace::TRACE_FOUND_BY.name, prefix) }
    }

    /// The keys, by the times that are meant.
    fn keys(&self, started: &Started) -> KeyRange {
        self.range.clone().unwrap_or_else(|| started.within(&self.prefix))
    }
}

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

impl Plan {
    /// Refuses what would have to look at too much.
    pub(super) fn check(&self, limits: &QueryLimits) -> Result<(), Refusal> {
        let Some(spans) = self.spans else { return Ok(()) };
        let (most, what) = if self.reads_attributes {
            (limits.attribute_spans, "read the attributes of")
        } else {
            (limits.spans, "look at")
        };
        if spans <= most {
            return Ok(());
        }
        let message = format!(
            "this would {what} some {spans} spans, and {most} are the most. Ask for less time (`startTime`), or add what \
             there is an index of: a conversation, session, user, component, model, tool, score, status, or a text"
        );
        Err(Refusal::limit("where", message))
    }
}

impl Queries {
    /// How a condition is answered.
    pub(super) async fn plan(
        &self,
        condition: &TraceCondition,
        ordering: TraceOrdering,
    ) -> ServiceResult<Plan> {
        let required = condition.required();
        let started = Started::of(&required);
        let needs = condition.needs();
        let (kind, source, traces, more) = self.source(&required, &started, ordering).await?;
        let spans = if needs.heads || needs.bodies {
            Some(self.estimated_spans(traces, more, &started).await?)
        } else {
            None
        };
        let sorts = matches!(source, Source::Listed(_));
        Ok(Plan { kind, traces, more, spans, reads_attributes: needs.bodies, sorts, source })
    }

    async fn source(
        &self,
        required: &[&TraceCondition],
        started: &Started,
        ordering: TraceOrdering,
    ) -> ServiceResult<(QuerySource, Source, u64, bool)> {
        if let Some(ids) = named(required) {
            let count = ids.len() as u64;
            return Ok((QuerySource::Named, Source::Listed(Listed::Ids(ids)), count, false));
        }
        let all = Choice::new(QuerySource::All, keyspace::TRACE_BY_START.name, Vec::new());
        let mut choices: Vec<_> =
            required.iter().flat_map(|condition| choices(condition)).chain([all]).collect();
        if choices.iter().any(|choice| choice.lags) && !self.can_look_beside().await? {
            choices.retain(|choice| !choice.lags);
        }
        let ranges = choices.iter().map(|choice| (choice.index, choice.keys(started)));
        let counts = self.context.store.count_entries(ranges.collect(), MOST_COUNTED).await?;
        // Of those that leave as many, the one that is asked for by name: `all` stands last.
        let best = choices.into_iter().zip(counts).min_by_key(|(_, (count, _))| *count);
        let Some((choice, (count, more))) = best else {
            return Ok((QuerySource::Named, Source::Listed(Listed::Ids(Vec::new())), 0, false));
        };
        let (traces, fits) = (count as u64, count <= self.context.query.sorted && !more);
        let range = choice.keys(started);
        let in_order = ordering.ranking().is_none() && choice.kind != QuerySource::Figure;
        let source = if in_order {
            let Choice { index, prefix, lags, .. } = choice;
            Source::Ordered { index, prefix, range, lags }
        } else if fits {
            Source::Listed(Listed::Index { index: choice.index, range, lags: choice.lags })
        } else {
            return Ok(in_its_order(required, started, ordering, (traces, more)));
        };
        Ok((choice.kind, source, traces, more))
    }

    /// How many spans the traces of a plan have, as many as traces have on average.
    async fn estimated_spans(&self, traces: u64, more: bool, started: &Started) -> ServiceResult<u64> {
        let all = Series::new(self.context.clone()).ever(Dimension::All).await?;
        let mean = all.spans.count.div_ceil(all.traces.count.max(1)).max(1);
        // Of more than were counted, all may be meant: nothing tells how many lie in a stretch of time.
        let traces = if more && started.from.is_none() { all.traces.count.max(traces) } else { traces };
        Ok(traces.saturating_mul(mean))
    }
}

/// All traces, in the order that is asked for.
fn in_its_order(
    required: &[&TraceCondition],
    started: &Started,
    ordering: TraceOrdering,
    (traces, more): (u64, bool),
) -> (QuerySource, Source, u64, bool) {
    let source = match ordering.ranking() {
        None => {
            let (index, range) = (keyspace::TRACE_BY_START.name, started.within(&[]));
            Source::Ordered { index, prefix: Vec::new(), range, lags: false }
        }
        Some(ranking) => {
            let (index, prefix) = (keyspace::TRACE_RANKED.name, ranking.encode());
            let range = figure_range(required, ranking).unwrap_or_else(|| KeyRange::prefix(&prefix));
            // Only what is over has a place in this order: nothing is looked at beside.
            Source::Ordered { index, prefix, range, lags: false }
        }
    };
    (QuerySource::All, source, traces, more)
}

/// The ids that traces must be among.
fn named(required: &[&TraceCondition]) -> Option<Vec<TraceId>> {
    let sets = required.iter().filter_map(|condition| match condition {
        TraceCondition::Among(ids) => Some(ids),
        _ => None,
    });
    sets.min_by_key(|ids| ids.len()).map(|ids| ids.iter().copied().collect())
}

/// The indexes that have all that a condition means.
fn choices(condition: &TraceCondition) -> Vec<Choice> {
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
