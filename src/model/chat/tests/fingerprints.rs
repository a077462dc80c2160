//! Fingerprints: the same for the same message in any form, and different for different ones.

use std::collections::HashSet;

use super::read;

fn fingerprints(document: &str) -> Vec<[u8; 16]> {
    read(document).iter().map(super::ChatMessage::fingerprint).collect()
}

#[test]
fn one_conversation_has_the_same_fingerprints_in_every_form() {
    let openai = r#"[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "I look.", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"days\": 1.0, \"city\": \"Oslo\"}"}},
            {"id": "c2", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "{\"degrees\": 1}"},
        {"role": "tool", "tool_call_id": "c2", "content": "12"}]"#;
    let forms = [
        // OpenTelemetry
        r#"[{"role": "system", "parts": [{"type": "text", "content": "Be brief."}]}, {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
            {"role": "assistant", "finish_reason": "tool_call", "parts": [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "I look."},
                {"type": "tool_call", "id": "x1", "name": "weather", "arguments": {"city": "Oslo", "days": 1}}, {"type": "tool_call", "id": "x2", "name": "clock", "arguments": null}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "x1", "response": {"degrees": 1.0}}, {"type": "tool_call_response", "id": "x2", "response": 12}]}]"#,
        // Responses
        r#"{"instructions": "Be brief.", "input": [{"role": "user", "content": "Weather?"}, {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{\"city\":\"Oslo\",\"days\":1}"}, {"type": "function_call", "call_id": "c2", "name": "clock", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "{\"degrees\":1}"}, {"type": "function_call_output", "call_id": "c2", "output": "12"}]}"#,
        // Anthropic
        r#"{"system": [{"type": "text", "text": "Be brief."}], "messages": [{"role": "user", "content": [{"type": "text", "text": "Weather?\n"}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo", "days": 1}}, {"type": "tool_use", "id": "t2", "name": "clock", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "{\"degrees\": 1}"}]}, {"type": "tool_result", "tool_use_id": "t2", "content": "12"}]}]}"#,
        // Gemini
        r#"{"system_instruction": {"parts": [{"text": "Be brief."}]}, "contents": [{"role": "user", "parts": [{"text": "Weather?"}]},
            {"role": "model", "parts": [{"text": "I look."}, {"functionCall": {"name": "weather", "args": {"city": "Oslo", "days": 1}}}, {"functionCall": {"name": "clock"}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"degrees": 1}}}, {"functionResponse": {"name": "clock", "response": "12"}}]}]}"#,
        // Bedrock
        r#"{"system": [{"text": "Be brief."}], "messages": [{"role": "user", "content": [{"text": "Weather?"}]},
            {"role": "assistant", "content": [{"text": "I look."}, {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo", "days": 1}}}, {"toolUse": {"toolUseId": "t2", "name": "clock", "input": {}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"json": {"degrees": 1}}]}}, {"toolResult": {"toolUseId": "t2", "content": [{"text": "12"}]}}]}]}"#,
        // Vercel AI SDK
        r#"{"system": "Be brief.", "messages": [{"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": [{"type": "text", "text": "I look."}, {"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "input": {"city": "Oslo", "days": 1}}, {"type": "tool-call", "toolCallId": "c2", "toolName": "clock", "input": {}}]},
            {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1", "toolName": "weather", "output": {"type": "json", "value": {"degrees": 1}}}, {"type": "tool-result", "toolCallId": "c2", "toolName": "clock", "output": {"type": "text", "value": "12"}}]}]}"#,
        // LangChain
        r#"[[{"type": "system", "content": "Be brief."}, {"type": "human", "content": "Weather?"},
            {"type": "ai", "content": "I look.", "tool_calls": [{"name": "weather", "args": {"city": "Oslo", "days": 1}, "id": "c1"}, {"name": "clock", "args": {}, "id": "c2"}]},
            {"type": "tool", "content": "{\"degrees\": 1}", "tool_call_id": "c1"}, {"type": "tool", "content": "12", "tool_call_id": "c2"}]]"#,
        // OpenInference
        r#"[{"message": {"role": "system", "content": "Be brief."}}, {"message": {"role": "user", "contents": [{"message_content": {"type": "text", "text": "Weather?"}}]}},
            {"message": {"role": "assistant", "content": "I look.", "tool_calls": [{"tool_call": {"id": "c1", "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\", \"days\": 1}"}}}, {"tool_call": {"function": {"name": "clock", "arguments": "{}"}}}]}},
            {"message": {"role": "tool", "tool_call_id": "c1", "content": "{\"degrees\": 1}"}}, {"message": {"role": "tool", "content": "12"}}]"#,
    ];
    let expected = fingerprints(openai);
    assert_eq!(expected.len(), 5);
    for form in forms {
        assert_eq!(fingerprints(form), expected, "{form}");
    }
}

