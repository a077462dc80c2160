//! The forms in which frameworks and instrumentations write messages down.

use super::{answered, line, read_as, told};
use crate::model::message::MessageRole;

#[test]
fn opentelemetry() {
    let messages = r#"[
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAEC"},
            {"type": "uri", "modality": "video", "mime_type": "video/mp4", "uri": "gs://a/b.mp4"},
            {"type": "file", "modality": "image", "file_id": "file-1"}]},
        {"role": "assistant", "finish_reason": "tool_call", "parts": [{"type": "reasoning", "content": "Hm."},
            {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}},
            {"type": "tool_call", "id": "c2", "name": "clock", "arguments": null},
            {"type": "server_tool_call", "id": "s1", "name": "search", "server_tool_call": {"type": "web", "query": "cats"}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"degrees": 1}}]},
        {"role": "user", "parts": [{"type": "tool_call_response", "id": "c2", "name": "clock", "result": "noon"}, {"type": "text", "content": "So?"}]},
        {"role": "assistant", "parts": [{"type": "custom", "shade": "red"}]}]"#;
    assert_eq!(
        told(messages),
        [
            "USER: Weather? | <image image/png - 3> | <video video/mp4 gs://a/b.mp4 -> | <image - file-1 ->",
            "ASSISTANT [tool_call]: (Hm.) | weather#c1({\"city\":\"Oslo\"}) | clock#c2({}) | search#s1({\"query\":\"cats\"})",
            "TOOL: #c1 -> {\"degrees\":1}",
            "TOOL: clock#c2 -> \"noon\"",
            "USER: So?",
            "ASSISTANT: ?{\"shade\":\"red\",\"type\":\"custom\"}",
        ]
    );
}

#[test]
fn opentelemetry_instructions_and_events() {
    let instructions =
        r#"[{"type": "text", "content": "Be brief."}, {"type": "text", "content": "Be kind."}]"#;
    let read: Vec<_> = read_as(instructions, MessageRole::System).iter().map(line).collect();
    assert_eq!(read, ["SYSTEM: Be brief. | Be kind."]);
    let choice =
        r#"{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}"#;
    assert_eq!(answered(choice), ["ASSISTANT [stop]: Hello"]);
    assert_eq!(
        told(r#"{"id": "c1", "role": "tool", "content": {"degrees": 1}}"#),
        ["TOOL: #c1 -> {\"degrees\":1}"]
    );
}

#[test]
fn openinference() {
    let messages = r#"[
        {"message": {"role": "user", "contents": [{"message_content": {"type": "text", "text": "What is this?"}},
            {"message_content": {"type": "image", "image": {"image": {"url": "data:image/png;base64,AAEC"}}}}]}},
        {"message": {"role": "assistant", "contents": [{"message_content": {"type": "reasoning", "text": "Hm."}}], "tool_calls": [
            {"tool_call": {"id": "c1", "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\"}"}}}]}},
        {"message": {"role": "tool", "content": "cold", "tool_call_id": "c1", "name": "weather"}},
        {"message": {"role": "assistant", "function_call_name": "clock", "function_call_arguments_json": "{}"}}]"#;
    assert_eq!(
        told(messages),
        [
            "USER: What is this? | <image image/png - 3>",
            "ASSISTANT: (Hm.) | weather#c1({\"city\": \"Oslo\"})",
            "TOOL: weather#c1 -> \"cold\"",
            "ASSISTANT: clock({})",
        ]
    );
}

