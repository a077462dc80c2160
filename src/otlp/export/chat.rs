//! Messages in the form that OpenTelemetry has for them: `[{role, parts: [{type, …}]}]`.

use serde_json::{Map, Value, json};

use crate::model::{
    Json,
    chat::{self, ChatMessage, ChatPart},
    message::MessageRole,
};

/// The messages in a document, as JSON; `None` where there are none, or where something in them has no
/// place in that form: then the document says more.
pub(super) fn messages(document: &Json, role: MessageRole) -> Option<String> {
    let messages = chat::read_messages(document, role);
    if messages.is_empty() || messages.iter().flat_map(|message| &message.parts).any(is_inline) {
        return None;
    }
    let messages: Vec<_> = messages.iter().map(message).collect();
    serde_json::to_string(&messages).ok()
}

/// Whether a part is data, of which only its size is known here.
const fn is_inline(part: &ChatPart) -> bool {
    matches!(part, ChatPart::Media { bytes: Some(_), .. })
}

fn message(message: &ChatMessage) -> Value {
    let mut members = Map::new();
    members.insert("role".to_owned(), message.role.text().to_lowercase().into());
    members.extend(message.name.clone().map(|name| ("name".to_owned(), name.into())));
    members.insert("parts".to_owned(), message.parts.iter().map(part).collect());
    members.extend(message.finish_reason.clone().map(|reason| ("finish_reason".to_owned(), reason.into())));
    Value::Object(members)
}

fn part(part: &ChatPart) -> Value {
    let value = |json: &Json| json.read().unwrap_or(Value::Null);
    let mut members = match part {
        ChatPart::Text(text) => json!({"type": "text", "content": text}),
        ChatPart::Reasoning(text) => json!({"type": "reasoning", "content": text}),
        ChatPart::ToolCall { id, name, arguments } => {
            json!({"type": "tool_call", "id": id, "name": name, "arguments": value(arguments)})
        }
        ChatPart::ToolResult { id, name, result } => {
            json!({"type": "tool_call_response", "id": id, "name": name, "response": value(result)})
        }
        ChatPart::Media { mime_type, uri, modality, .. } => {
            json!({"type": "uri", "modality": modality, "mime_type": mime_type, "uri": uri})
        }
        ChatPart::Other(json) => value(json),
    };
    if let Value::Object(members) = &mut members {
        members.retain(|_, value| !value.is_null());
    }
    members
}