#[test]
fn an_answer_is_the_same_in_the_next_calls_history() {
    let answer = r#"{"output": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "I look. "}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": "{}"}]}"#;
    let history = r#"{"input": [{"role": "assistant", "content": "I look."}, {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": ""}]}"#;
    assert_eq!(fingerprints(answer), fingerprints(history));
}

#[test]
fn what_may_differ_does_not_count() {
    let same = [
        r#"{"role": "user", "content": "Hello\nthere"}"#,
        r#"{"role": "human", "name": "ann", "content": " Hello\nthere\n"}"#,
        r#"{"role": "user", "finish_reason": "stop", "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "there"}]}"#,
    ];
    let image = [
        r#"{"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA+/Aw=="}}]}"#,
        r#"{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA+/Aw=="}}, {"type": "text", "text": "See"}]}"#,
        r#"{"role": "user", "parts": [{"text": "See"}, {"inlineData": {"mimeType": "image/png", "data": "AA-_Aw"}}]}"#,
    ];
    let nothing = [
        r#"{"role": "tool", "tool_call_id": "a", "content": ""}"#,
        r#"{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "b"}]}"#,
        r#"{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "b", "content": []}]}"#,
    ];
    for group in [same, image, nothing] {
        let all: HashSet<_> = group.iter().flat_map(|document| fingerprints(document)).collect();
        assert_eq!(all.len(), 1, "{group:?}");
    }
}

#[test]
fn what_is_said_counts() {
    let call = |name: &str, arguments: &str| {
        format!(
            r#"{{"role": "assistant", "tool_calls": [{{"id": "c", "name": "{name}", "arguments": {arguments}}}]}}"#
        )
    };
    let different = [
        r#"{"role": "user", "content": "Hello"}"#.to_owned(),
        r#"{"role": "assistant", "content": "Hello"}"#.to_owned(),
        r#"{"role": "system", "content": "Hello"}"#.to_owned(),
        r#"{"role": "tool", "content": "Hello"}"#.to_owned(),
        r#"{"role": "user", "content": "Hel lo"}"#.to_owned(),
        r#"{"role": "assistant", "content": "a", "tool_calls": [{"name": "b", "arguments": "{}"}]}"#
            .to_owned(),
        r#"{"role": "assistant", "content": "ab"}"#.to_owned(),
        call("a", "{}"),
        call("b", "{}"),
        call("a", r#"{"x": 1}"#),
        call("a", r#"{"x": "1"}"#),
        call("a", r#"{"x": 1.5}"#),
        call("a", r#"{"x": [1]}"#),
        call("a", r#"{"x": null}"#),
        call("a", r#"{"x": 9007199254740993}"#),
        call("a", r#"{"x": 9007199254740992}"#),
        r#"{"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png;base64,AAEC"}]}"#
            .to_owned(),
        r#"{"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png;base64,AAED"}]}"#
            .to_owned(),
        r#"{"role": "user", "content": [{"type": "image_url", "image_url": "https://a/b"}]}"#.to_owned(),
    ];
    let all: HashSet<_> = different.iter().flat_map(|document| fingerprints(document)).collect();
    assert_eq!(all.len(), different.len());
}
