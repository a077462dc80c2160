//! Messages as JSON, in the form that OpenTelemetry's conventions give them.

use serde_json::{Map, Value, json};

use super::{ChatMessage, ChatPart};
use crate::model::{Json, message::MessageRole};

/// Messages as [`super::read_messages`] reads them again.
#[must_use]
pub fn to_json(messages: impl IntoIterator<Item = ChatMessage>) -> Json {
    Json::of(&messages.into_iter().map(message).collect())
}

/// One message: see [`to_json`].
#[must_use]
pub fn message_to_json(one: ChatMessage) -> Json {
    Json::of(&message(one))
}

fn message(ChatMessage { role, name, parts, finish_reason }: ChatMessage) -> Value {
    let role = match role {
        MessageRole::System => "system",
        MessageRole::User => "user",
        MessageRole::Assistant => "assistant",
        MessageRole::Tool => "tool",
    };
    let mut message = Map::new();
    message.insert("role".to_owned(), role.into());
    message.extend(name.map(|name| ("name".to_owned(), name.into())));
    message.insert("parts".to_owned(), parts.iter().map(part).collect());
    message.extend(finish_reason.map(|why| ("finish_reason".to_owned(), why.into())));
    Value::Object(message)
}

fn part(part: &ChatPart) -> Value {
    let read = |json: &Json| json.read::<Value>().unwrap_or_default();
    match part {
        ChatPart::Text(text) => json!({ "type": "text", "content": text }),
        ChatPart::Reasoning(text) => json!({ "type": "reasoning", "content": text }),
        ChatPart::ToolCall { id, name, arguments } => {
            json!({ "type": "tool_call", "id": id, "name": name, "arguments": read(arguments) })
        }
        ChatPart::ToolResult { id, name, result } => {
            json!({ "type": "tool_call_response", "id": id, "name": name, "response": read(result) })
        }
        ChatPart::Media { mime_type, uri, modality, .. } => {
            json!({ "type": "uri", "mime_type": mime_type, "uri": uri, "modality": modality })
        }
        ChatPart::Other(json) => read(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::chat::read_messages;

    #[test]
    fn what_is_written_is_read_again() {
        let said = |role, parts| ChatMessage { role, name: None, parts, finish_reason: None };
        let call = ChatPart::ToolCall {
            id: Some("c1".to_owned()),
            name: "add".to_owned(),
            arguments: Json::parse(r#"{"a":1}"#).unwrap(),
        };
        let result = ChatPart::ToolResult {
            id: Some("c1".to_owned()),
            name: Some("add".to_owned()),
            result: Json::string("2"),
        };
        let mut answer = said(
            MessageRole::Assistant,
            vec![ChatPart::Reasoning("hm".to_owned()), ChatPart::Text("Let me see.".to_owned()), call],
        );
        answer.finish_reason = Some("tool_calls".to_owned());
        let messages = [
            said(MessageRole::System, vec![ChatPart::Text("Be brief.".to_owned())]),
            said(MessageRole::User, vec![ChatPart::Text("1 + 1?".to_owned())]),
            answer,
            said(MessageRole::Tool, vec![result]),
        ];
        assert_eq!(read_messages(&to_json(messages.clone()), MessageRole::User), messages);
    }
}
