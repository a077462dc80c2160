//! A whole document, or what stands in a wrapper: texts, lists and objects, told apart by what they hold.

use serde_json::Value;

use super::{
    ChatMessage, ChatPart,
    fields::{self, Fields, take_object},
    gather::Gather,
    lenient, message, part, role, wrapper,
};
use crate::model::message::MessageRole;

/// What is known about a value from where it stands, and how far reading may still go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Who says what names no speaker.
    pub role: MessageRole,
    /// It was written as a text, which may be meant as that: only what is plainly of a form counts.
    pub strict: bool,
    /// Objects and lists that may still be entered.
    pub levels: u8,
    /// Texts within texts that may still be read as JSON.
    pub decodings: u8,
}

impl Place {
    /// The place of a whole document.
    pub const fn new(role: MessageRole) -> Self {
        Self { role, strict: false, levels: 16, decodings: 2 }
    }

    /// One level further in.
    pub fn deeper(self) -> Option<Self> {
        self.levels.checked_sub(1).map(|levels| Self { levels, ..self })
    }

    /// Within a text.
    pub fn decoded(self) -> Option<Self> {
        self.decodings.checked_sub(1).map(|decodings| Self { decodings, strict: true, ..self })
    }
}

/// Reads the messages in a value.
pub(super) fn read(value: Value, place: Place, gather: &mut Gather) {
    let Some(place) = place.deeper() else { return };
    match value {
        Value::String(text) => read_text(text, place, gather),
        Value::Array(items) => read_list(items, place, gather),
        Value::Object(fields) => read_object(fields, place, gather),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn read_text(text: String, place: Place, gather: &mut Gather) {
    match messages_in(&text, place) {
        Some(messages) => gather.messages(messages),
        None => gather.parts(vec![ChatPart::Text(text)], place.role),
    }
}

/// The messages in a text that is JSON of a known form.
fn messages_in(text: &str, place: Place) -> Option<Vec<ChatMessage>> {
    let place = place.decoded()?;
    if !text.trim_ascii_start().starts_with(['[', '{', '"']) {
        return None;
    }
    match lenient::parse(text)? {
        Value::String(inner) => messages_in(&inner, place),
        value => {
            let mut gather = Gather::default();
            read(value, place, &mut gather);
            Some(gather.finish()).filter(|messages| !messages.is_empty())
        }
    }
}

fn read_list(mut items: Vec<Value>, place: Place, gather: &mut Gather) {
    // A list with bare texts in it may be any answer that is a list.
    if place.strict && !items.iter().all(|item| item.is_object() || item.is_array()) {
        return;
    }
    if let Some(role) = pair_role(&items) {
        let content = items.pop().unwrap_or_default();
        gather.message(message::of_content(content, role, place));
        return;
    }
    for item in items {
        // A list in a list is nobody's plain answer.
        let strict = place.strict && !item.is_array();
        read(item, Place { strict, ..place }, gather);
    }
}

/// The role of a message written as a pair: `["human", "Hello"]`.
fn pair_role(items: &[Value]) -> Option<MessageRole> {
    match items {
        [Value::String(word), Value::String(_) | Value::Array(_)] => role::of_word(word),
        _ => None,
    }
}

fn read_object(mut object: Fields, place: Place, gather: &mut Gather) {
    if let Some((class_role, inner)) = constructed(&mut object) {
        match class_role {
            Some(role) => gather.message(message::read(inner, Some(role), place)),
            None => read(Value::Object(inner), place, gather),
        }
    } else if let Some(role) = message::role_of(&object, place.role) {
        gather.message(message::read(object, Some(role), place));
    } else if let Some(kind) = part_kind(&object, place).filter(|kind| !kind.is_bare()) {
        gather.parts(part::of_object(object, kind, place.levels), place.role);
    } else if !wrapper::read(&mut object, place, gather) {
        read_bare(object, place, gather);
    }
}

fn part_kind(object: &Fields, place: Place) -> Option<part::Kind> {
    part::kind(object).filter(|_| !place.strict || part::is_plainly_one(object))
}

/// What names neither a speaker nor a kind: a text beside whatever else, or a message without a role.
fn read_bare(object: Fields, place: Place, gather: &mut Gather) {
    let kind = part_kind(&object, place);
    if message::has_more_than_text(&object) {
        gather.message(message::read(object, None, place));
    } else if let Some(kind) = kind {
        gather.parts(part::of_object(object, kind, place.levels), place.role);
    } else if !place.strict && fields::has_any(&object, &["content", "text", "message"]) {
        gather.message(message::read(object, None, place));
    }
}

/// An object that `LangChain` wrote down as a call of its constructor: the role of its class, if that is
/// one of messages, and what it was called with.
fn constructed(object: &mut Fields) -> Option<(Option<MessageRole>, Fields)> {
    if !object.contains_key("lc") {
        return None;
    }
    let class = object.get("id")?.as_array()?.last()?.as_str()?;
    let role = role::of_class(class);
    Some((role, take_object(object, "kwargs")?))
}
