//! JSON from outside, made safe before anything else sees it.
//!
//! Depth and number of values are counted on the bytes, before parsing: a value takes far more memory
//! than its text, and nested values are handled by functions that call themselves.
//!
//! `serde_json` has private keys that it gives a meaning to. An object whose only key is the one of
//! its raw values, holding a string of JSON, is read into a `serde_json::Value` as what the string
//! holds, past the depth limit, and the GraphQL library can write it so: what comes out is not what was
//! put in. So no object may have such a key. A document's literals cannot: `$` and `:` are no part of a
//! GraphQL name.

use async_graphql::Value;

use super::error::{Code, Refusal};
use crate::config::Limits;

/// How `serde_json` begins the keys that it gives a meaning to.
const PRIVATE: &str = "$serde_json::private::";

/// Reads a JSON text; `what` names it in a refusal.
pub(super) fn parse(bytes: &[u8], what: &str, limits: &Limits) -> Result<Value, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Refusal::bad_request(format!("The {what} is not UTF-8 at byte {}.", error.valid_up_to()))
    })?;
    bound(text.as_bytes(), what, limits)?;
    let value = serde_json::from_str(text)
        .map_err(|error| Refusal::bad_request(format!("The {what} is not JSON: {error}.")))?;
    match private_key(&value) {
        None => Ok(value),
        Some(mut path) => {
            path.reverse();
            Err(Refusal::bad_request(format!(
                "The {what} has a reserved key in \"{}\": none may begin with \"{PRIVATE}\".",
                path.join(".")
            )))
        }
    }
}

/// Counts how deep a text nests and how many values it has.
pub(super) fn bound(bytes: &[u8], what: &str, limits: &Limits) -> Result<(), Refusal> {
    let (mut depth, mut values, mut quoted, mut escaped) = (0_usize, 1_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                depth += 1;
                values += 1;
                if depth > limits.json_depth {
                    let most = limits.json_depth;
                    return Err(Refusal::bad_request(format!("The {what} nests deeper than {most} levels.")));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
    }
    if values > limits.json_values {
        let message = format!("The {what} has more than {} values.", limits.json_values);
        return Err(Refusal::new(Code::PayloadTooLarge, message));
    }
    Ok(())
}

/// The path of the object that has a private key, innermost first, if there is one.
fn private_key(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            if name.starts_with(PRIVATE) {
                return Some(Vec::new());
            }
            let mut path = private_key(field)?;
            path.push(name.chars().take(40).collect());
            Some(path)
        }),
        Value::List(items) => items.iter().enumerate().find_map(|(index, item)| {
            let mut path = private_key(item)?;
            path.push(index.to_string());
            Some(path)
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Refusal {
        let limits = Limits { json_values: 1000, ..Limits::default() };
        parse(text.as_bytes(), "body", &limits).unwrap_err()
    }

    #[test]
    fn nested_json_is_refused_by_depth_whatever_its_size() {
        for text in [
            format!("{}{}", "[".repeat(101), "]".repeat(101)),
            "[".repeat(2 << 20),
            "{\"a\":".repeat(400_000),
        ] {
            assert_eq!(refusal(&text).message, "The body nests deeper than 100 levels.");
        }
        let deepest = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(parse(deepest.as_bytes(), "body", &Limits::default()).is_ok());
        let quoted = format!("\"{}\\\"[\"", "[".repeat(200));
        assert!(parse(quoted.as_bytes(), "body", &Limits::default()).is_ok());
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let refused = refusal(&format!("[{}0]", "0,".repeat(1000)));
        assert_eq!(refused.code, Code::PayloadTooLarge);
    }

    #[test]
    fn private_keys_are_refused_however_they_are_written() {
        for key in [
            "$serde_json::private::RawValue",
            r"\u0024serde_json::private::RawValue",
            "$serde_json::private::Number",
        ] {
            let text = format!(r#"{{"variables":{{"input":[{{"{key}":"1"}}]}}}}"#);
            let refused = refusal(&text);
            assert_eq!(refused.code, Code::BadRequest);
            assert!(refused.message.contains("\"variables.input.0\""), "{}", refused.message);
        }
    }

    /// Why such keys are refused: if this ever fails, they need not be any more.
    #[test]
    fn private_keys_change_what_is_read() {
        let text = r#"{"$serde_json::private::RawValue":"[1,{}]"}"#;
        let read: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(read, serde_json::json!([1, {}]));
    }

    #[test]
    fn bad_text_is_refused_with_its_place() {
        let invalid = parse(b"{\"a\":\"\xff\"}", "body", &Limits::default()).unwrap_err();
        assert_eq!(invalid.message, "The body is not UTF-8 at byte 6.");
        assert!(refusal("{\"a\" 1}").message.contains("line 1 column 6"));
        assert!(refusal("{} x").message.contains("not JSON"));
    }
}
