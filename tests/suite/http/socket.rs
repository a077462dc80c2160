//! /graphql/ws: the order of messages, the closes, the flow of events.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use async_graphql::{Request, Response};
use dendro::{
    config::{Limits, limits::SocketLimits},
    http::{Access, Executor},
};
use futures_util::{FutureExt, SinkExt, StreamExt, future::BoxFuture, stream::BoxStream};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Bytes, Message, client::IntoClientRequest, error::Error, protocol::CloseFrame},
};

use super::{
    server::{Server, post},
    toy::{self, Probe, ToySchema},
};

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What came from the server.
#[derive(Debug, PartialEq)]
enum Heard {
    Message(Value),
    Closed(u16, String),
    Nothing,
}

impl Socket {
    async fn open(server: &Server) -> Self {
        Self::try_open(server, &[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap()
    }

    async fn try_open(server: &Server, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request = format!("ws://{}/graphql/ws", server.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        connect_async(request).await.map(|(socket, _)| Self(socket))
    }

    async fn ready(server: &Server) -> Self {
        let mut socket = Self::open(server).await;
        socket.say(json!({ "type": "connection_init", "payload": {} })).await;
        assert_eq!(socket.hear().await, Heard::Message(json!({ "type": "connection_ack" })));
        socket
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    async fn hear(&mut self) -> Heard {
        self.hear_within(Duration::from_secs(5)).await
    }

    async fn hear_within(&mut self, time: Duration) -> Heard {
        let hearing = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Heard::Message(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return Heard::Closed(frame.code.into(), frame.reason.to_string());
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Heard::Closed(0, String::new()),
                }
            }
        };
        timeout(time, hearing).await.unwrap_or(Heard::Nothing)
    }

    async fn message(&mut self) -> Value {
        match self.hear().await {
            Heard::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    async fn close_code(&mut self) -> u16 {
        loop {
            match self.hear().await {
                Heard::Message(_) => {}
                Heard::Closed(code, _) => return code,
                Heard::Nothing => return 1,
            }
        }
    }
}

async fn with_socket(socket: SocketLimits) -> Server {
    Server::with(Limits { socket, ..Limits::default() }).await
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}");
}

#[tokio::test]
async fn all_kinds_of_operation_are_served() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket.subscribe("q", "{ hello }").await;
    let next = json!({ "type": "next", "id": "q", "payload": { "data": { "hello": "Hello, world!" } } });
    assert_eq!(socket.message().await, next);
    assert_eq!(socket.message().await, json!({ "type": "complete", "id": "q" }));
    socket.subscribe("m", "mutation { record(input: { name: \"n\" }) { name } }").await;
    assert_eq!(socket.message().await["payload"]["data"]["record"]["name"], "n");
    assert_eq!(socket.message().await["type"], "complete");
    socket.subscribe("s", "subscription { changes(to: 2) { revision } }").await;
    for revision in [1, 2] {
        let message = socket.message().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!("s")));
        assert_eq!(message["payload"], json!({ "data": { "changes": { "revision": revision } } }));
    }
    assert_eq!(socket.message().await, json!({ "type": "complete", "id": "s" }));
    let fragments = "subscription { ...F @include(if: true) } fragment F on Feed { changes(to: 1) { ...G } }
        fragment G on Change { revision }";
    socket.subscribe("f", fragments).await;
    assert_eq!(socket.message().await["payload"], json!({ "data": { "changes": { "revision": 1 } } }));
    assert_eq!(socket.message().await["type"], "complete");
    socket.subscribe("f", &fragments.replace("true", "false")).await;
    assert_eq!(socket.message().await["type"], "complete", "what is left out gives nothing");
}

