//! The fingerprint of a message: a hash of what is said, written down in one canonical way.
//!
//! Everything is written with its length before it, so that no two messages run together into the same
//! bytes. Where fingerprints are kept, they are as lasting as this way of writing.

use serde_json::{Number, Value};

use super::{ChatMessage, ChatPart, data::first_half};
use crate::model::Json;

/// The fingerprint of a message.
pub(super) fn of(message: &ChatMessage) -> [u8; 16] {
    let mut hash = Canonical(blake3::Hasher::new());
    hash.tag(message.role.code());
    let text = message.text().unwrap_or_default();
    hash.text(b't', text.trim());
    for (_, name, arguments) in message.tool_calls() {
        hash.text(b'c', name);
        hash.document(arguments);
    }
    for (_, _, result) in message.tool_results() {
        hash.tag(b'r');
        hash.document(result);
    }
    for part in &message.parts {
        hash.other(part);
    }
    first_half(&hash.0.finalize())
}

struct Canonical(blake3::Hasher);

impl Canonical {
    fn tag(&mut self, tag: u8) {
        self.0.update(&[tag]);
    }

    fn length(&mut self, length: usize) {
        self.0.update(&(length as u64).to_be_bytes());
    }

    fn text(&mut self, tag: u8, text: &str) {
        self.tag(tag);
        self.length(text.len());
        self.0.update(text.as_bytes());
    }

    /// Media and parts of unknown kinds. Of data the hash counts, else the address: media types and
    /// modalities are named in one form and not in another.
    fn other(&mut self, part: &ChatPart) {
        match part {
            ChatPart::Media { digest: Some(digest), .. } => {
                self.tag(b'd');
                self.0.update(digest);
            }
            ChatPart::Media { uri, .. } => self.text(b'u', uri.as_deref().unwrap_or_default()),
            ChatPart::Other(document) => {
                self.tag(b'o');
                self.document(document);
            }
            ChatPart::Text(_)
            | ChatPart::Reasoning(_)
            | ChatPart::ToolCall { .. }
            | ChatPart::ToolResult { .. } => {}
        }
    }

    /// Arguments or a result. JSON written as a text is the same as the JSON, a number or a truth value
    /// the same as its text, and nothing the same as an empty text, list or object: forms differ in these.
    fn document(&mut self, document: &Json) {
        match document.read() {
            Ok(Value::String(text)) => self.written(&text),
            Ok(value) => self.outermost(&value),
            Err(_) => self.text(b's', document.text()),
        }
    }

    fn written(&mut self, text: &str) {
        let text = text.trim();
        let value = text.starts_with(['{', '[']).then(|| serde_json::from_str(text).ok()).flatten();
        match value {
            Some(value) => self.outermost(&value),
            None if text.is_empty() => self.tag(b'n'),
            None => self.text(b's', text),
        }
    }

    fn outermost(&mut self, value: &Value) {
        match value {
            Value::Array(items) if items.is_empty() => self.tag(b'n'),
            Value::Object(members) if members.is_empty() => self.tag(b'n'),
            Value::Number(_) | Value::Bool(_) => self.text(b's', &value.to_string()),
            value => self.value(value),
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.tag(b'n'),
            Value::Bool(truth) => self.text(b'b', if *truth { "true" } else { "false" }),
            Value::Number(number) => self.number(number),
            Value::String(text) => self.text(b's', text),
            Value::Array(items) => {
                self.tag(b'[');
                self.length(items.len());
                for item in items {
                    self.value(item);
                }
            }
            // Members stand in the order of their names, whatever the order in which they were sent.
            Value::Object(members) => {
                self.tag(b'{');
                self.length(members.len());
                let mut members: Vec<_> = members.iter().collect();
                members.sort_unstable_by_key(|(name, _)| *name);
                for (name, value) in members {
                    self.text(b'k', name);
                    self.value(value);
                }
            }
        }
    }

    /// By its value: `1`, `1.0` and `1e0` are one.
    fn number(&mut self, number: &Number) {
        if let Some(whole) = whole(number) {
            self.tag(b'i');
            self.0.update(&whole.to_be_bytes());
        } else {
            self.tag(b'f');
            self.0.update(&number.as_f64().unwrap_or_default().to_be_bytes());
        }
    }
}

/// The whole number that a number is, if it is one that a double holds exactly, or was written as one.
fn whole(number: &Number) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let written = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    let value = number.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and far smaller than that")]
    let of_double = || (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i128);
    written.or_else(of_double)
}
