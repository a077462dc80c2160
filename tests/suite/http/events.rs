//! /graphql/stream: event streams, and how they resume.

use std::{sync::atomic::Ordering, time::Duration};

use dendro::config::{Limits, limits::EventLimits};
use futures_util::StreamExt;
use reqwest::{Response, Url};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::server::{Server, client};

/// An event as a browser reads it.
#[derive(Debug, Default, Clone, PartialEq)]
struct Event {
    name: String,
    id: Option<String>,
    data: Option<String>,
    retry: Option<String>,
    comment: bool,
}

impl Event {
    fn payload(&self) -> Value {
        serde_json::from_str(self.data.as_deref().unwrap()).unwrap()
    }
}

/// Reads events from a response, one after the other.
struct Events {
    body: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

impl Events {
    fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"), "events are not held back");
        Self { body: Box::pin(response.bytes_stream()), text: String::new() }
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                return Some(parse(&block));
            }
            let chunk = timeout(Duration::from_secs(5), self.body.next()).await.unwrap()?.ok()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event that a browser would show.
    async fn shown(&mut self) -> Option<Event> {
        loop {
            let event = self.next().await?;
            if event.data.is_some() {
                return Some(event);
            }
        }
    }

    async fn rest(mut self) -> Vec<Event> {
        let mut all = Vec::new();
        while let Some(event) = self.shown().await {
            all.push(event);
        }
        all
    }
}

fn parse(block: &str) -> Event {
    let mut event = Event::default();
    for line in block.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match name {
            "" => event.comment = true,
            "event" => event.name = value,
            "id" => event.id = Some(value),
            "data" => event.data = Some(value),
            "retry" => event.retry = Some(value),
            other => panic!("{other}"),
        }
    }
    event
}

async fn open(server: &Server, parameters: &[(&str, &str)], last: Option<&str>) -> Response {
    let url = Url::parse_with_params(&server.url("/graphql/stream"), parameters).unwrap();
    let mut request =
        client().get(url).header("accept", "text/event-stream").header("accept-encoding", "gzip");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    request.send().await.unwrap()
}

async fn events(server: &Server, query: &str, last: Option<&str>) -> Vec<Event> {
    Events::of(open(server, &[("query", query)], last).await).rest().await
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().filter_map(|event| event.id.as_deref()).collect()
}

#[tokio::test]
async fn operations_are_streamed_by_get_and_post() {
    let server = Server::start().await;
    let got = events(&server, "subscription { changes(to: 2) { name } }", None).await;
    assert_eq!(got[0].name, "next");
    assert_eq!(
        got[0].payload(),
        json!({ "data": { "changes": { "name": "change 1" } } }),
        "the cursor is taken out"
    );
    assert_eq!(ids(&got), ["1", "2"]);
    assert_eq!((got[2].name.as_str(), got[2].data.as_deref(), got.len()), ("complete", Some(""), 3));
    for query in ["{ hello }", "mutation { record(input: { name: \"n\" }) { name } }"] {
        let request = client().post(server.url("/graphql/stream")).header("content-type", "application/json");
        let request =
            request.header("accept", "text/event-stream").body(json!({ "query": query }).to_string());
        let got = Events::of(request.send().await.unwrap()).rest().await;
        assert_eq!((got[0].name.as_str(), got[1].name.as_str(), got.len()), ("next", "complete", 2));
        assert!(got[0].payload()["data"].is_object());
    }
}

