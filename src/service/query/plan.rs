//! Choosing where to look for traces: of the conditions that must hold, the one that leaves least.

use super::{
    Queries, QueryLimits, TraceOrdering,
    choices::{Choice, Started, choices, in_its_order, named},
    texts::{Begun, Starts},
};
use crate::{
    model::{
        Refusal, Timestamp, TraceId,
        query::{QuerySource, TraceCondition},
        series::Dimension,
    },
    service::{ServiceResult, series::Series},
    store::KeyRange,
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

/// Traces that a plan counts, or as many as may be put in order, where that is asked for.
pub const MOST_COUNTED: usize = 10_000;

/// Traces that a plan counts at first: where an index leaves fewer, nothing more needs to be known of the others.
const FEW_COUNTED: usize = 500;

/// Indexes that have all traces: that by time, and that of the order.
const WIDE: usize = 2;

/// Traces that are put in order whatever it would take to find them in the order's index: they are few to read, and
/// among them is what ended just now.
const FEW: u64 = 1_000;

/// Traces of a page that a plan reckons with: as many as pages have where nothing is said.
const PAGE: u64 = 50;

/// Traces that are reckoned to be passed for one that fulfils conditions of which nothing is known.
const PASSED_FOR_OTHERS: u64 = 10;

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
    /// In the index of texts, which has the order.
    Texts(Begun),
}

/// Traces that are put in order.
#[derive(Debug, Clone)]
pub(super) enum Listed {
    Ids(Vec<TraceId>),
    /// Those of which it is known when they started, which is the order that is asked for.
    Started(Vec<(Timestamp, TraceId)>),
    Index {
        index: &'static str,
        range: KeyRange,
        lags: bool,
    },
}

/// Where it is looked. Of traces: how many were counted, and whether there are more.
pub(super) struct Chosen {
    pub(super) kind: QuerySource,
    pub(super) source: Source,
    pub(super) traces: (u64, bool),
    /// Those whose spans may have to be read.
    pub(super) read: (u64, bool),
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
        starts: &Starts,
        ordering: TraceOrdering,
    ) -> ServiceResult<Plan> {
        let required = condition.required();
        let started = Started::of(&required);
        let needs = condition.needs();
        let chosen = match named(&required) {
            Some(ids) => of_named(ids, starts, ordering),
            None => self.choose(&required, &started, ordering).await?,
        };
        let spans = if needs.heads || needs.bodies {
            Some(self.estimated_spans(chosen.read, &started).await?)
        } else {
            None
        };
        let Chosen { kind, source, traces: (traces, more), .. } = chosen;
        let sorts = matches!(source, Source::Listed(_));
        Ok(Plan { kind, traces, more, spans, reads_attributes: needs.bodies, sorts, source })
    }

    /// Whether an index leaves so few of the traces that a condition means.
    pub(super) async fn leaves_at_most(
        &self,
        most: usize,
        condition: &TraceCondition,
    ) -> ServiceResult<bool> {
        let required = condition.required();
        let started = Started::of(&required);
        let mut choices: Vec<_> = required.iter().flat_map(|condition| choices(condition)).collect();
        if choices.iter().any(|choice| choice.lags) && !self.can_look_beside().await? {
            choices.retain(|choice| !choice.lags);
        }
        let ranges = choices.iter().map(|choice| (choice.index, choice.keys(&started))).collect();
        let counts = self.context.store.count_entries(ranges, most).await?;
        Ok(counts.iter().any(|(_, more)| !more))
    }

    async fn choose(
        &self,
        required: &[&TraceCondition],
        started: &Started,
        ordering: TraceOrdering,
    ) -> ServiceResult<Chosen> {
        let mut choices: Vec<_> =
            required.iter().flat_map(|condition| choices(condition)).chain([Choice::all()]).collect();
        let needs_followed = ordering.ranking().is_some() || choices.iter().any(|choice| choice.lags);
        let are_followed = !needs_followed || self.can_look_beside().await?;
        if !are_followed {
            choices.retain(|choice| !choice.lags);
        }
        // The index that has the order stands last, and is not chosen among: it has what nobody asked for.
        let in_order = in_its_order(required, ordering);
        let limits = &self.context.query;
        let may_sort =
            ordering.ranking().is_some() || choices.iter().any(|choice| choice.kind == QuerySource::Figure);
        let most = if may_sort { MOST_COUNTED.max(limits.sorted) } else { MOST_COUNTED };
        let counted: Vec<_> = choices.iter().chain([&in_order]).collect();
        let mut counts = self.count(&counted, started, most).await?;
        let walked = counts.pop().unwrap_or_default();
        // Of those that leave as many, the one that is asked for by name: `all` stands last.
        let best = choices.into_iter().zip(counts).min_by_key(|(_, counted)| *counted);
        let Some((choice, counted)) = best else {
            return Ok(in_order.chosen(started, walked, walked));
        };
        if ordering.ranking().is_none() && choice.kind != QuerySource::Figure {
            return Ok(choice.chosen(started, counted, counted));
        }
        let fits = counted.0 <= limits.sorted && !counted.1;
        // Where rows do not tell what the index leaves, each trace that is passed costs its heads.
        let is_sorted = !are_followed || !choice.is_told_by_rows() || {
            let others = required.iter().filter(|condition| !choice.is_bounded_by(condition)).count();
            let has_others = others > usize::from(choice.kind != QuerySource::All);
            is_sorting_less(counted.0 as u64, self.at_most(walked).await?, has_others)
        };
        if fits && is_sorted {
            let (kind, range) = (choice.kind, choice.keys(started));
            let source = Source::Listed(Listed::Index { index: choice.index, range, lags: choice.lags });
            let traces = (counted.0 as u64, false);
            return Ok(Chosen { kind, source, traces, read: traces });
        }
        // Of those that are passed on the way, rows rule out what the other index does not have.
        let read = if choice.is_told_by_rows() { counted } else { walked };
        Ok(in_order.chosen(started, walked, read))
    }

    /// How many traces each index has within its range: counted as far as it takes to see which has fewest, and told
    /// by series where those count them. The last ones have what nobody asked for by name.
    async fn count(
        &self,
        choices: &[&Choice],
        started: &Started,
        most: usize,
    ) -> ServiceResult<Vec<(usize, bool)>> {
        let store = &self.context.store;
        let range = |choice: &&Choice| (choice.index, choice.keys(started));
        let (named, wide) = choices.split_at(choices.len().saturating_sub(WIDE));
        let mut few = store.count_entries(named.iter().map(range).collect(), FEW_COUNTED).await?;
        let least = few.iter().filter(|(_, more)| !more).map(|(count, _)| *count).min();
        // Of what has most, no more than would leave fewer, unless it has to be gone through after all.
        let sorted = self.context.query.sorted;
        let wide_counted = least.filter(|least| *least <= sorted).map_or(FEW_COUNTED, |least| least.max(1));
        few.extend(store.count_entries(wide.iter().map(range).collect(), wide_counted).await?);
        if few.iter().any(|(_, more)| !more) {
            return Ok(few);
        }
        // Series that are still being made tell of some traces only.
        let is_counted = self.can_look_beside().await?;
        let of_series: Vec<_> =
            choices.iter().map(|choice| choice.counted_by(started).filter(|_| is_counted)).collect();
        let values = of_series.iter().flatten().map(|value| (*value).clone()).collect();
        let mut cells = Series::new(self.context.clone()).ever_of(values).await?.into_iter();
        let told: Vec<_> = of_series
            .into_iter()
            .map(|value| value.and_then(|_| cells.next()).map(|cell| cell.traces.count))
            .collect();
        let unknown = choices.iter().zip(&told).filter(|(_, told)| told.is_none());
        let mut counted =
            store.count_entries(unknown.map(|(choice, _)| range(choice)).collect(), most).await?.into_iter();
        let count = |told: Option<u64>| match told.map(|count| usize::try_from(count).unwrap_or(usize::MAX)) {
            // Not less than was seen: series do not have what goes on.
            Some(count) => (count.clamp(FEW_COUNTED, most), count > most),
            None => counted.next().unwrap_or_default(),
        };
        Ok(told.into_iter().map(count).collect())
    }

    /// How many traces there may be, of which so many were counted.
    async fn at_most(&self, (count, more): (usize, bool)) -> ServiceResult<u64> {
        if !more {
            return Ok(count as u64);
        }
        let all = Series::new(self.context.clone()).ever(Dimension::All).await?;
        Ok(all.traces.count.max(count as u64))
    }

    /// How many spans the traces of a plan have, as many as traces have on average.
    pub(super) async fn estimated_spans(
        &self,
        (traces, more): (u64, bool),
        started: &Started,
    ) -> ServiceResult<u64> {
        let all = Series::new(self.context.clone()).ever(Dimension::All).await?;
        let mean = all.spans.count.div_ceil(all.traces.count.max(1)).max(1);
        // Of more than were counted, all may be meant: nothing tells how many lie in a stretch of time.
        let traces = if more && started.from.is_none() { all.traces.count.max(traces) } else { traces };
        Ok(traces.saturating_mul(mean))
    }
}

