//! GraphQL values as JSON text.
//!
//! Documents that are stored as text go into a response as they are: such a value travels through the
//! executor as [`Value::Binary`], which nothing else here uses, and is copied into the response
//! unread. The library's own way (its feature `raw_value`) copies and parses each once more, and
//! takes a user's object for raw text when it has a certain key; this way has neither fault. So every
//! transport must write responses with this module, and not with `serde_json`.

use std::vec;

use async_graphql::{Name, Value, indexmap};
use bytes::Bytes;

use crate::model::Json;

/// A value that appears in the response as the JSON document `text`.
pub(super) fn raw(text: impl Into<Bytes>) -> Value {
    Value::Binary(text.into())
}

/// Appends `value` as JSON to `out`.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_serialised(number, out),
        Value::String(text) => write_serialised(text, out),
        Value::Enum(name) => write_serialised(name.as_str(), out),
        Value::Binary(text) => out.extend_from_slice(text),
        Value::List(items) => {
            let mut between = b'[';
            for item in items {
                out.push(between);
                write(item, out);
                between = b',';
            }
            close(items.is_empty(), *b"[]", out);
        }
        Value::Object(members) => {
            let mut between = b'{';
            for (name, member) in members {
                out.push(between);
                write_serialised(name.as_str(), out);
                out.push(b':');
                write(member, out);
                between = b',';
            }
            close(members.is_empty(), *b"{}", out);
        }
    }
}

/// Bytes of a piece of [`Pieces`], or a little more.
const PIECE: usize = 64 << 10;

/// A stored document of so many bytes is a piece of its own, which is not copied.
const OWN_PIECE: usize = 16 << 10;

/// JSON text in pieces, each made when it is asked for, out of values that are let go on the way: so a large
/// answer is in memory once.
pub struct Pieces {
    out: Vec<u8>,
    next: Option<Bytes>,
    /// What is begun, the innermost last.
    open: Vec<Open>,
}

/// What is being written.
enum Open {
    List { items: vec::IntoIter<Value>, between: u8 },
    Object { members: indexmap::map::IntoIter<Name, Value>, between: u8 },
    Text(Vec<u8>),
}

impl Pieces {
    /// `value` between two texts.
    #[must_use]
    pub fn of(before: Vec<u8>, value: Value, after: Vec<u8>) -> Self {
        let mut pieces = Self { out: before, next: None, open: vec![Open::Text(after)] };
        pieces.begin(value);
        pieces
    }

    /// Only a text.
    #[must_use]
    pub fn of_text(text: Vec<u8>) -> Self {
        Self { out: text, next: None, open: Vec::new() }
    }

    /// Whether all was given.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.open.is_empty() && self.out.is_empty() && self.next.is_none()
    }

    fn begin(&mut self, value: Value) {
        match value {
            Value::List(items) if !items.is_empty() => {
                self.open.push(Open::List { items: items.into_iter(), between: b'[' });
            }
            Value::Object(members) if !members.is_empty() => {
                self.open.push(Open::Object { members: members.into_iter(), between: b'{' });
            }
            Value::Binary(text) if text.len() >= OWN_PIECE => self.next = Some(text),
            value => write(&value, &mut self.out),
        }
    }

    /// Writes the next value, or the end of a list or an object.
    fn step(&mut self) {
        let next = match self.open.last_mut() {
            Some(Open::List { items, between }) => {
                let next = items.next();
                self.out.push(if next.is_some() { *between } else { b']' });
                *between = b',';
                next
            }
            Some(Open::Object { members, between }) => {
                let next = members.next();
                self.out.push(if next.is_some() { *between } else { b'}' });
                *between = b',';
                next.map(|(name, value)| {
                    write_serialised(name.as_str(), &mut self.out);
                    self.out.push(b':');
                    value
                })
            }
            Some(Open::Text(text)) => {
                self.out.append(text);
                None
            }
            None => None,
        };
        match next {
            Some(value) => self.begin(value),
            None => drop(self.open.pop()),
        }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if let Some(next) = self.next.take_if(|_| self.out.is_empty()) {
            return Some(next);
        }
        while self.next.is_none() && self.out.len() < PIECE && !self.open.is_empty() {
            self.step();
        }
        if self.out.is_empty() {
            return self.next.take();
        }
        Some(std::mem::take(&mut self.out).into())
    }
}

