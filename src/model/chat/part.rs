//! One part of a message, told by its `type` or, where the form has none, by the member that it holds.

use serde_json::Value;

use super::{
    ChatPart, call, data,
    fields::{self, Fields, take_object},
    media, result,
};

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A text told by nothing but its member.
    BareText,
    Reasoning,
    Call,
    /// A call of a tool of the provider's, whose type is its name.
    ProviderCall,
    Result,
    Media,
    /// A part in a wrapper of its own.
    Wrapped,
    /// Where a step begins or a cache ends: nothing is said.
    Mark,
}

impl Kind {
    /// Whether the object may as well be something else that has a text.
    pub fn is_bare(self) -> bool {
        self == Self::BareText
    }
}

/// What kind of part an object is; `None` if it is none that is known.
pub(super) fn kind(object: &Fields) -> Option<Kind> {
    match fields::text(object, "type") {
        Some(name) => of_type(name, object).or_else(|| of_members(object)),
        None => of_members(object).or_else(|| {
            let is_text = object.get("text").is_some_and(|text| text.is_string() || text.is_object());
            let is_thought = object.get("thought").and_then(Value::as_bool).unwrap_or(false);
            is_text.then_some(if is_thought { Kind::Reasoning } else { Kind::BareText })
        }),
    }
}

/// Whether an object can hardly be anything but a part, though it was found in a text: a model's answer
/// may be a list of files, or a text with a score.
pub(super) fn is_plainly_one(object: &Fields) -> bool {
    match kind(object) {
        Some(Kind::BareText) => object.len() == 1,
        Some(Kind::Media) => media::has_source(object),
        kind => kind.is_some(),
    }
}

fn of_type(name: &str, object: &Fields) -> Option<Kind> {
    Some(match name {
        "text" | "input_text" | "output_text" | "summary_text" | "refusal" | "compaction" => Kind::Text,
        "reasoning" | "thinking" | "redacted_thinking" | "reasoning_text" | "reasoning_content" => {
            Kind::Reasoning
        }
        // Definitions of tools have this type too.
        "function" | "custom" => return call::is_call(object).then_some(Kind::Call),
        "tool_call" | "tool-call" | "toolCall" | "tool_use" | "function_call" | "custom_tool_call"
        | "server_tool_use" | "server_tool_call" | "mcp_tool_use" | "tool-invocation" | "dynamic-tool"
        | "tool_call_chunk" | "invalid_tool_call" => Kind::Call,
        "tool_call_response"
        | "tool_result"
        | "tool-result"
        | "tool_response"
        | "tool-error"
        | "server_tool_call_response" => Kind::Result,
        "image" | "image_url" | "image-url" | "input_image" | "output_image" | "image_file" | "audio"
        | "audio_url" | "audio-url" | "input_audio" | "output_audio" | "video" | "video_url"
        | "video-url" | "input_video" | "file" | "file_url" | "input_file" | "document" | "document_url"
        | "document-url" | "blob" | "binary" | "uri" | "media" | "container_upload" => Kind::Media,
        "step-start" | "step_start" => Kind::Mark,
        _ if name.ends_with("_call_output") || name.ends_with("_tool_result") => Kind::Result,
        _ if name.ends_with("_call") && call::has_id(object) => Kind::ProviderCall,
        // The Vercel AI SDK's messages for a page name the tool in the type.
        _ if name.starts_with("tool-") && call::has_id(object) => Kind::Call,
        _ => return None,
    })
}

fn of_members(object: &Fields) -> Option<Kind> {
    // A request may name the function to call.
    if object.contains_key("messages") {
        return None;
    }
    object.iter().find_map(|(name, value)| of_member(name, value, object))
}

fn of_member(name: &str, value: &Value, object: &Fields) -> Option<Kind> {
    match (name, value) {
        (
            "functionCall" | "function_call" | "toolUse" | "tool_call" | "toolCall" | "executableCode"
            | "executable_code",
            Value::Object(_),
        ) => Some(Kind::Call),
        (
            "functionResponse"
            | "function_response"
            | "toolResult"
            | "codeExecutionResult"
            | "code_execution_result",
            Value::Object(_),
        ) => Some(Kind::Result),
        ("inlineData" | "inline_data" | "fileData" | "file_data", Value::Object(_)) => Some(Kind::Media),
        ("image" | "audio" | "video" | "document", Value::Object(inner)) => {
            fields::has_any(inner, &["source", "format"]).then_some(Kind::Media)
        }
        ("reasoningContent" | "reasoning_content", Value::Object(_)) => Some(Kind::Reasoning),
        ("cachePoint" | "cache_point", Value::Object(_)) => Some(Kind::Mark),
        ("guardContent" | "message_content", Value::Object(_)) => Some(Kind::Wrapped),
        ("toolCallId" | "call_id", Value::String(_)) => {
            Some(if result::is_answer(object) { Kind::Result } else { Kind::Call })
        }
        ("function" | "arguments" | "args" | "input", _) => call::is_call(object).then_some(Kind::Call),
        _ => None,
    }
}

