//! The messages of a model call, wherever a span carries them: in an attribute, flattened over many, in
//! events, or in the general input and output.

use serde_json::{Map, Value as JsonValue};

use super::{Attributes, Field, lookup::Fields, view::decoded};
use crate::model::{
    Json,
    chat::{self, ChatMessage},
    message::MessageRole,
    span::SpanEvent,
};

/// Events that are messages, with who speaks. The last one is the answer.
const EVENTS: &[(&str, MessageRole)] = &[
    ("gen_ai.system.message", MessageRole::System),
    ("gen_ai.user.message", MessageRole::User),
    ("gen_ai.assistant.message", MessageRole::Assistant),
    ("gen_ai.tool.message", MessageRole::Tool),
    (CHOICE, MessageRole::Assistant),
];

/// The event that is the model's answer.
const CHOICE: &str = "gen_ai.choice";

/// Events that carry lists of messages: the event, its attribute, and who speaks where that is not said.
const LISTS: &[(&str, &str, MessageRole)] = &[
    (DETAILS, "gen_ai.system_instructions", MessageRole::System),
    (DETAILS, "gen_ai.input.messages", MessageRole::User),
    (DETAILS, "gen_ai.output.messages", MessageRole::Assistant),
    ("gen_ai.content.prompt", "gen_ai.prompt", MessageRole::User),
    ("gen_ai.content.completion", "gen_ai.completion", MessageRole::Assistant),
];

/// The event that carries a whole call: its attributes are those of the span.
pub const DETAILS: &str = "gen_ai.client.inference.operation.details";

/// Where an event has the body of the record of a log that it was.
pub const BODY: &str = "body";

/// Who speaks in an event that is a message.
pub(super) fn speaker(event: &str) -> Option<MessageRole> {
    EVENTS.iter().find(|(name, _)| *name == event).map(|(_, role)| *role)
}

/// What the messages of a body are read from, beside its attributes.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// What happened during the span.
    pub(super) events: &'a [SpanEvent],
    /// What went in, or came out, where it was put together of several attributes.
    pub(super) whole: Option<&'a Json>,
    /// Whether one attribute is known to hold it.
    pub(super) named: bool,
}

/// What a span was given as messages, the instructions first.
pub(super) fn given(fields: &Fields<'_>, beside: Beside<'_>) -> Vec<ChatMessage> {
    match beside.whole {
        Some(json) => chat::read_messages(json, MessageRole::User),
        None => input(fields, beside.events, beside.named),
    }
}

/// What a span answered as messages.
pub(super) fn answered(fields: &Fields<'_>, beside: Beside<'_>) -> Vec<ChatMessage> {
    match beside.whole {
        Some(json) => chat::read_messages(json, MessageRole::Assistant),
        None => output(fields, beside.events, beside.named),
    }
}

/// What the model was given: its instructions, then the messages. `named`: what went in is known to stand
/// in an attribute, so flattened messages only repeat a part of it.
pub(super) fn input(fields: &Fields<'_>, events: &[SpanEvent], named: bool) -> Vec<ChatMessage> {
    let mut messages = system(fields);
    let rest = if !fields.has(Field::InputMessages) {
        of_events(events, false)
    } else if named && fields.is_list(Field::InputMessages) {
        Vec::new()
    } else {
        read(fields, Field::InputMessages, MessageRole::User)
    };
    let rest = if rest.is_empty() { read(fields, Field::Input, MessageRole::User) } else { rest };
    // Some send the instructions in both places.
    let repeats =
        rest.first().is_some_and(|first| messages.first().is_some_and(|own| own.text() == first.text()));
    if repeats {
        messages.clear();
    }
    messages.extend(rest);
    messages
}

/// What the model answered. `named` as in [`input`].
fn output(fields: &Fields<'_>, events: &[SpanEvent], named: bool) -> Vec<ChatMessage> {
    let mut messages = if named && fields.is_list(Field::OutputMessages) {
        Vec::new()
    } else {
        read(fields, Field::OutputMessages, MessageRole::Assistant)
    };
    if messages.is_empty() {
        messages =
            answer(fields).map_or_else(Vec::new, |value| chat::read_value(value, MessageRole::Assistant));
    }
    if messages.is_empty() {
        messages = of_events(events, true);
    }
    if messages.is_empty() {
        messages = read(fields, Field::Output, MessageRole::Assistant);
    }
    messages
}

/// The instructions that stand apart from the messages.
fn system(fields: &Fields<'_>) -> Vec<ChatMessage> {
    let mut messages = read(fields, Field::SystemInstructions, MessageRole::System);
    for message in &mut messages {
        message.role = MessageRole::System;
    }
    messages
}

