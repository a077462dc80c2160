//! Objects that hold messages: requests to models and their responses.

use serde_json::Value;

use super::{
    document::{self, Place},
    fields::{Fields, take_finish_reason},
    gather::Gather,
};
use crate::model::message::MessageRole::{self, Assistant, System, User};

/// Members that hold messages, in the order in which they were said, and who speaks where they name
/// nobody; `None`: whoever the document is of.
const MEMBERS: [(&str, Option<MessageRole>); 22] = [
    ("system", Some(System)),
    ("system_instruction", Some(System)),
    ("systemInstruction", Some(System)),
    ("instructions", Some(System)),
    ("chat_history", Some(User)),
    ("messages", None),
    ("contents", Some(User)),
    ("prompt", Some(User)),
    ("prompts", Some(User)),
    ("input", Some(User)),
    ("inputs", Some(User)),
    ("input_messages", Some(User)),
    ("items", None),
    ("message", None),
    ("delta", Some(Assistant)),
    ("choices", Some(Assistant)),
    ("candidates", Some(Assistant)),
    ("content", Some(Assistant)),
    ("generations", Some(Assistant)),
    ("output", Some(Assistant)),
    ("outputs", Some(Assistant)),
    ("output_messages", Some(Assistant)),
];

/// Reads what a request or a response holds. Answers whether it is one.
pub(super) fn read(object: &mut Fields, place: Place, gather: &mut Gather) -> bool {
    lift_instructions(object);
    // A response repeats what it was asked with.
    if object.contains_key("output") {
        object.remove("instructions");
    }
    if !MEMBERS.iter().any(|(name, _)| holds_messages(object, name, place)) {
        return false;
    }
    let mark = gather.mark();
    let finish_reason = take_finish_reason(object);
    for (name, role) in MEMBERS {
        if holds_messages(object, name, place) {
            let value = object.remove(name).unwrap_or_default();
            document::read(value, Place { role: role.unwrap_or(place.role), ..place }, gather);
            gather.close();
        }
    }
    gather.finished(finish_reason, mark);
    true
}

/// Gemini's Python client takes the instructions with the rest of what configures a request.
fn lift_instructions(object: &mut Fields) {
    for config in ["config", "generation_config"] {
        for name in ["system_instruction", "systemInstruction"] {
            let lifted = object.get_mut(config).and_then(|config| config.as_object_mut()?.remove(name));
            if let Some(value) = lifted {
                object.entry(name).or_insert(value);
            }
        }
    }
}

/// Whether a member is of the kind that holds messages under its name.
fn holds_messages(object: &Fields, name: &str, place: Place) -> bool {
    let Some(value) = object.get(name) else { return false };
    match (name, value) {
        // A content that is no object is what a message says.
        ("content", Value::Object(content)) => content.contains_key("parts"),
        ("message" | "delta", value) => value.is_object(),
        ("items", Value::Array(items)) => items.first().is_some_and(|item| item.get("role").is_some()),
        ("content" | "items", _) => false,
        ("choices" | "candidates" | "generations", value) => value.is_array(),
        (_, Value::String(_)) => !place.strict || may_be_plain(object, name, place.role),
        (_, value) => value.is_array() || value.is_object(),
    }
}

/// Whether JSON in a text may hold a plain text under this name. A model's answer may have such members
/// of its own; an agent's has only the one.
fn may_be_plain(object: &Fields, name: &str, role: MessageRole) -> bool {
    role != Assistant || (name == "output" && object.len() == 1)
}
