//! Whatever is sent is read without a fault, and texts come out as they went in.

use proptest::{collection, prelude::*};
use serde_json::{Map, Value, json};

use super::super::{ChatPart, read_value};
use crate::model::{Json, message::MessageRole};

/// Words that mean something here, so that any document is often nearly one of a known form.
const WORDS: [&str; 60] = [
    "role",
    "content",
    "parts",
    "type",
    "text",
    "user",
    "assistant",
    "tool",
    "system",
    "messages",
    "message",
    "contents",
    "blocks",
    "tool_calls",
    "toolCalls",
    "tool_call",
    "function",
    "function_call",
    "functionCall",
    "functionResponse",
    "name",
    "arguments",
    "args",
    "input",
    "output",
    "id",
    "call_id",
    "toolCallId",
    "choices",
    "candidates",
    "generations",
    "delta",
    "lc",
    "kwargs",
    "HumanMessage",
    "human",
    "data",
    "reasoning",
    "thinking",
    "summary",
    "image",
    "image_url",
    "source",
    "url",
    "base64",
    "data:image/png;base64,AAEC",
    "inlineData",
    "mimeType",
    "image/png",
    "toolUse",
    "toolResult",
    "reasoningContent",
    "message_content",
    "tool_result",
    "web_search_call",
    "tool-weather",
    "server_tool_call",
    "result",
    "value",
    "json",
];

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
        1 => ".{0,20}",
        1 => Just(r#"[{"role": "user", "content": "[{\"type\": \"text\"}]"}]"#.to_owned()),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any_text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(8, 80, 6, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            collection::vec((any_text(), inner), 0..6)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

fn any_role() -> impl Strategy<Value = MessageRole> {
    prop::sample::select(MessageRole::ALL)
}

proptest! {
    #[test]
    fn any_value_is_read(value in any_value(), role in any_role()) {
        for message in read_value(value.clone(), role) {
            prop_assert!(!message.parts.is_empty());
            let again = message.clone();
            prop_assert_eq!(message.fingerprint(), again.fingerprint());
            for part in &message.parts {
                let document = match part {
                    ChatPart::ToolCall { arguments, .. } => Some(arguments),
                    ChatPart::ToolResult { result, .. } => Some(result),
                    ChatPart::Other(document) => Some(document),
                    _ => None,
                };
                prop_assert!(document.is_none_or(|document| Json::parse(document.text()).is_ok()));
            }
        }
        // And once more as JSON in a text.
        let text = Value::from(value.to_string());
        prop_assert!(read_value(text, role).iter().all(|message| !message.parts.is_empty()));
    }

    #[test]
    fn texts_stay_as_they_are(text in "\\PC{0,12}[^\\s\\pC]\\PC{0,12}[\\n\\t ]{0,3}", role in any_role()) {
        for document in [
            json!([{"role": "assistant", "content": text}]),
            json!([{"role": "assistant", "content": [{"type": "text", "text": text}]}]),
            json!([{"role": "assistant", "parts": [{"type": "text", "content": text}]}]),
            json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]}),
        ] {
            let messages = read_value(document, role);
            prop_assert_eq!(messages.len(), 1);
            prop_assert_eq!(&messages[0].parts, &[ChatPart::Text(text.clone())]);
        }
    }
}

/// `value`, `depth` levels down in objects of one member.
fn nested(name: &str, depth: usize, value: Value) -> Value {
    (0..depth).fold(value, |inner, _| Value::Object(Map::from_iter([(name.to_owned(), inner)])))
}

#[test]
fn what_is_nested_deep_ends_somewhere() {
    let hello = || json!({"role": "user", "content": "Hello"});
    assert_eq!(read_value(nested("message", 10, hello()), MessageRole::User).len(), 1);
    for name in
        ["message", "input", "message_content", "image", "tool_call", "reasoningContent", "content", "data"]
    {
        let beyond = nested(name, 2000, hello());
        let messages = read_value(Value::Array(vec![beyond]), MessageRole::User);
        assert!(messages.iter().all(|message| message.text().is_none()), "{name}");
    }
    let arguments = (0..2000).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let call = nested(
        "functionCall",
        1,
        Value::Object(Map::from_iter([
            ("name".to_owned(), Value::from("t")),
            ("args".to_owned(), arguments),
        ])),
    );
    let messages = read_value(call, MessageRole::User);
    let (_, _, arguments) = messages[0].tool_calls().next().unwrap();
    assert!(Json::parse(arguments.text()).is_ok());
}
