//! Pages of hits, and the texts in which something was found.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::{Search, beside::Stretch, excerpt, excerpt::Excerpt, extract};
use crate::{
    model::{
        MessageId, SpanId, TraceId,
        page::{Cursor, ListId, Page, PageRequest},
        search::TextKind,
        span::SpanHead,
    },
    search::{Hit, Item, Place, TextQuery, Texts, Window},
    service::{ServiceResult, conversations::Conversations},
    store::keyspace,
};

/// What somebody looks for, and in which kinds of texts: none is all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    pub(super) query: TextQuery,
    pub(super) kinds: Vec<TextKind>,
    pub(super) text: String,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct FoundTexts {
    /// A page of it.
    pub page: Page<Hit>,
    /// How much there is in all, if that was asked; what of traces was just deleted may count.
    pub total: Option<u64>,
    /// How many traces that go on were looked through.
    pub running: usize,
}

/// A hit whose text is to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WantedExcerpt {
    /// The hit.
    pub hit: Hit,
    /// What was looked for.
    pub asked: Arc<Asked>,
}

impl Search {
    /// A page of the spans, traces and messages that have what is looked for, the newest first, without what is deleted
    /// meanwhile.
    ///
    /// # Errors
    /// When there is no index, or it or the store fails, and when the page goes on behind a cursor of another list.
    pub async fn page(
        &self,
        asked: &Asked,
        request: &PageRequest,
        is_counted: bool,
    ) -> ServiceResult<FoundTexts> {
        let list = ListId::of(&format!("search {:?} {}", asked.kinds, asked.text));
        let after = request.after.as_deref().map(|cursor| Cursor::decode(list, cursor)).transpose()?;
        let after = after.as_deref().and_then(Place::from_bytes);
        let window = Window { after, ..Window::first(request.first.saturating_add(1)) };
        let indexed = self.find_indexed(asked, window).await?;
        // Behind the last one there may be more, so what others have behind it waits for the next page.
        let until = indexed.last().filter(|_| indexed.len() > request.first).map(|hit| hit.place);
        let running = self.running().await?;
        let stretch = Stretch { after, until };
        let looked_through = if is_counted { Stretch::default() } else { stretch };
        let beside = self.find_in(&running, asked, looked_through, false).await?;
        let total = if is_counted {
            Some(self.count(asked).await?.saturating_add(beside.len() as u64))
        } else {
            None
        };
        // One that was over, and goes on again, is in the index as it was.
        let mut hits: Vec<_> = indexed.into_iter().filter(|hit| !running.has(hit.place.trace)).collect();
        hits.extend(beside.into_iter().filter(|hit| stretch.has(&hit.place)));
        hits.sort_unstable_by_key(|hit| hit.place);
        let is_cut = hits.len() > request.first;
        hits.truncate(request.first);
        let shown = hits.last().map(|hit| hit.place);
        let end = if is_cut { shown } else { until.or(shown) };
        let cursor = |place: &Place| Cursor::new(list, &place.to_bytes());
        let there = self.still_there(&hits).await?;
        let kept = hits.into_iter().filter(|hit| there.contains(&hit.place.trace));
        let items = kept.map(|hit| (cursor(&hit.place), hit)).collect();
        let page = Page { items, has_next: is_cut || until.is_some(), end: end.as_ref().map(cursor) };
        Ok(FoundTexts { page, total, running: running.len() })
    }

    /// The traces of these hits that are not deleted.
    async fn still_there(&self, hits: &[Hit]) -> ServiceResult<HashSet<TraceId>> {
        let mut ids: Vec<_> = hits.iter().map(|hit| hit.place.trace).collect();
        ids.dedup();
        let found = self.context.store.get_many(keyspace::TRACE, &ids).await?;
        Ok(found.into_iter().flatten().map(|trace| trace.id).collect())
    }

