//! One message: its content, its reasoning and its calls, wherever its form keeps them.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    ChatMessage, ChatPart, call,
    document::Place,
    fields::{self, FINISH_REASONS, Fields, take, take_finish_reason, take_id, take_object, take_text},
    gather::natural_role,
    lenient, part, result, role,
};
use crate::model::message::MessageRole;

/// Lists of parts; the first that is not empty says what the others say in other words.
const LISTS: [&str; 3] = ["parts", "contents", "blocks"];
/// What is said, where there is no list.
const CONTENT: [&str; 3] = ["content", "text", "message"];
/// Calls of tools beside the content.
const CALLS: [&str; 3] = ["tool_calls", "toolCalls", "invalid_tool_calls"];
/// Reasoning beside the content.
const REASONING: [&str; 4] = ["reasoning_content", "reasoning", "thinking", "reasoningText"];

/// The role of an object that is a message; `None` if it is none.
pub(super) fn role_of(object: &Fields, default: MessageRole) -> Option<MessageRole> {
    if let Some(word) = fields::text(object, "role") {
        return Some(role::of_word(word).unwrap_or(default));
    }
    // `LangChain` and AutoGen name the class.
    let class = fields::text(object, "type").and_then(role::of_class)?;
    let is_message = object.contains_key("content") || fields::has_object(object, "data");
    is_message.then_some(class)
}

/// Whether an object without a role says what only a message does.
pub(super) fn has_more_than_text(object: &Fields) -> bool {
    let said = fields::has_any(object, &CONTENT) && fields::has_any(object, &FINISH_REASONS);
    said || fields::has_any(object, &CALLS) || object.get("parts").is_some_and(Value::is_array)
}

/// Reads a message. Without a role it is said by who says such parts, else by the default one.
pub(super) fn read(mut object: Fields, role: Option<MessageRole>, place: Place) -> ChatMessage {
    // The older way of `LangChain`: `{type, data: {content, …}}`.
    if !object.contains_key("content")
        && let Some(data) = take_object(&mut object, "data")
    {
        object = data;
    }
    let finish_reason = take_finish_reason(&mut object);
    let mut aside = take_object(&mut object, "additional_kwargs").unwrap_or_default();
    let content = take_content(&mut object);
    if role.unwrap_or(place.role) == MessageRole::Tool {
        let parts = tool_parts(content, &mut object, place);
        return ChatMessage { role: MessageRole::Tool, name: None, parts, finish_reason };
    }
    let mut parts = parts_of(content, place);
    parts.extend(take_text(&mut object, &["refusal"]).map(ChatPart::Text));
    add_reasoning(&mut parts, &mut object, &mut aside, place);
    add_calls(&mut parts, &mut object, &mut aside);
    let natural = || parts.iter().find_map(natural_role).unwrap_or(place.role);
    let role = role.unwrap_or_else(natural);
    ChatMessage { role, name: take_text(&mut object, &["name"]), parts, finish_reason }
}

/// A message that is only its content.
pub(super) fn of_content(content: Value, role: MessageRole, place: Place) -> ChatMessage {
    ChatMessage { role, name: None, parts: parts_of(Some(content), place), finish_reason: None }
}

fn take_content(object: &mut Fields) -> Option<Value> {
    let is_list =
        |name: &&str| object.get(*name).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    match LISTS.into_iter().find(is_list) {
        Some(name) => object.remove(name),
        None => take(object, &CONTENT),
    }
}

fn parts_of(content: Option<Value>, place: Place) -> Vec<ChatPart> {
    let mut parts = Vec::new();
    match content {
        None => {}
        Some(Value::String(text)) => match parts_in(&text, place) {
            Some(items) => part::read_all(items, place.levels, &mut parts),
            None => parts.push(ChatPart::Text(text)),
        },
        Some(Value::Array(items)) => part::read_all(items, place.levels, &mut parts),
        Some(Value::Object(mut inner)) => match inner.remove("parts") {
            Some(Value::Array(items)) => part::read_all(items, place.levels, &mut parts),
            Some(other) => part::read(other, place.levels, &mut parts),
            None => part::read(Value::Object(inner), place.levels, &mut parts),
        },
        Some(other) => part::read(other, place.levels, &mut parts),
    }
    parts.retain(|part| !matches!(part, ChatPart::Text(text) if text.is_empty()));
    parts
}

