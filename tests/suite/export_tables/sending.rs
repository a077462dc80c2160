//! How a table is sent: named, while it is read, and with a clear no where there is none.

use axum::body::to_bytes;
use dendro::engine::CallKind;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{done, fill, get, router};
use crate::support::Server;

#[tokio::test]
async fn an_answer_says_what_it_is() {
    let server = Server::new().await;
    fill(&server).await;
    let router = router(&server);
    for (file, kind) in [
        ("traces.jsonl", "application/x-ndjson"),
        ("spans.csv", "text/csv; charset=utf-8; header=present"),
        ("scores.parquet", "application/vnd.apache.parquet"),
    ] {
        let answer = get(&router, file).await;
        assert_eq!(answer.headers()["content-type"], kind);
        let named = format!("attachment; filename=\"{file}\"");
        assert_eq!(answer.headers()["content-disposition"], named.as_str());
    }
}

#[tokio::test]
async fn what_there_is_not_is_told() {
    let server = Server::new().await;
    let router = router(&server);
    let nowhere = "99999999-9999-4999-8999-999999999999".to_owned();
    for (path, status, field) in [
        ("plans.csv".to_owned(), 400, json!("file")),
        ("spans.xml".to_owned(), 400, json!("file")),
        ("spans".to_owned(), 400, json!("file")),
        ("spans.csv?form=1".to_owned(), 400, json!("form")),
        ("spans.csv?from=yesterday".to_owned(), 400, json!("from")),
        ("spans.csv?traceId=1".to_owned(), 400, json!("traceId.0")),
        (format!("spans.csv?traceId={nowhere}"), 400, json!("traceId")),
        (format!("messages.csv?traceId={nowhere}"), 400, json!("traceId")),
    ] {
        let answer = get(&router, &path).await;
        assert_eq!(answer.status(), status, "{path}");
        let body: Value =
            serde_json::from_slice(&to_bytes(answer.into_body(), 10_000).await.unwrap()).unwrap();
        assert_eq!(body["field"], field, "{path}: {body}");
    }
}

#[tokio::test]
async fn a_table_is_read_as_fast_as_it_is_taken() {
    let server = Server::new().await;
    for number in 0..40 {
        let started = done(&server, "startTrace", json!({}), "trace { traceId }").await;
        let span = json!({ "traceId": started["trace"]["traceId"], "operationType": "CUSTOM", "name": format!("s{number}") });
        done(&server, "createSpan", span, "span { spanId }").await;
    }
    let router = router(&server);
    let scans = || server.taken().trips(CallKind::Scan);
    scans();
    let mut body = get(&router, "spans.jsonl").await.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    let (until_first, mut lines) = (scans(), first.iter().filter(|byte| **byte == b'\n').count());
    assert_eq!(lines, 1, "a trace at a time");
    while let Some(bytes) = body.next().await {
        lines += bytes.unwrap().iter().filter(|byte| **byte == b'\n').count();
    }
    let rest = scans();
    assert_eq!(lines, 40);
    assert!(until_first * 5 < rest, "{until_first} scans until the first bytes, {rest} behind them");

    // Who goes away stops the work.
    let mut body = get(&router, "spans.jsonl").await.into_body().into_data_stream();
    body.next().await.unwrap().unwrap();
    drop(body);
    scans();
    tokio::task::yield_now().await;
    assert_eq!(scans(), 0);
}

#[tokio::test]
async fn only_some_are_on_their_way_at_a_time() {
    let server = Server::new().await;
    fill(&server).await;
    let router = router(&server);
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(get(&router, "spans.jsonl").await);
    }
    let answer = get(&router, "spans.jsonl").await;
    assert_eq!(
        (answer.status(), answer.headers()["retry-after"].to_str().unwrap()),
        (503.try_into().unwrap(), "5")
    );
    held.pop();
    assert_eq!(get(&router, "spans.jsonl").await.status(), 200);
}
