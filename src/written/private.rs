//! Keys that `serde_json` gives a meaning to. An object whose only key is one of them is read into a
//! `serde_json::Value` as what it holds, past the bound on nesting: so no document may have one.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, de};

/// How `serde_json` begins the keys that it gives a meaning to.
const PRIVATE: &str = "$serde_json::private::";

/// Refuses a JSON text that has such a key.
pub(crate) fn refuse(text: &str) -> Result<(), String> {
    // Written plainly it has these letters, and else an escape.
    if !text.contains("_json::") && !text.contains("\\u") {
        return Ok(());
    }
    serde_json::from_str::<Checked>(text).map(drop).map_err(|error| error.to_string())
}

/// A value without such a key.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> de::Visitor<'de> for Look {
    type Value = Checked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_str<E>(self, _: &str) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Checked, A::Error> {
        while items.next_element::<Checked>()?.is_some() {}
        Ok(Checked)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut members: A) -> Result<Checked, A::Error> {
        while let Some(key) = members.next_key::<Cow<'_, str>>()? {
            if key.starts_with(PRIVATE) {
                return Err(de::Error::custom(format_args!(
                    "a key is reserved: none may begin with `{PRIVATE}`"
                )));
            }
            members.next_value::<Checked>()?;
        }
        Ok(Checked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn such_keys_are_refused_however_they_are_written() {
        for text in [
            r#"{"$serde_json::private::RawValue":"1"}"#,
            r#"[{"a":{"\u0024serde_json::private::RawValue":"1"}}]"#,
            r#"{"$serde\u005fjson::private::Number":"1"}"#,
        ] {
            assert!(refuse(text).unwrap_err().contains("reserved"), "{text}");
        }
        for text in [r#"{"a":"$serde_json::private::RawValue"}"#, r#"["\u00e4", null, 1, -1, 1.5, true]"#] {
            assert_eq!(refuse(text), Ok(()), "{text}");
        }
    }
}
