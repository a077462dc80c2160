//! The fields of a hit.

use std::{ops::Range, sync::Arc};

use async_graphql::{Context, ID, Object, SimpleObject};

use super::SearchHit;
use crate::{
    graphql::{
        error::Result,
        ids,
        message::Message,
        request,
        scalar::{PlainId, int},
        span::Span,
        trace::Trace,
    },
    model::search::TextKind,
    service::search::{Excerpt, Item, WantedExcerpt},
};

/// Something that has what was looked for: a span, a message, or, where both are null, the trace itself by what it was
/// asked and what it answered.
#[Object]
impl SearchHit {
    /// Tells the hits of a search apart.
    async fn id(&self) -> ID {
        ids::of_content(&self.name())
    }

    /// The UUID of the trace.
    async fn trace_id(&self) -> PlainId {
        PlainId(self.hit.place.trace.uuid())
    }

    /// The trace; null where it has been deleted meanwhile.
    async fn trace(&self, ctx: &Context<'_>) -> Result<Option<Trace>> {
        Trace::load(ctx, self.hit.place.trace).await
    }

    /// The span whose text it is; null where it is another thing's.
    async fn span(&self, ctx: &Context<'_>) -> Result<Option<Span>> {
        match self.hit.item {
            Item::Span(id) => Span::load(ctx, self.hit.place.trace, id).await,
            Item::Trace | Item::Message(_) => Ok(None),
        }
    }

    /// The message whose text it is; null where it is another thing's.
    async fn message(&self, ctx: &Context<'_>) -> Result<Option<Message>> {
        match self.hit.item {
            Item::Message(id) => Message::load(ctx, id).await,
            Item::Trace | Item::Span(_) => Ok(None),
        }
    }

    /// The part of the text in which most of what was looked for stands; null where the text has changed since.
    async fn excerpt(&self, ctx: &Context<'_>) -> Result<Option<SearchExcerpt>> {
        let wanted = WantedExcerpt { hit: self.hit, asked: Arc::clone(&self.asked) };
        let found = request::of(ctx)?.excerpts.load(wanted).await?;
        Ok(found.map(|excerpt: Arc<Excerpt>| SearchExcerpt::of(&excerpt, &self.name())))
    }
}

impl SearchHit {
    /// What no other hit has.
    fn name(&self) -> String {
        format!("{} {:?} {:?}", self.hit.place.trace, self.hit.item, self.asked)
    }
}

/// A part of a text in which something was found.
#[derive(SimpleObject)]
pub(super) struct SearchExcerpt {
    /// Tells the excerpts of a search apart.
    id: ID,
    /// What kind of text it is of.
    kind: TextKind,
    /// The part, some 300 bytes, with an ellipsis where it was cut.
    text: String,
    /// Where in it is what was looked for.
    matches: Vec<TextRange>,
}

/// A stretch of a text, in UTF-16 code units, as JavaScript counts and cuts texts.
#[derive(SimpleObject)]
pub(super) struct TextRange {
    /// Tells the stretches of a search's texts apart.
    id: ID,
    /// Where it begins, from 0.
    start: i32,
    /// Where it ends: behind its last unit.
    end: i32,
}

impl SearchExcerpt {
    fn of(Excerpt { kind, text, places }: &Excerpt, hit: &str) -> Self {
        let units = |at: usize| int(text.get(..at).unwrap_or_default().encode_utf16().count());
        let range = |place: &Range<usize>| TextRange {
            id: ids::of_content(&format!("{hit} {place:?}")),
            start: units(place.start),
            end: units(place.end),
        };
        let id = ids::of_content(&format!("excerpt {hit}"));
        Self { id, kind: *kind, matches: places.iter().map(range).collect(), text: text.clone() }
    }
}
