//! Attributes as they come: names and values, borrowed from where they stand.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::value::RawValue;

use crate::model::Json;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A text. It may itself be JSON.
    Text(Cow<'a, str>),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// A list or an object, as JSON text.
    Json(&'a str),
}

impl Value<'_> {
    /// The text, without white space around it, nor the quotes of senders who write every attribute as
    /// JSON; `None` where it is blank or no text.
    pub(super) fn text(&self) -> Option<&str> {
        let Self::Text(text) = self else { return None };
        let text = text.trim();
        let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Some(inside.unwrap_or(text)).filter(|text| !text.is_empty())
    }

    /// A text of whatever can be written as one: ids are sometimes numbers.
    pub(super) fn words(&self) -> Option<String> {
        match self {
            Self::Text(_) => self.text().map(str::to_owned),
            Self::Int(number) => Some(number.to_string()),
            Self::Float(number) => Some(number.to_string()),
            Self::Bool(flag) => Some(flag.to_string()),
            Self::Json(_) => None,
        }
    }

    /// A count: a whole number of 0 or more, also where it is written as a text or with a fraction of 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    pub(super) fn count(&self) -> Option<u64> {
        match self {
            Self::Int(number) => u64::try_from(*number).ok(),
            Self::Float(number) => {
                (number.fract() == 0.0 && (0.0..1.8e19).contains(number)).then_some(*number as u64)
            }
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A finite number, also where it is written as a text.
    #[expect(clippy::cast_precision_loss, reason = "what is measured is not that exact")]
    pub(super) fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Int(number) => *number as f64,
            Self::Float(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// The text that it is, or the text of the JSON that it is.
    pub(super) fn written(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Json(text) => Some(text),
            _ => None,
        }
    }

    /// The JSON that it is, or whose text it is.
    pub(super) fn parsed(&self) -> Option<serde_json::Value> {
        match self {
            Self::Text(text) if text.trim_start().starts_with(['{', '[', '"']) => {
                serde_json::from_str(text).ok()
            }
            Self::Json(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }

    /// The document: JSON as it is or as its text is, anything else as a value of JSON.
    pub(super) fn document(&self) -> Option<Json> {
        match self {
            Self::Text(text) if text.trim_start().starts_with(['{', '[', '"']) => {
                Some(Json::parse(text).unwrap_or_else(|_| Json::string(text)))
            }
            Self::Text(text) => Some(Json::string(text)),
            Self::Json(text) => Json::parse(text).ok(),
            Self::Int(number) => Json::from_value(number).ok(),
            Self::Float(number) => Json::from_value(number).ok(),
            Self::Bool(flag) => Json::from_value(flag).ok(),
        }
    }

    /// The value of JSON that it is, its text where it is a text.
    pub(super) fn plain(&self) -> Option<serde_json::Value> {
        match self {
            Self::Text(text) => Some(serde_json::Value::from(text.as_ref())),
            Self::Json(text) => serde_json::from_str(text).ok(),
            Self::Int(number) => Some((*number).into()),
            Self::Float(number) => Some((*number).into()),
            Self::Bool(flag) => Some((*flag).into()),
        }
    }
}

/// All attributes of a span, in the order they were sent.
#[derive(Debug, Clone, Default)]
pub struct Attributes<'a> {
    list: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Attributes<'a> {
    /// Room for `count` attributes.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Self { list: Vec::with_capacity(count) }
    }

    /// Adds an attribute.
    pub fn push(&mut self, name: impl Into<Cow<'a, str>>, value: Value<'a>) {
        self.list.push((name.into(), value));
    }

    /// The attributes of a span as they are kept: a JSON object. Empty where it is none.
    #[must_use]
    pub fn read(json: &'a Json) -> Self {
        let members: BTreeMap<Cow<'a, str>, &'a RawValue> = json.read().unwrap_or_default();
        let list = members.into_iter().filter_map(|(name, raw)| Some((name, value_of(raw.get())?)));
        Self { list: list.collect() }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.list.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The attribute at a place of the order.
    pub(super) fn at(&self, index: usize) -> Option<(&str, &Value<'a>)> {
        self.list.get(index).map(|(name, value)| (name.as_ref(), value))
    }

    /// The value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.list.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// The value of a piece of JSON; `None` for null.
fn value_of(raw: &str) -> Option<Value<'_>> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(raw).ok().map(|text| Value::Text(text.into())),
        b'{' | b'[' => Some(Value::Json(raw)),
        b't' => Some(Value::Bool(true)),
        b'f' => Some(Value::Bool(false)),
        b'n' => None,
        _ => raw.parse().map(Value::Int).or_else(|_| raw.parse().map(Value::Float)).ok(),
    }
}
