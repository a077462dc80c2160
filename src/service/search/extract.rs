//! The texts of traces, spans and messages that are searched, read by the same readers as the API's.
//!
//! A model is given all that was said before with every call. Of what it is given only the end is taken, what was not
//! said by it or to it before: the rest is found in the calls before. Instructions are left out too; they belong to a
//! component.

use super::strings;
use crate::{
    model::{
        Json,
        chat::{ChatMessage, ChatPart},
        message::{Message, MessageRole},
        search::TextKind,
        span::{OperationType, SpanBody, SpanHead, SpanStatus},
        trace::{Trace, TraceBody},
    },
    search::Texts,
    semconv::view,
};

/// The event by which OpenTelemetry says that an error was thrown.
const EXCEPTION: &str = "exception";

/// A trace's own texts.
pub(super) fn of_trace(trace: &Trace, body: &TraceBody, most: usize) -> Texts {
    let mut texts = Texts::new(most);
    for (kind, text) in [
        (TextKind::Name, &trace.name),
        (TextKind::Input, &body.user_input),
        (TextKind::Output, &body.final_output),
    ] {
        add(&mut texts, kind, text.as_deref());
    }
    texts
}

/// The texts of a message.
pub(super) fn of_message(message: &Message, most: usize) -> Texts {
    let mut texts = Texts::new(most);
    add(&mut texts, TextKind::Message, message.content.as_deref());
    add(&mut texts, TextKind::Message, message.thinking.as_deref());
    for call in &message.tool_calls {
        add(&mut texts, TextKind::Message, Some(&call.name));
        add_json(&mut texts, TextKind::Message, Some(&call.arguments));
    }
    texts
}

/// The texts of a span with all that is kept of it.
pub(super) fn of_span(head: &SpanHead, body: &SpanBody, most: usize) -> Texts {
    let mut texts = Texts::new(most);
    add(&mut texts, TextKind::Name, Some(&head.name));
    for name in [&head.details.tool_name, &head.details.agent_name].into_iter().flatten() {
        if *name != head.name {
            add(&mut texts, TextKind::Name, Some(name));
        }
    }
    add_content(&mut texts, head.operation_type, body);
    if head.status == SpanStatus::Error {
        add(&mut texts, TextKind::Error, head.status_message.as_deref());
    }
    add_json(&mut texts, TextKind::Error, body.error_details.as_ref());
    for event in body.events.iter().filter(|event| event.name == EXCEPTION) {
        add_json(&mut texts, TextKind::Error, event.attributes.as_ref());
    }
    texts
}

fn add_content(texts: &mut Texts, operation: OperationType, body: &SpanBody) {
    match operation {
        OperationType::Retrieval | OperationType::Rerank => {
            let search = view::search(body);
            if search.query.is_some() || !search.documents.is_empty() {
                add(texts, TextKind::Input, search.query.as_deref());
                for document in &search.documents {
                    add(texts, TextKind::Output, document.content.as_deref());
                }
                return;
            }
        }
        // A tool's arguments and results are what they are, whatever they look like.
        OperationType::ToolCall | OperationType::Memory | OperationType::Embedding => {}
        _ => {
            let (given, answered) = view::chat(body);
            // What goes into other operations may only look like something that is said.
            let least = if operation == OperationType::LlmCall { 1 } else { 2 };
            if given.len() >= least {
                for message in new_messages(&given) {
                    add_message(texts, TextKind::Input, message);
                }
            } else {
                add_json(texts, TextKind::Input, body.read_inputs().as_ref());
            }
            if answered.len() >= least {
                for message in new_answers(&answered, &given) {
                    add_message(texts, TextKind::Output, message);
                }
            } else {
                add_json(texts, TextKind::Output, body.read_outputs().as_ref());
            }
            return;
        }
    }
    add_json(texts, TextKind::Input, body.read_inputs().as_ref());
    add_json(texts, TextKind::Output, body.read_outputs().as_ref());
}

/// What was said to the model since it spoke last: by the user and by tools; where there is nothing of that, all.
fn new_messages(given: &[ChatMessage]) -> impl Iterator<Item = &ChatMessage> {
    let from =
        given.iter().rposition(|message| message.role == MessageRole::Assistant).map_or(0, |at| at + 1);
    let new = given.get(from..).unwrap_or_default();
    let is_said = |message: &ChatMessage| matches!(message.role, MessageRole::User | MessageRole::Tool);
    let any_said = new.iter().any(is_said);
    new.iter().filter(move |message| !any_said || is_said(message))
}

/// What was answered. An operation that hands on all that was said has what it was given before its answer.
fn new_answers<'a>(answered: &'a [ChatMessage], given: &[ChatMessage]) -> &'a [ChatMessage] {
    let repeated = answered.iter().zip(given).take_while(|(answer, given)| answer == given).count();
    answered.get(repeated..).unwrap_or_default()
}

fn add_message(texts: &mut Texts, kind: TextKind, message: &ChatMessage) {
    for part in &message.parts {
        match part {
            ChatPart::Text(text) | ChatPart::Reasoning(text) => add(texts, kind, Some(text)),
            ChatPart::ToolCall { name, arguments, .. } => {
                add(texts, kind, Some(name));
                add_json(texts, kind, Some(arguments));
            }
            ChatPart::ToolResult { result: json, .. } | ChatPart::Other(json) => {
                add_json(texts, kind, Some(json));
            }
            ChatPart::Media { .. } => {}
        }
    }
}

fn add(texts: &mut Texts, kind: TextKind, text: Option<&str>) {
    if let Some(text) = text {
        texts.add(kind, text);
    }
}

fn add_json(texts: &mut Texts, kind: TextKind, json: Option<&Json>) {
    if let Some(json) = json {
        strings::each(json, &mut |text| texts.add(kind, text));
    }
}
