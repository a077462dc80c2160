//! The programs and operations of `examples/`, run as people run them.

mod documents;
mod follow;
mod mcp;
mod otel;
mod record;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::{Serving, dendro};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// A server that keeps nothing, and takes everything on one port that is free.
fn server(folder: &Path) -> Serving {
    let ports = ["--listen", "127.0.0.1:0", "--otlp-http", "off", "--otlp-grpc", "off"];
    Serving::start(dendro(folder, &[&["serve", "--engine", "memory"], ports.as_slice()].concat()))
}

async fn send(address: &str, request: Value) -> Value {
    let sent = reqwest::Client::new().post(format!("http://{address}/graphql")).json(&request).send();
    let answer: Value = sent.await.unwrap().json().await.unwrap();
    assert_eq!(answer.get("errors"), None, "{} {}", request["operationName"], request["variables"]);
    answer["data"].clone()
}

async fn ask(address: &str, query: &str) -> Value {
    send(address, json!({ "query": query })).await
}

/// The one payload of a mutation with one `input`, which is not refused.
async fn write(address: &str, mutation: &str, kind: &str, answer: &str, input: Value) -> Value {
    let query = format!(
        "mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {answer} refusal {{ message }} }} }}"
    );
    let data = send(address, json!({ "query": query, "variables": { "input": input } })).await;
    assert_eq!(data[mutation]["refusal"], Value::Null, "{mutation}");
    data[mutation].clone()
}