/// `value` as JSON text.
#[must_use]
pub fn to_text(value: &Value) -> String {
    let mut out = Vec::new();
    write(value, &mut out);
    // All that was written is JSON, and so UTF-8; were it not, the text would say so visibly.
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A client's value as a document, or why it is none.
pub(super) fn document(value: &Value) -> Result<Json, String> {
    Json::parse(&to_text(value)).map_err(|error| error.to_string())
}

fn close(empty: bool, [open, end]: [u8; 2], out: &mut Vec<u8>) {
    if empty {
        out.push(open);
    }
    out.push(end);
}

/// Numbers and texts, which cannot fail to be written into memory.
pub(super) fn write_serialised<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{Number, value};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_written_as_json() {
        let value = value!({
            "a": [1, 2.5, "qu\"ote\n", true, null],
            "empty": [[], {}],
        });
        assert_eq!(to_text(&value), r#"{"a":[1,2.5,"qu\"ote\n",true,null],"empty":[[],{}]}"#);
        assert_eq!(to_text(&Value::Enum(Name::new("LLM_CALL"))), r#""LLM_CALL""#);
        assert_eq!(to_text(&Value::Number(Number::from(u64::MAX))), u64::MAX.to_string());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            any::<i64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::String),
            // Shorter than what is a piece of its own, and longer.
            (0..3 * OWN_PIECE).prop_map(|length| raw(format!("\"{}\"", "x".repeat(length)))),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            let members = prop::collection::vec(("[a-z]{1,8}", inner.clone()), 0..8);
            let object = members.prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (Name::new(name), value)).collect())
            });
            prop_oneof![prop::collection::vec(inner, 0..8).prop_map(Value::List), object]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn pieces_are_the_whole(value in values()) {
            let whole = format!("<{}>", to_text(&value));
            let pieces = Pieces::of(b"<".to_vec(), value, b">".to_vec());
            let pieces: Vec<_> = pieces.collect();
            prop_assert!(pieces.iter().all(|piece| !piece.is_empty()));
            prop_assert_eq!(pieces.concat(), whole.into_bytes());
        }
    }

    #[test]
    fn a_long_answer_comes_in_pieces_of_bounded_length() {
        let items = (0..100).map(|_| raw(format!("\"{}\"", "x".repeat(8 << 10)))).collect();
        let pieces: Vec<_> = Pieces::of(Vec::new(), Value::List(items), Vec::new()).collect();
        assert!(pieces.len() > 10, "{}", pieces.len());
        assert!(pieces.iter().all(|piece| piece.len() < PIECE + OWN_PIECE));
    }

    #[test]
    fn stored_text_goes_out_as_it_is() {
        let stored = r#"{"b": 1.50, "a": 1e400}"#;
        assert_eq!(to_text(&Value::List(vec![raw(stored)])), format!("[{stored}]"));
    }

    #[test]
    fn no_key_of_a_users_object_has_a_meaning() {
        let given: Value = serde_json::from_str(r#"{"$serde_json::private::RawValue":"[1,{}]"}"#).unwrap();
        let document = document(&given).unwrap();
        assert_eq!(document.text(), r#"{"$serde_json::private::RawValue":"[1,{}]"}"#);
        assert_eq!(to_text(&raw(document.text().to_owned())), document.text());
    }

    #[test]
    fn nesting_beyond_what_can_be_read_is_refused() {
        let deep = (0..200).fold(Value::Null, |inner, _| Value::List(vec![inner]));
        assert!(document(&deep).unwrap_err().contains("nested more than 120 levels deep"));
    }
}
