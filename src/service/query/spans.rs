//! Finding spans: in the traces that a condition means, those that fulfil another, in the order of their traces and of
//! each trace's tree.

use std::sync::Arc;

use super::{Queries, TraceOrdering, decide::Known};
use crate::{
    model::{
        SpanId, TraceId,
        page::{Cursor, ListId, Page, PageRequest},
        query::{SpanCondition, TraceCondition},
        span::SpanHead,
        trace::Trace,
    },
    service::{
        ServiceResult,
        tracing::{BodyKey, TraceSpans},
    },
};

/// Traces that are looked through at a time.
const TRACES_AT_ONCE: usize = 16;

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

impl Queries {
    /// A page of the spans that fulfil a condition, in traces that fulfil another: those of the trace that started last
    /// first.
    ///
    /// # Errors
    /// A refusal where it would look at too much, with what to ask instead.
    pub async fn spans(
        &self,
        condition: &SpanCondition,
        traces: &TraceCondition,
        page: &PageRequest,
    ) -> ServiceResult<Page<FoundSpan>> {
        let list = ListId::of(&format!("spans {condition:?} {traces:?}"));
        let after = page.after.as_deref().map(|cursor| Cursor::decode(list, cursor)).transpose()?;
        let both = TraceCondition::All(vec![traces.clone(), TraceCondition::Span(condition.clone())]);
        let prepared = self.prepare(&both, TraceOrdering::default()).await?;
        let mut found = Page { items: Vec::new(), has_next: false, end: None };
        // A cursor is the place of a trace and a span of it; that trace is looked at once more.
        let mut place = None;
        if let Some((trace, span)) = after.as_deref().and_then(cut) {
            let row = match trace_at(trace) {
                Some(id) => self.tracing.traces(&[id]).await?.pop().flatten(),
                None => None,
            };
            if let Some(row) = row {
                let again = [(trace.to_vec(), row)];
                self.add(&mut found, (list, page.first), condition, &again, Some(span)).await?;
            }
            place = Some(trace.to_vec());
        }
        while !found.has_next {
            let traces = self.find(&prepared, place.clone(), TRACES_AT_ONCE).await?;
            self.add(&mut found, (list, page.first), condition, &traces.traces, None).await?;
            place.clone_from(&traces.end);
            if found.has_next || !traces.more {
                break;
            }
            // Whoever looked in vain for as long as a page may is told where to go on.
            if traces.traces.len() < TRACES_AT_ONCE {
                found.has_next = true;
                found.end =
                    place.map(|place| Cursor::new(list, &[place.as_slice(), &[0xff; SPAN_BYTES]].concat()));
                break;
            }
        }
        Ok(found)
    }

    /// Adds the spans of some traces to a page, until it is full.
    async fn add(
        &self,
        found: &mut Page<FoundSpan>,
        (list, first): (ListId, usize),
        condition: &SpanCondition,
        traces: &[(Vec<u8>, Trace)],
        behind: Option<SpanId>,
    ) -> ServiceResult<()> {
        let whole = TraceCondition::Span(condition.clone());
        let rows: Vec<_> = traces.iter().map(|(_, row)| row).collect();
        let mut known = self.known(&whole, &rows).await?;
        let mut wanted: Vec<(usize, BodyKey)> = Vec::new();
        for (index, known) in known.iter().enumerate() {
            let open = judged(condition, known).into_iter().filter(|(_, _, held)| held.is_none());
            wanted.extend(open.filter_map(|(_, head, _)| {
                Some((index, (rows.get(index)?.id, head.id, head.part_blocks())))
            }));
        }
        if !wanted.is_empty() {
            self.read_attributes(wanted, &mut known).await?;
        }
        for ((key, _), known) in traces.iter().zip(&known) {
            let Some(spans) = &known.spans else { continue };
            let judged = judged(condition, known);
            let start = behind.and_then(|id| judged.iter().position(|(_, head, _)| head.id == id));
            // One that is no longer there, or the end of a trace.
            let start = match (behind, start) {
                (None, _) => 0,
                (Some(_), Some(start)) => start + 1,
                (Some(_), None) => judged.len(),
            };
            for (place, head, held) in judged.into_iter().skip(start) {
                if held != Some(true) {
                    continue;
                }
                if found.items.len() == first {
                    found.has_next = true;
                    return Ok(());
                }
                let cursor = Cursor::new(list, &[key.as_slice(), head.id.bytes()].concat());
                found.end = Some(cursor.clone());
                found.items.push((cursor, FoundSpan { spans: Arc::clone(spans), place }));
            }
        }
        Ok(())
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

/// The spans of a trace in the order of its tree, with whether each fulfils the condition, as far as is known.
fn judged<'a>(condition: &SpanCondition, known: &'a Known) -> Vec<(usize, &'a SpanHead, Option<bool>)> {
    let Some(spans) = &known.spans else { return Vec::new() };
    let places = (0..spans.tree.nodes().len()).filter_map(|place| Some((place, spans.at(place)?)));
    let judged = places.map(|(place, (node, head))| {
        let attributes = known.attributes.get(&head.id);
        let held = condition.judge(head, node, attributes, known.scores.as_deref());
        (place, head.as_ref(), held)
    });
    judged.collect()
}