#[tokio::test]
async fn a_broken_stream_goes_on_behind_the_last_event() {
    let server = Server::start().await;
    for query in [
        "subscription { changes(to: 5) { name } }",
        "subscription { changes(to: 5, after: \"1\") { name } }",
        "subscription($n: String) { changes(to: 5, after: $n) { name } }",
        "subscription($n: String = \"0\") { aliased: changes(to: 5, after: $n) { revision name } }",
        "subscription A { changes(to: 5) { name } }",
        "subscription { ...F } fragment F on Feed { ... { changes(to: 5, after: \"2\") { revision } } }",
    ] {
        let got = events(&server, query, Some("3")).await;
        assert_eq!(ids(&got), ["4", "5"], "{query}");
        assert!(!got[0].data.as_ref().unwrap().contains("__resume"), "{:?}", got[0]);
    }
    let parameters = [
        (
            "query",
            "subscription A($n: String) { changes(to: 5, after: $n) { name } } subscription B { silence }",
        ),
        ("operationName", "A"),
        ("variables", r#"{"n":"2"}"#),
    ];
    let first = Events::of(open(&server, &parameters, None).await).rest().await;
    assert_eq!(ids(&first), ["3", "4", "5"]);
    let again = Events::of(open(&server, &parameters, Some("4")).await).rest().await;
    assert_eq!(ids(&again), ["5"]);
    let bad = events(&server, "subscription { changes { revision } }", Some("x")).await;
    assert_eq!(bad[0].payload()["errors"][0]["extensions"]["code"], "BAD_CURSOR");
}

#[tokio::test]
async fn faults_of_the_document_are_told_in_the_stream_and_others_by_status() {
    let server = Server::start().await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { changes(after: \"x\") { revision } }", "BAD_CURSOR"),
    ] {
        let got = events(&server, query, None).await;
        assert_eq!(
            (got[0].name.as_str(), got[1].name.as_str(), got.len()),
            ("next", "complete", 2),
            "{query}"
        );
        assert_eq!(got[0].payload()["errors"][0]["extensions"]["code"], code);
        assert!(got[0].payload().get("data").is_none());
    }
    assert_eq!(
        open(&server, &[("query", "mutation { record(input: { name: \"n\" }) { name } }")], None)
            .await
            .status(),
        405
    );
    assert_eq!(open(&server, &[], None).await.status(), 400);
    assert_eq!(open(&server, &[("query", "{ hello }")], Some(&"9".repeat(300))).await.status(), 400);
    let post = client().post(server.url("/graphql/stream")).header("content-type", "text/plain").body("{}");
    assert_eq!(post.send().await.unwrap().status(), 415);
    let json = client().get(server.url("/graphql/stream?query={hello}")).header("accept", "application/json");
    assert_eq!(json.send().await.unwrap().status(), 406);
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_and_tells_when_to_come_back() {
    let events = EventLimits { keep_alive: Duration::from_millis(50), ..Default::default() };
    let server = Server::with(Limits { events, ..Limits::default() }).await;
    let mut events = Events::of(open(&server, &[("query", "subscription { silence }")], None).await);
    assert_eq!(events.next().await.unwrap().retry.as_deref(), Some("2000"));
    for _ in 0..3 {
        assert!(events.next().await.unwrap().comment);
    }
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_subscription() {
    let server = Server::start().await;
    let query = [("query", "subscription { changes(every: 5) { revision } }")];
    let mut events = Events::of(open(&server, &query, None).await);
    events.shown().await.unwrap();
    drop(events);
    for _ in 0..500 {
        if server.probe.open.load(Ordering::SeqCst) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the subscription is open");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_buffered_for() {
    let server = Server::start().await;
    let query = [("query", "subscription { changes(every: 0, bytes: 100000) { revision text } }")];
    let events = open(&server, &query, None).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let made = server.probe.made.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.probe.made.load(Ordering::SeqCst), made, "nothing is made that nobody takes");
    assert!(made < 200, "{made} items of 100 kB are more than the sockets' own buffers");
    drop(events);
}

#[tokio::test]
async fn stopping_ends_streams_without_completing_them() {
    let server = Server::start().await;
    let query = [("query", "subscription { changes(every: 20) { revision } }")];
    let mut events = Events::of(open(&server, &query, None).await);
    let first = events.shown().await.unwrap();
    server.stop().await;
    let rest = events.rest().await;
    assert!(rest.iter().all(|event| event.name == "next"), "so that a browser comes back");
    assert_eq!(first.id.as_deref(), Some("1"));
}

#[tokio::test]
async fn streams_are_bounded() {
    let events = EventLimits { streams: 1, ..Default::default() };
    let server = Server::with(Limits { events, ..Limits::default() }).await;
    let query = [("query", "subscription { silence }")];
    let first = open(&server, &query, None).await;
    assert_eq!(open(&server, &query, None).await.status(), 503);
    drop(first);
    for _ in 0..500 {
        if open(&server, &query, None).await.status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the stream is still counted");
}
