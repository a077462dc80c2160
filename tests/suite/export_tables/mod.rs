//! Tables for others to read: every table in every format says what the API says, is sent while it is read, and takes
//! no more memory however large it is.

mod conditions;
mod forms;
mod large;
mod program;
mod sending;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response},
};
use dendro::rest::{self, Pages};
use serde_json::{Value, json};
use tower_service::Service;

use crate::support::Server;

/// The REST of a server.
fn router(server: &Server) -> Router {
    rest::router(server.services.clone(), Pages { most: 1_000, most_spans: 50_000 }).unwrap()
}

async fn get(router: &Router, path: &str) -> Response<Body> {
    let request = Request::get(format!("/api/v1/export/{path}")).body(Body::empty()).unwrap();
    router.clone().call(request).await.unwrap()
}

async fn post(router: &Router, path: &str, body: &Value) -> Response<Body> {
    let request = Request::post(format!("/api/v1/export/{path}")).body(Body::from(body.to_string())).unwrap();
    router.clone().call(request).await.unwrap()
}

/// A table, whole.
async fn table(router: &Router, path: &str) -> Vec<u8> {
    let response = get(router, path).await;
    assert_eq!(response.status(), 200, "{path}");
    to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

/// The rows of a table, of which JSON lines tell every value.
async fn rows(router: &Router, path: &str) -> Vec<Value> {
    let text = String::from_utf8(table(router, path).await).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a mutation answers, which must not be a refusal.
async fn done(server: &Server, mutation: &str, input: Value, selection: &str) -> Value {
    let kind = format!("{}{}Input!", mutation[..1].to_uppercase(), &mutation[1..]);
    let document = format!(
        "mutation($input: {kind}) {{ {mutation}(input: $input) {{ {selection} refusal {{ message }} }} }}"
    );
    let done = server.data(&document, json!({ "input": input })).await[mutation].clone();
    assert!(done["refusal"].is_null(), "{done}");
    done
}

/// Texts that every format has to quote in its own way.
const AWKWARD: &str = "=1+1, \"quoted\"\r\nand \u{1F600} ünicode";

/// The same where no line ends may be.
const AWKWARD_NAME: &str = "=1+1, \"quoted\" and \u{1F600} ünicode";

/// What is exported: a conversation with a run that is over and one that goes on, and scores of everything.
struct Filled {
    conversation: String,
    traces: [String; 2],
}

async fn fill(server: &Server) -> Filled {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let talk = done(server, "createConversation", json!({}), "conversation { conversationId }").await;
    let conversation = text(&talk["conversation"]["conversationId"]);
    let said = json!({ "conversationId": conversation, "role": "USER", "content": AWKWARD, "confidenceScore": 0.1,
        "metadata": { "a": [1, null] } });
    let said = done(server, "addMessage", said, "message { messageId }").await;
    let message = text(&said["message"]["messageId"]);
    let first = json!({ "name": "over", "conversationId": conversation, "userInput": AWKWARD,
        "startTime": "2025-01-01T00:00:00.123456789Z", "metadata": { "k": "v\n" } });
    let first = text(&done(server, "startTrace", first, "trace { traceId }").await["trace"]["traceId"]);
    let call = json!({ "traceId": first, "spanId": "11111111-1111-4111-8111-111111111111", "operationType": "LLM_CALL",
        "name": "call", "startTime": "2025-01-01T00:00:01Z", "endTime": "2025-01-01T00:00:02.000000001Z",
        "model": "m-1", "provider": "p", "tokens": { "input": "9007199254740993", "output": "20" }, "costUsd": 0.000012345,
        "inputs": [{ "role": "user", "content": AWKWARD }], "outputs": "fine",
        "attributes": { "deep": { "er": [0.1, true] } } });
    done(server, "createSpan", call, "span { spanId }").await;
    let failed = json!({ "traceId": first, "spanId": "22222222-2222-4222-8222-222222222222", "operationType": "TOOL_CALL",
        "name": AWKWARD_NAME, "parentSpanId": "11111111-1111-4111-8111-111111111111", "status": "ERROR", "statusMessage": "no",
        "toolName": "t", "events": [{ "name": "e", "time": "2025-01-01T00:00:01.5Z", "attributes": { "x": 1 } }] });
    done(server, "createSpan", failed, "span { spanId }").await;
    let end = json!({ "traceId": first, "status": "COMPLETED", "finalOutput": "done" });
    done(server, "completeTrace", end, "trace { status }").await;
    let second = json!({ "startTime": "2025-01-02T00:00:00Z" });
    let second = text(&done(server, "startTrace", second, "trace { traceId }").await["trace"]["traceId"]);
    let span = json!({ "spanId": "11111111-1111-4111-8111-111111111111", "traceId": first });
    for (target, value) in [
        (json!({ "traceId": first }), json!({ "number": 0.1 })),
        (json!({ "span": span }), json!({ "category": AWKWARD_NAME })),
        (json!({ "conversationId": conversation }), json!({ "boolean": true })),
        (json!({ "messageId": message }), json!({ "boolean": false })),
        (json!({ "traceId": second }), json!({ "number": -1e300 })),
    ] {
        let score = json!({ "target": target, "name": "n", "value": value, "comment": "why" });
        done(server, "recordScore", score, "score { scoreId }").await;
    }
    Filled { conversation, traces: [first, second] }
}
