//! One socket, from its opening to its close: the order of messages that `graphql-transport-ws` asks
//! for, and the flow of events.
//!
//! All of a socket happens in one task. An event is taken from an operation only when the one before it
//! was written, so a client that reads slowly slows its own operations and nothing is buffered for it;
//! one that does not read at all is let go after a while.

use std::{collections::HashSet, ops::ControlFlow};

use async_graphql::{Value, parser::types::OperationType};
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::{Duration, Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_stream::StreamMap;

use super::{
    close::Close,
    message::{ClientMessage, ServerMessage},
};
use crate::{
    config::limits::SocketLimits,
    http::{
        Api,
        error::{Code, Refusal},
        lifecycle::Stay,
        params::Params,
        reply::Reply,
    },
};

/// How long a closed socket is listened to, so that the client can read why.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a session ends.
enum End {
    /// With a reason to tell.
    Close(Close),
    /// The client said good-bye, and is owed the answer to it.
    Left,
    /// There is nobody left to tell anything.
    Gone,
}

type Flow = ControlFlow<End>;

/// An operation's replies, and `None` behind the last.
type Replies = BoxStream<'static, Option<Reply>>;

pub(super) struct Session {
    api: Api,
    socket: WebSocket,
    operations: StreamMap<String, Replies>,
    /// The operations that end by themselves: queries and mutations.
    finite: HashSet<String>,
    acknowledged: bool,
    /// Whether the client was heard since the last ping.
    heard: bool,
}

impl Session {
    pub(super) fn new(api: Api, socket: WebSocket) -> Self {
        let (operations, finite) = (StreamMap::new(), HashSet::new());
        Self { api, socket, operations, finite, acknowledged: false, heard: true }
    }

    /// Serves the socket until it closes.
    pub(super) async fn run(mut self, mut stay: Stay) {
        let limits = self.limits();
        let unanswered = sleep(limits.init_time);
        tokio::pin!(unanswered);
        let mut pings = interval_at(Instant::now() + limits.keep_alive, limits.keep_alive);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let flow = tokio::select! {
                () = stay.draining() => self.drain().await,
                message = self.socket.recv() => self.receive(message).await,
                Some((id, reply)) = self.operations.next(), if !self.operations.is_empty() => {
                    self.deliver(&id, reply).await
                }
                () = &mut unanswered, if !self.acknowledged => Flow::Break(End::Close(Close::init_timeout())),
                _ = pings.tick() => self.ping().await,
            };
            match flow {
                Flow::Continue(()) => {}
                Flow::Break(End::Gone) => return,
                Flow::Break(End::Left) => return self.farewell().await,
                Flow::Break(End::Close(close)) => return self.close(close).await,
            }
        }
    }

    /// Tells the client why, and listens on for a moment: a connection that is cut while the client
    /// sends loses the reason on its way.
    pub(super) async fn close(mut self, close: Close) {
        if self.send(Message::Close(Some(close.into_frame()))).await.is_continue() {
            self.farewell().await;
        }
    }

    /// Listens on until the client has closed its side; the library answers what it says meanwhile.
    async fn farewell(&mut self) {
        self.operations.clear();
        let farewell = async {
            loop {
                match self.socket.recv().await {
                    Some(Ok(_)) => {}
                    // What the client sends cannot be read any more; what it was sent may still be.
                    Some(Err(_)) => sleep(FAREWELL).await,
                    None => break,
                }
            }
        };
        // Whether the client answers or not, this is the end.
        let _ = timeout(FAREWELL, farewell).await;
    }

    async fn receive(&mut self, message: Option<Result<Message, axum::Error>>) -> Flow {
        self.heard = true;
        match message {
            Some(Ok(Message::Text(text))) => match ClientMessage::read(&text, self.api.gateway.limits()) {
                Ok(message) => self.handle(message).await,
                Err(refusal) => Flow::Break(End::Close(Close::invalid_message(refusal))),
            },
            Some(Ok(Message::Binary(_))) => {
                let refusal = Refusal::bad_request("Messages must be text.");
                Flow::Break(End::Close(Close::invalid_message(refusal)))
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Flow::Continue(()),
            Some(Err(error)) if is_too_large(&error) => {
                Flow::Break(End::Close(Close::too_large(self.limits().message_bytes)))
            }
            Some(Ok(Message::Close(_))) => Flow::Break(End::Left),
            Some(Err(_)) | None => Flow::Break(End::Gone),
        }
    }

    async fn handle(&mut self, message: ClientMessage) -> Flow {
        match message {
            ClientMessage::Init { payload } => self.init(payload.as_ref()).await,
            ClientMessage::Ping { payload } => self.say(&ServerMessage::Pong { payload }).await,
            ClientMessage::Pong => Flow::Continue(()),
            ClientMessage::Subscribe { .. } if !self.acknowledged => {
                Flow::Break(End::Close(Close::unauthorized()))
            }
            ClientMessage::Subscribe { id, params } => self.subscribe(id, *params).await,
            ClientMessage::Complete { id } => {
                self.end(&id);
                Flow::Continue(())
            }
        }
    }

    async fn init(&mut self, payload: Option<&Value>) -> Flow {
        if self.acknowledged {
            return Flow::Break(End::Close(Close::second_init()));
        }
        if let Err(reason) = self.api.gateway.executor().open_socket(payload) {
            return Flow::Break(End::Close(Close::forbidden(&reason)));
        }
        self.acknowledged = true;
        self.say(&ServerMessage::ConnectionAck).await
    }

    async fn subscribe(&mut self, id: String, params: Params) -> Flow {
        if self.operations.contains_key(&id) {
            return Flow::Break(End::Close(Close::taken(&id)));
        }
        let most = self.limits().operations;
        if self.operations.len() >= most {
            let message = format!("The socket has {most} operations under way, which is the most.");
            return self.refuse(&id, Refusal::new(Code::Overloaded, message)).await;
        }
        match self.api.gateway.admit(params) {
            Err(refusal) => self.refuse(&id, refusal).await,
            Ok(operation) => {
                if operation.kind != OperationType::Subscription {
                    self.finite.insert(id.clone());
                }
                let replies = self.api.gateway.follow(operation).map(Some);
                self.operations.insert(id, replies.chain(stream::iter([None])).boxed());
                Flow::Continue(())
            }
        }
    }

    async fn refuse(&mut self, id: &str, refusal: Refusal) -> Flow {
        let reply = self.api.gateway.refuse(refusal);
        self.say(&ServerMessage::Error { id, errors: reply.errors() }).await
    }

    async fn deliver(&mut self, id: &str, reply: Option<Reply>) -> Flow {
        match reply {
            Some(reply) if reply.refusal().is_none() => {
                self.say(&ServerMessage::Next { id, reply: &reply }).await
            }
            Some(reply) => {
                self.end(id);
                self.say(&ServerMessage::Error { id, errors: reply.errors() }).await
            }
            None => {
                self.end(id);
                self.say(&ServerMessage::Complete { id }).await
            }
        }
    }

    fn end(&mut self, id: &str) {
        self.operations.remove(id);
        self.finite.remove(id);
    }

    /// Lets queries and mutations come to their end, which is near, and says good-bye.
    async fn drain(&mut self) -> Flow {
        let endless: Vec<String> =
            self.operations.keys().filter(|id| !self.finite.contains(*id)).cloned().collect();
        for id in endless {
            self.operations.remove(&id);
        }
        while let Some((id, reply)) = self.operations.next().await {
            self.deliver(&id, reply).await?;
        }
        Flow::Break(End::Close(Close::going_away()))
    }

    async fn ping(&mut self) -> Flow {
        if !self.heard {
            return Flow::Break(End::Gone);
        }
        self.heard = false;
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn say(&mut self, message: &ServerMessage<'_>) -> Flow {
        self.send(Message::Text(message.to_text())).await
    }

    async fn send(&mut self, message: Message) -> Flow {
        match timeout(self.limits().write_time, self.socket.send(message)).await {
            Ok(Ok(())) => Flow::Continue(()),
            Ok(Err(_)) => Flow::Break(End::Gone),
            Err(_) => {
                tracing::debug!("a client does not read from its socket");
                Flow::Break(End::Gone)
            }
        }
    }

    fn limits(&self) -> SocketLimits {
        self.api.gateway.limits().socket.clone()
    }
}

/// The library tells it in words only.
fn is_too_large(error: &axum::Error) -> bool {
    error.to_string().contains("too long")
}
