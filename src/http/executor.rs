//! The seam between the transports and the schema: what a transport needs of whoever executes.

use async_graphql::{ObjectType, Request, Response, Schema, SubscriptionType, Value};
use futures_util::{
    FutureExt,
    future::BoxFuture,
    stream::{BoxStream, StreamExt},
};

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

impl<Q, M, S> Executor for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn sdl(&self) -> String {
        self.sdl()
    }

    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        self.execute(request).boxed()
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        self.execute_stream(request).boxed()
    }
}
