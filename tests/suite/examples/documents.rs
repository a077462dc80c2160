//! The operations: they fit the schema, and the server answers every one.

use std::{collections::BTreeMap, path::Path, process::Command};

use async_graphql::parser::{parse_query, types::OperationType};
use serde_json::{Map, Value, json};

use super::{file, send, server, write};
use crate::cli::Ended;

#[test]
fn every_document_fits_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = ["queries.graphql", "record_run.rs", "record.py", "plan.py", "mcp/agent.py", "follow.mjs"];
    let mut command = Command::new("node");
    command.arg(root.join("tests/clients/documents.mjs")).arg(root.join("schema.graphql"));
    let pages = ["agents.md", "analysis.md", "evaluation.md", "experiments.md", "queries.md", "search.md"];
    command.args(names.map(file)).args(pages.map(|page| root.join("docs").join(page)));
    let ended = Ended::from(command.output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Takes in every id that an answer has, for the operations after it.
fn learn(known: &mut Map<String, Value>, answer: &Value) {
    match answer {
        Value::Object(members) => {
            for (name, value) in members {
                if known.contains_key(name) && value.is_string() {
                    known.insert(name.clone(), value.clone());
                }
                learn(known, value);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| learn(known, value)),
        _ => {}
    }
}

/// The first event of a subscription.
async fn first_event(address: &str, request: &Value) -> String {
    let post = reqwest::Client::new().post(format!("http://{address}/graphql/stream"));
    let mut response = post.header("accept", "text/event-stream").json(request).send().await.unwrap();
    let mut text = String::new();
    while !text.contains("event: next") || !text.ends_with("\n\n") {
        text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn every_operation_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let address = server.address.as_str();
    let conversation = write(
        address,
        "createConversation",
        "CreateConversationInput",
        "conversation { conversationId }",
        json!({}),
    )
    .await["conversation"]["conversationId"]
        .clone();
    let plan =
        json!({ "conversationId": conversation, "title": "a plan", "steps": [{ "description": "a step" }] });
    let plan = write(address, "createPlan", "CreatePlanInput", "plan { planId }", plan).await;
    let trace = write(address, "startTrace", "StartTraceInput", "trace { traceId }", json!({})).await;
    let trace = &trace["trace"]["traceId"];
    let span = json!({ "traceId": trace, "operationType": "AGENT", "name": "agent" });
    let span = write(address, "createSpan", "CreateSpanInput", "span { spanId }", span).await;
    let mut known = json!({
        "conversationId": conversation, "planId": plan["plan"]["planId"], "traceId": trace,
        "spanId": span["span"]["spanId"], "componentId": "prompts/example", "versionHash": "", "messageId": "",
        "from": "2026-01-01T00:00:00Z", "content": "Is it far?", "title": "far", "why": "lost", "value": 1,
        "template": { "template": "Answer: {question}" }, "agent": "018f0000-0000-7000-8000-000000000001",
        "call": "018f0000-0000-7000-8000-000000000002",
    });
    let known = known.as_object_mut().unwrap();

    let text = std::fs::read_to_string(file("queries.graphql")).unwrap();
    let document = parse_query(&text).unwrap();
    let operations = document.operations.iter();
    let operations: BTreeMap<_, _> = operations
        .map(|(name, operation)| (operation.pos.line, (name.unwrap().as_str(), operation.node.ty)))
        .collect();
    assert!(operations.len() > 15);
    for (name, kind) in operations.into_values() {
        let request = json!({ "query": text, "operationName": name, "variables": known });
        if kind == OperationType::Subscription {
            let event = first_event(address, &request).await;
            assert!(!event.contains("\"errors\""), "{name}: {event}");
            continue;
        }
        let answer = send(address, request).await;
        learn(known, &answer);
        let refusals = answer.to_string().matches(r#""refusal":{"#).count();
        assert_eq!(refusals, 0, "{name}: {answer}");
        assert!(!answer.as_object().unwrap().values().all(Value::is_null), "{name} answers nothing");
    }
}