#[tokio::test]
async fn what_cannot_be_executed_is_an_error_and_nothing_more() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    for (query, code) in [
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("query($n: String!) { hello(name: $n) }", "BAD_USER_INPUT"),
        ("subscription { changes(after: \"x\") { revision } }", "BAD_CURSOR"),
        ("subscription { nope }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        socket.subscribe("e", query).await;
        let message = socket.message().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("e")), "{message}");
        assert_eq!(message["payload"][0]["extensions"]["code"], code);
    }
    socket.subscribe("e", &format!("{{ tree {{ {} }} }}", "child { depth } ".repeat(5000))).await;
    assert_eq!(socket.message().await["payload"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX");
    socket.subscribe("p", "subscription { panics }").await;
    assert_eq!(socket.message().await["payload"][0]["extensions"]["code"], "INTERNAL");
    assert_eq!(socket.hear_within(Duration::from_millis(200)).await, Heard::Nothing);
    socket.subscribe("q", "{ refused }").await;
    let partial = socket.message().await;
    assert_eq!(
        (&partial["type"], &partial["payload"]["data"]),
        (&json!("next"), &json!({ "refused": null }))
    );
}

#[tokio::test]
async fn the_order_of_messages_is_held() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server).await;
    socket.subscribe("1", "{ hello }").await;
    assert_eq!(socket.close_code().await, 4401);
    let mut socket = Socket::ready(&server).await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.close_code().await, 4429);
    let mut socket = Socket::ready(&server).await;
    socket.subscribe("s", "subscription { silence }").await;
    socket.subscribe("s", "subscription { silence }").await;
    assert_eq!(socket.close_code().await, 4409);
    for bad in
        ["", "nope", "[]", r#"{"type":"nope"}"#, r#"{"type":"subscribe","payload":{"query":"{hello}"}}"#]
    {
        let mut socket = Socket::ready(&server).await;
        socket.0.send(Message::text(bad)).await.unwrap();
        assert_eq!(socket.close_code().await, 4400, "{bad}");
    }
    let mut socket = Socket::ready(&server).await;
    socket.0.send(Message::binary(Bytes::from_static(b"{\"type\":\"ping\"}"))).await.unwrap();
    assert_eq!(socket.close_code().await, 4400);
}

#[tokio::test]
async fn silence_before_init_closes() {
    let server =
        with_socket(SocketLimits { init_time: Duration::from_millis(100), ..Default::default() }).await;
    let mut socket = Socket::open(&server).await;
    assert_eq!(socket.close_code().await, 4408);
    let mut socket = Socket::ready(&server).await;
    assert_eq!(socket.hear_within(Duration::from_millis(300)).await, Heard::Nothing);
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let server = Server::start().await;
    let mut socket = Socket::try_open(&server, &[]).await.unwrap();
    assert_eq!(socket.close_code().await, 4406);
    let refused = Socket::try_open(&server, &[("sec-websocket-protocol", "graphql-ws")]).await;
    assert!(refused.is_err(), "the client finds no protocol that it asked for");
    let plain = reqwest::get(server.url("/graphql/ws")).await.unwrap();
    assert_eq!(plain.status(), 400);
}

#[tokio::test]
async fn a_foreign_origin_opens_no_socket() {
    let server = Server::start().await;
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    let foreign = Socket::try_open(&server, &[protocol, ("origin", "https://evil.example")]).await;
    assert!(matches!(foreign, Err(Error::Http(response)) if response.status() == 403));
    assert!(Socket::try_open(&server, &[protocol, ("origin", "https://app.example")]).await.is_ok());
    let own = format!("http://{}", server.address);
    assert!(Socket::try_open(&server, &[protocol, ("origin", &own)]).await.is_ok());
}

#[tokio::test]
async fn pings_go_both_ways() {
    let keep_alive = Duration::from_millis(100);
    let server = with_socket(SocketLimits { keep_alive, ..Default::default() }).await;
    let mut socket = Socket::open(&server).await;
    socket.say(json!({ "type": "ping", "payload": { "a": 1 } })).await;
    assert_eq!(socket.message().await, json!({ "type": "pong", "payload": { "a": 1 } }));
    socket.say(json!({ "type": "pong" })).await;
    let pinged = async {
        loop {
            if matches!(socket.0.next().await, Some(Ok(Message::Ping(_)))) {
                return;
            }
        }
    };
    timeout(Duration::from_secs(2), pinged).await.unwrap();
    // The library answers pings when it is asked for messages: this client stays, one that does not
    // read goes.
    assert_eq!(socket.hear_within(keep_alive * 5).await, Heard::Nothing);
    tokio::time::sleep(keep_alive * 5).await;
    assert_eq!(socket.close_code().await, 0);
}