#[test]
fn openllmetry() {
    let messages = r#"[
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "[{\"type\": \"text\", \"text\": \"Hello\"}, {\"type\": \"image_url\", \"image_url\": {\"url\": \"https://a/b\"}}]"},
        {"role": "assistant", "content": "", "finish_reason": "tool_calls", "tool_calls": [{"id": "c1", "name": "weather", "arguments": "{\"city\":\"Oslo\"}"}]},
        {"role": "user", "content": "[{\"type\": \"tool_result\", \"tool_use_id\": \"c1\", \"content\": \"cold\"}]"},
        {"role": "tool", "tool_call_id": "c1", "content": "[{\"type\": \"text\", \"text\": \"a tool's own\"}]"},
        {"role": "assistant", "content": "[{\"city\": \"Oslo\"}]"}]"#;
    assert_eq!(
        told(messages),
        [
            "SYSTEM: Be brief.",
            "USER: Hello | <image - https://a/b ->",
            "ASSISTANT [tool_calls]: weather#c1({\"city\":\"Oslo\"})",
            "TOOL: #c1 -> \"cold\"",
            "TOOL: #c1 -> \"[{\\\"type\\\": \\\"text\\\", \\\"text\\\": \\\"a tool's own\\\"}]\"",
            "ASSISTANT: [{\"city\": \"Oslo\"}]",
        ]
    );
}

#[test]
fn vercel_ai_sdk() {
    let prompt = r#"{"system": "Be brief.", "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image", "image": "AAEC", "mediaType": "image/png"},
            {"type": "file", "data": "https://a/b.pdf", "mediaType": "application/pdf"}]},
        {"role": "assistant", "content": [{"type": "reasoning", "text": "Hm."}, {"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "args": {"city": "Oslo"}},
            {"type": "tool-call", "toolCallId": "c2", "toolName": "clock", "input": {}}]},
        {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1", "toolName": "weather", "result": {"degrees": 1}},
            {"type": "tool-result", "toolCallId": "c2", "toolName": "clock", "output": {"type": "text", "value": "noon"}}]}]}"#;
    assert_eq!(
        told(prompt),
        [
            "SYSTEM: Be brief.",
            "USER: Look | <image image/png - 3> | <- application/pdf https://a/b.pdf ->",
            "ASSISTANT: (Hm.) | weather#c1({\"city\":\"Oslo\"}) | clock#c2({})",
            "TOOL: weather#c1 -> {\"degrees\":1}",
            "TOOL: clock#c2 -> \"noon\"",
        ]
    );
    assert_eq!(told(r#"{"system": "Be brief.", "prompt": "Hello"}"#), ["SYSTEM: Be brief.", "USER: Hello"]);
    let calls = r#"[{"toolCallType": "function", "toolCallId": "c1", "toolName": "weather", "args": "{\"city\":\"Oslo\"}"},
        {"toolCallId": "c2", "toolName": "clock", "input": {"zone": 1}}]"#;
    assert_eq!(answered(calls), ["ASSISTANT: weather#c1({\"city\":\"Oslo\"}) | clock#c2({\"zone\":1})"]);
    assert_eq!(told(calls), answered(calls));
    let answer = r#"{"text": "I look.", "finishReason": "tool-calls", "toolCalls": [{"toolCallId": "c1", "toolName": "weather", "args": {}}]}"#;
    assert_eq!(told(answer), ["ASSISTANT [tool-calls]: I look. | weather#c1({})"]);
}

#[test]
fn vercel_ai_sdk_messages_of_a_page() {
    let messages = r#"[{"id": "m1", "role": "assistant", "content": "Cold.", "parts": [{"type": "step-start"},
        {"type": "tool-invocation", "toolInvocation": {"state": "result", "toolCallId": "c1", "toolName": "weather", "args": {}, "result": "cold"}},
        {"type": "tool-clock", "toolCallId": "c2", "state": "output-available", "input": {}, "output": "noon"},
        {"type": "text", "text": "Cold."}]}]"#;
    assert_eq!(
        told(messages),
        ["ASSISTANT: weather#c1({}) | weather#c1 -> \"cold\" | clock#c2({}) | clock#c2 -> \"noon\" | Cold."]
    );
}

