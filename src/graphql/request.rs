//! What one request has for itself: the services, and loaders that read for all of its fields at once.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use async_graphql::{Context, Request};

use super::{
    error::{Failure, Result},
    loader::Loader,
    page::PageLimits,
};
use crate::{
    model::{
        TraceId,
        span::{SpanBody, SpanHead},
        trace::{Trace, TraceBody},
    },
    service::{Services, tracing::TraceSpans},
};

/// What one request has for itself. A subscription has one for all of its events: loaders keep nothing
/// once it is read.
pub(super) struct RequestData {
    pub services: Services,
    pub limits: PageLimits,
    pub traces: Loader<TraceId, Arc<Trace>>,
    pub trace_bodies: Loader<TraceId, Arc<TraceBody>>,
    pub trees: Loader<TraceId, Arc<TraceSpans>>,
    pub span_bodies: Loader<SpanKey, Arc<SpanBody>>,
}

/// A span whose body is wanted, with the head that says where it is.
#[derive(Clone)]
pub(super) struct SpanKey {
    pub trace_id: TraceId,
    pub head: Arc<SpanHead>,
}

impl PartialEq for SpanKey {
    fn eq(&self, other: &Self) -> bool {
        self.trace_id == other.trace_id && self.head.id == other.head.id
    }
}

impl Eq for SpanKey {}

impl Hash for SpanKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.trace_id, self.head.id).hash(state);
    }
}

/// Gives a request what it needs to be executed.
#[must_use]
pub fn prepare(request: Request, services: &Services, limits: &PageLimits) -> Request {
    request.data(RequestData::new(services, limits))
}

/// The request that a resolver works for.
pub(super) fn of<'a>(ctx: &Context<'a>) -> Result<&'a RequestData> {
    ctx.data_opt().ok_or_else(|| {
        tracing::error!("a request was executed without having been prepared");
        Failure::Internal
    })
}

/// A loader that asks `$service` by its method `$many`, which takes keys and answers in their order.
macro_rules! loader {
    ($service:expr, $many:ident) => {{
        let service = $service.clone();
        Loader::new(move |keys: Vec<_>| {
            let service = service.clone();
            async move {
                let found = service.$many(&keys).await?;
                Ok(found.into_iter().map(|found| found.map(Into::into)).collect())
            }
        })
    }};
}

impl RequestData {
    fn new(services: &Services, limits: &PageLimits) -> Self {
        Self {
            traces: loader!(services.tracing, traces),
            trace_bodies: loader!(services.tracing, trace_bodies),
            trees: loader!(services.tracing, spans),
            span_bodies: span_bodies(services),
            services: services.clone(),
            limits: limits.clone(),
        }
    }
}

fn span_bodies(services: &Services) -> Loader<SpanKey, Arc<SpanBody>> {
    let service = services.tracing.clone();
    Loader::new(move |keys: Vec<SpanKey>| {
        let service = service.clone();
        async move {
            let wanted = keys.iter().filter(|key| !key.head.body_blocks.is_empty());
            let wanted = wanted.map(|key| (key.trace_id, key.head.id, key.head.body_blocks.clone()));
            let mut bodies = service.span_bodies(wanted.collect()).await?;
            let body = |key: &SpanKey| bodies.remove(&(key.trace_id, key.head.id)).map(Arc::new);
            Ok(keys.iter().map(body).collect())
        }
    })
}