#[tokio::test]
async fn complete_stops_an_operation_at_once() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket.subscribe("s", "subscription { changes(every: 20) { revision } }").await;
    socket.message().await;
    socket.say(json!({ "type": "complete", "id": "s" })).await;
    socket.say(json!({ "type": "complete", "id": "unknown" })).await;
    eventually("the subscription is open", || server.probe.open.load(Ordering::SeqCst) == 0).await;
    while socket.hear_within(Duration::from_millis(200)).await != Heard::Nothing {}
    socket.subscribe("s", "{ slow(ms: 60000) }").await;
    eventually("the query has not begun", || server.probe.slow.load(Ordering::SeqCst) == 1).await;
    socket.say(json!({ "type": "complete", "id": "s" })).await;
    eventually("the query goes on", || server.probe.slow.load(Ordering::SeqCst) == 0).await;
    socket.subscribe("s", "{ hello }").await;
    assert_eq!(socket.message().await["type"], "next");
}

#[tokio::test]
async fn a_client_that_says_good_bye_is_answered() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket.subscribe("s", "subscription { changes { revision } }").await;
    socket.message().await;
    let frame = CloseFrame { code: 1000.into(), reason: "done".into() };
    socket.0.send(Message::Close(Some(frame))).await.unwrap();
    assert_eq!(socket.close_code().await, 1000);
    eventually("the subscription is open", || server.probe.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_dropped_socket_stops_its_operations() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket.subscribe("s", "subscription { changes { revision } }").await;
    socket.message().await;
    drop(socket);
    eventually("the subscription is open", || server.probe.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_neither_buffered_for_nor_kept() {
    let write_time = Duration::from_millis(700);
    let server = with_socket(SocketLimits { write_time, ..Default::default() }).await;
    let mut socket = Socket::ready(&server).await;
    socket.subscribe("s", "subscription { changes(every: 0, bytes: 100000) { revision text } }").await;
    socket.message().await;
    tokio::time::sleep(write_time / 2).await;
    let made = server.probe.made.load(Ordering::SeqCst);
    tokio::time::sleep(write_time / 4).await;
    assert_eq!(server.probe.made.load(Ordering::SeqCst), made, "nothing is made that nobody takes");
    assert!(made < 200, "{made} items of 100 kB are more than the sockets' own buffers");
    eventually("the socket is kept", || server.probe.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn sockets_operations_and_messages_are_bounded() {
    let limits = SocketLimits { sockets: 2, operations: 2, message_bytes: 1000, ..Default::default() };
    let server = with_socket(limits).await;
    let mut socket = Socket::ready(&server).await;
    let mut other = Socket::ready(&server).await;
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    let third = Socket::try_open(&server, &[protocol]).await;
    assert!(matches!(third, Err(Error::Http(response)) if response.status() == 503));
    for id in ["1", "2", "3"] {
        socket.subscribe(id, "subscription { silence }").await;
    }
    let refused = socket.message().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("3")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "OVERLOADED");
    for bytes in [1001, 3 << 20] {
        other.0.send(Message::text(" ".repeat(bytes))).await.unwrap();
        assert_eq!(other.close_code().await, 1009, "{bytes}");
        drop(other);
        other = loop {
            if let Ok(opened) = Socket::try_open(&server, &[protocol]).await {
                break opened;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
    }
}

#[tokio::test]
async fn subscriptions_are_bounded_over_all_sockets() {
    let server = Server::with(Limits { subscriptions: 1, ..Limits::default() }).await;
    let mut socket = Socket::ready(&server).await;
    socket.subscribe("1", "subscription { changes { revision } }").await;
    socket.message().await;
    let mut other = Socket::ready(&server).await;
    other.subscribe("2", "subscription { silence }").await;
    assert_eq!(other.message().await["payload"][0]["extensions"]["code"], "OVERLOADED");
    drop(socket);
    eventually("the subscription is open", || server.probe.open.load(Ordering::SeqCst) == 0).await;
    other.subscribe("2", "subscription { changes { revision } }").await;
    assert_eq!(other.message().await["type"], "next");
}

#[tokio::test]
async fn stopping_ends_what_is_under_way_and_says_so() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket.subscribe("s", "subscription { silence }").await;
    socket.subscribe("q", "{ slow(ms: 300) }").await;
    eventually("the query has not begun", || server.probe.slow.load(Ordering::SeqCst) == 1).await;
    let start = Instant::now();
    let stopping = tokio::spawn(server.stop());
    assert_eq!(socket.message().await["payload"]["data"]["slow"], true);
    assert_eq!(socket.message().await, json!({ "type": "complete", "id": "q" }));
    assert_eq!(socket.close_code().await, 1001);
    stopping.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test]
async fn operations_of_a_socket_share_its_time() {
    let server = Server::start().await;
    let mut socket = Socket::ready(&server).await;
    socket.subscribe("flood", "subscription { changes(every: 0) { revision } }").await;
    socket.subscribe("q", "{ hello }").await;
    let answered = async {
        loop {
            if socket.message().await["id"] == "q" {
                return;
            }
        }
    };
    timeout(Duration::from_secs(5), answered).await.unwrap();
    assert_eq!(post(&server, json!({ "query": "{ hello }" })).await.status, 200);
}

#[tokio::test]
async fn a_persisted_query_is_named_by_its_hash() {
    let server = Server::start().await;
    let hash = "ba5e9bbdbd5fb1d3e8b2b1fc1a9a1b59";
    let mut socket = Socket::ready(&server).await;
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": format!("{hash}{hash}") } });
    socket.say(json!({ "type": "subscribe", "id": "p", "payload": { "extensions": extensions } })).await;
    assert_eq!(socket.message().await["payload"][0]["message"], "PersistedQueryNotFound");
    let extensions = super::persisted::extension(super::persisted::HASH);
    let sent = json!({ "query": "{ hello }", "extensions": extensions });
    assert_eq!(post(&server, sent).await.status, 200);
    socket.say(json!({ "type": "subscribe", "id": "p", "payload": { "extensions": extensions } })).await;
    assert_eq!(socket.message().await["payload"]["data"]["hello"], "Hello, world!");
}

/// Lets in whoever knows the word.
struct Doorkeeper(ToySchema);

impl Executor for Doorkeeper {
    fn sdl(&self) -> String {
        self.0.sdl()
    }
    fn prepare(&self, request: Request) -> Request {
        request.data("prepared")
    }
    fn open_socket(&self, payload: Option<&async_graphql::Value>) -> Result<(), String> {
        match payload {
            Some(async_graphql::Value::Object(fields)) if fields.get("word").is_some() => Ok(()),
            _ => Err("say the word".to_owned()),
        }
    }
    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        assert!(request.data.contains_key(&std::any::TypeId::of::<&str>()));
        self.0.execute(request).boxed()
    }
    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        self.0.execute_stream(request)
    }
}

#[tokio::test]
async fn a_refused_init_closes() {
    let probe = Arc::new(Probe::default());
    let executor = Arc::new(Doorkeeper(toy::schema()));
    let server = Server::run(executor, probe, Limits::default(), &Access::loopback(&[], &[])).await;
    let mut socket = Socket::open(&server).await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.hear().await, Heard::Closed(4403, "Forbidden: say the word".to_owned()));
    let mut socket = Socket::open(&server).await;
    socket.say(json!({ "type": "connection_init", "payload": { "word": "please" } })).await;
    assert_eq!(socket.message().await["type"], "connection_ack");
    socket.subscribe("q", "{ hello }").await;
    assert_eq!(socket.message().await["payload"]["data"]["hello"], "Hello, world!");
}
