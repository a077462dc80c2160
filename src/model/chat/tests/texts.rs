//! Texts, JSON in texts, and what is no message.

use super::{answered, line, read_as, told};
use crate::model::{
    Json,
    chat::{ChatPart, read_messages},
    message::MessageRole,
};

/// `document` as a text that holds it.
fn quoted(document: &str) -> String {
    Json::string(document).text().to_owned()
}

#[test]
fn json_in_a_text_is_read_once_and_twice_over() {
    let messages = r#"[{"role": "user", "content": "Hello"}]"#;
    assert_eq!(told(&quoted(messages)), ["USER: Hello"]);
    assert_eq!(told(&quoted(&quoted(messages))), ["USER: Hello"]);
    let thrice = quoted(&quoted(&quoted(messages)));
    assert_eq!(told(&thrice), [format!("USER: {}", quoted(&quoted(messages)))]);
    let texts = format!(
        "[{}, {}]",
        quoted(r#"{"role": "user", "content": "a"}"#),
        quoted(r#"{"role": "model", "content": "b"}"#)
    );
    assert_eq!(told(&texts), ["USER: a", "ASSISTANT: b"]);
    assert_eq!(
        told(&quoted(r#"{"system": "Be brief.", "prompt": "Hello"}"#)),
        ["SYSTEM: Be brief.", "USER: Hello"]
    );
    assert_eq!(told(&quoted(r#"[{"text": "Hello"}]"#)), ["USER: Hello"]);
    assert_eq!(answered(&quoted(r#"{"output": "Hello"}"#)), ["ASSISTANT: Hello"]);
}

#[test]
fn an_answer_that_is_json_stays_the_text_that_it_is() {
    for answer in [
        r#"{"text": "Hello", "mood": "good"}"#,
        r#"{"content": "Hello"}"#,
        r#"{"prompt": "a cat in the rain"}"#,
        r#"{"output": "Hello", "score": 1}"#,
        r#"["one", "two"]"#,
        r#"[{"text": "one", "score": 1}]"#,
        r#"{"items": [{"name": "milk"}]}"#,
        r#"[{"type": "file", "name": "a.txt", "size": 3}]"#,
        r#"[{"type": "phone_call", "with": "Ann"}]"#,
        r#"{"role": 1, "content": "Hello"}"#,
        r#"{"name": "Ann", "age": 7}"#,
        r#""Hello" she said"#,
        r#""Hello""#,
        "[1, 2",
        "12",
        "true",
    ] {
        assert_eq!(answered(&quoted(answer)), [format!("ASSISTANT: {answer}")]);
        let message = format!(r#"{{"role": "assistant", "content": {}}}"#, quoted(answer));
        assert_eq!(told(&message), [format!("ASSISTANT: {answer}")]);
    }
}

#[test]
fn a_text_is_said_by_the_default_role() {
    assert_eq!(told("\" Hello \""), ["USER:  Hello "]);
    let system: Vec<_> = read_as("\"Be brief.\"", MessageRole::System).iter().map(line).collect();
    assert_eq!(system, ["SYSTEM: Be brief."]);
    let tool: Vec<_> = read_as("\"cold\"", MessageRole::Tool).iter().map(line).collect();
    assert_eq!(tool, ["TOOL:  -> \"cold\""]);
    assert_eq!(told(r#"[{"role": "narrator", "content": "Once"}]"#), ["USER: Once"]);
    assert_eq!(answered(r#"{"content": "Hello"}"#), ["ASSISTANT: Hello"]);
    assert_eq!(answered(r#"{"text": "Hello"}"#), ["ASSISTANT: Hello"]);
}

#[test]
fn what_says_nothing_is_no_message() {
    for nothing in [
        "null",
        "12",
        "true",
        "\"\"",
        "\" \\n\"",
        "[]",
        "{}",
        r#"{"city": "Oslo"}"#,
        r#"[{"city": "Oslo"}, null, 3]"#,
        r#"{"role": "assistant"}"#,
        r#"{"role": "assistant", "content": ""}"#,
        r#"{"role": "assistant", "content": [], "finish_reason": "stop"}"#,
        r#"{"role": "assistant", "content": [{"type": "redacted_thinking", "data": "Em"}]}"#,
        r#"{"messages": []}"#,
        r#"{"model": "gpt-5", "temperature": 1}"#,
        r#"[{"type": "function", "function": {"name": "weather", "description": "Says it.", "parameters": {}}}]"#,
        r#"[{"name": "weather", "description": "Says it.", "input_schema": {}}]"#,
        r#"{"n": 1e999}"#,
    ] {
        assert_eq!(told(nothing), Vec::<String>::new(), "{nothing}");
    }
}

#[test]
fn data_is_measured_and_never_kept() {
    let data = "QUJD".repeat(1000);
    let document = format!(
        r#"[{{"role": "user", "content": [
            {{"type": "image_url", "image_url": {{"url": "data:image/png;base64,{data}"}}}},
            {{"inlineData": {{"mimeType": "image/png", "data": "{data}"}}}},
            {{"type": "blob", "mime_type": "image/png", "content": "{data}"}},
            {{"type": "unknown", "deep": [{{"url": "data:image/png;base64,{data}"}}, "{data}"]}},
            {{"type": "tool_result", "tool_use_id": "c1", "content": [{{"image": {{"format": "png", "source": {{"bytes": "{data}"}}}}}}]}},
            {{"type": "tool_result", "tool_use_id": "c2", "content": "data:image/png;base64,{data}"}}]}}]"#
    );
    let messages = read_messages(&Json::parse(&document).unwrap(), MessageRole::User);
    let lines: Vec<_> = messages.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "USER: <image image/png - 3000> | <image image/png - 3000> | <image image/png - 3000> \
             | ?{\"deep\":[{\"url\":\"data:image/png;base64,[3000 bytes]\"},\"[3000 bytes]\"],\"type\":\"unknown\"}",
            "TOOL: #c1 -> [{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"[3000 bytes]\"}}}]",
            "TOOL: #c2 -> \"data:image/png;base64,[3000 bytes]\"",
        ]
    );
    let digest = |part: &ChatPart| match part {
        ChatPart::Media { digest, .. } => *digest,
        _ => None,
    };
    let digests: Vec<_> = messages[0].parts.iter().filter_map(digest).collect();
    assert_eq!(digests.len(), 3);
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

#[test]
fn a_document_may_be_text() {
    for document in [
        r#"{"type": "document", "content": "Some notes."}"#,
        r#"{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Some notes."}}"#,
        r#"{"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "Some notes."}]}}"#,
    ] {
        assert_eq!(told(&format!(r#"{{"role": "user", "content": [{document}]}}"#)), ["USER: Some notes."]);
    }
}

#[test]
fn arguments_are_kept_whole() {
    let data = "QUJD".repeat(1000);
    let call = format!(r#"[{{"toolCallId": "c1", "toolName": "write", "args": {{"bytes": "{data}"}}}}]"#);
    assert_eq!(told(&call), [format!(r#"ASSISTANT: write#c1({{"bytes":"{data}"}})"#)]);
}

#[test]
fn accessors_say_what_the_parts_say() {
    let message = &read_as(
        r#"{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": "b"},
            {"type": "text", "text": "c"}, {"type": "tool_use", "id": "c1", "name": "weather", "input": {"d": 1}}]}"#,
        MessageRole::User,
    )[0];
    assert_eq!(message.text().as_deref(), Some("a\nc"));
    assert_eq!(message.reasoning().as_deref(), Some("b"));
    let arguments = Json::parse(r#"{"d":1}"#).unwrap();
    assert_eq!(message.tool_calls().collect::<Vec<_>>(), [(Some("c1"), "weather", &arguments)]);
    assert_eq!(message.tool_results().count(), 0);
    let result = &read_as(
        r#"{"role": "tool", "name": "weather", "tool_call_id": "c1", "content": "cold"}"#,
        MessageRole::User,
    )[0];
    assert_eq!(result.text(), None);
    let cold = Json::string("cold");
    assert_eq!(result.tool_results().collect::<Vec<_>>(), [(Some("c1"), Some("weather"), &cold)]);
}
