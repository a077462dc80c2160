//! The seam between the transports and the schema: what a transport needs of whoever executes.

use async_graphql::{ObjectType, Request, Response, Schema, SubscriptionType, Value};
use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};

use crate::graphql::guard::FieldWeight;

/// Executes operations that the guard let pass. A request comes with its document parsed.
pub trait Executor: Send + Sync + 'static {
    /// The schema's text, read once, when the server starts.
    fn sdl(&self) -> String;

    /// What is known better than the schema's text says it about the cost of its fields.
    fn weights(&self) -> Vec<FieldWeight> {
        Vec::new()
    }

    /// Gives a request what it needs for itself, such as loaders. Called once for every request, over
    /// whichever transport, right before it is executed.
    fn prepare(&self, request: Request) -> Request {
        request
    }

    /// Judges the payload of a socket's `connection_init`; the refusal is the reason told.
    ///
    /// # Errors
    /// When the socket may not be used.
    fn open_socket(&self, payload: Option<&Value>) -> Result<(), String> {
        let _ = payload;
        Ok(())
    }

    /// Executes a query or a mutation. Dropping the future cancels it.
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;

    /// Starts a subscription. Dropping the stream ends it.
    fn subscribe(&self, request: Request) -> BoxStream<'static, Response>;
}

/// A schema, with what its requests are given before they are executed.
pub struct Prepared<Q, M, S> {
    schema: Schema<Q, M, S>,
    prepare: Box<dyn Fn(Request) -> Request + Send + Sync>,
    weights: Vec<FieldWeight>,
}

impl<Q, M, S> Prepared<Q, M, S> {
    /// A schema whose requests go through `prepare`.
    pub fn new(
        schema: Schema<Q, M, S>,
        prepare: impl Fn(Request) -> Request + Send + Sync + 'static,
    ) -> Self {
        Self { schema, prepare: Box::new(prepare), weights: Vec::new() }
    }

    /// With what is known better than the schema's text says it about the cost of its fields.
    #[must_use]
    pub fn with_weights(self, weights: Vec<FieldWeight>) -> Self {
        Self { weights, ..self }
    }
}

impl<Q, M, S> Executor for Prepared<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn sdl(&self) -> String {
        self.schema.sdl()
    }

    fn weights(&self) -> Vec<FieldWeight> {
        self.weights.clone()
    }

    fn prepare(&self, request: Request) -> Request {
        (self.prepare)(request)
    }

    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        self.schema.execute(request).boxed()
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request)
    }
}
