//! A span's content as its kind of operation has it: messages, tools, documents, judgements. Read from the
//! span's body when someone asks, so a convention that is learned later shows old spans too.

use serde::Serialize;
use serde_json::{Map, Value as JsonValue};

use super::{
    Attributes, Field, Judgement, answer, judgement,
    lookup::Fields,
    messages::{self, Beside},
    settings,
};
use crate::model::{
    Json,
    chat::{self, ChatMessage},
    message::MessageRole,
    span::SpanBody,
};

/// A tool that a model can call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolDefinition {
    /// What it is called.
    pub name: String,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it takes: a JSON Schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<JsonValue>,
}

/// Documents, and what was searched for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// What was searched for.
    pub query: Option<String>,
    /// What was found, or put into a new order.
    pub documents: Vec<Document>,
    /// Of a new order: the documents as they came.
    pub input_documents: Vec<Document>,
}

/// A document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// Its id.
    pub id: Option<String>,
    /// Its text.
    pub content: Option<String>,
    /// How well it fits.
    pub score: Option<f64>,
    /// What else is known of it: an object.
    pub metadata: Option<Json>,
}

/// An agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agent {
    /// Its id.
    pub id: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What it does.
    pub description: Option<String>,
}

/// A computation of embeddings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Embedding {
    /// What they were computed of.
    pub texts: Vec<String>,
    /// How many numbers each has.
    pub dimensions: Option<u64>,
}

