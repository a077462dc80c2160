//! Results of tools.

use serde_json::Value;

use super::{
    ChatPart, call, data,
    fields::{self, Fields, take, take_id, take_object, take_text},
    part::{self, Kind},
};
use crate::model::Json;

/// Members that hold an answer where they stand beside a call.
pub(super) const ANSWERS: [&str; 5] = ["output", "result", "outputs", "results", "errorText"];

/// Whether an object that names a call holds the answer to it.
pub(super) fn is_answer(object: &Fields) -> bool {
    fields::has_any(object, &["output", "result", "content", "error"])
        && !fields::has_any(object, &["args", "input", "arguments"])
}

/// Whether one of these parts is a result.
pub(super) fn any(items: &[Value]) -> bool {
    items.iter().any(|item| item.as_object().is_some_and(|item| part::kind(item) == Some(Kind::Result)))
}

/// Reads a result that names its call.
pub(super) fn read(mut object: Fields) -> ChatPart {
    const IDS: [&str; 6] = ["tool_call_id", "toolCallId", "call_id", "tool_use_id", "toolUseId", "id"];
    const VALUES: [&str; 8] = [
        "response",
        "result",
        "output",
        "content",
        "value",
        "error",
        "errorText",
        "server_tool_call_response",
    ];
    for name in ["codeExecutionResult", "code_execution_result"] {
        if let Some(answer) = take_object(&mut object, name) {
            let result = data::json(Value::Object(answer));
            return ChatPart::ToolResult { id: None, name: Some(call::CODE_EXECUTION.to_owned()), result };
        }
    }
    for wrapper in ["functionResponse", "function_response", "toolResult"] {
        if let Some(inner) = take_object(&mut object, wrapper) {
            object = inner;
        }
    }
    ChatPart::ToolResult {
        id: take_id(&mut object, &IDS),
        name: take_text(&mut object, &["name", "toolName", "tool_name"]),
        result: of(take(&mut object, &VALUES)),
    }
}

/// The result that a value is: a text, or the text of a list of nothing but texts, or JSON.
pub(super) fn of(value: Option<Value>) -> Json {
    match value {
        None => data::json(Value::Null),
        Some(Value::Array(items)) => of_list(items),
        Some(Value::Object(object)) => of_object(object),
        Some(value) => data::json(value),
    }
}

fn of_list(mut items: Vec<Value>) -> Json {
    if let Some(text) = joined_texts(&items) {
        return Json::string(&text);
    }
    // Bedrock's list of a single `{json: …}`.
    if let [Value::Object(only)] = items.as_mut_slice()
        && only.len() == 1
        && let Some(value) = only.remove("json")
    {
        return data::json(value);
    }
    data::json(Value::Array(items))
}

/// The Vercel AI SDK says what an output is: `{type: "json", value}`.
fn of_object(mut object: Fields) -> Json {
    const TYPES: [&str; 5] = ["text", "json", "error-text", "error-json", "content"];
    if object.contains_key("value") && fields::text(&object, "type").is_some_and(|name| TYPES.contains(&name))
    {
        return match object.remove("value") {
            Some(Value::Array(items)) => of_list(items),
            value => data::json(value.unwrap_or_default()),
        };
    }
    data::json(Value::Object(object))
}

fn joined_texts(items: &[Value]) -> Option<String> {
    let texts: Option<Vec<&str>> = items.iter().map(only_text).collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join("\n"))
}

/// The text of a part that says no more than that.
fn only_text(item: &Value) -> Option<&str> {
    const SAYS_NO_MORE: [&str; 7] =
        ["type", "annotations", "citations", "cache_control", "_meta", "meta", "id"];
    let item = item.as_object()?;
    let name = match fields::text(item, "type") {
        Some("text" | "input_text" | "output_text") if item.contains_key("text") => "text",
        Some("text") => "content",
        None if item.len() == 1 => "text",
        _ => return None,
    };
    let others = item.keys().filter(|key| *key != name);
    others
        .into_iter()
        .all(|key| SAYS_NO_MORE.contains(&key.as_str()))
        .then(|| fields::text(item, name))
        .flatten()
}
