//! Hashes by which the contents of datasets are told apart.

use std::fmt;

use bincode::{Decode, Encode};
use serde_json::{Value, json};

use super::ItemContent;
use crate::model::Refusal;

/// The BLAKE3 hash of an item's content as canonical JSON (RFC 8785): the same for the same content, however it was
/// written down.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct ContentHash([u8; 32]);

/// A hash of a set: the sum of its members' hashes, as numbers of 256 bits that run over.
///
/// So the order does not matter, and a member comes and goes without the others being read. It tells versions
/// apart; it is no proof against someone who makes contents up for their hashes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub struct SetHash([u8; 32]);

impl ContentHash {
    /// The hash of a content.
    pub fn of(content: &ItemContent) -> Result<Self, Refusal> {
        let read = |field: &str, json: &crate::model::Json| {
            json.read::<Value>().map_err(|error| Refusal::invalid(field, error.to_string()))
        };
        let expected = content.expected.as_ref().map(|expected| read("expected", expected)).transpose()?;
        let value = json!({
            "input": read("input", &content.input)?,
            "expected": expected,
            "metadata": read("metadata", &content.metadata)?,
        });
        let canonical = serde_json_canonicalizer::to_vec(&value)
            .map_err(|error| Refusal::invalid("input", error.to_string()))?;
        Ok(Self(blake3::hash(&canonical).into()))
    }

    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, as they stand in keys.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl SetHash {
    /// The hash of the set with one more member.
    pub fn add(&mut self, member: &ContentHash) {
        let mut carry = 0_u16;
        for (sum, byte) in self.0.iter_mut().zip(member.0) {
            carry += u16::from(*sum) + u16::from(byte);
            *sum = carry.to_le_bytes()[0];
            carry >>= 8;
        }
    }

    /// The hash of the set without a member that it has.
    pub fn remove(&mut self, member: &ContentHash) {
        self.take(&Self(member.0));
    }

    /// The hash of the set with the members of another, none of which it has.
    pub fn merge(&mut self, other: &Self) {
        self.add(&ContentHash(other.0));
    }

    /// The hash of the set without the members of another, all of which it has.
    pub fn take(&mut self, other: &Self) {
        // What makes a number run over to nothing: each bit the other way, and one more.
        self.add(&ContentHash(other.0.map(|byte| !byte)));
        let mut one = [0; 32];
        if let Some(lowest) = one.first_mut() {
            *lowest = 1;
        }
        self.add(&ContentHash(one));
    }

    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for SetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for SetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Json;

    proptest! {
        #[test]
        fn a_set_has_one_hash_whatever_the_way_to_it(
            kept: Vec<[u8; 32]>, passing: Vec<[u8; 32]>, turn: usize,
        ) {
            let (mut straight, mut around) = (SetHash::default(), SetHash::default());
            for member in &kept {
                straight.add(&ContentHash(*member));
            }
            for member in &passing {
                around.add(&ContentHash(*member));
            }
            let (first, rest) = kept.split_at(turn % (kept.len() + 1));
            for member in rest.iter().chain(first) {
                around.add(&ContentHash(*member));
            }
            for member in passing.iter().rev() {
                around.remove(&ContentHash(*member));
            }
            prop_assert_eq!(straight, around);
        }
    }

    #[test]
    fn contents_are_the_same_however_they_are_written() {
        let content = |input: &str, metadata: &str| ItemContent {
            input: Json::parse(input).unwrap(),
            expected: None,
            metadata: Json::parse(metadata).unwrap(),
        };
        let hash = |content: &ItemContent| ContentHash::of(content).unwrap();
        let one = content("\"a\"", "{\"b\": 1.0, \"a\": 2}");
        assert_eq!(hash(&one), hash(&content(" \"\\u0061\"", "{\"a\":2,\"b\":1}")));
        assert_ne!(hash(&one), hash(&content("\"a\"", "{}")));
        let expected = ItemContent { expected: Some(Json::parse("\"\"").unwrap()), ..one.clone() };
        assert_ne!(hash(&one), hash(&expected));
    }
}
