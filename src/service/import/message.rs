//! One message of a transcript, from its JSON.
//!
//! What has no field of its own stays as it is in [`Entry::rest`], so nothing is lost. What is given
//! but cannot be right (an unknown role, a call without a name, a time that is none) is refused.

use serde_json::{Map, Value};

use super::{
    content::{self, Content},
    moment,
    transcript::{Answers, Call, Entry, Format},
};
use crate::model::{
    Json, Refusal, ledger::TokenCounts, limits::RecordLimits, message::MessageRole, text::shortened,
};

/// The names under which transcripts keep a message's time, the first that is there counting.
pub(super) const TIME_FIELDS: [&str; 4] = ["timestamp", "created_at", "create_time", "created"];

/// Reads the message at `index`.
pub(super) fn read(
    value: Value,
    index: usize,
    format: Format,
    limits: &RecordLimits,
) -> Result<Entry, Refusal> {
    let Value::Object(mut fields) = value else {
        return Err(Refusal::invalid("", "a message must be an object with `role` and `content`"));
    };
    let role = role(&mut fields)?;
    let timestamp = timestamp(&mut fields)?;
    let calls = if format == Format::Simple { Vec::new() } else { calls(&mut fields, index, limits)? };
    let answers = if format == Format::Simple { None } else { answers(&mut fields, role)? };
    let content = content::take(&mut fields, role)?;
    let thinking = thinking(&mut fields, &content);
    fields.retain(|_, value| !value.is_null());
    let entry = Entry {
        index,
        role,
        content: content.text,
        thinking,
        timestamp,
        model: taken_text(&mut fields, "model"),
        tokens: fields.get("usage").and_then(tokens),
        calls,
        answers,
        failed: fields.get("is_error").and_then(Value::as_bool).unwrap_or(false),
        rest: fields,
    };
    check(&entry, limits)?;
    Ok(entry)
}

fn role(fields: &mut Map<String, Value>) -> Result<MessageRole, Refusal> {
    let value = fields.remove("role").unwrap_or(Value::Null);
    let Some(text) = value.as_str() else {
        return Err(Refusal::invalid("role", "must be there, as a text"));
    };
    let role = match text.to_ascii_lowercase().as_str() {
        "system" => MessageRole::System,
        "user" => MessageRole::User,
        "assistant" => MessageRole::Assistant,
        "tool" => MessageRole::Tool,
        // Older and newer names of the same; the name is kept with the message.
        "developer" => keep(fields, text, MessageRole::System),
        "function" => keep(fields, text, MessageRole::Tool),
        _ => {
            let text = shortened(text, 60);
            return Err(Refusal::invalid(
                "role",
                format!("`{text}` is not one of system, developer, user, assistant, tool, function"),
            ));
        }
    };
    Ok(role)
}

fn keep(fields: &mut Map<String, Value>, name: &str, role: MessageRole) -> MessageRole {
    fields.insert("role".to_owned(), Value::from(name));
    role
}

fn timestamp(fields: &mut Map<String, Value>) -> Result<Option<crate::model::Timestamp>, Refusal> {
    let given = TIME_FIELDS.into_iter().find(|name| fields.get(*name).is_some_and(|value| !value.is_null()));
    let Some(name) = given else { return Ok(None) };
    let value = fields.remove(name).unwrap_or(Value::Null);
    moment::read(&value).map(Some).map_err(|message| Refusal::invalid(name, message))
}

fn thinking(fields: &mut Map<String, Value>, content: &Content) -> Option<String> {
    let given = ["reasoning_content", "thinking", "reasoning"]
        .into_iter()
        .find_map(|name| taken_text(fields, name))
        .filter(|text| !text.is_empty());
    given.or_else(|| content.thinking.clone())
}

/// Takes a field if it is a text; anything else stays where it is.
pub(super) fn taken_text(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    match fields.remove(name)? {
        Value::String(text) => Some(text),
        other => {
            fields.insert(name.to_owned(), other);
            None
        }
    }
}

