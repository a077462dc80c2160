//! The words of the engine contract: trees, ranges, pages and batches.

use std::{fmt, ops::Bound, str::FromStr, sync::Arc};

use bytes::Bytes;

use super::{EngineError, EngineResult};

/// The longest key in bytes; an index on longer text keeps a prefix or a hash of it.
pub const MAX_KEY_BYTES: usize = 1024;

/// The longest value in bytes.
pub const MAX_VALUE_BYTES: usize = 256 << 20;

/// The longest name of a tree in bytes.
pub const MAX_TREE_NAME_BYTES: usize = 200;

/// The name of a tree. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tree(Arc<str>);

impl Tree {
    /// A tree by its name: ASCII letters, digits, `_`, `-`, `.` and `/`, between 1 and
    /// [`MAX_TREE_NAME_BYTES`] of them. A commit to a tree of another name is refused.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    fn is_valid(&self) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        (1..=MAX_TREE_NAME_BYTES).contains(&self.0.len()) && self.0.bytes().all(allowed)
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The engines there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// A B+ tree on disk: the default.
    Sled,
    /// A log-structured merge tree on disk, for heavy writers.
    Fjall,
    /// In memory only, for tests.
    Memory,
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sled => "sled",
            Self::Fjall => "fjall",
            Self::Memory => "memory",
        })
    }
}

impl FromStr for EngineKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "sled" => Ok(Self::Sled),
            "fjall" => Ok(Self::Fjall),
            "memory" => Ok(Self::Memory),
            other => Err(format!("unknown engine `{other}`: there are sled, fjall and memory")),
        }
    }
}

/// The way a scan goes through the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key up.
    Forward,
    /// From the largest key down.
    Backward,
}

/// A stretch of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// The lower bound.
    pub start: Bound<Vec<u8>>,
    /// The upper bound.
    pub end: Bound<Vec<u8>>,
}

impl KeyRange {
    /// All keys.
    #[must_use]
    pub fn all() -> Self {
        Self { start: Bound::Unbounded, end: Bound::Unbounded }
    }

    /// All keys that begin with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { start: Bound::Included(prefix.to_vec()), end: after_prefix(prefix) }
    }

    /// The keys of this range that come after `key`: the rest of a forward scan.
    #[must_use]
    pub fn after(self, key: &[u8]) -> Self {
        let below = match &self.start {
            Bound::Unbounded => false,
            Bound::Included(start) | Bound::Excluded(start) => key < start.as_slice(),
        };
        if below { self } else { Self { start: Bound::Excluded(key.to_vec()), end: self.end } }
    }

    /// The keys of this range that come before `key`: the rest of a backward scan.
    #[must_use]
    pub fn before(self, key: &[u8]) -> Self {
        let above = match &self.end {
            Bound::Unbounded => false,
            Bound::Included(end) | Bound::Excluded(end) => key > end.as_slice(),
        };
        if above { self } else { Self { start: self.start, end: Bound::Excluded(key.to_vec()) } }
    }

    /// The bounds as ordered maps take them.
    pub(super) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (self.start.as_ref().map(Vec::as_slice), self.end.as_ref().map(Vec::as_slice))
    }

    /// Whether no key can lie in the range. Ordered maps refuse such a range, so ask first.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match (&self.start, &self.end) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (
                Bound::Included(start) | Bound::Excluded(start),
                Bound::Included(end) | Bound::Excluded(end),
            ) => start >= end,
        }
    }
}

/// The bound just past every key that begins with `prefix`.
fn after_prefix(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

/// One page to read from a tree.
#[derive(Debug, Clone)]
pub struct ScanRequest {
    /// Where to read.
    pub tree: Tree,
    /// Which keys.
    pub range: KeyRange,
    /// From which end.
    pub direction: Direction,
    /// Entries at most.
    pub limit: usize,
    /// Bytes of keys and values at which the page ends; the entry that reaches it is still in it, so a
    /// page is never empty for want of room.
    pub max_bytes: usize,
}

impl ScanRequest {
    /// A forward scan over `range`, without a bound on bytes.
    #[must_use]
    pub fn forward(tree: &Tree, range: KeyRange, limit: usize) -> Self {
        Self { tree: tree.clone(), range, direction: Direction::Forward, limit, max_bytes: usize::MAX }
    }

    /// A backward scan over `range`, without a bound on bytes.
    #[must_use]
    pub fn backward(tree: &Tree, range: KeyRange, limit: usize) -> Self {
        Self { direction: Direction::Backward, ..Self::forward(tree, range, limit) }
    }
}

/// One key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanPage {
    /// The entries, in the scan's direction.
    pub entries: Vec<Entry>,
    /// Whether the range holds more than the page.
    pub more: bool,
}

/// "This key still holds these bytes."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// The tree of the key.
    pub tree: Tree,
    /// The key.
    pub key: Vec<u8>,
    /// What it must hold; `None`: nothing.
    pub expected: Option<Bytes>,
}

/// One change: a value to put, or `None` to delete the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The tree of the key.
    pub tree: Tree,
    /// The key.
    pub key: Vec<u8>,
    /// The new value; `None` deletes.
    pub value: Option<Bytes>,
}

/// Changes that happen together or not at all. Of two writes to one key the later wins;
/// preconditions look at what was there before the batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// What must hold.
    pub preconditions: Vec<Precondition>,
    /// What changes then.
    pub writes: Vec<Write>,
}

impl Batch {
    /// Sets `key` to `value`, which engines may keep as it is: it should be all of its buffer.
    pub fn put(&mut self, tree: &Tree, key: Vec<u8>, value: impl Into<Bytes>) {
        self.writes.push(Write { tree: tree.clone(), key, value: Some(value.into()) });
    }

    /// Removes `key`.
    pub fn delete(&mut self, tree: &Tree, key: Vec<u8>) {
        self.writes.push(Write { tree: tree.clone(), key, value: None });
    }

    /// Makes the batch conditional: `key` must hold `expected` (`None`: must not be there).
    pub fn require(&mut self, tree: &Tree, key: Vec<u8>, expected: Option<Bytes>) {
        self.preconditions.push(Precondition { tree: tree.clone(), key, expected });
    }

    /// Whether the batch changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Bytes of keys and values to write.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let of = |write: &Write| write.key.len() + write.value.as_ref().map_or(0, Bytes::len);
        self.writes.iter().map(|write| of(write) as u64).sum()
    }

    /// Refuses what no engine may store, so that all of them refuse the same.
    pub(super) fn check(&self) -> EngineResult<()> {
        for Write { tree, key, value } in &self.writes {
            if !tree.is_valid() {
                return Err(EngineError::Invalid(format!("`{tree}` is no name for a tree")));
            }
            if !(1..=MAX_KEY_BYTES).contains(&key.len()) {
                let length = key.len();
                return Err(EngineError::Invalid(format!(
                    "a key of tree `{tree}` has {length} bytes; 1 to {MAX_KEY_BYTES} are allowed"
                )));
            }
            if value.as_ref().is_some_and(|value| value.len() > MAX_VALUE_BYTES) {
                return Err(EngineError::Invalid(format!(
                    "a value of tree `{tree}` has more than {MAX_VALUE_BYTES} bytes"
                )));
            }
        }
        Ok(())
    }
}
