//! Calls of tools.

use serde_json::Value;

use super::{
    ChatPart, data,
    fields::{self, Fields, take, take_id, take_object, take_text},
    result,
};
use crate::model::Json;

/// What a call may be wrapped in, from outside in.
const WRAPPERS: [&str; 8] = [
    "tool_call",
    "toolCall",
    "functionCall",
    "function_call",
    "toolUse",
    "toolInvocation",
    "function",
    "custom",
];
const IDS: [&str; 6] = ["call_id", "toolCallId", "tool_call_id", "toolUseId", "tool_use_id", "id"];
const NAMES: [&str; 4] = ["name", "toolName", "tool_name", "function"];
const ARGUMENTS: [&str; 4] = ["arguments", "args", "input", "parameters"];

/// The name under which the code that a model runs at the provider's is called.
pub(super) const CODE_EXECUTION: &str = "code_execution";

/// Whether an object calls a tool, told by its members. Definitions of tools look much like calls.
pub(super) fn is_call(object: &Fields) -> bool {
    if let Some(Value::Object(function)) = object.get("function").or_else(|| object.get("custom")) {
        return fields::has_text(function, "name")
            && (function.contains_key("arguments")
                || function.contains_key("input")
                || object.contains_key("id"));
    }
    let named = fields::has_text(object, "name") || fields::has_text(object, "function");
    let called = object.contains_key("arguments") || object.contains_key("args");
    let identified = object.contains_key("id") && object.contains_key("input");
    named && (called || identified) && !object.contains_key("description")
}

/// Whether an object has what a call or its result is known by.
pub(super) fn has_id(object: &Fields) -> bool {
    fields::has_any(object, &IDS)
}

/// Reads the calls in a list.
pub(super) fn read_all(items: Vec<Value>, parts: &mut Vec<ChatPart>) {
    parts.reserve(items.len());
    for item in items {
        if let Value::Object(object) = item {
            read(object, parts);
        }
    }
}

/// Reads a call, and its result where it holds that too.
pub(super) fn read(mut object: Fields, parts: &mut Vec<ChatPart>) {
    let type_name = take_text(&mut object, &["type"]);
    let mut outer_id = None;
    for wrapper in WRAPPERS {
        if let Some(inner) = take_object(&mut object, wrapper) {
            outer_id = take_id(&mut object, &IDS).or(outer_id);
            object = inner;
        }
    }
    for name in ["executableCode", "executable_code"] {
        if let Some(code) = take_object(&mut object, name) {
            let arguments = data::whole_json(Value::Object(code));
            parts.push(ChatPart::ToolCall { id: None, name: CODE_EXECUTION.to_owned(), arguments });
            return;
        }
    }
    let id = take_id(&mut object, &IDS).or(outer_id);
    let in_type = || type_name.as_deref().and_then(|name| name.strip_prefix("tool-")).map(str::to_owned);
    let name = take_text(&mut object, &NAMES).or_else(in_type).unwrap_or_default();
    let of_server = take_object(&mut object, "server_tool_call").map(|mut call| {
        call.remove("type");
        call.remove("arguments").unwrap_or(Value::Object(call))
    });
    let arguments = arguments(take(&mut object, &ARGUMENTS).or(of_server));
    push(parts, id, name, arguments, &mut object);
}

/// Reads a call of one of the provider's own tools: `web_search_call` with whatever it was called with.
pub(super) fn read_of_provider(mut object: Fields, parts: &mut Vec<ChatPart>) {
    let type_name = take_text(&mut object, &["type"]).unwrap_or_default();
    let in_type = || type_name.strip_suffix("_call").unwrap_or(&type_name).to_owned();
    let id = take_id(&mut object, &IDS);
    let name = take_text(&mut object, &["name"]).unwrap_or_else(in_type);
    let mut answer = Fields::new();
    for name in result::ANSWERS {
        if let Some((name, value)) = object.remove_entry(name) {
            answer.insert(name, value);
        }
    }
    object.retain(|name, value| !["id", "status", "role"].contains(&name.as_str()) && !value.is_null());
    let arguments = match object.remove("arguments") {
        Some(given) => arguments(Some(given)),
        None => data::json(Value::Object(object)),
    };
    push(parts, id, name, arguments, &mut answer);
}

fn push(parts: &mut Vec<ChatPart>, id: Option<String>, name: String, arguments: Json, answer: &mut Fields) {
    let answer = take(answer, &result::ANSWERS).map(|answer| ChatPart::ToolResult {
        id: id.clone(),
        name: Some(name.clone()),
        result: result::of(Some(answer)),
    });
    parts.push(ChatPart::ToolCall { id, name, arguments });
    parts.extend(answer);
}

/// Arguments as the model wrote them: JSON in a text, most often. A text that is no JSON stays a text.
pub(super) fn arguments(given: Option<Value>) -> Json {
    match given {
        None | Some(Value::Null) => Json::empty_object(),
        Some(Value::String(text)) if text.trim().is_empty() => Json::empty_object(),
        Some(Value::String(text)) => Json::parse(&text).unwrap_or_else(|_| Json::string(&text)),
        Some(value) => data::whole_json(value),
    }
}
