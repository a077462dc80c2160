//! Following what a run puts out: in one order, and on from where one was.

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{agent, conversation, say, server};
use crate::support::Server;

const SCRIPT: &str = "
scripts:
  test:
    turns:
      - when: { step: 0 }
        thinking: A sum.
        text: Let me see.
        tool_calls: [{ id: c1, name: add, arguments: { a: 1, b: 2 } }]
      - when: { step: 1 }
        text: It is three.
";

const OUTPUT: &str = "subscription($id: ID!, $after: BigInt) { agentOutput(traceId: $id, after: $after) {
  place gap events { __typename
    ... on AgentTextDelta { text }
    ... on AgentThinkingDelta { text }
    ... on AgentToolCall { callId toolName arguments }
    ... on AgentToolResult { callId result failed }
    ... on AgentSpanChange { name status }
    ... on AgentEnd { status messageId error }
  }
} }";

async fn follow(server: &Server, trace: &Value, after: Value) -> Vec<Value> {
    let parts = server.follow(OUTPUT, json!({ "id": trace["traceId"], "after": after }));
    let parts: Vec<_> = parts.map(|answer| answer.data["agentOutput"].clone()).collect().await;
    assert!(parts.iter().all(|part| part["gap"] == false), "{parts:#?}");
    parts
}

fn events(parts: &[Value]) -> Vec<Value> {
    parts.iter().flat_map(|part| part["events"].as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn everything_comes_in_order_and_ends_with_the_run() {
    let server = server(SCRIPT).await;
    agent(&server, json!({})).await;
    let conversation = conversation(&server).await;
    let begun = say(&server, &conversation, "sum", json!({ "wait": false })).await;
    let parts = follow(&server, &begun["trace"], Value::Null).await;
    let all = events(&parts);
    let kinds: Vec<_> = all.iter().map(|event| event["__typename"].as_str().unwrap()).collect();
    let at = |kind: &str| {
        kinds.iter().position(|found| *found == kind).unwrap_or_else(|| panic!("{kind}: {kinds:?}"))
    };
    assert!(at("AgentThinkingDelta") < at("AgentTextDelta"), "{kinds:?}");
    assert!(
        at("AgentTextDelta") < at("AgentToolCall") && at("AgentToolCall") < at("AgentToolResult"),
        "{kinds:?}"
    );
    let text: String = all
        .iter()
        .filter(|event| event["__typename"] == "AgentTextDelta")
        .map(|event| event["text"].as_str().unwrap())
        .collect();
    assert_eq!(text, "Let me see.It is three.");
    let call = &all[at("AgentToolCall")];
    assert_eq!((&call["callId"], &call["toolName"]), (&json!("c1"), &json!("add")));
    assert_eq!(all[at("AgentToolResult")]["result"], 3);
    let end = all.last().unwrap();
    assert_eq!((&end["status"], &end["error"]), (&json!("COMPLETED"), &Value::Null));
    assert!(end["messageId"].is_string());

    // On from every place, what was not sent yet comes, and only that.
    let whole = all.len();
    for place in 0..=whole {
        let rest = events(&follow(&server, &begun["trace"], json!(place.to_string())).await);
        assert_eq!(rest, all[place..], "from {place}");
    }
}

#[tokio::test]
async fn a_run_that_nobody_runs_is_not_followed() {
    let server = server(SCRIPT).await;
    let started = server.data("mutation { startTrace(input: {}) { trace { traceId } } }", json!({})).await;
    let id = started["startTrace"]["trace"]["traceId"].clone();
    let answers: Vec<_> = server.follow(OUTPUT, json!({ "id": id })).collect().await;
    assert!(
        answers[0].errors[0]["message"].as_str().unwrap().contains("no agent of this server"),
        "{answers:?}"
    );
    const CANCEL: &str = "mutation($id: ID!) { cancelTrace(input: {traceId: $id}) { refusal { message } } }";
    let refused = server.data(CANCEL, json!({ "id": id })).await;
    assert!(
        refused["cancelTrace"]["refusal"]["message"].as_str().unwrap().contains("completeTrace"),
        "{refused}"
    );
}
