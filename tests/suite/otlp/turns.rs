//! Messages of conversations: each once, whenever and however often what tells them comes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use dendro::{
    engine::{Batch, EngineError, EngineResult, MemoryEngine, SharedEngine},
    otlp::OtlpLimits,
};
use futures_util::future::BoxFuture;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;
use tokio::sync::watch;

use super::{
    bed::{Bed, NOW, PROTOBUF, TRACES},
    samples::{int, of_spans, span, span_id, text},
};
use crate::support::{
    Server,
    engines::{Around, wrap},
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

/// What a conversation has is held in memory, so that the next call need not read it: whatever else is done to the
/// conversation must be seen.
#[tokio::test]
async fn a_call_joins_a_conversation_as_it_is_by_then() {
    let bed = Bed::new().await;
    let part =
        |role: &str, said: &str| json!({ "role": role, "parts": [{ "type": "text", "content": said }] });
    // Each is given all that was said before.
    let call = |trace: u64, given: &[&str], answered: &str| {
        let given = given.iter().zip(["user", "assistant"].iter().cycle());
        let given: Vec<_> = given.map(|(said, role)| part(role, said)).collect();
        let mut call = span(trace, 2, moment(trace, 2));
        call.parent_span_id = span_id(1);
        call.attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.input.messages", &json!(given).to_string()),
            text("gen_ai.output.messages", &json!([part("assistant", answered)]).to_string()),
        ];
        [call, agent(trace)]
    };
    send(&bed, &call(1, &["one"], "two")).await;
    send(&bed, &call(2, &["one", "two", "three"], "four")).await;
    assert_eq!(said(&bed).await, ["one", "two", "three", "four"]);
    let found = bed.data("{ conversations(first: 1) { nodes { conversationId } } }", json!({})).await;
    let id = found["conversations"]["nodes"][0]["conversationId"].clone();
    let add = "mutation($id: ID!) { addMessages(input: {conversationId: $id, messages: [
        {role: USER, content: \"five\"}, {role: ASSISTANT, content: \"six\"}]}) { messages { content } } }";
    bed.data(add, json!({ "id": id })).await;
    send(&bed, &call(3, &["one", "two", "three", "four", "five", "six", "seven"], "eight")).await;
    let expected = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
    assert_eq!(said(&bed).await, expected);
    let delete = "mutation($id: ID!) { deleteConversation(input: {conversationId: $id}) { __typename } }";
    bed.data(delete, json!({ "id": id })).await;
    send(&bed, &call(4, &["one", "two", "nine"], "ten")).await;
    assert_eq!(said(&bed).await, ["one", "two", "nine", "ten"]);
    // The same words by themselves are said anew, and the same report says nothing new.
    for _ in 0..2 {
        send(&bed, &call(5, &["nine"], "ten")).await;
        assert_eq!(said(&bed).await, ["one", "two", "nine", "ten", "nine", "ten"]);
    }
}

/// Some clocks tell whole milliseconds, and ids are made at random: what a call was given tells which came first.
#[tokio::test]
async fn of_calls_that_start_at_once_that_comes_first_which_was_given_less() {
    let bed = Bed::new().await;
    let said =
        |role: &str, text: &str| json!({ "role": role, "parts": [{ "type": "text", "content": text }] });
    let call = |number: u64, given: &[serde_json::Value], answered: &str, tokens: i64| {
        let mut call = span(1, number, moment(1, 2));
        call.parent_span_id = span_id(1);
        call.attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.response.model", "tiny"),
            int("gen_ai.usage.output_tokens", tokens),
            text("gen_ai.input.messages", &json!(given).to_string()),
            text("gen_ai.output.messages", &json!([said("assistant", answered)]).to_string()),
        ];
        call
    };
    let first = [said("user", "Hello."), said("assistant", "Hi."), said("user", "And now?")];
    let calls = [call(2, &first, "Bye.", 5), call(9, &first[..1], "Hi.", 7)];
    send(&bed, &[&calls[..], &[agent(1)]].concat()).await;
    let query = "{ conversations(first: 1) { nodes { messages(first: 10) { nodes { content modelName tokenCount } } } } }";
    let data = bed.data(query, json!({})).await;
    let message = |content: &str, model: Option<&str>, tokens: Option<&str>| json!({ "content": content, "modelName": model, "tokenCount": tokens });
    assert_eq!(
        data["conversations"]["nodes"][0]["messages"]["nodes"],
        json!([
            message("Hello.", None, None),
            message("Hi.", Some("tiny"), Some("7")),
            message("And now?", None, None),
            message("Bye.", Some("tiny"), Some("5")),
        ])
    );
}

/// Messages are written only while it lets them: else they wait, or fail.
struct Messages {
    let_through: watch::Sender<bool>,
    fail: AtomicBool,
}

impl Messages {
    fn new(let_through: bool, fail: bool) -> Arc<Self> {
        Arc::new(Self { let_through: watch::Sender::new(let_through), fail: AtomicBool::new(fail) })
    }
}

impl Around for Messages {
    fn before_commit<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        Box::pin(async {
            if !batch.writes.iter().any(|write| write.tree.name() == "default/message") {
                return Ok(());
            }
            if self.fail.load(Ordering::Relaxed) {
                return Err(EngineError::Io("as the test asked".to_owned()));
            }
            self.let_through.subscribe().wait_for(|through| *through).await.unwrap();
            Ok(())
        })
    }
}

async fn bed_over(memory: &SharedEngine, messages: &Arc<Messages>) -> Bed {
    let engine = wrap(memory.clone(), messages);
    let server = Server::on(engine, Default::default(), Default::default()).await;
    Bed::over(server, OtlpLimits::default())
}

#[tokio::test]
async fn spans_are_acknowledged_before_their_messages_and_readers_wait_for_those() {
    let messages = Messages::new(false, false);
    let bed = bed_over(&(Arc::new(MemoryEngine::default()) as SharedEngine), &messages).await;
    send(&bed, &[call(1, 2, "question", "answer"), agent(1)]).await;
    let (said, ()) = tokio::join!(said(&bed), async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        messages.let_through.send_replace(true);
    });
    assert_eq!(said, ["question", "answer"]);
}

#[tokio::test]
async fn messages_that_fail_are_made_later() {
    let messages = Messages::new(true, true);
    let bed = bed_over(&(Arc::new(MemoryEngine::default()) as SharedEngine), &messages).await;
    send(&bed, &[call(1, 2, "question", "answer"), agent(1)]).await;
    assert_eq!(said(&bed).await, [""; 0]);
    messages.fail.store(false, Ordering::Relaxed);
    for _ in 0..2 {
        bed.server.services.ingest.find_due().await.unwrap();
        assert_eq!(said(&bed).await, ["question", "answer"]);
    }
}

#[tokio::test]
async fn messages_that_a_process_did_not_get_to_are_made_by_the_next() {
    let (memory, fails) = (Arc::new(MemoryEngine::default()) as SharedEngine, Messages::new(true, true));
    let bed = bed_over(&memory, &fails).await;
    for trace in [1, 2] {
        send(&bed, &[call(trace, 2, &format!("question {trace}"), "answer"), agent(trace)]).await;
    }
    assert_eq!(said(&bed).await, [""; 0]);
    drop(bed);
    for _ in 0..2 {
        let bed = bed_over(&memory, &Messages::new(true, false)).await;
        bed.server.services.ingest.find_due().await.unwrap();
        assert_eq!(said(&bed).await, ["question 1", "answer", "question 2", "answer"]);
        bed.server.services.ingest.finish().await.unwrap();
    }
}
