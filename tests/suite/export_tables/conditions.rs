//! Tables of the traces that fulfil a condition: over HTTP, and by the program.

use std::{fs, sync::Arc};

use axum::{Router, body::to_bytes};
use dendro::{
    engine::MemoryEngine,
    service::{agents::Runtime, query::QueryLimits},
};
use serde_json::{Value, json};

use super::{Filled, done, fill, post, router, rows};
use crate::{
    cli::{export::otlp, run},
    support::Server,
};

/// The rows of a table, as JSON lines.
async fn rows_of(router: &Router, path: &str, body: &Value) -> Vec<Value> {
    let response = post(router, path, body).await;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(status, 200, "{path} {body}: {text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn traces(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["trace_id"].as_str().unwrap_or("none")).collect()
}

/// What is exported, with a message of the first run.
async fn filled(server: &Server) -> Filled {
    let filled = fill(server).await;
    let said = json!({ "conversationId": filled.conversation, "role": "ASSISTANT", "content": "done",
        "traceId": filled.traces[0], "timestamp": "2025-01-01T00:00:02Z" });
    done(server, "addMessage", said, "message { messageId }").await;
    filled
}

#[tokio::test]
async fn what_is_of_the_traces_is_exported_and_nothing_else() {
    let server = Server::new().await;
    let Filled { traces: [first, second], .. } = filled(&server).await;
    let router = router(&server);
    for caught_up in [false, true] {
        if caught_up {
            assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
        }
        for (condition, meant) in [
            (json!({ "span": { "tools": ["t"], "statuses": ["ERROR"] } }), &[&first][..]),
            (json!({ "span": { "attribute": { "key": "deep" } } }), &[&first]),
            (json!({ "score": { "name": "n", "number": { "max": 0.0 } } }), &[&second]),
            (json!({ "not": { "models": ["m-1"] } }), &[&second]),
            (json!({}), &[&first, &second]),
            (json!({ "or": [] }), &[]),
        ] {
            let body = json!({ "where": condition });
            let found = rows_of(&router, "traces.jsonl", &body).await;
            assert_eq!(traces(&found), meant, "{condition}");
            let with_first = meant.contains(&&first);
            let spans = rows_of(&router, "spans.jsonl", &body).await;
            assert_eq!(traces(&spans), vec![first.as_str(); if with_first { 2 } else { 0 }], "{condition}");
            let messages = rows_of(&router, "messages.jsonl", &body).await;
            assert_eq!(traces(&messages), vec![first.as_str(); usize::from(with_first)], "{condition}");
            let scores = rows_of(&router, "scores.jsonl", &body).await;
            let of = |trace: &String| match *trace == first {
                true => vec![first.as_str(); 2],
                false => vec![second.as_str()],
            };
            let expected: Vec<_> = meant.iter().flat_map(|trace| of(trace)).collect();
            assert_eq!(traces(&scores), expected, "{condition}");
        }
    }
}

#[tokio::test]
async fn an_order_and_what_stands_in_the_address_hold_too() {
    let server = Server::new().await;
    let Filled { conversation, traces: [first, second] } = filled(&server).await;
    let router = router(&server);
    for name in ["traces.jsonl", "spans.jsonl", "messages.jsonl", "scores.jsonl"] {
        assert_eq!(rows_of(&router, name, &json!({})).await, rows(&router, name).await, "{name}: all of it");
    }
    let newest = json!({ "orderBy": { "field": "START_TIME" } });
    assert_eq!(traces(&rows_of(&router, "traces.jsonl", &newest).await), [&second, &first]);
    assert_eq!(traces(&rows_of(&router, "scores.jsonl", &newest).await), [&second, &first, &first]);
    // Only what is over has a place in the order, once it is followed.
    assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
    let dearest = json!({ "orderBy": { "field": "COST" } });
    assert_eq!(traces(&rows_of(&router, "traces.jsonl", &dearest).await), [&first]);
    for (address, found) in [
        (format!("traces.jsonl?conversationId={conversation}"), &[&first][..]),
        (format!("traces.jsonl?traceId={second}&traceId={first}"), &[&second, &first]),
        (format!("traces.jsonl?traceId={second}&conversationId={conversation}"), &[]),
        ("traces.jsonl?from=2025-01-02T00:00:00Z".to_owned(), &[&second]),
        ("scores.jsonl?to=2001-01-01T00:00:00Z".to_owned(), &[]),
        (format!("messages.jsonl?conversationId={conversation}"), &[&first]),
        ("messages.jsonl?from=2025-01-01T00:01:00Z".to_owned(), &[]),
    ] {
        let body = json!({ "where": { "totalTokens": { "min": 0 } } });
        assert_eq!(traces(&rows_of(&router, &address, &body).await), *found, "{address}");
    }
    let answer = post(&router, "spans.parquet", &json!({ "where": { "models": ["m-1"] } })).await;
    assert_eq!(answer.headers()["content-type"], "application/vnd.apache.parquet");
    assert!(to_bytes(answer.into_body(), usize::MAX).await.unwrap().starts_with(b"PAR1"));
}

fn deep(levels: usize) -> Value {
    (0..levels).fold(json!({ "statuses": ["FAILED"] }), |inner, _| json!({ "not": inner }))
}

#[tokio::test]
async fn what_cannot_be_exported_is_told_before_anything_is_sent() {
    let limits = QueryLimits { attribute_spans: 0, ..QueryLimits::default() };
    let server = Server::querying_over(Arc::new(MemoryEngine::default()), Runtime::default(), limits).await;
    let Filled { traces: [first, _], .. } = filled(&server).await;
    let router = router(&server);
    let nowhere = "99999999-9999-4999-8999-999999999999";
    let attribute = json!({ "where": { "span": { "attribute": { "key": "deep" } } } });
    for (path, body, status, field) in [
        ("traces.csv", json!({ "were": {} }), 422, "were".to_owned()),
        (
            "traces.csv",
            json!({ "where": { "not": { "modles": ["m-1"] } } }),
            422,
            "where.not.modles".to_owned(),
        ),
        (
            "traces.csv",
            json!({ "where": { "or": [{}, { "statuses": ["LATE"] }] } }),
            422,
            "where.or.1.statuses.0".to_owned(),
        ),
        ("traces.csv", json!({ "where": { "name": {} } }), 422, "where.name".to_owned()),
        ("traces.csv", json!({ "where": deep(50) }), 422, format!("where{}", ".not".repeat(10))),
        ("traces.csv", json!({ "limit": 5 }), 422, "limit".to_owned()),
        ("traces.csv", json!({ "orderBy": { "field": "LUCK" } }), 422, "orderBy.field".to_owned()),
        (
            "traces.csv",
            json!({ "where": { "text": { "query": "why" } } }),
            422,
            "where.text.query".to_owned(),
        ),
        ("traces.csv", attribute.clone(), 422, "where".to_owned()),
        ("spans.csv", attribute.clone(), 422, "where".to_owned()),
        ("messages.parquet", attribute.clone(), 422, "where".to_owned()),
        ("scores.jsonl", attribute.clone(), 422, "where".to_owned()),
        (&format!("scores.jsonl?traceId={first}"), attribute, 422, "where".to_owned()),
        ("plans.csv", json!({}), 400, "file".to_owned()),
        ("traces.csv?form=1", json!({}), 400, "form".to_owned()),
        (&format!("messages.csv?traceId={nowhere}"), json!({ "where": {} }), 400, "traceId".to_owned()),
    ] {
        let answer = post(&router, path, &body).await;
        assert_eq!(answer.status(), status, "{path} {body}");
        let told = to_bytes(answer.into_body(), 100_000).await.unwrap();
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(told["field"], json!(field), "{path} {body}: {told}");
    }
}

#[test]
fn the_program_exports_what_a_condition_means() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["import", "--data", "db", &otlp("handmade/strands.json")]);
    let export = |arguments: &[&str]| run(folder.path(), &[&["export", "--data", "db"], arguments].concat());
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let ended = export(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = lines(&["--table", "spans"]);
    let call = all.iter().find(|row| row["operation_type"] == "TOOL_CALL").unwrap();
    let calls =
        json!({ "traceIds": [call["trace_id"]], "span": { "tools": [call["tool_name"]] } }).to_string();
    let meant: Vec<_> = all.iter().filter(|row| row["trace_id"] == call["trace_id"]).cloned().collect();
    assert!(meant.len() < all.len());
    assert_eq!(lines(&["--table", "spans", "--where", &calls]), meant);
    let others = format!(r#"{{"not": {calls}}}"#);
    fs::write(folder.path().join("others.json"), &others).unwrap();
    let rest = lines(&["--table", "spans", "--where", "@others.json"]);
    assert_eq!(rest.len() + meant.len(), all.len());
    assert!(!lines(&["--where", &calls]).is_empty());
    assert_eq!(lines(&["--where", r#"{"or": []}"#]), Vec::<Value>::new());
    assert_eq!(lines(&["--table", "traces", "--where", &calls, "--to", "2001-01-01"]), Vec::<Value>::new());
}

#[test]
fn a_condition_that_cannot_be_used_is_told_by_the_program() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["import", "--data", "db", &otlp("handmade/strands.json")]);
    let export = |arguments: &[&str]| run(folder.path(), &[&["export", "--data", "db"], arguments].concat());
    fs::write(folder.path().join("broken.json"), "{").unwrap();
    for (condition, told) in [
        (r#"{"not": {"modles": ["a"]}}"#.to_owned(), "where.not.modles: unknown field `modles`"),
        (r#"{"statuses": "FAILED"}"#.to_owned(), "where.statuses: invalid type"),
        (r#"[{"statuses": ["FAILED"]}]"#.to_owned(), "where: invalid type: sequence, expected an object"),
        (r#"{"name": {}}"#.to_owned(), "where.name: give one of `is`"),
        ("models".to_owned(), "where: not valid JSON"),
        (
            deep(12).to_string(),
            "where.not.not.not.not.not.not.not.not.not.not: conditions stand more than 10 levels deep",
        ),
        (deep(50).to_string(), "where: conditions stand more than 10 levels deep"),
        ("@nowhere.json".to_owned(), "--where: cannot read nowhere.json"),
        ("@broken.json".to_owned(), "where: not valid JSON"),
    ] {
        let ended = export(&["--table", "traces", "--where", &condition]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(told), "{ended:?}");
    }
    fs::write(folder.path().join("dendro.toml"), "[query]\nattribute_spans = 0\n").unwrap();
    fs::write(folder.path().join("kept.jsonl"), "kept").unwrap();
    let costly = r#"{"span": {"attribute": {"key": "a"}}}"#;
    for arguments in [&["--table", "spans"][..], &[]] {
        let ended = export(&[arguments, &["--where", costly, "-o", "kept.jsonl"]].concat());
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains("where: this would read the attributes of some"), "{ended:?}");
        assert_eq!(fs::read_to_string(folder.path().join("kept.jsonl")).unwrap(), "kept");
    }
}
