//! The forms in which providers take and give messages.

use super::{answered, told};

#[test]
fn openai_chat_requests() {
    let request = r#"{"model": "gpt-5", "function_call": {"name": "weather"}, "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "name": "ann", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAECAw=="}},
            {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "wav"}},
            {"type": "file", "file": {"file_id": "file-1"}}]},
        {"role": "assistant", "content": null, "reasoning_content": "A cat?", "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Paris\"}"}},
            {"id": "call_2", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Ro"}},
            {"id": "call_3", "type": "custom", "custom": {"name": "shell", "input": "ls -l"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "{\"temperature\": 20}"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": null, "refusal": "I cannot say."},
        {"role": "assistant", "content": "", "function_call": {"name": "clock", "arguments": ""}},
        {"role": "function", "name": "clock", "content": "noon"}]}"#;
    assert_eq!(
        told(request),
        [
            "SYSTEM: Be brief.",
            "USER ann: What is this? | <image - https://example.com/cat.png -> | <image image/png - 4> \
             | <audio audio/wav - 3> | <- - file-1 ->",
            "ASSISTANT: (A cat?) | weather#call_1({\"city\": \"Paris\"}) | weather#call_2(\"{\\\"city\\\": \\\"Ro\") \
             | shell#call_3(\"ls -l\")",
            "TOOL: #call_1 -> \"{\\\"temperature\\\": 20}\"",
            "TOOL: #call_2 -> \"one\\ntwo\"",
            "ASSISTANT: I cannot say.",
            "ASSISTANT: clock({})",
            "TOOL: clock -> \"noon\"",
        ]
    );
}

#[test]
fn openai_chat_responses() {
    let response = r#"{"id": "chatcmpl-1", "object": "chat.completion", "choices": [
        {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "Let me see.",
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]}},
        {"index": 1, "finish_reason": "stop", "delta": {"content": "Sunny."}},
        {"index": 2, "finish_reason": "length", "text": "It is"},
        {"index": 3, "finish_reason": "content_filter", "message": {"role": "assistant", "content": null}}]}"#;
    assert_eq!(
        told(response),
        [
            "ASSISTANT [tool_calls]: Let me see. | weather#call_1({})",
            "ASSISTANT [stop]: Sunny.",
            "ASSISTANT [length]: It is",
        ]
    );
}

#[test]
fn openai_responses_requests() {
    let request = r#"{"model": "gpt-5", "instructions": "Be brief.", "tools": [{"type": "function", "name": "weather"}],
        "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "And this?"}, {"type": "input_image", "image_url": "data:image/gif;base64,R0lG"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look it up."}], "encrypted_content": "gAAA"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "One moment.", "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{\"city\":\"Oslo\"}"},
        {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "weather", "arguments": "{\"city\":\"Rome\"}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "cold"},
        {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "warm"}]},
        {"type": "item_reference", "id": "msg_1"}]}"#;
    assert_eq!(
        told(request),
        [
            "SYSTEM: Be brief.",
            "USER: And this? | <image image/gif - 3>",
            "ASSISTANT: (Look it up.) | One moment. | weather#call_1({\"city\":\"Oslo\"}) | weather#call_2({\"city\":\"Rome\"})",
            "TOOL: #call_1 -> \"cold\"",
            "TOOL: #call_2 -> \"warm\"",
        ]
    );
    assert_eq!(told(r#"{"instructions": "Sing.", "input": "Now?"}"#), ["SYSTEM: Sing.", "USER: Now?"]);
}

#[test]
fn openai_responses_responses() {
    let response = r#"{"object": "response", "instructions": "Be brief.", "text": {"format": {"type": "text"}}, "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "cats"}},
        {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "IMAGE"},
        {"type": "mcp_call", "id": "mcp_1", "name": "read", "server_label": "files", "arguments": "{\"path\":\"a\"}", "output": "text"},
        {"type": "message", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": "Cats.", "annotations": []}, {"type": "refusal", "refusal": "No more."}]}]}"#;
    let image = "iVBOR".repeat(400);
    assert_eq!(
        told(&response.replace("IMAGE", &image)),
        [
            "ASSISTANT: web_search#ws_1({\"action\":{\"query\":\"cats\",\"type\":\"search\"}}) | image_generation#ig_1({}) \
             | image_generation#ig_1 -> \"[1500 bytes]\" | read#mcp_1({\"path\":\"a\"}) | read#mcp_1 -> \"text\"",
            "ASSISTANT: Cats. | No more.",
        ]
    );
}

#[test]
fn anthropic_requests() {
    let request = r#"{"model": "claude", "max_tokens": 9, "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "thinking": {"type": "enabled"}, "tools": [{"name": "weather", "input_schema": {}}], "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Two cities.", "signature": "Eq"},
            {"type": "redacted_thinking", "data": "Em"},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}},
            {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "cold"},
            {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": [
                {"type": "text", "text": "a map"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"}}]},
            {"type": "text", "text": "And here?"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AAEC"}},
            {"type": "document", "title": "Notes", "source": {"type": "text", "media_type": "text/plain", "data": "Some notes."}},
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
            {"type": "search_result", "title": "Cats"}]}]}"#;
    assert_eq!(
        told(request),
        [
            "SYSTEM: Be brief.",
            "USER: Weather?",
            "ASSISTANT: (Two cities.) | I look. | weather#toolu_1({\"city\":\"Oslo\"}) | weather#toolu_2({})",
            "TOOL: #toolu_1 -> \"cold\"",
            "TOOL: #toolu_2 -> [{\"text\":\"a map\",\"type\":\"text\"},{\"source\":{\"data\":\"[3 bytes]\",\
             \"media_type\":\"image/png\",\"type\":\"base64\"},\"type\":\"image\"}]",
            "USER: And here? | <image image/jpeg - 3> | Some notes. | <document - https://example.com/a.pdf -> \
             | ?{\"title\":\"Cats\",\"type\":\"search_result\"}",
        ]
    );
}