/// Traces that are named.
fn of_named(ids: Vec<TraceId>, starts: &Starts, ordering: TraceOrdering) -> Chosen {
    let traces = (ids.len() as u64, false);
    let started: Option<Vec<_>> = ids.iter().map(|id| Some((*starts.get(id)?, *id))).collect();
    let listed = match started.filter(|_| ordering.ranking().is_none()) {
        Some(started) => Listed::Started(started),
        None => Listed::Ids(ids),
    };
    Chosen { kind: QuerySource::Named, source: Source::Listed(listed), traces, read: traces }
}

/// Whether reading the rows of all traces that an index leaves, to put them in order, takes less than going through
/// all that stand in that order until a page is full. That an index leaves few of them says that many are passed for
/// each; where there are conditions beside it, more are.
fn is_sorting_less(left: u64, in_order: u64, has_others: bool) -> bool {
    let passed_for_one = in_order.div_ceil(left.max(1));
    let passed_for_page = PAGE.saturating_mul(passed_for_one);
    let passed = if has_others { passed_for_page.saturating_mul(PASSED_FOR_OTHERS) } else { passed_for_page };
    left <= FEW || left < passed.min(in_order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_put_in_order_and_of_many_those_that_would_be_waited_for() {
        for (left, in_order, has_others, sorts) in [
            // However many there are.
            (1_000, 1_000, false, true),
            (1_000, 1_000_000, true, true),
            // One of two hundred: a page is full after 10,000.
            (5_000, 1_000_000, false, true),
            // One of fifty: after 2,500, and after 25,000 where another condition leaves one of ten of them.
            (20_000, 1_000_000, false, false),
            (20_000, 1_000_000, true, true),
            (40_000, 1_000_000, true, false),
            // All of them are in the order's index.
            (20_000, 20_000, false, false),
            (20_000, 20_000, true, false),
            // It has not all yet.
            (20_000, 500, true, false),
            (2_000, 0, false, false),
        ] {
            assert_eq!(
                is_sorting_less(left, in_order, has_others),
                sorts,
                "{left} of {in_order}, {has_others}"
            );
        }
    }
}
