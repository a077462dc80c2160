//! Members of JSON objects, taken out so that their texts move and are not copied.

use serde_json::{Map, Value};

/// The members of an object.
pub(super) type Fields = Map<String, Value>;

/// Members that say why the model stopped.
pub(super) const FINISH_REASONS: [&str; 5] =
    ["finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason"];

/// Takes the first of these members that is there and not null.
pub(super) fn take(fields: &mut Fields, names: &[&str]) -> Option<Value> {
    names.iter().find_map(|name| fields.remove(*name).filter(|value| !value.is_null()))
}

/// Takes the first of these members that is a text and not empty. The others stay.
pub(super) fn take_text(fields: &mut Fields, names: &[&str]) -> Option<String> {
    let name = names.iter().find(|name| has_text(fields, name))?;
    match fields.remove(*name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Takes the first of these members that is an id: a text that is not empty, or a number.
pub(super) fn take_id(fields: &mut Fields, names: &[&str]) -> Option<String> {
    let is_id = |name: &&&str| has_text(fields, name) || fields.get(**name).is_some_and(Value::is_number);
    let name = names.iter().find(is_id)?;
    match fields.remove(*name)? {
        Value::String(text) => Some(text),
        number => Some(number.to_string()),
    }
}

/// Takes a member if it is an object. Anything else stays.
pub(super) fn take_object(fields: &mut Fields, name: &str) -> Option<Fields> {
    if !has_object(fields, name) {
        return None;
    }
    match fields.remove(name) {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// A member's text, if it is one.
pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

/// Whether a member is a text that is not empty.
pub(super) fn has_text(fields: &Fields, name: &str) -> bool {
    text(fields, name).is_some_and(|text| !text.is_empty())
}

/// Whether a member is an object.
pub(super) fn has_object(fields: &Fields, name: &str) -> bool {
    fields.get(name).is_some_and(Value::is_object)
}

/// Whether one of these members is there and not null.
pub(super) fn has_any(fields: &Fields, names: &[&str]) -> bool {
    names.iter().any(|name| fields.get(*name).is_some_and(|value| !value.is_null()))
}

/// Takes out why the model stopped.
pub(super) fn take_finish_reason(fields: &mut Fields) -> Option<String> {
    // Where `LangChain` keeps what the provider said beside the message.
    const ASIDE: [&str; 3] = ["response_metadata", "generation_info", "generationInfo"];
    take_text(fields, &FINISH_REASONS).or_else(|| {
        ASIDE.iter().find_map(|aside| take_text(fields.get_mut(*aside)?.as_object_mut()?, &FINISH_REASONS))
    })
}
