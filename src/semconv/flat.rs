//! Lists and objects that were sent flattened: `llm.input_messages.0.message.role` and the like.
//!
//! Numbers in a name count the items of a list. They sort as numbers (10 stands behind 2), and holes
//! in them are closed.

use std::collections::BTreeMap;

use serde_json::{Map, Value as JsonValue};

use super::Attributes;

/// Parts of a name that are followed: deeper ones are no list that anyone means.
const MOST_PARTS: usize = 16;

/// A tree put together from names.
#[derive(Debug, Default)]
pub(super) struct Flat {
    value: Option<JsonValue>,
    items: BTreeMap<u64, Self>,
    members: BTreeMap<String, Self>,
}

impl Flat {
    fn put(&mut self, path: &str, value: JsonValue) {
        let mut at = self;
        for part in path.split('.').take(MOST_PARTS) {
            at = match part.parse() {
                Ok(index) => at.items.entry(index).or_default(),
                Err(_) => at.members.entry(part.to_owned()).or_default(),
            };
        }
        at.value = Some(value);
    }

    /// The tree as JSON. Where a place has a value and parts, the parts hold: they say more.
    pub(super) fn into_value(self) -> JsonValue {
        if !self.items.is_empty() {
            return self.items.into_values().map(Self::into_value).collect();
        }
        if !self.members.is_empty() {
            let members = self.members.into_iter().map(|(name, part)| (name, part.into_value()));
            return JsonValue::Object(members.collect::<Map<_, _>>());
        }
        self.value.unwrap_or_default()
    }
}

/// What stands below a prefix; `None` where nothing does.
pub(super) fn gather(attributes: &Attributes<'_>, prefix: &str) -> Option<Flat> {
    let mut tree = None;
    for (name, value) in attributes.iter() {
        let path = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'));
        if let Some((path, value)) = path.zip(value.plain()) {
            tree.get_or_insert_with(Flat::default).put(path, value);
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::Value;

    #[test]
    fn numbers_count_and_holes_close() {
        let mut attributes = Attributes::default();
        for (name, value) in [("a.10.b", "ten"), ("a.2.b", "two"), ("a.2.c.0", "x"), ("ab.0", "other")] {
            attributes.push(name, Value::Text(value.into()));
        }
        let value = gather(&attributes, "a").map(Flat::into_value);
        assert_eq!(value, Some(serde_json::json!([{"b": "two", "c": ["x"]}, {"b": "ten"}])));
        assert!(gather(&attributes, "none").is_none());
    }
}
