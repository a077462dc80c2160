//! The documents of a trace, one after the other: its own texts, those of its spans, and those of its messages.

use std::pin::Pin;

use futures_util::{Stream, TryStreamExt};

use super::{Search, extract};
use crate::{
    model::trace::Trace,
    search::{Document, Item, Place, Texts},
    service::{ServiceResult, conversations::Conversations, tracing::TracePiece},
    store::spans::StoredSpans,
};

/// The documents of a trace that are not read yet.
pub(super) struct Documents {
    search: Search,
    trace: Trace,
    /// The number of the next one.
    next: u32,
    rest: Rest,
}

/// What of a trace is not read yet.
enum Rest {
    All(Box<StoredSpans>),
    Spans(Pin<Box<dyn Stream<Item = ServiceResult<TracePiece>> + Send>>),
    Nothing,
}

impl Documents {
    /// Those of a trace whose heads were read.
    pub(super) fn of(search: &Search, spans: StoredSpans) -> Self {
        Self { search: search.clone(), trace: spans.trace.clone(), next: 0, rest: Rest::All(Box::new(spans)) }
    }

    /// More documents, as many as are read at a time, maybe none; `None` behind the last.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn next(&mut self) -> ServiceResult<Option<Vec<Document>>> {
        match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::All(spans) => {
                let body = self.search.tracing.trace_bodies(&[self.trace.id]).await?.pop().flatten();
                let body = body.unwrap_or_default();
                let texts = extract::of_trace(&self.trace, &body, self.search.text_bytes());
                self.rest = Rest::Spans(Box::pin(self.search.tracing.pieces_of(*spans, body)));
                Ok(Some(self.number(Item::Trace, texts).into_iter().collect()))
            }
            Rest::Spans(mut pieces) => match pieces.try_next().await? {
                Some(piece) => {
                    self.rest = Rest::Spans(pieces);
                    Ok(Some(self.of_piece(piece)))
                }
                None => self.of_messages().await.map(Some),
            },
            Rest::Nothing => Ok(None),
        }
    }

    fn of_piece(&mut self, piece: TracePiece) -> Vec<Document> {
        let most = self.search.text_bytes();
        let spans = piece.spans.into_iter().filter_map(|span| {
            let mut body = span.own;
            body.complete_with(span.attached);
            self.number(Item::Span(span.head.id), extract::of_span(&span.head, &body, most))
        });
        spans.collect()
    }

    async fn of_messages(&mut self) -> ServiceResult<Vec<Document>> {
        let most = self.search.text_bytes();
        let said = Conversations::new(self.search.context.clone()).messages_of(&self.trace).await?;
        let said = said
            .iter()
            .filter_map(|message| self.number(Item::Message(message.id), extract::of_message(message, most)));
        Ok(said.collect())
    }

    /// A document with the next number; none where there are no texts.
    fn number(&mut self, item: Item, texts: Texts) -> Option<Document> {
        let place = Place { started: self.trace.start_time, trace: self.trace.id, number: self.next };
        self.next = self.next.saturating_add(1);
        (!texts.is_empty()).then_some(Document { place, item, texts })
    }
}
