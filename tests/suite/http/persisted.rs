//! Persisted queries over the transports.

use serde_json::{Value, json};

use super::server::{Answer, Server, client, get_with, post};

/// The SHA-256 of `{ hello }`.
pub const HASH: &str = "001c3174e099bd72b729d0c0a529ba9f5a740c446e2a6e1d71b283cb84ec3065";

pub fn extension(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

#[tokio::test]
async fn a_query_is_sent_once_and_named_from_then_on() {
    let server = Server::start().await;
    let unknown = post(&server, json!({ "extensions": extension(HASH) })).await;
    assert_eq!((unknown.status, unknown.code()), (400, "PERSISTED_QUERY_NOT_FOUND"));
    assert_eq!(unknown.message(), "PersistedQueryNotFound");
    let url = server.url("/graphql");
    let older = client().post(url).header("content-type", "application/json");
    let older = older.body(json!({ "extensions": extension(HASH) }).to_string()).send().await.unwrap();
    assert_eq!(Answer::of(older).await.status, 200, "older clients read errors from good answers only");
    let sent = post(&server, json!({ "query": "{ hello }", "extensions": extension(HASH) })).await;
    assert_eq!(sent.status, 200);
    let named = post(&server, json!({ "extensions": extension(HASH) })).await;
    assert_eq!(named.body["data"]["hello"], "Hello, world!");
    let extensions = extension(HASH).to_string();
    let got = get_with(&server, &[("extensions", &extensions)], &[]).await;
    assert_eq!(got.body["data"]["hello"], "Hello, world!");
    let stream = server.url("/graphql/stream");
    let url = reqwest::Url::parse_with_params(&stream, [("extensions", extensions.as_str())]).unwrap();
    let streamed = client().get(url);
    assert!(streamed.send().await.unwrap().text().await.unwrap().contains("Hello, world!"));
}

#[tokio::test]
async fn a_wrong_hash_and_a_bad_query_are_not_kept() {
    let server = Server::start().await;
    let wrong = post(&server, json!({ "query": "{ hello  }", "extensions": extension(HASH) })).await;
    assert_eq!((wrong.status, wrong.code()), (400, "PERSISTED_QUERY_MISMATCH"));
    assert_eq!(
        post(&server, json!({ "extensions": extension(HASH) })).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
    for bad in [
        json!({ "persistedQuery": 1 }),
        json!({ "persistedQuery": { "version": 2, "sha256Hash": HASH } }),
        json!({ "persistedQuery": { "version": 1 } }),
        json!({ "persistedQuery": { "version": 1, "sha256Hash": "x" } }),
    ] {
        let answer = post(&server, json!({ "query": "{ hello }", "extensions": bad })).await;
        assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"));
    }
}