fn calls(fields: &mut Map<String, Value>, index: usize, limits: &RecordLimits) -> Result<Vec<Call>, Refusal> {
    let mut calls = Vec::new();
    match fields.remove("tool_calls").unwrap_or(Value::Null) {
        Value::Null => {}
        Value::Array(values) => {
            limits.count("tool_calls", values.len(), limits.tool_calls)?;
            for (number, value) in values.into_iter().enumerate() {
                let call = call(value, index, number)
                    .map_err(|refusal| refusal.below(&format!("tool_calls.{number}")))?;
                calls.push(call);
            }
        }
        _ => return Err(Refusal::invalid("tool_calls", "must be a list")),
    }
    // How a call was written before there could be several.
    match fields.remove("function_call").unwrap_or(Value::Null) {
        Value::Null => {}
        Value::Object(function) => {
            let call = function_call(function, None, index, calls.len());
            calls.push(call.map_err(|refusal| refusal.below("function_call"))?);
        }
        _ => return Err(Refusal::invalid("function_call", "must be an object")),
    }
    Ok(calls)
}

fn call(value: Value, index: usize, number: usize) -> Result<Call, Refusal> {
    let Value::Object(mut call) = value else {
        return Err(Refusal::invalid("function", "a call must be an object"));
    };
    let id = taken_text(&mut call, "id").filter(|id| !id.is_empty());
    for name in ["function", "custom"] {
        if let Some(Value::Object(function)) = call.remove(name) {
            return function_call(function, id, index, number).map_err(|refusal| refusal.below(name));
        }
    }
    function_call(call, id, index, number)
}

fn function_call(
    mut function: Map<String, Value>,
    id: Option<String>,
    index: usize,
    number: usize,
) -> Result<Call, Refusal> {
    let Some(name) = taken_text(&mut function, "name") else {
        return Err(Refusal::invalid("name", "must be there, as a text"));
    };
    let arguments = ["arguments", "input", "args"].into_iter().find_map(|name| function.remove(name));
    Ok(Call {
        id: id.unwrap_or_else(|| format!("message-{index}-call-{number}")),
        original_id: None,
        name,
        arguments: arguments_json(arguments),
    })
}

/// Arguments as the model wrote them: JSON in a text, most often. A text that is no JSON stays a text.
fn arguments_json(arguments: Option<Value>) -> Json {
    match arguments {
        None | Some(Value::Null) => Json::empty_object(),
        Some(Value::String(text)) if text.trim().is_empty() => Json::empty_object(),
        Some(Value::String(text)) => Json::parse(&text).unwrap_or_else(|_| Json::string(&text)),
        Some(value) => Json::of(&value),
    }
}

fn answers(fields: &mut Map<String, Value>, role: MessageRole) -> Result<Option<Answers>, Refusal> {
    if role != MessageRole::Tool {
        return Ok(None);
    }
    if let Some(id) = taken_text(fields, "tool_call_id") {
        return Ok(Some(Answers::Id(id)));
    }
    let name = fields.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| {
        Refusal::invalid("tool_call_id", "must be there, as a text: which call is answered?")
    })?;
    Ok(Some(Answers::Function(name.to_owned())))
}

fn tokens(usage: &Value) -> Option<TokenCounts> {
    let count = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    let tokens = TokenCounts {
        input: count("/prompt_tokens").or_else(|| count("/input_tokens")),
        output: count("/completion_tokens").or_else(|| count("/output_tokens")),
        cache_read: count("/prompt_tokens_details/cached_tokens"),
        cache_write: None,
        reasoning: count("/completion_tokens_details/reasoning_tokens"),
        total: count("/total_tokens"),
    };
    (tokens != TokenCounts::default()).then_some(tokens)
}

fn check(entry: &Entry, limits: &RecordLimits) -> Result<(), Refusal> {
    limits.text("content", entry.content.as_deref())?;
    limits.text("thinking", entry.thinking.as_deref())?;
    limits.optional_name("model", entry.model.as_deref())?;
    if !entry.calls.is_empty() && entry.role != MessageRole::Assistant {
        return Err(Refusal::invalid("tool_calls", "only an assistant calls tools"));
    }
    for (number, call) in entry.calls.iter().enumerate() {
        limits.name(&format!("tool_calls.{number}.id"), &call.id)?;
        limits.name(&format!("tool_calls.{number}.function.name"), &call.name)?;
        limits.document(&format!("tool_calls.{number}.function.arguments"), Some(&call.arguments))?;
    }
    if entry.content.is_none() && entry.thinking.is_none() && entry.calls.is_empty() {
        return Err(Refusal::invalid("content", "must be there, where a message calls no tools"));
    }
    Ok(())
}
