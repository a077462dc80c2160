//! Messages of conversations: each once, whenever and however often what tells them comes.

use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;

use super::{
    bed::{Bed, NOW, PROTOBUF, TRACES},
    samples::{of_spans, span, span_id, text},
};

async fn send(bed: &Bed, spans: &[Span]) {
    let reply = bed.post(TRACES, PROTOBUF, of_spans(spans.to_vec()).encode_to_vec()).await;
    assert_eq!(reply.rejected(TRACES), (0, String::new()));
}

/// What the conversation says, message by message.
async fn said(bed: &Bed) -> Vec<String> {
    let query = "{ conversations(first: 1) { nodes { messages(first: 100) { nodes { content } } } } }";
    let mut data = bed.data(query, json!({})).await;
    let messages = data["conversations"]["nodes"][0]["messages"]["nodes"].take();
    let content = |message: &serde_json::Value| message["content"].as_str().unwrap_or("calls").to_owned();
    messages.as_array().unwrap().iter().map(content).collect()
}

/// The agent of a trace.
fn agent(trace: u64) -> Span {
    let mut agent = span(trace, 1, moment(trace, 0));
    agent.attributes =
        vec![text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.conversation.id", "talk")];
    agent
}

/// A call below the agent: what it was given, which is only what is new, and what it answered.
fn call(trace: u64, number: u64, given: &str, answered: &str) -> Span {
    let mut call = span(trace, number, moment(trace, number));
    call.parent_span_id = span_id(1);
    let part = |said: &str| match said {
        "calls" => json!({ "type": "tool_call", "id": format!("call {trace}"), "name": "weather" }),
        "cloudy" => json!({ "type": "tool_call_response", "id": format!("call {trace}"), "response": said }),
        _ => json!({ "type": "text", "content": said }),
    };
    let role = if given == "cloudy" { "tool" } else { "user" };
    call.attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.input.messages", &json!([{ "role": role, "parts": [part(given)] }]).to_string()),
        text(
            "gen_ai.output.messages",
            &json!([{ "role": "assistant", "parts": [part(answered)] }]).to_string(),
        ),
    ];
    call
}

fn moment(trace: u64, number: u64) -> u64 {
    u64::try_from(NOW).unwrap() - 3_600_000_000_000 + (100 * trace + number) * 1_000_000_000
}

/// Where the same was said before, it must not stand in the way of what comes late.
#[tokio::test]
async fn a_late_call_is_added_to_a_conversation_that_repeats_itself() {
    let bed = Bed::new().await;
    for trace in [1, 2] {
        let question = format!("question {trace}");
        let calls = [call(trace, 2, &question, "calls"), call(trace, 3, "cloudy", "It is cloudy.")];
        send(&bed, &[&calls[..], &[agent(trace)]].concat()).await;
    }
    let mut expected = vec![
        "question 1",
        "calls",
        "cloudy",
        "It is cloudy.",
        "question 2",
        "calls",
        "cloudy",
        "It is cloudy.",
    ];
    assert_eq!(said(&bed).await, expected);
    let late = call(2, 4, "And tomorrow?", "It will rain.");
    for _ in 0..2 {
        send(&bed, std::slice::from_ref(&late)).await;
    }
    expected.extend(["And tomorrow?", "It will rain."]);
    assert_eq!(said(&bed).await, expected);
}