#[test]
fn anthropic_responses() {
    let response = r#"{"id": "msg_1", "type": "message", "role": "assistant", "stop_reason": "tool_use", "content": [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result", "url": "https://example.com"}]},
        {"type": "text", "text": "Found."}]}"#;
    assert_eq!(
        told(response),
        ["ASSISTANT [tool_use]: web_search#srvtoolu_1({\"query\":\"cats\"}) \
          | #srvtoolu_1 -> [{\"type\":\"web_search_result\",\"url\":\"https://example.com\"}] | Found."]
    );
}

#[test]
fn gemini_requests() {
    let request = r#"{"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": [
        {"role": "user", "parts": [{"text": "Look"}, {"inlineData": {"mimeType": "image/png", "data": "AAECAw"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://a/b.mp4"}}]},
        {"role": "model", "parts": [{"text": "Hm.", "thought": true}, {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "A"}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"result": "cold"}}},
            {"function_response": {"id": "2", "name": "clock", "response": {"result": 12}}}]}]}"#;
    assert_eq!(
        told(request),
        [
            "SYSTEM: Be brief.",
            "USER: Look | <image image/png - 4> | <video video/mp4 gs://a/b.mp4 ->",
            "ASSISTANT: (Hm.) | weather({\"city\":\"Oslo\"})",
            "TOOL: weather -> {\"result\":\"cold\"}",
            "TOOL: clock#2 -> {\"result\":12}",
        ]
    );
    let python = r#"{"model": "gemini", "config": {"system_instruction": "Sing."}, "contents": ["One", {"text": "Two", "function_call": null}]}"#;
    assert_eq!(told(python), ["SYSTEM: Sing.", "USER: One | Two"]);
}

#[test]
fn gemini_responses() {
    let response = r#"{"candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [
        {"executableCode": {"language": "PYTHON", "code": "1+1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}}, {"text": "Two."}]}}]}"#;
    assert_eq!(
        told(response),
        ["ASSISTANT [STOP]: code_execution({\"code\":\"1+1\",\"language\":\"PYTHON\"}) \
          | code_execution -> {\"outcome\":\"OUTCOME_OK\",\"output\":\"2\"} | Two."]
    );
}

#[test]
fn bedrock_and_strands() {
    let request = r#"{"system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}], "messages": [
        {"role": "user", "content": [{"text": "Weather?"}, {"image": {"format": "png", "source": {"bytes": "AAEC"}}},
            {"document": {"format": "pdf", "name": "a", "source": {"s3Location": {"uri": "s3://a/b"}}}}]},
        {"role": "assistant", "content": [{"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "A"}}},
            {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "status": "success", "content": [{"text": "cold"}]}},
            {"toolResult": {"toolUseId": "t2", "content": [{"json": {"degrees": 1}}]}}]}]}"#;
    assert_eq!(
        told(request),
        [
            "SYSTEM: Be brief.",
            "USER: Weather? | <image image/png - 3> | <document application/pdf s3://a/b ->",
            "ASSISTANT: (Hm.) | weather#t1({\"city\":\"Oslo\"})",
            "TOOL: #t1 -> \"cold\"",
            "TOOL: #t2 -> {\"degrees\":1}",
        ]
    );
    let response = r#"{"output": {"message": {"role": "assistant", "content": [{"text": "Cold."}]}}, "stopReason": "end_turn"}"#;
    assert_eq!(told(response), ["ASSISTANT [end_turn]: Cold."]);
    // strands puts the blocks into an event as a text, beside the reason to stop.
    let event = r#"{"message": "[{\"text\": \"I look.\"}, {\"toolUse\": {\"toolUseId\": \"t1\", \"name\": \"weather\", \"input\": {}}}]", "finish_reason": "tool_use"}"#;
    assert_eq!(answered(event), ["ASSISTANT [tool_use]: I look. | weather#t1({})"]);
}