#[test]
fn langchain_constructors() {
    let messages = r#"{"messages": [[
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "SystemMessage"], "kwargs": {"content": "Be brief.", "type": "system"}},
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": "Weather?"}},
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"], "kwargs": {
            "content": [{"type": "text", "text": "I look."}, {"type": "tool_use", "id": "c1", "name": "weather", "input": {}}],
            "tool_calls": [{"type": "tool_call", "name": "weather", "args": {"city": "Oslo"}, "id": "c1"}],
            "response_metadata": {"stop_reason": "tool_use"}}},
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "ToolMessage"], "kwargs": {"content": "cold", "tool_call_id": "c1", "name": "weather", "id": "m4"}},
        {"lc": 1, "type": "constructor", "id": ["langchain_core", "messages", "ChatMessage"], "kwargs": {"content": "Ha.", "role": "user"}}]]}"#;
    assert_eq!(
        told(messages),
        [
            "SYSTEM: Be brief.",
            "USER: Weather?",
            "ASSISTANT [tool_use]: I look. | weather#c1({\"city\":\"Oslo\"})",
            "TOOL: weather#c1 -> \"cold\"",
            "USER: Ha.",
        ]
    );
}

#[test]
fn langchain_messages_and_generations() {
    let messages = r#"{"messages": [
        {"type": "human", "content": "Weather?"},
        {"type": "human", "data": {"content": "Please.", "type": "human"}},
        {"type": "ai", "content": "", "additional_kwargs": {"reasoning_content": "Hm.", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]}},
        {"type": "ai", "content": "", "tool_calls": [], "invalid_tool_calls": [{"name": "weather", "args": "{\"ci", "id": "c2", "error": "no JSON"}]},
        {"type": "tool", "content": "cold", "tool_call_id": "c1"}]}"#;
    assert_eq!(
        told(messages),
        [
            "USER: Weather?",
            "USER: Please.",
            "ASSISTANT: (Hm.) | weather#c1({})",
            "ASSISTANT: weather#c2(\"{\\\"ci\")",
            "TOOL: #c1 -> \"cold\"",
        ]
    );
    let result = r#"{"generations": [[{"text": "Cold.", "type": "ChatGeneration", "generation_info": {"finish_reason": "stop"},
        "message": {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"], "kwargs": {"content": "Cold."}}}],
        [{"text": "Warm.", "type": "Generation", "generation_info": {"finish_reason": "length"}}]], "llm_output": null, "type": "LLMResult"}"#;
    assert_eq!(told(result), ["ASSISTANT [stop]: Cold.", "ASSISTANT [length]: Warm."]);
    let chain = r#"{"inputs": {"messages": [["human", "Hello"], ["ai", "Hi"]]}, "tags": [], "kwargs": {}}"#;
    assert_eq!(told(chain), ["USER: Hello", "ASSISTANT: Hi"]);
    assert_eq!(
        told(r#"[["system", "Be brief."], ["human", "Hello"]]"#),
        ["SYSTEM: Be brief.", "USER: Hello"]
    );
    assert_eq!(told(r#"{"output": "Cold."}"#), ["ASSISTANT: Cold."]);
}

#[test]
fn autogen_and_llama_index() {
    let autogen = r#"[{"type": "UserMessage", "source": "user", "content": "Weather?"},
        {"type": "AssistantMessage", "source": "agent", "content": [{"id": "c1", "name": "weather", "arguments": "{}"}]},
        {"type": "FunctionExecutionResultMessage", "content": [{"call_id": "c1", "name": "weather", "content": "cold", "is_error": false}]}]"#;
    assert_eq!(
        told(autogen),
        ["USER: Weather?", "ASSISTANT: weather#c1({})", "TOOL: weather#c1 -> \"cold\""]
    );
    let llama = r#"[{"role": "MessageRole.USER", "additional_kwargs": {}, "blocks": [{"block_type": "text", "text": "Hello"}]}]"#;
    assert_eq!(told(llama), ["USER: Hello"]);
}
