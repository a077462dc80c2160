//! The way of an operation from a transport to the schema and back: the same for all transports.
//!
//! `admit` finds the document (persisted or sent), lets the guard judge and parse it; `run` and
//! `follow` execute it within the limits on time and on how much runs at once, and answer in one form.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_graphql::{
    Name, Positioned, Request, Response, Value,
    parser::types::{ExecutableDocument, Field, OperationType},
};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    error::{Code, Refusal},
    executor::Executor,
    hints::Hints,
    params::Params,
    persisted::{Hash, PersistedQueries},
    reply::Reply,
};
use crate::{
    config::Limits,
    graphql::guard::{Guard, ShapeError, hoist_root, root_field_mut},
};

/// Executes operations for the transports.
pub struct Gateway {
    executor: Arc<dyn Executor>,
    guard: Guard,
    hints: Hints,
    persisted: PersistedQueries,
    limits: Limits,
    running: Semaphore,
    subscriptions: Arc<Semaphore>,
}

/// An operation that may be executed.
pub(super) struct Operation {
    request: Request,
    document: ExecutableDocument,
    pub(super) kind: OperationType,
}

impl Gateway {
    /// A gateway to a schema.
    ///
    /// # Errors
    /// When the guard cannot read the schema's text, or a weight names a field that is not there.
    pub fn new(executor: Arc<dyn Executor>, limits: Limits) -> Result<Self, ShapeError> {
        let (document, selection) = (limits.document.clone(), limits.selection.clone());
        let sdl = executor.sdl();
        let guard = Guard::new(&sdl, &executor.weights(), document, selection)?;
        Ok(Self {
            executor,
            guard,
            hints: Hints::new(&sdl),
            persisted: PersistedQueries::new(&limits.persisted),
            running: Semaphore::new(limits.running),
            subscriptions: Arc::new(Semaphore::new(limits.subscriptions)),
            limits,
        })
    }

    /// The bounds that hold here.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Who executes.
    pub(super) fn executor(&self) -> &dyn Executor {
        self.executor.as_ref()
    }

    /// Judges a request.
    pub(super) fn admit(&self, params: Params) -> Result<Operation, Refusal> {
        let hash = Hash::named(&params.extensions)?;
        let sent = params.query.filter(|query| !query.is_empty());
        let (source, new) = match (sent, hash) {
            (Some(query), None) => (query.into(), None),
            (Some(query), Some(hash)) => {
                hash.check(&query)?;
                (Arc::from(query), Some(hash))
            }
            (None, Some(hash)) => (self.persisted.find(hash)?, None),
            (None, None) => return Err(Refusal::bad_request("\"query\" is missing.")),
        };
        let admitted = self.guard.admit(&source, params.operation_name.as_deref(), &params.variables)?;
        if let Some(hash) = new {
            self.persisted.keep(hash, &source);
        }
        let mut request = Request::new("").variables(params.variables);
        request.operation_name = params.operation_name;
        request
            .extensions
            .extend(params.extensions.into_iter().map(|(name, value)| (name.to_string(), value)));
        Ok(Operation { request, document: admitted.document, kind: admitted.operation })
    }

    /// Executes a query or a mutation.
    pub(super) async fn run(&self, operation: Operation) -> Reply {
        let kind = operation.kind;
        let Ok(_permit) = self.running.try_acquire() else {
            return self.refuse(overloaded("The server runs as many operations as it may"));
        };
        let request = self.executor.prepare(operation.into_request());
        let execution = AssertUnwindSafe(self.executor.execute(request)).catch_unwind();
        match timeout(self.limits.query_time, execution).await {
            Ok(Ok(response)) => Reply::of(self.explained(response), &self.limits.errors),
            Ok(Err(_)) => self.refuse(panicked()),
            Err(_) => self.refuse(self.timed_out(kind)),
        }
    }

    /// Executes any operation, as a stream of what it answers. A refused one answers once.
    pub(super) fn follow(self: &Arc<Self>, operation: Operation) -> BoxStream<'static, Reply> {
        let gateway = Arc::clone(self);
        if operation.kind != OperationType::Subscription {
            return stream::once(async move { gateway.run(operation).await }).boxed();
        }
        let Ok(permit) = Arc::clone(&self.subscriptions).try_acquire_owned() else {
            let refusal = overloaded("The server has as many subscriptions as it may");
            return stream::once(std::future::ready(self.refuse(refusal))).boxed();
        };
        let request = self.executor.prepare(operation.into_request());
        let responses = AssertUnwindSafe(self.executor.subscribe(request)).catch_unwind();
        let replies = responses.enumerate().map(move |(index, response)| {
            // The permit lives as long as the stream.
            let _permit = &permit;
            match response {
                Ok(response) => gateway.event(index, response),
                Err(_) => gateway.refuse(panicked()),
            }
        });
        until_refused(replies.boxed()).boxed()
    }

    /// The answer to a refused request.
    pub(super) fn refuse(&self, refusal: Refusal) -> Reply {
        Reply::refused(refusal, &self.limits.errors)
    }

    fn event(&self, index: usize, response: Response) -> Reply {
        let response = self.explained(response);
        if index == 0 {
            Reply::of_first(response, &self.limits.errors)
        } else {
            Reply::of(response, &self.limits.errors)
        }
    }

    fn explained(&self, mut response: Response) -> Response {
        self.hints.add(&mut response.errors);
        response
    }

    fn timed_out(&self, kind: OperationType) -> Refusal {
        let seconds = self.limits.query_time.as_secs_f32();
        let known =
            if kind == OperationType::Mutation { " What it had begun may have been done." } else { "" };
        Refusal::new(
            Code::Timeout,
            format!("The operation took longer than {seconds} s and was stopped.{known}"),
        )
    }
}

impl Operation {
    /// The root field of a subscription.
    pub(super) fn root_field_mut(&mut self) -> Option<&mut Positioned<Field>> {
        root_field_mut(&mut self.document, self.request.operation_name.as_deref())
    }

    /// Gives a variable a value.
    pub(super) fn set_variable(&mut self, name: Name, value: Value) {
        self.request.variables.insert(name, value);
    }

    fn into_request(mut self) -> Request {
        if self.kind == OperationType::Subscription {
            hoist_root(&mut self.document, self.request.operation_name.as_deref());
        }
        self.request.set_parsed_query(self.document);
        self.request
    }
}

/// Ends a stream after the reply that says that there is none.
fn until_refused(replies: BoxStream<'static, Reply>) -> impl stream::Stream<Item = Reply> {
    stream::unfold(Some(replies), |replies| async {
        let mut replies = replies?;
        let reply = replies.next().await?;
        let rest = reply.refusal().is_none().then_some(replies);
        Some((reply, rest))
    })
}

fn overloaded(what: &str) -> Refusal {
    Refusal::new(Code::Overloaded, format!("{what}. Try again later."))
}

fn panicked() -> Refusal {
    tracing::error!("an operation panicked");
    Refusal::new(Code::Internal, "The server failed at this operation.")
}
