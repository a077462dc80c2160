//! Columns: what they are called, of which kind they are, and how a row's value is read.

use std::collections::BTreeMap;

use serde_json::{json, value::RawValue};

use crate::model::{Json, Timestamp, component::ComponentRef, ledger::NanoUsd};

/// Kinds of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// JSON.
    Json,
    /// A whole number of 64 bits.
    Integer,
    /// A finite number.
    Number,
    /// Yes or no.
    Boolean,
    /// A moment.
    Time,
    /// Money, in US dollars.
    Money,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What it is called.
    pub name: &'static str,
    /// What kind of values it has. Each may be missing.
    pub kind: Kind,
}

/// A value of a row, of its column's kind.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each is of the kind of its name")]
pub enum Value {
    /// There is none.
    Null,
    Text(String),
    Json(Json),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Time(Timestamp),
    Money(NanoUsd),
}

impl Value {
    /// About how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len() + 16,
            Self::Json(json) => json.text().len() + 16,
            _ => 16,
        }
    }
}

/// A row: a value for each column.
pub type Row = Vec<Value>;

/// How the value of a column is read from what a row is made of.
pub(super) enum Read<R> {
    Text(fn(&R) -> Option<String>),
    Json(fn(&R) -> Option<Json>),
    /// A number that does not fit is left out: it is none that was counted.
    Integer(fn(&R) -> Option<u64>),
    Number(fn(&R) -> Option<f64>),
    Boolean(fn(&R) -> Option<bool>),
    Time(fn(&R) -> Option<Timestamp>),
    Money(fn(&R) -> Option<NanoUsd>),
}

/// A column with how it is read.
pub(super) type Definition<R> = (&'static str, Read<R>);

/// The columns of these definitions.
pub(super) fn of<R>(definitions: &[Definition<R>]) -> Vec<Column> {
    let column = |(name, read): &Definition<R>| {
        let kind = match read {
            Read::Text(_) => Kind::Text,
            Read::Json(_) => Kind::Json,
            Read::Integer(_) => Kind::Integer,
            Read::Number(_) => Kind::Number,
            Read::Boolean(_) => Kind::Boolean,
            Read::Time(_) => Kind::Time,
            Read::Money(_) => Kind::Money,
        };
        Column { name, kind }
    };
    definitions.iter().map(column).collect()
}

/// The row of something.
pub(super) fn row<R>(definitions: &[Definition<R>], of: &R) -> Row {
    let value = |(_, read): &Definition<R>| match read {
        Read::Text(read) => read(of).map(Value::Text),
        Read::Json(read) => read(of).map(Value::Json),
        Read::Integer(read) => read(of).and_then(|number| i64::try_from(number).ok()).map(Value::Integer),
        Read::Number(read) => read(of).filter(|number| number.is_finite()).map(Value::Number),
        Read::Boolean(read) => read(of).map(Value::Boolean),
        Read::Time(read) => read(of).map(Value::Time),
        Read::Money(read) => read(of).map(Value::Money),
    };
    definitions.iter().map(|definition| value(definition).unwrap_or(Value::Null)).collect()
}

/// Component versions as JSON: a list, empty where there are none.
pub(super) fn components(components: &[ComponentRef]) -> Json {
    let component = |component: &ComponentRef| json!({ "component_id": component.component_id, "version_hash": component.version_hash.to_string() });
    Json::of(&components.iter().map(component).collect())
}

/// An object of documents whose texts are taken as they are.
pub(super) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
    let raw = |json: Json| RawValue::from_string(json.text().to_owned()).ok();
    let members = members.into_iter().filter_map(|(name, json)| Some((name, raw(json)?)));
    Json::from_value(&members.collect::<BTreeMap<_, _>>()).unwrap_or_default()
}
