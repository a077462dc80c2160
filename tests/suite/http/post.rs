//! POST /graphql: negotiation, statuses, limits in time and number.

use std::{sync::atomic::Ordering, time::Duration};

use dendro::config::Limits;
use serde_json::json;

use super::server::{Answer, Server, client, post, post_text};

#[tokio::test]
async fn a_query_and_a_mutation_are_answered() {
    let server = Server::start().await;
    let body = json!({
        "query": "query A { hello } query B($name: String) { hello(name: $name) }",
        "operationName": "B",
        "variables": { "name": "Dendro" },
        "extensions": { "any": 1 },
    });
    let answer = post(&server, body).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({ "data": { "hello": "Hello, Dendro!" } })));
    assert_eq!(answer.header("content-type"), "application/graphql-response+json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    let mutation = json!({ "query": "mutation { record(input: { name: \"n\" }) { name } }" });
    assert_eq!(post(&server, mutation).await.body, json!({ "data": { "record": { "name": "n" } } }));
}

#[tokio::test]
async fn accept_decides_type_and_status() {
    let server = Server::start().await;
    let send = async |accept: &str, query: &str| {
        let request = client().post(server.url("/graphql")).header("content-type", "application/json");
        let request = request.header("accept", accept).body(json!({ "query": query }).to_string());
        Answer::of(request.send().await.unwrap()).await
    };
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: String!) { hello(name: $n) }", "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { silence }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let modern = send("application/graphql-response+json", query).await;
        assert_eq!((modern.status, modern.code()), (400, code), "{query}: {:?}", modern.body);
        assert!(modern.body.get("data").is_none());
        let older = send("application/json", query).await;
        assert_eq!((older.status, older.code()), (200, code), "{query}");
        assert_eq!(older.header("content-type"), "application/json; charset=utf-8");
    }
    let refused = send("text/html", "{ hello }").await;
    assert_eq!((refused.status, refused.code()), (406, "NOT_ACCEPTABLE"));
    let partial = send("application/graphql-response+json", "{ hello refused }").await;
    assert_eq!((partial.status, partial.code()), (200, "NOT_FOUND"));
    assert_eq!(partial.body["data"], json!({ "hello": "Hello, world!", "refused": null }));
}

#[tokio::test]
async fn large_answers_are_compressed_and_small_ones_are_not() {
    let server = Server::start().await;
    let send = async |bytes: usize| {
        let request = client().post(server.url("/graphql")).header("content-type", "application/json");
        let request = request.header("accept-encoding", "gzip");
        let query = format!("{{ text(bytes: {bytes}) }}");
        request.body(json!({ "query": query }).to_string()).send().await.unwrap()
    };
    let large = send(100_000).await;
    assert_eq!(large.headers()["content-encoding"], "gzip");
    assert!(large.bytes().await.unwrap().len() < 10_000);
    assert!(!send(100).await.headers().contains_key("content-encoding"));
}

#[tokio::test]
async fn a_slow_operation_is_cancelled() {
    let server = Server::with(Limits { query_time: Duration::from_millis(100), ..Limits::default() }).await;
    let answer = post(&server, json!({ "query": "{ slow(ms: 60000) }" })).await;
    assert_eq!((answer.status, answer.code()), (504, "TIMEOUT"));
    assert_eq!(server.probe.slow.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn past_the_limit_clients_are_told_to_come_back() {
    let server = Server::with(Limits { running: 1, ..Limits::default() }).await;
    let slow = post(&server, json!({ "query": "{ slow(ms: 500) }" }));
    let quick = async {
        while server.probe.slow.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        post(&server, json!({ "query": "{ hello }" })).await
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!((quick.status, quick.code(), quick.header("retry-after")), (503, "OVERLOADED", "1"));
    assert_eq!(slow.status, 200);
    assert_eq!(post(&server, json!({ "query": "{ hello }" })).await.status, 200);
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_operation() {
    let server = Server::start().await;
    let request = post(&server, json!({ "query": "{ slow(ms: 60000) }" }));
    assert!(tokio::time::timeout(Duration::from_millis(300), request).await.is_err());
    for _ in 0..200 {
        if server.probe.slow.load(Ordering::SeqCst) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the operation goes on");
}

#[tokio::test]
async fn a_panic_is_an_error_of_one_operation() {
    let server = Server::start().await;
    let answer = post(&server, json!({ "query": "{ panics }" })).await;
    assert_eq!((answer.status, answer.code()), (500, "INTERNAL"));
    assert_eq!(post(&server, json!({ "query": "{ hello }" })).await.status, 200);
}

#[tokio::test]
async fn health_and_readiness_are_told() {
    let server = Server::start().await;
    let status = async |path: &str| client().get(server.url(path)).send().await.unwrap().status().as_u16();
    assert_eq!(status("/healthz").await, 200);
    while status("/readyz").await != 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.lifecycle.drain();
    assert_eq!((status("/healthz").await, status("/readyz").await), (200, 503));
}

#[tokio::test]
async fn stopping_lets_what_runs_come_to_its_end() {
    let server = Server::start().await;
    let url = server.url("/graphql");
    let running = tokio::spawn(async move {
        let request = client().post(url).header("content-type", "application/json");
        let response =
            request.body(json!({ "query": "{ slow(ms: 300) }" }).to_string()).send().await.unwrap();
        response.status().as_u16()
    });
    while server.probe.slow.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let url = server.url("/healthz");
    server.stop().await;
    assert_eq!(running.await.unwrap(), 200);
    assert!(client().get(url).send().await.is_err());
}

#[tokio::test]
async fn an_empty_body_is_a_bad_request() {
    let server = Server::start().await;
    let answer = post_text(&server, "").await;
    assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"));
}
