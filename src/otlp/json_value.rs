//! JSON as values of attributes, the mirror of `otlp::any_value`: whole numbers and others stay apart, as
//! they are written, and members stay in their order.

use std::fmt;

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value,
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use crate::model::Json;

/// The members of an object, as attributes.
pub(super) fn attributes(json: Option<&Json>) -> Vec<KeyValue> {
    json.map(|json| members(json.text())).unwrap_or_default()
}

/// The members of an object that is written as JSON; none where it is no object.
pub(super) fn members(text: &str) -> Vec<KeyValue> {
    match serde_json::from_str(text) {
        Ok(Read(Some(Value::KvlistValue(KeyValueList { values })))) => values,
        _ => Vec::new(),
    }
}

/// An attribute.
pub(super) fn attribute(key: impl Into<String>, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// A list of texts.
pub(super) fn texts(texts: impl IntoIterator<Item = String>) -> Value {
    let text = |text| AnyValue { value: Some(Value::StringValue(text)) };
    Value::ArrayValue(ArrayValue { values: texts.into_iter().map(text).collect() })
}

/// A document as one value: an object or a list as its text, which reads the same for everyone, anything
/// else as what it is. `None` where it is null.
pub(super) fn document(json: &Json) -> Option<Value> {
    if json.text().starts_with(['{', '[']) {
        return Some(Value::StringValue(json.text().to_owned()));
    }
    json.read().ok().and_then(|Read(value)| value)
}

/// A value that was read.
struct Read(Option<Value>);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Some(Value::BoolValue(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Value::IntValue(number)))
    }

    #[expect(clippy::cast_precision_loss, reason = "a whole number that is too large for one here")]
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(i64::try_from(number).map_or(Value::DoubleValue(number as f64), Value::IntValue)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(Value::DoubleValue(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Value::StringValue(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(Value::StringValue(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Read(value)) = items.next_element()? {
            values.push(AnyValue { value });
        }
        Ok(Some(Value::ArrayValue(ArrayValue { values })))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some((key, Read(value))) = members.next_entry::<String, Read>()? {
            let value = value.map(|value| AnyValue { value: Some(value) });
            values.push(KeyValue { key, value, ..KeyValue::default() });
        }
        Ok(Some(Value::KvlistValue(KeyValueList { values })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::any_value;

    #[test]
    fn what_was_written_is_read_as_it_was() {
        let any = |value| AnyValue { value: Some(value) };
        let sent = vec![
            attribute("int", Value::IntValue(1)),
            attribute("least", Value::IntValue(i64::MIN)),
            attribute("double", Value::DoubleValue(1.0)),
            attribute("large", Value::DoubleValue(1e300)),
            attribute("exact", Value::DoubleValue(0.1 + 0.2)),
            attribute("negative zero", Value::DoubleValue(-0.0)),
            attribute("yes", Value::BoolValue(true)),
            attribute("text", Value::StringValue("{\"a\": \u{1}}\u{2028}".to_owned())),
            KeyValue { key: "nothing".to_owned(), ..KeyValue::default() },
            attribute(
                "list",
                Value::ArrayValue(ArrayValue {
                    values: vec![
                        any(Value::IntValue(0)),
                        any(Value::DoubleValue(0.0)),
                        AnyValue { value: None },
                    ],
                }),
            ),
            attribute(
                "object",
                Value::KvlistValue(KeyValueList {
                    values: vec![attribute("z", Value::IntValue(2)), attribute("a", Value::BoolValue(false))],
                }),
            ),
            attribute("empty list", Value::ArrayValue(ArrayValue::default())),
            attribute("empty object", Value::KvlistValue(KeyValueList::default())),
        ];
        assert_eq!(members(&any_value::text(|out| any_value::write_members(&sent, out))), sent);
    }
}
