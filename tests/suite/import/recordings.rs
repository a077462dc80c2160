//! What transcripts become: conversations, messages, traces with their trees.

use dendro::{
    model::{
        Timestamp,
        limits::RecordLimits,
        message::MessageRole,
        score::{ScoreTarget, ScoreValue},
        span::{NewSpan, OperationType, SpanStatus},
        trace::TraceStatus,
    },
    service::import::{Defaults, Recording},
};

use super::{fixture, read};

const BASE: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

fn recordings(name: &str) -> Vec<Recording> {
    let contents = read(name, fixture(name));
    let made = |transcript| Recording::of(transcript, BASE, &Defaults::default()).unwrap();
    contents.transcripts.iter().map(made).collect()
}

/// A tree as text: a line a span, indented by its depth.
fn tree(spans: &[NewSpan]) -> String {
    let depth = |span: &NewSpan| {
        let mut depth = 0;
        let mut above = span.parent_id;
        while let Some(parent) = above {
            depth += 1;
            above = spans.iter().find(|span| span.id == parent).unwrap().parent_id;
        }
        depth
    };
    let line = |span: &NewSpan| {
        let status = span.status.filter(|status| *status != SpanStatus::Ok);
        let status = status.map_or_else(String::new, |status| format!(" {status}"));
        format!("{}{} {}{status}\n", "  ".repeat(depth(span)), span.operation_type, span.name)
    };
    spans.iter().map(line).collect()
}

