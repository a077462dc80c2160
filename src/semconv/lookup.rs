//! Which attributes of a span tell which fields: one pass over them, a look-up a name.

use std::{collections::HashMap, sync::LazyLock};

use super::{
    Attributes, CONVENTIONS, Field, Value,
    flat::{self, Flat},
};
use crate::model::Json;

/// How many fields there are.
const FIELDS: usize = Field::LAST as usize + 1;

/// What a name tells, and how early it is asked.
type Entry = (Field, u16);

/// All names of all conventions.
static NAMES: LazyLock<HashMap<&'static str, Vec<Entry>>> = LazyLock::new(|| {
    let mut names: HashMap<&'static str, Vec<Entry>> = HashMap::new();
    for (rank, (field, name)) in in_order().filter_map(|(rank, entry)| Some((rank, entry.name()?))) {
        names.entry(name).or_default().push((field, rank));
    }
    names
});

/// All beginnings of flattened lists, with the dot behind them.
static LISTS: LazyLock<Vec<(String, &'static str, Entry)>> = LazyLock::new(|| {
    let lists = in_order().filter_map(|(rank, entry)| match entry {
        Asked::List(field, prefix) => Some((format!("{prefix}."), prefix, (field, rank))),
        Asked::Name(..) => None,
    });
    lists.collect()
});

/// Something that is asked for a field.
enum Asked {
    Name(Field, &'static str),
    List(Field, &'static str),
}

impl Asked {
    const fn name(&self) -> Option<(Field, &'static str)> {
        match self {
            Self::Name(field, name) => Some((*field, *name)),
            Self::List(..) => None,
        }
    }
}

/// Everything that is asked, in its order: convention by convention, its names and then its lists.
fn in_order() -> impl Iterator<Item = (u16, Asked)> {
    let asked = CONVENTIONS.iter().flat_map(|convention| {
        let names = convention
            .fields
            .iter()
            .flat_map(|(field, names)| names.iter().map(|name| Asked::Name(*field, name)));
        let lists = convention.lists.iter().map(|(field, prefix)| Asked::List(*field, prefix));
        names.chain(lists)
    });
    asked.enumerate().map(|(rank, asked)| (u16::try_from(rank).unwrap_or(u16::MAX), asked))
}

/// Where a field stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In the attribute at this index.
    Attribute(usize),
    /// In all attributes whose names begin so.
    List(&'static str),
}

/// The attributes of a span, with what each field says.
pub(super) struct Fields<'a> {
    attributes: &'a Attributes<'a>,
    places: [Option<(u16, Place)>; FIELDS],
}

impl<'a> Fields<'a> {
    /// Finds every field. An attribute that says nothing (a blank text) tells none.
    pub(super) fn find(attributes: &'a Attributes<'a>) -> Self {
        let mut found = Self { attributes, places: [None; FIELDS] };
        for (index, (name, value)) in attributes.iter().enumerate() {
            if let Some(entries) = NAMES.get(name) {
                if !matches!(value, Value::Text(text) if text.trim().is_empty()) {
                    for entry in entries {
                        found.put(*entry, Place::Attribute(index));
                    }
                }
            } else if let Some((_, prefix, entry)) = LISTS.iter().find(|(dotted, ..)| is_item(name, dotted)) {
                found.put(*entry, Place::List(prefix));
            }
        }
        found
    }

    fn put(&mut self, (field, rank): Entry, place: Place) {
        if let Some(slot) = self.places.get_mut(field as usize)
            && slot.is_none_or(|(known, _)| rank < known)
        {
            *slot = Some((rank, place));
        }
    }

    fn place(&self, field: Field) -> Option<(u16, Place)> {
        self.places.get(field as usize).copied().flatten()
    }

    /// All attributes.
    pub(super) fn attributes(&self) -> &'a Attributes<'a> {
        self.attributes
    }

    /// Whether the span says anything of a field.
    pub(super) fn has(&self, field: Field) -> bool {
        self.place(field).is_some()
    }

    /// Whether a field stands flattened in many attributes.
    pub(super) fn is_list(&self, field: Field) -> bool {
        matches!(self.place(field), Some((_, Place::List(_))))
    }

    /// The value of a field that stands in one attribute.
    pub(super) fn value(&self, field: Field) -> Option<&Value<'a>> {
        self.attribute(field).map(|(_, value)| value)
    }

    /// The name and value of the attribute in which a field stands.
    pub(super) fn attribute(&self, field: Field) -> Option<(&str, &Value<'a>)> {
        match self.place(field)?.1 {
            Place::Attribute(index) => self.attributes.at(index),
            Place::List(_) => None,
        }
    }

    /// The text of a field.
    pub(super) fn text(&self, field: Field) -> Option<String> {
        self.value(field)?.words()
    }

    /// The count that a field gives.
    pub(super) fn count(&self, field: Field) -> Option<u64> {
        self.value(field)?.count()
    }

    /// The number that a field gives.
    pub(super) fn number(&self, field: Field) -> Option<f64> {
        self.value(field)?.number()
    }

    /// The JSON of a field: of one attribute, or put together of many.
    pub(super) fn parsed(&self, field: Field) -> Option<serde_json::Value> {
        match self.place(field)?.1 {
            Place::Attribute(index) => self.attributes.at(index)?.1.parsed(),
            Place::List(prefix) => flat::gather(self.attributes, prefix).map(Flat::into_value),
        }
    }

    /// As [`Fields::parsed`], and a text that is no JSON as it is.
    pub(super) fn said(&self, field: Field) -> Option<serde_json::Value> {
        self.parsed(field).or_else(|| self.value(field)?.plain())
    }

    /// The document of a field.
    pub(super) fn document(&self, field: Field) -> Option<Json> {
        match self.place(field)?.1 {
            Place::Attribute(index) => self.attributes.at(index)?.1.document(),
            Place::List(_) => Some(Json::of(&self.parsed(field)?)),
        }
    }

    /// Of these fields the one that the conventions ask first; of two of one convention, the first here.
    pub(super) fn first_of(&self, fields: &[Field]) -> Option<Field> {
        fields.iter().copied().find(|field| self.has(*field))
    }
}

/// Whether a name is of an item of a list: its number stands behind the dot.
fn is_item(name: &str, dotted: &str) -> bool {
    name.strip_prefix(dotted).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_names_the_first_in_order_holds() {
        let mut attributes = Attributes::default();
        attributes.push("llm.model_name", Value::Text("openinference".into()));
        attributes.push("gen_ai.request.model", Value::Text("requested".into()));
        attributes.push("gen_ai.response.model", Value::Text("  ".into()));
        let fields = Fields::find(&attributes);
        assert_eq!(fields.text(Field::Model).as_deref(), Some("requested"));
    }

    #[test]
    fn no_name_is_asked_twice_for_one_field() {
        let mut seen = std::collections::HashSet::new();
        for (_, asked) in in_order() {
            if let Some((field, name)) = asked.name() {
                assert!(seen.insert((field, name)), "{field:?} asks for {name} twice");
            }
        }
    }
}