/// Reads parts, one after the other.
pub(super) fn read_all(items: Vec<Value>, levels: u8, parts: &mut Vec<ChatPart>) {
    parts.reserve(items.len());
    for item in items {
        read(item, levels, parts);
    }
}

/// Reads a part. What is not known is kept as it is.
pub(super) fn read(value: Value, levels: u8, parts: &mut Vec<ChatPart>) {
    match value {
        Value::Null => {}
        Value::String(text) => parts.push(ChatPart::Text(text)),
        Value::Object(object) => match kind(&object) {
            Some(kind) => read_object(object, kind, levels, parts),
            None if object.is_empty() => {}
            None => parts.push(ChatPart::Other(data::json(Value::Object(object)))),
        },
        other => parts.push(ChatPart::Other(data::json(other))),
    }
}

/// The parts that an object of a kind holds.
pub(super) fn of_object(object: Fields, kind: Kind, levels: u8) -> Vec<ChatPart> {
    let mut parts = Vec::new();
    read_object(object, kind, levels, &mut parts);
    parts
}

fn read_object(mut object: Fields, kind: Kind, levels: u8, parts: &mut Vec<ChatPart>) {
    match kind {
        Kind::Mark => {}
        Kind::Text | Kind::BareText => read_text(object, levels, parts),
        Kind::Reasoning => read_reasoning(Value::Object(object), levels, parts),
        Kind::Call => call::read(object, parts),
        Kind::ProviderCall => call::read_of_provider(object, parts),
        Kind::Result => parts.push(result::read(object)),
        Kind::Media => match media::text_document(&mut object) {
            Some(content) => read_inside(content, levels, parts),
            None => parts.push(media::read(object)),
        },
        Kind::Wrapped => {
            let inner =
                ["message_content", "guardContent"].iter().find_map(|name| take_object(&mut object, name));
            read_inside(inner.map_or(Value::Null, Value::Object), levels, parts);
        }
    }
}

/// Reads what stands one level further in, if that is not too deep.
fn read_inside(value: Value, levels: u8, parts: &mut Vec<ChatPart>) {
    let Some(levels) = levels.checked_sub(1) else { return };
    match value {
        Value::Array(items) => read_all(items, levels, parts),
        value => read(value, levels, parts),
    }
}

fn read_text(mut object: Fields, levels: u8, parts: &mut Vec<ChatPart>) {
    match fields::take(&mut object, &["text", "content", "refusal", "value"]) {
        Some(Value::String(text)) if !text.is_empty() => parts.push(ChatPart::Text(text)),
        // `{text: {value: "…", annotations}}`, and Bedrock's `{text: {text: "…"}}`.
        Some(Value::Object(inner)) if levels > 0 => read_text(inner, levels - 1, parts),
        _ => {}
    }
}

/// Reads reasoning from wherever its text is: a text, a list of them, or an object with one.
pub(super) fn read_reasoning(value: Value, levels: u8, parts: &mut Vec<ChatPart>) {
    const NAMES: [&str; 7] =
        ["text", "content", "reasoning", "thinking", "summary", "reasoningText", "reasoning_text"];
    let Some(inside) = levels.checked_sub(1) else { return };
    match value {
        Value::String(text) if !text.is_empty() => parts.push(ChatPart::Reasoning(text)),
        Value::Array(items) => items.into_iter().for_each(|item| read_reasoning(item, inside, parts)),
        Value::Object(mut object) => {
            let wrapped = fields::take(&mut object, &["reasoningContent", "reasoning_content"]);
            if let Some(value) = wrapped {
                return read_reasoning(value, inside, parts);
            }
            for name in NAMES {
                read_reasoning(object.remove(name).unwrap_or_default(), inside, parts);
            }
        }
        _ => {}
    }
}