/// The attributes of a body, to find fields in.
fn with_fields<T>(body: &SpanBody, read: impl FnOnce(&Fields<'_>) -> T) -> T {
    let attributes = body.attributes.as_ref().map(Attributes::read).unwrap_or_default();
    read(&Fields::find(&attributes))
}

/// What an operation was given as messages, the instructions first.
#[must_use]
pub fn input_messages(body: &SpanBody) -> Vec<ChatMessage> {
    with_fields(body, |fields| read_input(body, fields))
}

/// What an operation answered as messages.
#[must_use]
pub fn output_messages(body: &SpanBody) -> Vec<ChatMessage> {
    with_fields(body, |fields| read_output(body, fields))
}

/// The tools that a model could call.
#[must_use]
pub fn tools(body: &SpanBody) -> Vec<ToolDefinition> {
    with_fields(body, |fields| fields.parsed(Field::ToolDefinitions))
        .map(tool_definitions)
        .unwrap_or_default()
}

/// The model that was asked for.
#[must_use]
pub fn request_model(body: &SpanBody) -> Option<String> {
    with_fields(body, settings::request_model)
}

/// A model's settings, under the names that OpenTelemetry has for them: an object.
#[must_use]
pub fn settings(body: &SpanBody) -> Json {
    with_fields(body, |fields| Json::of(&JsonValue::Object(settings::of(fields))))
}

/// The messages that went into an operation and came out of it.
#[must_use]
pub fn chat(body: &SpanBody) -> (Vec<ChatMessage>, Vec<ChatMessage>) {
    with_fields(body, |fields| (read_input(body, fields), read_output(body, fields)))
}

/// The conversation that a span itself names, by the application's own id.
#[must_use]
pub fn conversation(body: &SpanBody) -> Option<String> {
    with_fields(body, |fields| fields.text(Field::Conversation))
}

fn read_input(body: &SpanBody, fields: &Fields<'_>) -> Vec<ChatMessage> {
    let (whole, named) = (body.inputs.as_ref(), body.input_attribute.is_some());
    messages::given(fields, Beside { events: &body.events, whole, named })
}

fn read_output(body: &SpanBody, fields: &Fields<'_>) -> Vec<ChatMessage> {
    let (whole, named) = (body.outputs.as_ref(), body.output_attribute.is_some());
    messages::answered(fields, Beside { events: &body.events, whole, named })
}

/// What kind of tool was called.
#[must_use]
pub fn tool_type(body: &SpanBody) -> Option<String> {
    with_fields(body, |fields| fields.text(Field::ToolType))
}

/// What a tool that was called does.
#[must_use]
pub fn tool_description(body: &SpanBody) -> Option<String> {
    with_fields(body, |fields| fields.text(Field::ToolDescription))
}

/// What a tool answered: of a message to the model, what is in it.
#[must_use]
pub fn tool_result(body: &SpanBody) -> Option<Json> {
    let output = body.read_outputs()?;
    Some(answer::tool_result(&output).map_or(output, |(_, result)| result))
}

/// A span's body as a search for documents, or a new order of them.
#[must_use]
pub fn search(body: &SpanBody) -> Search {
    with_fields(body, |fields| {
        let found = fields.parsed(Field::Documents).or_else(|| body.read_outputs()?.read().ok());
        Search {
            query: fields.text(Field::Query).or_else(|| query(&body.read_inputs()?)),
            documents: found.map(documents).unwrap_or_default(),
            input_documents: fields.parsed(Field::RerankInput).map(documents).unwrap_or_default(),
        }
    })
}

/// A span's body as an agent at work.
#[must_use]
pub fn agent(body: &SpanBody) -> Agent {
    with_fields(body, |fields| Agent {
        id: fields.text(Field::AgentId),
        version: fields.text(Field::AgentVersion),
        description: fields.text(Field::AgentDescription),
    })
}

/// A span's body as a computation of embeddings.
#[must_use]
pub fn embedding(body: &SpanBody) -> Embedding {
    with_fields(body, |fields| {
        let items = match fields.parsed(Field::EmbeddingTexts) {
            Some(JsonValue::Array(items)) => items,
            _ => Vec::new(),
        };
        let inner = |item: &JsonValue, name: &str| item.get("embedding").unwrap_or(item).get(name).cloned();
        let texts = items.iter().filter_map(|item| inner(item, "text").or_else(|| inner(item, "content")));
        let texts: Vec<_> = texts.filter_map(|text| text.as_str().map(str::to_owned)).collect();
        // Some send them as messages.
        let said = || read_input(body, fields).iter().filter_map(ChatMessage::text).collect();
        let first = items.first().and_then(|item| inner(item, "vector"));
        let length = first.and_then(|vector| Some(vector.as_array()?.len() as u64));
        Embedding {
            texts: if texts.is_empty() { said() } else { texts },
            dimensions: fields.count(Field::EmbeddingDimensions).or(length),
        }
    })
}

/// The judgements that came with a span.
#[must_use]
pub fn judgements(body: &SpanBody) -> Vec<Judgement> {
    with_fields(body, |fields| judgement::of(fields, &body.events))
}

/// The query in what went in: a text, or a member that is called so.
fn query(inputs: &Json) -> Option<String> {
    match inputs.read().ok()? {
        JsonValue::String(text) => Some(text),
        JsonValue::Object(members) => ["query", "question", "input"]
            .iter()
            .find_map(|name| members.get(*name)?.as_str())
            .map(str::to_owned),
        _ => None,
    }
}

/// Documents as `OpenInference`, OpenTelemetry and retrievers' own outputs have them.
fn documents(value: JsonValue) -> Vec<Document> {
    let items = match value {
        JsonValue::Array(items) => items,
        JsonValue::Object(mut members) => match members.remove("documents") {
            Some(JsonValue::Array(items)) => items,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    items.into_iter().map(document).collect()
}

fn document(item: JsonValue) -> Document {
    let mut members = match item {
        JsonValue::Object(mut members) => match members.remove("document") {
            Some(JsonValue::Object(inner)) => inner,
            _ => members,
        },
        JsonValue::String(content) => return Document { content: Some(content), ..Document::default() },
        _ => return Document::default(),
    };
    let mut take = |names: &[&str]| names.iter().find_map(|name| members.remove(*name));
    let text = |value: JsonValue| match value {
        JsonValue::String(text) => text,
        other => other.to_string(),
    };
    Document {
        id: take(&["id", "document_id"]).map(text),
        content: take(&["content", "page_content", "text"]).map(text),
        score: take(&["score", "relevance_score"]).and_then(|score| score.as_f64()),
        metadata: take(&["metadata"]).map(decoded).map(|metadata| Json::of(&metadata)),
    }
}

/// Definitions of tools in whatever form they were sent.
#[must_use]
pub fn tool_definitions(value: JsonValue) -> Vec<ToolDefinition> {
    match value {
        JsonValue::Array(tools) => tools.into_iter().filter_map(tool_definition).collect(),
        JsonValue::Object(tools) if tools.values().all(JsonValue::is_object) => {
            let named = tools.into_iter().map(|(name, mut tool)| {
                if let Some(members) = tool.as_object_mut() {
                    members.entry("name").or_insert(name.into());
                }
                tool
            });
            named.filter_map(tool_definition).collect()
        }
        _ => Vec::new(),
    }
}

/// One tool: flat, `{"type": "function", "function": {…}}`, `{"tool": {"json_schema": "…"}}`, or as JSON text.
fn tool_definition(value: JsonValue) -> Option<ToolDefinition> {
    let JsonValue::Object(mut members) = decoded(value) else { return None };
    for inside in ["tool", "json_schema", "function"] {
        if let Some(JsonValue::Object(inner)) = members.remove(inside).map(decoded) {
            members = inner;
        }
    }
    let mut take = |names: &[&str]| names.iter().find_map(|name| members.remove(*name));
    let text = |value: JsonValue| value.as_str().map(str::to_owned);
    Some(ToolDefinition {
        name: take(&["name"]).and_then(text)?,
        description: take(&["description"]).and_then(text),
        parameters: take(&["parameters", "inputSchema", "input_schema", "parameters_json_schema"])
            .map(decoded)
            .map(ordered),
    })
}

/// With members in the order of their names, as [`Json::of`] has them.
fn ordered(mut value: JsonValue) -> JsonValue {
    value.sort_all_objects();
    value
}

/// The JSON that a text holds, where it holds a list or an object.
pub(super) fn decoded(value: JsonValue) -> JsonValue {
    match value {
        JsonValue::String(text) if text.trim_start().starts_with(['[', '{']) => {
            serde_json::from_str(&text).unwrap_or(JsonValue::String(text))
        }
        value => value,
    }
}

/// What a person would read of an operation's input or output: the last thing that was said, else the
/// text itself.
#[must_use]
pub fn spoken(content: &Json, role: MessageRole) -> Option<String> {
    let messages = chat::read_messages(content, role);
    if messages.is_empty() { plain(content) } else { last_said(&messages, role) }
}

/// The text of the last message of a speaker.
#[must_use]
pub fn last_said(messages: &[ChatMessage], role: MessageRole) -> Option<String> {
    messages.iter().rev().filter(|message| message.role == role).find_map(ChatMessage::text)
}

/// The only text among the members of an object, or among the arguments of a function.
fn only_text(mut members: Map<String, JsonValue>) -> Option<String> {
    let mut values: Vec<JsonValue> = match (members.remove("args"), members.remove("kwargs")) {
        (Some(JsonValue::Array(mut arguments)), Some(JsonValue::Object(named))) if members.is_empty() => {
            arguments.extend(named.into_iter().map(|(_, value)| value));
            arguments
        }
        (arguments, named) => {
            members.into_iter().map(|(_, value)| value).chain(arguments).chain(named).collect()
        }
    };
    values.retain(JsonValue::is_string);
    match values.as_slice() {
        [JsonValue::String(text)] => Some(text.clone()),
        _ => None,
    }
}

/// The text that a document is or that is its only one, else the document.
fn plain(content: &Json) -> Option<String> {
    match content.read().ok()? {
        // Some write every attribute as JSON, texts too.
        JsonValue::String(text) => serde_json::from_str(&text).ok().or(Some(text)),
        JsonValue::Null => None,
        JsonValue::Object(members) => Some(only_text(members).unwrap_or_else(|| content.text().to_owned())),
        _ => Some(content.text().to_owned()),
    }
}
