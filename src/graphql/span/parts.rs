//! The parts of a span that are objects of their own: events, links, components.

use async_graphql::{Context, ID, Object};

use crate::{
    graphql::{
        component::ComponentVersion,
        error::Result,
        ids::{self, GlobalId},
        scalar::{DateTime, Document, PlainId},
        trace::Trace,
    },
    model::{
        component::ComponentRef,
        span::{self, SpanBody, SpanHead},
    },
};

use super::Span;

/// Numbers the parts of a span and gives each its ID.
fn parts<'a, T: Clone + 'a>(
    of: &'a GlobalId,
    name: &'a str,
    items: &'a [T],
) -> impl Iterator<Item = (ID, T)> + 'a {
    items.iter().enumerate().map(move |(index, item)| (ids::part(of, name, index), item.clone()))
}

/// A moment inside a span.
pub(super) struct SpanEvent {
    id: ID,
    event: span::SpanEvent,
}

impl SpanEvent {
    pub(super) fn all(of: &GlobalId, body: &SpanBody) -> Vec<Self> {
        parts(of, "event", &body.events).map(|(id, event)| Self { id, event }).collect()
    }
}

/// A moment inside a span.
#[Object]
impl SpanEvent {
    /// Tells the events of a span apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// What happened.
    async fn name(&self) -> &str {
        &self.event.name
    }

    /// When.
    async fn time(&self) -> DateTime {
        DateTime(self.event.time)
    }

    /// More about it: an object.
    async fn attributes(&self) -> Option<Document> {
        self.event.attributes.clone().map(Document)
    }
}

/// A tie to a span of any trace.
pub(super) struct SpanLink {
    id: ID,
    link: span::SpanLink,
}

impl SpanLink {
    pub(super) fn all(of: &GlobalId, body: &SpanBody) -> Vec<Self> {
        parts(of, "link", &body.links).map(|(id, link)| Self { id, link }).collect()
    }
}

/// A tie to a span of any trace.
#[Object]
impl SpanLink {
    /// Tells the links of a span apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The ID of the other span's trace.
    async fn trace_id(&self) -> PlainId {
        PlainId(self.link.trace_id.uuid())
    }

    /// The ID of the other span; null where the trace as a whole is meant.
    async fn span_id(&self) -> Option<PlainId> {
        self.link.span_id.map(|id| PlainId(id.uuid()))
    }

    /// The other span's trace; null where it is not here.
    async fn trace(&self, ctx: &Context<'_>) -> Result<Option<Trace>> {
        Trace::load(ctx, self.link.trace_id).await
    }

    /// The other span; null where it is not here.
    async fn span(&self, ctx: &Context<'_>) -> Result<Option<Span>> {
        match self.link.span_id {
            Some(span) => Span::load(ctx, self.link.trace_id, span).await,
            None => Ok(None),
        }
    }

    /// More about it: an object.
    async fn attributes(&self) -> Option<Document> {
        self.link.attributes.clone().map(Document)
    }
}

/// A component version behind a span.
pub(super) struct SpanComponent {
    id: ID,
    component: ComponentRef,
}

impl SpanComponent {
    pub(super) fn all(of: &GlobalId, head: &SpanHead) -> Vec<Self> {
        parts(of, "component", &head.components).map(|(id, component)| Self { id, component }).collect()
    }
}

/// A component version behind a span.
#[Object]
impl SpanComponent {
    /// Tells the components of a span apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The component's own ID.
    async fn component_id(&self) -> &str {
        &self.component.component_id
    }

    /// The hash that names the version.
    async fn version_hash(&self) -> String {
        self.component.version_hash.to_string()
    }

    /// The version; null where it is not registered here.
    async fn version(&self, ctx: &Context<'_>) -> Result<Option<ComponentVersion>> {
        ComponentVersion::load(ctx, self.component.clone()).await
    }
}
