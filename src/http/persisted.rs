//! Persisted queries, by Apollo's protocol: a client sends the SHA-256 of its query first, and the
//! query itself only where the server does not know it yet.
//!
//! Only what the guard let pass is kept, in a cache bounded in number and bytes: it saves bytes on the
//! wire and nothing else, and every request is judged anew, since its variables decide what it costs.

use std::{fmt::Write, num::NonZeroUsize, sync::Arc};

use async_graphql::{Name, Value, indexmap::IndexMap};
use lru::LruCache;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::error::{Code, Refusal};
use crate::config::limits::PersistedLimits;

/// The queries that clients may name by their hash.
pub(super) struct PersistedQueries {
    kept: Mutex<Kept>,
    limits: PersistedLimits,
}

struct Kept {
    queries: LruCache<Hash, Arc<str>>,
    bytes: usize,
}

/// The SHA-256 of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Hash([u8; 32]);

impl PersistedQueries {
    pub(super) fn new(limits: &PersistedLimits) -> Self {
        let entries = NonZeroUsize::new(limits.entries).unwrap_or(NonZeroUsize::MIN);
        Self { kept: Mutex::new(Kept { queries: LruCache::new(entries), bytes: 0 }), limits: limits.clone() }
    }

    /// The query of a hash.
    pub(super) fn find(&self, hash: Hash) -> Result<Arc<str>, Refusal> {
        self.kept.lock().queries.get(&hash).cloned().ok_or_else(|| {
            // Clients of the protocol look for this very message.
            Refusal::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound")
        })
    }

    /// Keeps a query; the least recently used ones make room.
    pub(super) fn keep(&self, hash: Hash, query: &str) {
        if query.len() > self.limits.bytes {
            return;
        }
        let mut kept = self.kept.lock();
        if let Some((_, old)) = kept.queries.push(hash, query.into()) {
            kept.bytes -= old.len();
        }
        kept.bytes += query.len();
        while kept.bytes > self.limits.bytes {
            match kept.queries.pop_lru() {
                Some((_, old)) => kept.bytes -= old.len(),
                None => break,
            }
        }
    }
}

impl Hash {
    /// The hash that a request names in `extensions.persistedQuery`, if it does.
    pub(super) fn named(extensions: &IndexMap<Name, Value>) -> Result<Option<Self>, Refusal> {
        let fields = match extensions.get("persistedQuery") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(fields)) => fields,
            Some(_) => {
                return Err(Refusal::bad_request("\"extensions.persistedQuery\" must be an object."));
            }
        };
        if fields.get("version").is_none_or(|version| *version != Value::from(1)) {
            return Err(Refusal::bad_request("\"extensions.persistedQuery.version\" must be 1."));
        }
        match fields.get("sha256Hash") {
            Some(Value::String(text)) => Self::parse(text).map(Some),
            _ => Err(Self::malformed()),
        }
    }

    /// The hash of a query.
    pub(super) fn of(query: &str) -> Self {
        Self(Sha256::digest(query.as_bytes()).into())
    }

    /// Refuses a query that is not the one of this hash.
    pub(super) fn check(self, query: &str) -> Result<(), Refusal> {
        let actual = Self::of(query);
        if actual == self {
            return Ok(());
        }
        let message = format!("The hash is not that of the query, which is {}.", actual.hex());
        Err(Refusal::new(Code::PersistedQueryMismatch, message))
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        let mut hash = [0; 32];
        if text.len() != 2 * hash.len() || !text.is_ascii() {
            return Err(Self::malformed());
        }
        for (index, byte) in hash.iter_mut().enumerate() {
            let digits = text.get(2 * index..2 * index + 2).filter(|digits| !digits.starts_with('+'));
            *byte =
                digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or_else(Self::malformed)?;
        }
        Ok(Self(hash))
    }

    fn hex(self) -> String {
        self.0.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn malformed() -> Refusal {
        Refusal::bad_request("\"extensions.persistedQuery.sha256Hash\" must be 64 hexadecimal digits.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_in_number_and_bytes() {
        let cache = PersistedQueries::new(&PersistedLimits { entries: 3, bytes: 10 });
        let keep = |query: &str| cache.keep(Hash::of(query), query);
        let has = |query: &str| cache.find(Hash::of(query)).is_ok();
        keep("a");
        keep("b");
        keep("c");
        assert!(has("a"));
        keep("d");
        assert!(has("a") && !has("b") && has("c") && has("d"), "the least recently used one went");
        keep("1234567890");
        assert!(has("1234567890") && !has("a") && !has("c") && !has("d"));
        keep("12345678901");
        assert!(!has("12345678901"));
        keep("1234567890");
        assert_eq!(cache.kept.lock().bytes, 10, "kept twice, counted once");
    }

    #[test]
    fn a_hash_is_read_strictly() {
        let query = "{ a }";
        let hash = Hash::parse(&Hash::of(query).hex().to_uppercase()).unwrap();
        assert!(hash.check(query).is_ok());
        assert_eq!(hash.check("{ b }").unwrap_err().code, Code::PersistedQueryMismatch);
        for bad in ["", "ab", &"+1".repeat(32), &"g".repeat(64), &"é".repeat(32)] {
            assert!(Hash::parse(bad).is_err(), "{bad}");
        }
    }
}
