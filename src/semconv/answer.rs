//! What answers of models and tools tell of themselves, where no attribute does.

use serde::Deserialize;

use crate::model::{
    Json,
    chat::{self, ChatPart},
    message::MessageRole,
};

/// The id of a model's answer, where what came out is the provider's own.
pub(super) fn response_id(output: &Json) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        id: String,
        #[serde(rename = "object", alias = "type")]
        _kind: String,
    }
    let answer: Answer = output.is_object().then(|| output.read().ok()).flatten()?;
    Some(answer.id).filter(|id| !id.trim().is_empty())
}

/// The model's id of a tool call and what the tool answered, where what came out is a message to the
/// model, as `LangChain`'s tools have it.
pub(super) fn tool_result(output: &Json) -> Option<(String, Json)> {
    let messages = output.is_object().then(|| chat::read_messages(output, MessageRole::Tool))?;
    match <[_; 1]>::try_from(messages).ok()?.map(|message| message.parts) {
        [parts] => match <[_; 1]>::try_from(parts).ok()? {
            [ChatPart::ToolResult { id: Some(id), result, .. }] => Some((id, result)),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn only_a_providers_answer_has_an_id() {
        let id = |text: &str| response_id(&json(text));
        assert_eq!(id(r#"{"id": "chatcmpl-1", "object": "chat.completion"}"#).as_deref(), Some("chatcmpl-1"));
        assert_eq!(id(r#"{"id": "msg_1", "type": "message", "content": []}"#).as_deref(), Some("msg_1"));
        for other in [r#"{"id": "order-1"}"#, r#"{"lc": 1, "type": "constructor", "id": ["a"]}"#, "[1]"] {
            assert_eq!(id(other), None, "{other}");
        }
    }

    #[test]
    fn a_tools_message_to_the_model_is_what_it_answered() {
        let message =
            json(r#"{"type": "tool", "data": {"content": "sunny", "tool_call_id": "call_1", "name": "w"}}"#);
        assert_eq!(tool_result(&message), Some(("call_1".to_owned(), Json::string("sunny"))));
        assert_eq!(tool_result(&json(r#"{"content": "sunny"}"#)), None);
    }
}
