//! A message's content: a text, or a list of parts of which some are no text.

use serde_json::{Map, Value};

use super::message::taken_text;
use crate::model::{Refusal, message::MessageRole};

/// A message's content.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// The text; of parts, their texts joined by line ends.
    pub text: Option<String>,
    /// The reasoning that stands in parts of its own.
    pub thinking: Option<String>,
}

/// Takes `content` out of a message. Parts that are more than one text stay there as they are.
pub(super) fn take(fields: &mut Map<String, Value>, role: MessageRole) -> Result<Content, Refusal> {
    match fields.remove("content").unwrap_or(Value::Null) {
        Value::String(text) => Ok(Content { text: Some(text), thinking: None }),
        Value::Array(parts) => take_parts(fields, parts),
        // A tool that has nothing to say has said that.
        Value::Null if role == MessageRole::Tool => Ok(Content { text: Some(String::new()), thinking: None }),
        Value::Null => Ok(Content { text: refusal(fields), thinking: None }),
        other if role == MessageRole::Tool => Ok(Content { text: Some(other.to_string()), thinking: None }),
        _ => Err(Refusal::invalid("content", "must be a text or a list of parts")),
    }
}

/// What a model says when it declines.
fn refusal(fields: &Map<String, Value>) -> Option<String> {
    fields.get("refusal").and_then(Value::as_str).map(str::to_owned)
}

fn take_parts(fields: &mut Map<String, Value>, parts: Vec<Value>) -> Result<Content, Refusal> {
    let (mut texts, mut thoughts) = (Vec::new(), Vec::new());
    for (number, part) in parts.iter().enumerate() {
        match part {
            Value::String(text) => texts.push(text.as_str()),
            Value::Object(part) => {
                texts.extend(["text", "refusal"].iter().find_map(|name| part.get(*name)?.as_str()));
                thoughts.extend(["thinking", "reasoning"].iter().find_map(|name| part.get(*name)?.as_str()));
            }
            _ => {
                return Err(Refusal::invalid(
                    format!("content.{number}"),
                    "a part must be an object or a text",
                ));
            }
        }
    }
    let thinking = (!thoughts.is_empty()).then(|| thoughts.join("\n"));
    let content = Content { text: Some(texts.join("\n")), thinking };
    if let [Value::Object(only)] = parts.as_slice()
        && is_plain(only)
    {
        return Ok(content);
    }
    fields.insert("content".to_owned(), Value::Array(parts));
    Ok(content)
}

/// Whether a part says no more than its text.
fn is_plain(part: &Map<String, Value>) -> bool {
    let mut part = part.clone();
    part.remove("type");
    taken_text(&mut part, "text").is_some() && part.is_empty()
}