/// The parts in a text that is a list of nothing else.
fn parts_in(text: &str, place: Place) -> Option<Vec<Value>> {
    place.decoded()?;
    let inner = text.trim_ascii();
    if !(inner.starts_with('[') && inner.ends_with(']')) {
        return None;
    }
    let Value::Array(items) = lenient::parse(inner)? else { return None };
    let is_part = |item: &Value| item.as_object().is_some_and(part::is_plainly_one);
    (!items.is_empty() && items.iter().all(is_part)).then_some(items)
}

/// What a tool says: results that name their calls, or whatever the message holds as the one result.
fn tool_parts(content: Option<Value>, object: &mut Fields, place: Place) -> Vec<ChatPart> {
    const IDS: [&str; 6] = ["tool_call_id", "toolCallId", "call_id", "toolUseId", "tool_use_id", "id"];
    let content = match content {
        Some(Value::String(text)) => match parts_in(&text, place).filter(|items| result::any(items)) {
            Some(items) => Some(Value::Array(items)),
            None => Some(Value::String(text)),
        },
        content => content,
    };
    match content {
        Some(Value::Array(items)) if result::any(&items) => parts_of(Some(Value::Array(items)), place),
        content => vec![ChatPart::ToolResult {
            id: take_id(object, &IDS),
            name: take_text(object, &["name", "tool_name", "toolName"]),
            result: result::of(content),
        }],
    }
}

fn add_reasoning(parts: &mut Vec<ChatPart>, object: &mut Fields, aside: &mut Fields, place: Place) {
    if parts.iter().any(|part| matches!(part, ChatPart::Reasoning(_))) {
        return;
    }
    if let Some(value) = take(object, &REASONING).or_else(|| take(aside, &REASONING)) {
        let mut reasoning = Vec::new();
        part::read_reasoning(value, place.levels, &mut reasoning);
        reasoning.append(parts);
        *parts = reasoning;
    }
}

/// Adds the calls that stand beside the content. Where the content has them too, these are the complete
/// ones: a stream's blocks may end before the arguments do.
fn add_calls(parts: &mut Vec<ChatPart>, object: &mut Fields, aside: &mut Fields) {
    let mut calls = take_calls(object);
    if calls.is_empty() {
        calls = take_calls(aside);
    }
    let ids: HashSet<&str> = calls.iter().filter_map(call_id).collect();
    if !ids.is_empty() {
        parts.retain(|part| !call_id(part).is_some_and(|id| ids.contains(id)));
    }
    parts.extend(calls);
}

fn call_id(part: &ChatPart) -> Option<&str> {
    match part {
        ChatPart::ToolCall { id, .. } => id.as_deref(),
        _ => None,
    }
}

fn take_calls(object: &mut Fields) -> Vec<ChatPart> {
    let mut calls = Vec::new();
    for name in CALLS {
        match object.remove(name) {
            Some(Value::Array(items)) => call::read_all(items, &mut calls),
            Some(Value::Object(only)) => call::read(only, &mut calls),
            Some(Value::String(text)) => {
                if let Some(Value::Array(items)) = lenient::parse(&text) {
                    call::read_all(items, &mut calls);
                }
            }
            _ => {}
        }
    }
    // How a call was written before there could be several.
    if let Some(only) = take_object(object, "function_call") {
        call::read(only, &mut calls);
    }
    if let Some(name) = take_text(object, &["function_call_name"]) {
        let arguments = call::arguments(object.remove("function_call_arguments_json"));
        calls.push(ChatPart::ToolCall { id: None, name, arguments });
    }
    calls
}