    /// The parts of texts in which something was found, in the order of the hits; `None` where the text is not there
    /// any more. A fixed number of calls to the engine.
    ///
    /// # Errors
    /// When the texts are more than is read at once, or the store fails.
    pub async fn excerpts(&self, wanted: &[WantedExcerpt]) -> ServiceResult<Vec<Option<Excerpt>>> {
        let texts = self.texts(wanted.iter().map(|wanted| wanted.hit)).await?;
        let excerpt = |WantedExcerpt { hit, asked }: &WantedExcerpt| {
            excerpt::of(texts.get(&(hit.place.trace, hit.item))?, &asked.query, &asked.kinds)
        };
        Ok(wanted.iter().map(excerpt).collect())
    }

    async fn texts(&self, hits: impl Iterator<Item = Hit>) -> ServiceResult<HashMap<(TraceId, Item), Texts>> {
        let (mut traces, mut spans, mut messages) = (Vec::new(), BTreeMap::new(), Vec::new());
        for Hit { place: Place { trace, .. }, item } in hits {
            match item {
                Item::Trace => traces.push(trace),
                Item::Span(span) => spans.entry(trace).or_insert_with(HashSet::new).extend([span]),
                Item::Message(message) => messages.push((trace, message)),
            }
        }
        let mut texts = HashMap::new();
        self.add_traces(&traces, &mut texts).await?;
        self.add_spans(&spans, &mut texts).await?;
        self.add_messages(&messages, &mut texts).await?;
        Ok(texts)
    }

    async fn add_traces(
        &self,
        ids: &[TraceId],
        texts: &mut HashMap<(TraceId, Item), Texts>,
    ) -> ServiceResult<()> {
        let (traces, bodies) = (self.tracing.traces(ids).await?, self.tracing.trace_bodies(ids).await?);
        for (trace, body) in traces.into_iter().zip(bodies) {
            if let Some(trace) = trace {
                let own = extract::of_trace(&trace, &body.unwrap_or_default(), self.text_bytes());
                texts.insert((trace.id, Item::Trace), own);
            }
        }
        Ok(())
    }

    async fn add_spans(
        &self,
        wanted: &BTreeMap<TraceId, HashSet<SpanId>>,
        texts: &mut HashMap<(TraceId, Item), Texts>,
    ) -> ServiceResult<()> {
        let ids: Vec<_> = wanted.keys().copied().collect();
        let found = self.tracing.stored_spans(&ids).await?;
        let mut heads: Vec<(TraceId, SpanHead)> = Vec::new();
        for ((trace, spans), found) in wanted.iter().zip(found) {
            let all = found.map(|found| found.heads).unwrap_or_default();
            heads.extend(all.into_iter().filter(|head| spans.contains(&head.id)).map(|head| (*trace, head)));
        }
        let bodies = heads.iter().map(|(trace, head)| (*trace, head.id, head.part_blocks()));
        let bodies = bodies.filter(|(.., blocks)| !blocks.is_empty()).collect();
        let mut bodies = self.tracing.span_bodies(bodies, 0).await?;
        for (trace, head) in heads {
            let body = bodies.remove(&(trace, head.id)).unwrap_or_default();
            let own = extract::of_span(&head, &body, self.text_bytes());
            texts.insert((trace, Item::Span(head.id)), own);
        }
        Ok(())
    }

    async fn add_messages(
        &self,
        wanted: &[(TraceId, MessageId)],
        texts: &mut HashMap<(TraceId, Item), Texts>,
    ) -> ServiceResult<()> {
        let ids: Vec<_> = wanted.iter().map(|(_, message)| *message).collect();
        let found = Conversations::new(self.context.clone()).messages(&ids).await?;
        for ((trace, id), message) in wanted.iter().zip(found) {
            if let Some(message) = message {
                let own = extract::of_message(&message, self.text_bytes());
                texts.insert((*trace, Item::Message(*id)), own);
            }
        }
        Ok(())
    }

    /// As much of a text as is indexed is looked at.
    pub(super) fn text_bytes(&self) -> usize {
        self.context.search.as_ref().map_or(0, |index| index.config().text_bytes)
    }
}
