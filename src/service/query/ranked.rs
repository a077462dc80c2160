//! Spans in the order of a figure. No index has it, so each page looks through all spans that may be meant, and keeps the
//! first of them.
//!
//! What a trace adds up to says nothing of the most that one of its spans tells: a span's own figures do not count where
//! spans below it report any, nor where another one tells of the same call, and a span may last longer than its trace.
//! So no trace can be passed over by its row.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    FoundSpan, Plan, Queries, QueryLimits, SpanOrdering,
    best::Best,
    decide::{JudgedSpan, Spent},
    span_walk::{Group, SpanWalk, Wanted, spans_of},
};
use crate::{
    model::{
        Refusal, SpanId, Timestamp, TraceId,
        page::{Cursor, ListId, Page},
        query::{SpanCondition, SpanFigure},
    },
    service::{ServiceResult, tracing::TraceSpans},
    store::key::Key,
};

/// A span's place: its figure and one more, or 0 where it has none; its start; its trace and itself.
type SpanPlace = (u64, Timestamp, TraceId, SpanId);

/// The first places, each with how many spans its trace has.
type BestSpans = Best<SpanPlace, usize>;

fn place_of(figure: SpanFigure, trace: TraceId, span: &JudgedSpan<'_>) -> SpanPlace {
    let rank = figure.of(span.head, span.node).map_or(0, |figure| figure.saturating_add(1));
    (rank, span.head.start_time, trace, span.head.id)
}

/// Keeps those that fulfil the condition, as far as that is known.
fn keep(best: &mut BestSpans, figure: SpanFigure, condition: &SpanCondition, group: &Group) {
    for ((_, row), known) in group.traces.iter().zip(&group.known) {
        for span in known.judged(condition).iter().filter(|span| span.verdict == Some(true)) {
            best.offer(place_of(figure, row.id, span), spans_of(row));
        }
    }
}

impl Queries {
    /// A page of the wanted spans in the order of a figure, from behind a place.
    pub(super) async fn ranked_spans(
        &self,
        wanted: &Wanted<'_>,
        (figure, ordering): (SpanFigure, SpanOrdering),
        (list, first): (ListId, usize),
        after: Option<&[u8]>,
    ) -> ServiceResult<Page<FoundSpan>> {
        let limits = Arc::clone(&self.context.query);
        // The estimate costs nothing, and may be wrong: what is looked at is counted too.
        check(&limits, &wanted.plan, wanted.plan.spans.unwrap_or(0))?;
        let after = after.and_then(SpanPlace::decode);
        let mut best = BestSpans::new(ordering.direction, first.saturating_add(1), after);
        let mut walk = SpanWalk::begin(self, wanted, None).await?;
        while let Some(mut group) = walk.next().await? {
            check(&limits, &wanted.plan, looked_at(walk.spent))?;
            keep(&mut best, figure, wanted.spans, &group);
            if wanted.spans.needs().bodies {
                // Of those that their heads leave open only the ones that would be kept.
                let has_room =
                    |trace: TraceId, span: &JudgedSpan<'_>| best.has_room_for(&place_of(figure, trace, span));
                self.learn_attributes(wanted.spans, &mut group, has_room).await?;
                keep(&mut best, figure, wanted.spans, &group);
            }
        }
        let mut places = best.in_order();
        let mut has_next = places.len() > first;
        places.truncate(first);
        let fit = self.as_many_as_fit(&places);
        has_next |= fit < places.len();
        places.truncate(fit);
        let places: Vec<_> = places.into_iter().map(|(place, _)| place).collect();
        let cursor = |place: &SpanPlace| Cursor::new(list, &place.encode());
        let end = places.last().map(cursor);
        let found = self.at_places(&places).await?;
        let items = places.iter().zip(found).filter_map(|(place, found)| Some((cursor(place), found?)));
        Ok(Page { items: items.collect(), has_next, end })
    }

    /// How many of the first places have no more spans in their traces than are read at once; one at least.
    fn as_many_as_fit(&self, places: &[(SpanPlace, usize)]) -> usize {
        let (mut traces, mut spans) = (HashSet::new(), 0_usize);
        let fit = places.iter().take_while(|((_, _, trace, _), more)| {
            if traces.insert(*trace) {
                spans = spans.saturating_add(*more);
            }
            spans <= self.context.lists.spans_at_once
        });
        fit.count().max(1)
    }

    /// The spans at these places with their trees; `None` where one is gone.
    async fn at_places(&self, places: &[SpanPlace]) -> ServiceResult<Vec<Option<FoundSpan>>> {
        let mut wanted: HashMap<TraceId, HashSet<SpanId>> = HashMap::new();
        for (_, _, trace, span) in places {
            wanted.entry(*trace).or_default().insert(*span);
        }
        let ids: Vec<_> = wanted.keys().copied().collect();
        let mut found: HashMap<(TraceId, SpanId), FoundSpan> = HashMap::new();
        for (trace, spans) in ids.iter().zip(self.tracing.spans(&ids).await?) {
            let (Some(spans), Some(wanted)) = (spans, wanted.get(trace)) else { continue };
            found.extend(
                places_in(&spans, wanted)
                    .map(|(id, place)| ((*trace, id), FoundSpan { spans: Arc::clone(&spans), place })),
            );
        }
        Ok(places.iter().map(|(_, _, trace, span)| found.remove(&(*trace, *span))).collect())
    }
}

/// Where these spans stand in the tree of their trace.
fn places_in<'a>(
    spans: &'a TraceSpans,
    wanted: &'a HashSet<SpanId>,
) -> impl Iterator<Item = (SpanId, usize)> {
    let places = 0..spans.tree.nodes().len();
    let ids = places.filter_map(|place| Some((spans.at(place)?.1.id, place)));
    ids.filter(|(id, _)| wanted.contains(id))
}

/// What was looked at, in spans: a trace that its row rules out counts as one.
fn looked_at(Spent { traces, spans }: Spent) -> u64 {
    traces.saturating_add(spans) as u64
}

/// Refuses what would have to look at too much for each of its pages.
fn check(limits: &QueryLimits, plan: &Plan, spans: u64) -> Result<(), Refusal> {
    let (most, what) = if plan.reads_attributes {
        (limits.ranked_attribute_spans, "read the attributes of")
    } else {
        (limits.ranked_spans, "look at")
    };
    if spans <= most {
        return Ok(());
    }
    let message = format!(
        "an order by a figure has to {what} all spans that may be meant: some {spans} or more, and {most} are the most. \
         Ask for less time (`startTime` of `traces`), add what there is an index of (a conversation, session, user, \
         component, model, tool, score, status, or a text), or order by `START_TIME`"
    );
    Err(Refusal::limit("orderBy", message))
}