#[test]
fn a_turn_becomes_a_tree_of_agent_model_calls_and_tools() {
    let [good, bad] = recordings("tau-bench.json").try_into().unwrap();
    // Two turns in which the agent acts; the last message of the user sets off nothing.
    assert_eq!(good.runs.len(), 2);
    insta::assert_snapshot!(tree(&good.runs[1].spans), @r###"
    AGENT agent
      LLM_CALL chat
        TOOL_CALL find_booking ERROR
      LLM_CALL chat
        TOOL_CALL find_booking
      LLM_CALL chat
    "###);
    insta::assert_snapshot!(tree(&bad.runs[0].spans), @r###"
    AGENT agent
      LLM_CALL chat
        TOOL_CALL transfer_to_human CANCELLED
    "###);
    assert_eq!(good.runs[1].completion.status, TraceStatus::Completed);
    assert_eq!(good.runs[1].completion.final_output.as_deref(), Some("Moved to 20:00."));
    assert_eq!(good.runs[1].trace.body.user_input.as_deref(), Some("B12, to eight o'clock please."));
    assert_eq!(bad.runs[0].completion.status, TraceStatus::Cancelled);
    assert_eq!(good.conversation.tags, ["imported", "tau-bench", "task-7", "trial-0"]);
    let score = good.score.unwrap();
    assert_eq!((score.name.as_str(), score.value), ("reward", ScoreValue::Number(1.0)));
    assert_eq!(score.target, ScoreTarget::Conversation(good.conversation.id.unwrap()));
}

#[test]
fn messages_name_their_turn_and_trace_and_the_call_they_answer() {
    let [good, _] = recordings("tau-bench.json").try_into().unwrap();
    let messages = &good.messages;
    assert_eq!(messages.len(), 10);
    assert_eq!(
        (messages[0].role, messages[0].turn_id, messages[0].trace_id),
        (MessageRole::System, None, None)
    );
    assert!(messages[1..].iter().all(|message| message.turn_id.is_some()));
    assert_eq!(messages[1].trace_id, good.runs[0].trace.id);
    assert_eq!(messages[8].trace_id, good.runs[1].trace.id);
    assert_eq!((messages[9].trace_id, messages[9].turn_id == messages[8].turn_id), (None, false));
    assert_eq!(messages[7].parent_message_id, messages[6].id);
    assert_eq!(messages[7].tool_call_id, messages[6].tool_calls[0].call_id);
    assert_eq!(messages[6].metadata.as_ref().unwrap().text(), r#"{"originalCallIds":{"call_a#2":"call_a"}}"#);
    assert!(messages.iter().all(|message| message.check(&RecordLimits::default()).is_ok()));
}

#[test]
fn times_that_nobody_knows_keep_the_order_and_say_so() {
    let [good, _] = recordings("tau-bench.json").try_into().unwrap();
    let times: Vec<_> = good.messages.iter().map(|message| message.timestamp.unwrap()).collect();
    assert_eq!(times[0], BASE);
    assert!(times.windows(2).all(|pair| pair[1].nanos_since(pair[0]) == 1_000));
    assert_eq!(good.conversation.created_at, Some(BASE));
    let metadata = good.conversation.metadata.unwrap();
    assert!(metadata.text().contains(r#""times":"order only""#), "{}", metadata.text());
    let metadata = good.runs[0].trace.body.metadata.clone().unwrap();
    assert!(metadata.text().contains(r#""times":"order only""#), "{}", metadata.text());
}

#[test]
fn times_that_are_known_are_the_times_of_the_spans() {
    let [simple] = recordings("simple.json").try_into().unwrap();
    assert_eq!(simple.runs.len(), 2);
    let [agent, call] = simple.runs[0].spans.as_slice() else { panic!("an agent and a model call") };
    assert_eq!(call.start_time.unwrap().to_string(), "2024-03-01T09:00:05.000000000Z");
    assert_eq!(call.end_time.unwrap().to_string(), "2024-03-01T09:00:07.500000000Z");
    assert_eq!((agent.start_time, agent.end_time), (call.start_time, call.end_time));
    assert_eq!(simple.conversation.created_at.unwrap().to_string(), "2024-03-01T09:00:00.000000000Z");
    assert!(simple.conversation.metadata.unwrap().text().contains(r#""times":"recorded""#));
}

#[test]
fn spans_say_what_went_in_and_out_and_which_versions_were_used() {
    let [chat] = recordings("chat.json").try_into().unwrap();
    let [agent, first, leeds, york, second] = chat.runs[0].spans.as_slice() else { panic!("five spans") };
    assert_eq!(second.operation_type, OperationType::LlmCall);
    insta::assert_snapshot!(first.changes.body.inputs.as_ref().unwrap().text(), @r#"{"earlierMessages":0,"messages":[{"content":"You help people to plan walks.","role":"system"},{"content":[{"text":"Where is it dry today?","type":"text"},{"image_url":{"url":"data:image/png;base64,iVBORw0KGgo="},"type":"image_url"},{"text":"Leeds or York?","type":"text"}],"role":"user"}]}"#);
    insta::assert_snapshot!(second.changes.body.inputs.as_ref().unwrap().text(), @r#"{"earlierMessages":2,"messages":[{"content":null,"reasoning_content":"Two places: ask for both at once.","role":"assistant","tool_calls":[{"function":{"arguments":"{\"place\": \"Leeds\"}","name":"get_weather"},"id":"call_leeds","type":"function"},{"function":{"arguments":"{\"place\": \"York\"}","name":"get_weather"},"id":"call_york","type":"function"}]},{"content":"{\"rain\": false}","role":"tool","tool_call_id":"call_york"},{"content":"heavy rain","role":"tool","tool_call_id":"call_leeds"}]}"#);
    assert_eq!(first.changes.tokens.unwrap().input, Some(210));
    assert_eq!(first.changes.details.model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!(leeds.changes.body.outputs.as_ref().unwrap().text(), r#""heavy rain""#);
    assert_eq!(york.changes.body.outputs.as_ref().unwrap().text(), r#"{"rain": false}"#);
    assert!(leeds.end_time > york.end_time, "Leeds was answered last");
    let named = |span: &NewSpan| -> Vec<_> {
        span.changes.components.iter().map(|component| component.component_id.clone()).collect()
    };
    assert_eq!(named(agent), ["imported/system-prompt", "imported/tools/get_weather"]);
    assert_eq!(named(first), ["imported/system-prompt"]);
    assert_eq!(named(york), ["imported/tools/get_weather"]);
    assert_eq!(chat.versions.len(), 2);
}

#[test]
fn the_same_file_makes_the_same_records() {
    for name in ["chat.json", "chats.jsonl", "simple.json", "tau-bench.json"] {
        assert_eq!(format!("{:?}", recordings(name)), format!("{:?}", recordings(name)), "{name}");
    }
}
