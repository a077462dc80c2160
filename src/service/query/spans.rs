//! Finding spans: in the traces that a condition means, those that fulfil another. In the order of time they come as
//! their traces do, and of each trace as its tree has them.

use std::sync::Arc;

use super::{
    Prepared, Queries, SpanOrdering, TraceOrdering,
    decide::JudgedSpan,
    span_walk::{Group, SpanWalk, Wanted},
};
use crate::{
    model::{
        SpanId, TraceId,
        page::{Cursor, ListId, Page, PageRequest},
        query::{SpanCondition, TraceCondition, TraceOrderField},
    },
    service::{ServiceResult, tracing::TraceSpans},
};

/// A span that was found.
#[derive(Debug, Clone)]
pub struct FoundSpan {
    /// Its trace, with all spans.
    pub spans: Arc<TraceSpans>,
    /// Its place in the tree.
    pub place: usize,
}

/// The bytes of a span's id, with which cursors of spans end.
const SPAN_BYTES: usize = 16;

/// In place of a span's id: the trace is done with.
const NO_SPAN: [u8; SPAN_BYTES] = [0xff; SPAN_BYTES];

impl Queries {
    /// A page of the spans that fulfil a condition, in traces that fulfil another. However they are ordered, the same are
    /// found.
    ///
    /// # Errors
    /// A refusal where it would look at too much, with what to ask instead.
    pub async fn spans(
        &self,
        condition: &SpanCondition,
        traces: &TraceCondition,
        ordering: SpanOrdering,
        page: &PageRequest,
    ) -> ServiceResult<Page<FoundSpan>> {
        let list = ListId::of(&format!("spans {condition:?} {traces:?} {ordering:?}"));
        let after = page.after.as_deref().map(|cursor| Cursor::decode(list, cursor)).transpose()?;
        let in_time = TraceOrdering { field: TraceOrderField::StartTime, direction: ordering.direction };
        let Prepared { condition: traces, plan, .. } = self.planned(traces, Some(condition), in_time).await?;
        let wanted = Wanted { spans: condition, traces, plan, ordering: in_time };
        match ordering.field.figure() {
            None => self.spans_in_time(&wanted, (list, page.first), after.as_deref()).await,
            Some(figure) => {
                self.ranked_spans(&wanted, (figure, ordering), (list, page.first), after.as_deref()).await
            }
        }
    }

    async fn spans_in_time(
        &self,
        wanted: &Wanted<'_>,
        (list, first): (ListId, usize),
        after: Option<&[u8]>,
    ) -> ServiceResult<Page<FoundSpan>> {
        let limits = Arc::clone(&self.context.query);
        wanted.plan.check(&limits)?;
        let mut found = Found { list, first, page: Page::empty() };
        // A cursor is the place of a trace and a span of it; that trace is looked at once more.
        let after = after.and_then(cut);
        if let Some((place, span)) = after.filter(|(_, span)| *span.bytes() != NO_SPAN) {
            let row = match trace_at(place) {
                Some(id) => self.tracing.traces(&[id]).await?.pop().flatten(),
                None => None,
            };
            let again = row.map(|row| (place.to_vec(), row)).into_iter().collect();
            let mut again = self.group(wanted.spans, again).await?;
            self.learn_attributes(wanted.spans, &mut again, |_, _| true).await?;
            found.add(wanted.spans, &again, Some(span));
        }
        let mut walk = SpanWalk::begin(self, wanted, after.map(|(place, _)| place.to_vec())).await?;
        while !found.page.has_next {
            let Some(mut group) = walk.next().await? else { break };
            self.learn_attributes(wanted.spans, &mut group, |_, _| true).await?;
            found.add(wanted.spans, &group, None);
            // Whoever has looked at as much as a page may is told where to go on.
            if !found.page.has_next && walk.spent.is_used_up(&limits) {
                found.page.has_next = true;
                let key = |place: &Vec<u8>| [place.as_slice(), &NO_SPAN].concat();
                found.page.end = walk.place.as_ref().map(|place| Cursor::new(list, &key(place)));
            }
        }
        Ok(found.page)
    }
}

/// A page that is being filled.
struct Found {
    list: ListId,
    first: usize,
    page: Page<FoundSpan>,
}

impl Found {
    /// Adds the spans of some traces, those of the first one from behind a span, until the page is full.
    fn add(&mut self, condition: &SpanCondition, group: &Group, behind: Option<SpanId>) {
        for ((key, _), known) in group.traces.iter().zip(&group.known) {
            let Some(spans) = &known.spans else { continue };
            let judged = known.judged(condition);
            let start = behind.and_then(|id| judged.iter().position(|span| span.head.id == id));
            // One that is no longer there is taken for the last one of its trace.
            let start = match (behind, start) {
                (None, _) => 0,
                (Some(_), Some(start)) => start + 1,
                (Some(_), None) => judged.len(),
            };
            for JudgedSpan { place, head, verdict, .. } in judged.into_iter().skip(start) {
                if verdict != Some(true) {
                    continue;
                }
                if self.page.items.len() == self.first {
                    self.page.has_next = true;
                    return;
                }
                let cursor = Cursor::new(self.list, &[key.as_slice(), head.id.bytes()].concat());
                self.page.end = Some(cursor.clone());
                self.page.items.push((cursor, FoundSpan { spans: Arc::clone(spans), place }));
            }
        }
    }
}

/// The place of a trace and the span of it that a cursor names.
fn cut(key: &[u8]) -> Option<(&[u8], SpanId)> {
    let (trace, span) = key.split_last_chunk::<SPAN_BYTES>()?;
    Some((trace, SpanId::from_bytes(*span)))
}

/// The trace at a place, which ends with its id.
fn trace_at(place: &[u8]) -> Option<TraceId> {
    place.last_chunk::<16>().map(|bytes| TraceId::from_bytes(*bytes))
}
