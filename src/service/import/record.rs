//! A record of a file as a transcript: which form it has, and what it says beside its messages.

use serde_json::{Map, Value};

use super::{
    components,
    message::{self, TIME_FIELDS, taken_text},
    moment,
    transcript::{Entry, Format, ToolDefinition},
};
use crate::model::{Json, Refusal, Timestamp, conversation::checked_temperature, limits::RecordLimits};

/// What a record is.
#[derive(Debug)]
pub(super) enum Shape {
    /// A conversation: its messages, and the rest of its fields.
    Conversation { format: Format, messages: Vec<Value>, fields: Map<String, Value> },
    /// One message of a conversation that the whole file holds.
    Message(Value),
}

/// Tells what a record is by the names of its fields; `format` says what it must be.
pub(super) fn shape(value: Value, format: Option<Format>) -> Result<Shape, Refusal> {
    match value {
        Value::Array(messages) => Ok(conversation(format, messages, Map::new())),
        Value::Object(mut fields) if fields.contains_key("traj") => {
            if format.is_some_and(|format| format != Format::TauBench) {
                return Err(Refusal::invalid(
                    "traj",
                    "this is a run of tau-bench; read it with --format tau-bench",
                ));
            }
            let messages = list(&mut fields, "traj")?;
            Ok(Shape::Conversation { format: Format::TauBench, messages, fields })
        }
        Value::Object(_) if format == Some(Format::TauBench) => {
            Err(Refusal::invalid("traj", "must be there, as a list of messages"))
        }
        Value::Object(mut fields) if fields.contains_key("messages") => {
            let messages = list(&mut fields, "messages")?;
            Ok(conversation(format, messages, fields))
        }
        Value::Object(fields) if fields.contains_key("role") => Ok(Shape::Message(Value::Object(fields))),
        _ => Err(Refusal::invalid(
            "messages",
            "must be there, as a list: a record is an object with `messages` or `traj`, a list of messages, or a message",
        )),
    }
}

fn conversation(format: Option<Format>, messages: Vec<Value>, fields: Map<String, Value>) -> Shape {
    let format = format.unwrap_or_else(|| guess(&messages));
    Shape::Conversation { format, messages, fields }
}

fn list(fields: &mut Map<String, Value>, name: &str) -> Result<Vec<Value>, Refusal> {
    match fields.remove(name) {
        Some(Value::Array(values)) => Ok(values),
        _ => Err(Refusal::invalid(name, "must be a list of messages")),
    }
}

/// The form of messages that nobody named: simple, if they have times and nothing of the chat form.
pub(super) fn guess(messages: &[Value]) -> Format {
    const CHAT_FIELDS: [&str; 4] = ["tool_calls", "tool_call_id", "function_call", "name"];
    let has = |names: &[&str]| {
        messages
            .iter()
            .any(|message| names.iter().any(|name| message.get(name).is_some_and(|v| !v.is_null())))
    };
    if has(&["timestamp"]) && !has(&CHAT_FIELDS) { Format::Simple } else { Format::OpenAi }
}

/// Reads the messages, each for itself; those that are damaged come back with why, by their index.
pub(super) fn entries(
    messages: Vec<Value>,
    format: Format,
    limits: &RecordLimits,
) -> (Vec<Entry>, Vec<(usize, Refusal)>) {
    let (mut entries, mut refused) = (Vec::with_capacity(messages.len()), Vec::new());
    for (index, message) in messages.into_iter().enumerate() {
        match message::read(message, index, format, limits) {
            Ok(entry) => entries.push(entry),
            Err(refusal) => refused.push((index, refusal)),
        }
    }
    (entries, refused)
}

/// What a record says of its conversation. What is not of the expected kind stays where it is.
pub(super) struct Header {
    pub title: Option<String>,
    pub model: Option<String>,
    pub temperature: Option<f64>,
    pub max_tokens: Option<u32>,
    pub user_id: Option<String>,
    pub created_at: Option<Timestamp>,
    pub tools: Vec<ToolDefinition>,
}

/// Takes a conversation's own fields out of a record.
pub(super) fn header(fields: &mut Map<String, Value>, limits: &RecordLimits) -> Result<Header, Refusal> {
    let header = Header {
        title: taken_text(fields, "title"),
        model: taken_name(fields, "model", limits),
        temperature: fields
            .get("temperature")
            .and_then(Value::as_f64)
            .filter(|value| checked_temperature(*value).is_ok()),
        max_tokens: fields
            .get("max_tokens")
            .and_then(Value::as_u64)
            .and_then(|tokens| u32::try_from(tokens).ok()),
        user_id: taken_name(fields, "user_id", limits).or_else(|| taken_name(fields, "user", limits)),
        created_at: created_at(fields)?,
        tools: tools(fields, limits),
    };
    Ok(header)
}

fn taken_name(fields: &mut Map<String, Value>, name: &str, limits: &RecordLimits) -> Option<String> {
    let fits = fields.get(name)?.as_str().is_some_and(|text| limits.name(name, text).is_ok());
    if fits { taken_text(fields, name) } else { None }
}

fn created_at(fields: &mut Map<String, Value>) -> Result<Option<Timestamp>, Refusal> {
    let given = TIME_FIELDS.into_iter().find(|name| fields.get(*name).is_some_and(|value| !value.is_null()));
    let Some(name) = given else { return Ok(None) };
    let value = fields.remove(name).unwrap_or(Value::Null);
    moment::read(&value).map(Some).map_err(|message| Refusal::invalid(name, message))
}

/// The tools that were offered, in either of the two forms that requests have had.
fn tools(fields: &Map<String, Value>, limits: &RecordLimits) -> Vec<ToolDefinition> {
    let listed = ["tools", "functions"].iter().filter_map(|name| fields.get(*name)?.as_array());
    let definitions = listed.flatten().filter_map(|tool| {
        let definition = tool.get("function").unwrap_or(tool);
        let name = definition.get("name")?.as_str()?;
        limits.name("tools", &components::tool_id(name)).ok()?;
        Some(ToolDefinition { name: name.to_owned(), definition: Json::of(definition) })
    });
    definitions.collect()
}
