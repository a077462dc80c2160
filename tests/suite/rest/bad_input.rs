//! What is wrong is told by its name, with a status of its own, and costs nobody anything.

use std::time::Duration;

use dendro::config::Limits;
use reqwest::Method;
use serde_json::json;

use super::bed::{Answer, Bed, NOBODY};
use crate::support::Server;

#[tokio::test]
async fn a_wrong_value_is_named_by_its_path() {
    let bed = Bed::start().await;
    let trace = bed.made("/traces", json!({})).await["traceId"].as_str().unwrap().to_owned();
    let span = |field: &str, value: serde_json::Value| {
        let mut span = json!({ "operationType": "CUSTOM", "name": "x" });
        span[field] = value;
        span
    };
    for (body, field, said) in [
        (span("operationType", json!("SLEEP")), "operationType", "`SLEEP` is not one of LLM_CALL"),
        (span("spanId", json!("x")), "spanId", "UUID"),
        (span("startTime", json!("yesterday")), "startTime", "is not a moment"),
        (span("startTime", json!("3000-01-01T00:00:00Z")), "startTime", "1677 and 2262"),
        (span("costUsd", json!("1")), "costUsd", "expected f64"),
        (span("costUsd", json!(-1)), "costUsd", "US dollars"),
        (span("timeToFirstTokenMs", json!(-1)), "timeToFirstTokenMs", "duration"),
        (span("tokens", json!({ "input": -1 })), "tokens.input", "expected u64"),
        (span("tokens", json!({ "in": 1 })), "tokens.in", "unknown field `in`"),
        (span("events", json!([{ "name": "a", "time": "x" }])), "events.0.time", "is not a moment"),
        (span("events", json!([{ "time": "2025-01-01T00:00:00Z" }])), "events.0", "missing field `name`"),
        (
            span("components", json!([{ "componentId": "a", "versionHash": "0" }])),
            "components.0.versionHash",
            "64 hexadecimal",
        ),
        (span("attributes", json!([])), "attributes", "object"),
        (span("name", json!("a\u{0}b")), "name", "control"),
        (span("colour", json!("red")), "colour", "unknown field `colour`, expected one of"),
        (json!([]), "body", "expected an object"),
        (json!("x"), "body", "expected an object"),
        (json!(null), "body", "expected an object"),
    ] {
        let answer = bed.post(&format!("/traces/{trace}/spans"), body).await;
        answer.is_problem(422, "BAD_USER_INPUT", field);
        assert!(answer.body["detail"].as_str().unwrap().contains(said), "{}", answer.text);
    }
    assert_eq!(bed.shown(&format!("/traces/{trace}")).await["spanCount"], 0);
    // The members of an object, without their names.
    for path in ["/traces/query", "/export/traces.csv", "/traces"] {
        for count in 1..8 {
            let answer = bed.post(path, json!(vec![json!(null); count])).await;
            answer.is_problem(422, "BAD_USER_INPUT", "body");
        }
    }
}

#[tokio::test]
async fn a_wrong_address_is_named_by_its_parameter() {
    let bed = Bed::start().await;
    for (path, field) in [
        ("/traces/x", "traceId"),
        ("/traces/%ff", ""),
        ("/conversations/1/messages", "conversationId"),
        ("/traces?status=HAPPY", "status.0"),
        ("/traces?from=now", "from"),
        ("/traces?hasErrors=1", "hasErrors"),
        ("/traces?conversationId=1", "conversationId"),
        ("/traces?userId=a&userId=b", "userId"),
        ("/traces?first=1", "first"),
        ("/traces?order=RANDOM", "order"),
        ("/traces?after=*", "after"),
        ("/plans?x=", "x"),
    ] {
        let answer = bed.get(path).await;
        let code = if field.is_empty() { "BAD_REQUEST" } else { "BAD_USER_INPUT" };
        answer.is_problem(400, code, field);
    }
    bed.get("/nothing/here").await.is_problem(404, "NOT_FOUND", "");
    bed.get("").await.is_problem(404, "NOT_FOUND", "");
}