fn read(fields: &Fields<'_>, field: Field, role: MessageRole) -> Vec<ChatMessage> {
    fields.said(field).map_or_else(Vec::new, |value| chat::read_value(value, role))
}

/// An answer whose text, reasoning and tool calls come one by one, as one message.
pub(super) fn answer(fields: &Fields<'_>) -> Option<JsonValue> {
    let mut parts = Vec::new();
    if let Some(reasoning) = fields.text(Field::OutputReasoning) {
        parts.push(serde_json::json!({"type": "reasoning", "content": reasoning}));
    }
    if let Some(text) = fields.text(Field::OutputText) {
        parts.push(serde_json::json!({"type": "text", "content": text}));
    }
    if let Some(JsonValue::Array(calls)) = fields.parsed(Field::OutputToolCalls) {
        parts.extend(calls.into_iter().filter_map(tool_call));
    }
    (!parts.is_empty()).then(|| serde_json::json!([{"role": "assistant", "parts": parts}]))
}

fn tool_call(mut call: JsonValue) -> Option<JsonValue> {
    let call = call.as_object_mut()?;
    let mut take = |names: [&str; 2]| names.iter().find_map(|name| call.remove(*name));
    Some(serde_json::json!({
        "type": "tool_call",
        "id": take(["toolCallId", "id"]),
        "name": take(["toolName", "name"]),
        "arguments": take(["input", "args"]),
    }))
}

/// The messages in events, in the order of their times: those that are answers, or the others.
fn of_events(events: &[SpanEvent], answers: bool) -> Vec<ChatMessage> {
    let mut events: Vec<_> = events.iter().collect();
    events.sort_by_key(|event| event.time);
    let said = events.into_iter().flat_map(|event| match speaker(&event.name) {
        Some(role) if (event.name == CHOICE) == answers => of_event(event, role),
        Some(_) => Vec::new(),
        None => lists_of_event(event, answers),
    });
    said.collect()
}

fn lists_of_event(event: &SpanEvent, answers: bool) -> Vec<ChatMessage> {
    let of_event = |(name, _, role): &&(&str, &str, MessageRole)| {
        *name == event.name && (*role == MessageRole::Assistant) == answers
    };
    let Some(attributes) = LISTS.iter().any(|list| of_event(&list)).then_some(event.attributes.as_ref())
    else {
        return Vec::new();
    };
    let attributes = attributes.map(Attributes::read).unwrap_or_default();
    let read = |(_, attribute, role): &(&str, &str, MessageRole)| {
        let value = attributes.get(attribute)?;
        let mut messages = chat::read_value(value.parsed().or_else(|| value.plain())?, *role);
        if *role == MessageRole::System {
            for message in &mut messages {
                message.role = MessageRole::System;
            }
        }
        Some(messages)
    };
    LISTS.iter().filter(of_event).filter_map(read).flatten().collect()
}

fn of_event(event: &SpanEvent, role: MessageRole) -> Vec<ChatMessage> {
    let attributes: Option<Map<String, JsonValue>> =
        event.attributes.as_ref().and_then(|json| json.read().ok());
    let Some(mut attributes) = attributes else { return Vec::new() };
    // What was the body of a log's record says more than what stood beside it.
    let mut body = match attributes.remove(BODY) {
        Some(JsonValue::Object(body)) => body,
        Some(text @ JsonValue::String(_)) => Map::from_iter([("content".to_owned(), text)]),
        _ => attributes,
    };
    if let Some(content) = body.remove("gen_ai.event.content") {
        body.entry("content").or_insert(content);
    }
    let reason = body.remove("finish_reason");
    let mut message = match body.remove("message").map(decoded) {
        // A choice has the message inside, or its content alone.
        Some(JsonValue::Object(message)) if !message.contains_key("text") => message,
        Some(content) => Map::from_iter([("content".to_owned(), content)]),
        // Gemini's content is a whole message, and its role the true one.
        None if body.get("content").is_some_and(|content| content.get("parts").is_some()) => {
            match body.remove("content") {
                Some(JsonValue::Object(message)) => message,
                _ => Map::new(),
            }
        }
        None => {
            let known = ["content", "tool_calls", "name"];
            let mut message: Map<_, _> = known
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), decoded(body.remove(*name)?))))
                .collect();
            message.extend(body.remove("id").map(|id| ("tool_call_id".to_owned(), id)));
            message
        }
    };
    message.entry("role").or_insert_with(|| role.text().to_lowercase().into());
    message.extend(reason.map(|reason| ("finish_reason".to_owned(), reason)));
    chat::read_value(JsonValue::Object(message), role)
}
