//! Values that JSON has no type for: bytes, and numbers that are none or infinite. They are kept as texts,
//! and where they stood is noted, so that an export gives them back as they came.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use serde::{Deserialize, Serialize};

/// Where such values stand, as JSON pointers (RFC 6901).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Untyped {
    /// Bytes, kept as base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) bytes: Vec<String>,
    /// Numbers that JSON has not, kept as their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) doubles: Vec<String>,
}

impl Untyped {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.doubles.is_empty()
    }

    /// Whether there are such values in attributes.
    pub(super) fn stands_in(attributes: &[KeyValue]) -> bool {
        attributes.iter().filter_map(|attribute| attribute.value.as_ref()).any(is_untyped)
    }

    /// Notes where there are such values in attributes that stand at `place`.
    pub(super) fn note(&mut self, attributes: &[KeyValue], place: &str) {
        for attribute in attributes {
            if let Some(value) = attribute.value.as_ref().filter(|value| is_untyped(value)) {
                self.note_value(value, &format!("{place}/{}", escaped(&attribute.key)));
            }
        }
    }

    fn note_value(&mut self, value: &AnyValue, place: &str) {
        match &value.value {
            Some(Value::BytesValue(_)) => self.bytes.push(place.to_owned()),
            Some(Value::DoubleValue(number)) if !number.is_finite() => self.doubles.push(place.to_owned()),
            Some(Value::KvlistValue(members)) => self.note(&members.values, place),
            Some(Value::ArrayValue(list)) => {
                for (index, item) in list.values.iter().enumerate() {
                    self.note_value(item, &format!("{place}/{index}"));
                }
            }
            _ => {}
        }
    }

    /// Gives such values in attributes that stand at `place` their types back.
    pub(super) fn restore(&self, attributes: &mut [KeyValue], place: &str) {
        for (pointers, typed) in
            [(&self.bytes, bytes as fn(&str) -> Option<Value>), (&self.doubles, double as fn(&str) -> _)]
        {
            for pointer in pointers {
                if let Some(path) = pointer.strip_prefix(place).and_then(|path| path.strip_prefix('/')) {
                    let path: Vec<_> = path.split('/').map(unescaped).collect();
                    restore_in(attributes, &path, typed);
                }
            }
        }
    }
}

fn is_untyped(value: &AnyValue) -> bool {
    match &value.value {
        Some(Value::BytesValue(_)) => true,
        Some(Value::DoubleValue(number)) => !number.is_finite(),
        Some(Value::ArrayValue(list)) => list.values.iter().any(is_untyped),
        Some(Value::KvlistValue(members)) => {
            members.values.iter().filter_map(|member| member.value.as_ref()).any(is_untyped)
        }
        _ => false,
    }
}

fn restore_in(attributes: &mut [KeyValue], path: &[String], typed: fn(&str) -> Option<Value>) {
    let Some((key, rest)) = path.split_first() else { return };
    for attribute in attributes.iter_mut().filter(|attribute| attribute.key == *key) {
        if let Some(value) = &mut attribute.value {
            restore_value(value, rest, typed);
        }
    }
}

fn restore_value(value: &mut AnyValue, path: &[String], typed: fn(&str) -> Option<Value>) {
    match (&mut value.value, path.split_first()) {
        (Some(Value::StringValue(text)), None) => {
            if let Some(typed) = typed(text) {
                value.value = Some(typed);
            }
        }
        (Some(Value::KvlistValue(members)), Some(_)) => restore_in(&mut members.values, path, typed),
        (Some(Value::ArrayValue(list)), Some((index, rest))) => {
            let item = index.parse().ok().and_then(|index: usize| list.values.get_mut(index));
            if let Some(item) = item {
                restore_value(item, rest, typed);
            }
        }
        _ => {}
    }
}

fn bytes(text: &str) -> Option<Value> {
    STANDARD.decode(text).ok().map(Value::BytesValue)
}

fn double(text: &str) -> Option<Value> {
    text.parse().ok().map(Value::DoubleValue)
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn unescaped(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};

    use super::*;

    fn any(value: Value) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue { key: key.to_owned(), value: Some(any(value)), ..KeyValue::default() }
    }

    /// A value as it is kept: such values as texts.
    fn kept(value: &mut AnyValue) {
        match &mut value.value {
            Some(Value::BytesValue(bytes)) => value.value = Some(Value::StringValue(STANDARD.encode(bytes))),
            Some(Value::DoubleValue(number)) if !number.is_finite() => {
                value.value = Some(Value::StringValue(number.to_string()));
            }
            Some(Value::ArrayValue(list)) => list.values.iter_mut().for_each(kept),
            Some(Value::KvlistValue(members)) => {
                members.values.iter_mut().filter_map(|member| member.value.as_mut()).for_each(kept);
            }
            _ => {}
        }
    }

    #[test]
    fn values_get_their_types_back() {
        let inner = vec![
            attribute("a/b~", Value::BytesValue(vec![1, 2])),
            attribute("text", Value::StringValue("AQI=".to_owned())),
        ];
        let list = vec![any(Value::DoubleValue(f64::NEG_INFINITY)), any(Value::DoubleValue(0.5))];
        let sent = vec![
            attribute("nested", Value::KvlistValue(KeyValueList { values: inner })),
            attribute("list", Value::ArrayValue(ArrayValue { values: list })),
            attribute("text", Value::StringValue("inf".to_owned())),
        ];
        let mut untyped = Untyped::default();
        untyped.note(&sent, "/attributes");
        assert_eq!(untyped.bytes, ["/attributes/nested/a~1b~0"]);
        assert_eq!(untyped.doubles, ["/attributes/list/0"]);
        let mut back = sent.clone();
        back.iter_mut().filter_map(|attribute| attribute.value.as_mut()).for_each(kept);
        assert_ne!(back, sent);
        untyped.restore(&mut back, "/events/0/attributes");
        assert_ne!(back, sent);
        untyped.restore(&mut back, "/attributes");
        assert_eq!(back, sent);
    }
}
