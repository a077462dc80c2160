//! The texts in a JSON document: what somebody could look for. Names of members are left out, and so are numbers with
//! fractions, which nobody looks for and embeddings are full of.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::model::Json;

/// Gives each text of a document, in its order, to `take`, until that answers that it has enough.
pub(super) fn each(json: &Json, take: &mut dyn FnMut(&str) -> bool) {
    let mut reader = serde_json::Deserializer::from_str(json.text());
    // An error says that it was enough, or that the rest cannot be read; what was read counts.
    let _ = Strings { take }.deserialize(&mut reader);
}

struct Strings<'a> {
    take: &'a mut dyn FnMut(&str) -> bool,
}

impl Strings<'_> {
    fn give<E: Error>(self, text: &str) -> Result<(), E> {
        if (self.take)(text) { Ok(()) } else { Err(E::custom("enough")) }
    }
}

impl<'de> DeserializeSeed<'de> for Strings<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strings<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.give(text)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.give(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.give(&number.to_string())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Strings { take: &mut *self.take })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_key::<serde::de::IgnoredAny>()?.is_some() {
            members.next_value_seed(Strings { take: &mut *self.take })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(json: &str, most: usize) -> Vec<String> {
        let mut texts = Vec::new();
        each(&Json::parse(json).unwrap(), &mut |text| {
            texts.push(text.to_owned());
            texts.len() < most
        });
        texts
    }

    #[test]
    fn values_are_taken_and_names_left_out() {
        let json =
            r#"{"city": "Z\u00fcrich", "n": [1, -2, 0.5, true, null], "in": {"deep": ["a", {"b": "c"}]}}"#;
        assert_eq!(texts(json, 9), ["Zürich", "1", "-2", "a", "c"]);
        assert_eq!(texts(json, 2), ["Zürich", "1"]);
        assert_eq!(texts("\"alone\"", 2), ["alone"]);
    }
}
