//! Tests of what is read from each form: every message as one line.

mod any;
mod fingerprints;
mod instrumentations;
mod providers;
mod texts;

use super::{ChatMessage, ChatPart, read_messages};
use crate::model::{Json, message::MessageRole};

fn read(document: &str) -> Vec<ChatMessage> {
    read_as(document, MessageRole::User)
}

fn read_as(document: &str, default_role: MessageRole) -> Vec<ChatMessage> {
    read_messages(&Json::parse(document).unwrap(), default_role)
}

/// What `document` says, by the user where it names nobody.
fn told(document: &str) -> Vec<String> {
    read(document).iter().map(line).collect()
}

/// As [`told`], by the assistant where it names nobody.
fn answered(document: &str) -> Vec<String> {
    read_as(document, MessageRole::Assistant).iter().map(line).collect()
}

/// `ASSISTANT ann [stop]: Hello | weather#1({"city":"Paris"})`
fn line(message: &ChatMessage) -> String {
    let name = message.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let finish = message.finish_reason.as_ref().map(|reason| format!(" [{reason}]")).unwrap_or_default();
    let parts: Vec<_> = message.parts.iter().map(part).collect();
    format!("{}{name}{finish}: {}", message.role, parts.join(" | "))
}

fn part(part: &ChatPart) -> String {
    let of = |id: &Option<String>| id.as_ref().map(|id| format!("#{id}")).unwrap_or_default();
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
    match part {
        ChatPart::Text(text) => text.clone(),
        ChatPart::Reasoning(text) => format!("({text})"),
        ChatPart::ToolCall { id, name, arguments } => format!("{name}{}({arguments:?})", of(id)),
        ChatPart::ToolResult { id, name, result } => {
            format!("{}{} -> {result:?}", name.clone().unwrap_or_default(), of(id))
        }
        ChatPart::Media { mime_type, uri, bytes, modality, .. } => {
            let bytes = bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
            format!("<{} {} {} {bytes}>", word(modality), word(mime_type), word(uri))
        }
        ChatPart::Other(document) => format!("?{document:?}"),
    }
}
