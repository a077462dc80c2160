//! JSON kept as text: checked once on the way in, never parsed again on the way out.

use std::fmt;

use bincode::{
    Decode, Encode,
    de::Decoder,
    enc::Encoder,
    error::{DecodeError, EncodeError},
    impl_borrow_decode,
};
use bytes::Bytes;
use bytestring::ByteString;
use serde::{Serialize, Serializer, de};
use serde_json::{Value, value::RawValue};

/// A JSON document as compact text, known to be valid. Its clones share the text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(ByteString);

/// Why a text is not accepted as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJson {
    /// It is not JSON.
    #[error("not valid JSON: {0}")]
    Malformed(String),
    /// It is nested deeper than the limit.
    #[error("nested more than {0} levels deep")]
    TooDeep(usize),
}

/// How deep JSON may be nested: what `serde_json` reads, so that what was stored can always be read.
pub const MAX_DEPTH: usize = 120;

impl Json {
    /// Checks `text` and keeps it as it is, without the white space around it.
    pub fn parse(text: &str) -> Result<Self, InvalidJson> {
        // Counted first, because the parser recurses once a level.
        if depth(text) > MAX_DEPTH {
            return Err(InvalidJson::TooDeep(MAX_DEPTH));
        }
        let text = text.trim_ascii();
        serde_json::from_str::<&RawValue>(text).map_err(|error| InvalidJson::Malformed(error.to_string()))?;
        Ok(Self(text.into()))
    }

    /// Keeps a text that was just written as JSON, and not nested deeper than [`MAX_DEPTH`].
    #[must_use]
    pub(crate) fn trusted(text: String) -> Self {
        debug_assert!(Self::parse(&text).is_ok(), "not JSON: {text}");
        Self(text.into())
    }

    /// The document of a value that serialises to JSON.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, InvalidJson> {
        serde_json::to_string(value)
            .map(|text| Self(text.into()))
            .map_err(|error| InvalidJson::Malformed(error.to_string()))
    }

    /// The document of a value, with members in the order of their names: in whatever order they were
    /// sent, the same value has the same text.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        // A value of texts, numbers, lists and objects can always be written.
        Self::from_value(&Ordered(value)).unwrap_or_default()
    }

    /// A text as a JSON string.
    #[must_use]
    pub fn string(text: &str) -> Self {
        Self(Value::from(text).to_string().into())
    }

    /// The list of these documents, whose texts are taken as they are.
    #[must_use]
    pub fn list<'a>(items: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut text = String::from("[");
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(item.text());
        }
        text.push(']');
        Self(text.into())
    }

    /// An object without members.
    #[must_use]
    pub fn empty_object() -> Self {
        Self(ByteString::from_static("{}"))
    }

    /// The text, to be sent as it is.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether the document is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }

    /// The text of a member, where the document is an object that has it. Of two with one name, the last.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&str> {
        let mut reader = serde_json::Deserializer::from_str(&self.0);
        de::Deserializer::deserialize_map(&mut reader, Member(name)).ok().flatten()
    }

    /// How deep it is nested: 0 of a text or a number.
    #[must_use]
    pub fn depth(&self) -> usize {
        depth(&self.0)
    }

    /// The document read into `T`.
    pub fn read<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

/// Writes a value with members in the order of their names.
struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => {
                let mut members: Vec<_> =
                    members.iter().map(|(name, value)| (name, Ordered(value))).collect();
                members.sort_unstable_by_key(|(name, _)| *name);
                serializer.collect_map(members)
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Ordered)),
            other => other.serialize(serializer),
        }
    }
}

/// Looks for a member, and passes over the others without keeping them.
struct Member<'a>(&'a str);

impl<'de> de::Visitor<'de> for Member<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = members.next_key_seed(Name(self.0))? {
            if is_it {
                found = Some(members.next_value::<&RawValue>()?.get());
            } else {
                members.next_value::<de::IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a member has this name.
struct Name<'a>(&'a str);

impl<'de> de::DeserializeSeed<'de> for Name<'_> {
    type Value = bool;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl de::Visitor<'_> for Name<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

impl Encode for Json {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.text().encode(encoder)
    }
}

impl<Context> Decode<Context> for Json {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Ok(Self(String::decode(decoder)?.into()))
    }
}

impl_borrow_decode!(Json);

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for Json {
    fn default() -> Self {
        Self::empty_object()
    }
}

/// The deepest nesting of brackets outside of strings.
fn depth(text: &str) -> usize {
    let (mut now, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text_as_it_came() {
        let json = Json::parse(" {\"b\": 1.50, \"a\": [\"]\\\"\"]}\n").unwrap();
        assert_eq!(json.text(), "{\"b\": 1.50, \"a\": [\"]\\\"\"]}");
    }

    #[test]
    fn a_value_has_one_text() {
        let value: Value = serde_json::from_str("{\"b\":[{\"d\":1,\"c\":2.50}],\"a\":null}").unwrap();
        assert_eq!(Json::of(&value).text(), "{\"a\":null,\"b\":[{\"c\":2.5,\"d\":1}]}");
    }

    #[test]
    fn refuses_what_is_deep_or_broken() {
        assert_eq!(Json::parse(&"[".repeat(2_000_000)), Err(InvalidJson::TooDeep(MAX_DEPTH)));
        assert!(matches!(Json::parse("{\"a\":}"), Err(InvalidJson::Malformed(_))));
        assert!(matches!(Json::parse("NaN"), Err(InvalidJson::Malformed(_))));
        assert!(Json::parse(&format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH))).is_ok());
    }
}
