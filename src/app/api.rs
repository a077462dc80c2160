//! The schema as the transports want it: each request gets the services before it is executed.

use async_graphql::{Request, Response};
use futures_util::{
    FutureExt,
    future::BoxFuture,
    stream::{BoxStream, StreamExt},
};

use crate::{
    graphql::{self, DendroSchema, guard::FieldWeight, page::PageLimits, request},
    http::Executor,
    service::Services,
};

/// The schema with what its requests need.
pub(super) struct Api {
    schema: DendroSchema,
    services: Services,
    pages: PageLimits,
}

impl Api {
    pub(super) fn new(services: Services, pages: PageLimits) -> Self {
        Self { schema: graphql::schema(), services, pages }
    }
}

impl Executor for Api {
    fn sdl(&self) -> String {
        self.schema.sdl()
    }

    fn weights(&self) -> Vec<FieldWeight> {
        graphql::weights()
    }

    fn prepare(&self, request: Request) -> Request {
        request::prepare(request, &self.services, &self.pages)
    }

    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        self.schema.execute(request).boxed()
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request).boxed()
    }
}