#[tokio::test]
async fn each_method_media_type_and_body_has_its_answer() {
    let bed = Bed::start().await;
    let wrong = Answer::of(bed.request(Method::PUT, "/traces").json(&json!({}))).await;
    wrong.is_problem(405, "METHOD_NOT_ALLOWED", "");
    let allow = wrong.header("allow");
    assert!(["GET", "HEAD", "POST"].iter().all(|method| allow.contains(method)), "{allow}");

    let post = || bed.request(Method::POST, "/conversations");
    let json_body = |text: String| post().header("content-type", "application/json").body(text);
    Answer::of(post().header("content-type", "text/plain").body("{}")).await.is_problem(
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "",
    );
    Answer::of(post().body("{}")).await.is_problem(415, "UNSUPPORTED_MEDIA_TYPE", "");
    Answer::of(post()).await.is_problem(400, "BAD_REQUEST", "");
    Answer::of(bed.request(Method::GET, "/traces").header("accept", "text/html")).await.is_problem(
        406,
        "NOT_ACCEPTABLE",
        "",
    );
    Answer::of(bed.request(Method::GET, "/traces").header("host", "evil.example")).await.is_problem(
        403,
        "FORBIDDEN_HOST",
        "",
    );
    Answer::of(bed.request(Method::GET, "/traces").header("origin", "https://evil.example"))
        .await
        .is_problem(403, "FORBIDDEN_ORIGIN", "");
    Answer::of(bed.request(Method::GET, "/traces").header("sec-fetch-site", "cross-site")).await.is_problem(
        403,
        "FORBIDDEN_ORIGIN",
        "",
    );

    for text in ["{", "nonsense", "{\"title\": \"a\",}", "\u{feff}{}", "{\"title\":\"\\ud800\"}"] {
        Answer::of(json_body(text.to_owned())).await.is_problem(400, "BAD_REQUEST", "");
    }
    let not_utf8 = post().header("content-type", "application/json").body(b"{\"title\":\"\xff\"}".to_vec());
    Answer::of(not_utf8).await.is_problem(400, "BAD_REQUEST", "");
    let deep = format!("{{\"metadata\":{}1{}}}", "{\"a\":".repeat(200), "}".repeat(200));
    Answer::of(json_body(deep)).await.is_problem(400, "BAD_REQUEST", "");
    Answer::of(json_body("[".repeat(1 << 20))).await.is_problem(400, "BAD_REQUEST", "");
    let big = format!("{{\"title\":\"{}\"}}", "a".repeat(9 << 20));
    Answer::of(json_body(big)).await.is_problem(413, "PAYLOAD_TOO_LARGE", "");
    let private = r#"{"metadata":{"a":{"$serde_json::private::RawValue":"[1]"}}}"#;
    Answer::of(json_body(private.to_owned())).await.is_problem(422, "BAD_USER_INPUT", "metadata");
    assert!(bed.all("/conversations").await.is_empty());
}

#[tokio::test]
async fn too_much_at_once_is_told_to_come_back() {
    let bed = Bed::over(Server::new().await, Limits { running: 0, ..Limits::default() }).await;
    let answer = bed.get("/traces").await;
    answer.is_problem(503, "OVERLOADED", "");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.body["retryAfterMs"], 1_000);
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let limits = Limits { body_time: Duration::from_millis(20), ..Limits::default() };
    let bed = Bed::over(Server::new().await, limits).await;
    let endless = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let request = bed
        .request(Method::POST, &format!("/traces/{NOBODY}/spans"))
        .header("content-type", "application/json");
    let answer = Answer::of(request.body(reqwest::Body::wrap_stream(endless))).await;
    answer.is_problem(408, "REQUEST_TIMEOUT", "");
}

#[tokio::test]
async fn pages_of_known_origins_may_read_and_write() {
    let bed = Bed::start().await;
    let preflight = bed
        .request(Method::OPTIONS, "/conversations")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "if-match,content-type");
    let answer = Answer::of(preflight).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("access-control-allow-methods").contains("PATCH"));
    let read = Answer::of(bed.request(Method::GET, "/traces").header("origin", "https://app.example")).await;
    assert!(read.header("access-control-expose-headers").contains("link"));
}
