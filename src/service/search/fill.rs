//! Putting traces into the index: all texts of one in place of those that were there before.

use std::pin::pin;

use futures_util::TryStreamExt;

use super::{Search, extract};
use crate::{
    model::{TraceId, trace::Trace},
    search::{Document, Index, Item, Place, Texts},
    service::{ServiceResult, conversations::Conversations, followers::Followed, tracing::TracePiece},
    store::spans::StoredSpans,
};

impl Search {
    /// Puts traces into the index in place of what is there of them; one that is not over is only removed. Durable
    /// when it returns. A trace that is put again comes to the same.
    ///
    /// # Errors
    /// When the store or the index fails.
    pub(super) async fn put(&self, traces: &[Followed]) -> ServiceResult<()> {
        self.write(traces.iter().map(|trace| trace.id).collect(), Vec::new()).await?;
        for spans in traces.iter().filter_map(Followed::over) {
            self.put_one(spans.clone()).await?;
        }
        self.ask("text", Index::commit).await
    }

    async fn put_one(&self, spans: StoredSpans) -> ServiceResult<()> {
        let trace = spans.trace.clone();
        let body = self.tracing.trace_bodies(&[trace.id]).await?.pop().flatten().unwrap_or_default();
        let mut numbered = Numbered { trace: &trace, next: 0 };
        let own = numbered.document(Item::Trace, extract::of_trace(&trace, &body, self.text_bytes()));
        self.write(Vec::new(), own.into_iter().collect()).await?;
        let mut pieces = pin!(self.tracing.pieces_of(spans, body));
        while let Some(piece) = pieces.try_next().await? {
            let documents = self.documents(piece, &mut numbered);
            self.write(Vec::new(), documents).await?;
        }
        let said = Conversations::new(self.context.clone()).messages_of(&trace).await?;
        let said = said.iter().filter_map(|message| {
            numbered.document(Item::Message(message.id), extract::of_message(message, self.text_bytes()))
        });
        self.write(Vec::new(), said.collect()).await
    }

    fn documents(&self, piece: TracePiece, numbered: &mut Numbered<'_>) -> Vec<Document> {
        let spans = piece.spans.into_iter().filter_map(|span| {
            let mut body = span.own;
            body.complete_with(span.attached);
            numbered
                .document(Item::Span(span.head.id), extract::of_span(&span.head, &body, self.text_bytes()))
        });
        spans.collect()
    }

    async fn write(&self, removed: Vec<TraceId>, documents: Vec<Document>) -> ServiceResult<()> {
        if removed.is_empty() && documents.is_empty() {
            return Ok(());
        }
        self.ask("text", move |index| index.replace(&removed, &documents)).await
    }
}

/// Numbers the documents of a trace.
struct Numbered<'a> {
    trace: &'a Trace,
    next: u32,
}

impl Numbered<'_> {
    /// A document with the next number; none where there are no texts.
    fn document(&mut self, item: Item, texts: Texts) -> Option<Document> {
        let place = Place { started: self.trace.start_time, trace: self.trace.id, number: self.next };
        self.next = self.next.saturating_add(1);
        (!texts.is_empty()).then_some(Document { place, item, texts })
    }
}
