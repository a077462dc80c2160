//! GraphQL values as JSON text.
//!
//! Documents that are stored as text go into a response as they are: such a value travels through the
//! executor as [`Value::Binary`], which nothing else here uses, and is copied into the response
//! unread. The library's own way (its feature `raw_value`) copies and parses each once more, and
//! takes a user's object for raw text when it has a certain key; this way has neither fault. So every
//! transport must write responses with this module, and not with `serde_json`.

use async_graphql::Value;
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
    use async_graphql::{Name, Number, value};

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
