//! Datasets: collections of inputs, with what is expected for them, that versions of agents are tried out on.
//!
//! A dataset is at one version at a time, and each change of its items makes the next. What a version holds never
//! changes: an item keeps the versions from which, and until which, it is so. So an experiment that names a version
//! can be made again over the same items. Knows nothing of experiments.

mod hash;
mod item;

use bincode::{Decode, Encode};

pub use self::{
    hash::{ContentHash, SetHash},
    item::{DatasetItem, ItemContent, ItemPatch, ItemSource, ItemState, NewItem},
};
use super::{DatasetId, Refusal, Timestamp, limits::RecordLimits};

/// A collection of inputs with what is expected for them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Dataset {
    /// The id.
    pub id: DatasetId,
    /// What people call it. No two datasets have the same name.
    pub name: String,
    /// What it is for, in words.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it or its items were last changed.
    pub updated_at: Timestamp,
    /// The number of its newest version; 0 while it has had no items.
    pub version: u64,
    /// A hash of what the newest version holds.
    pub content_hash: SetHash,
    /// Items of the newest version.
    pub item_count: u64,
    /// The place of the next item that is added.
    pub next_place: u64,
}

/// What a dataset held at one time. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DatasetVersion {
    /// The dataset.
    pub dataset_id: DatasetId,
    /// Counts the dataset's versions, from 1.
    pub number: u64,
    /// A hash of what it holds: the same for the same items, in whatever order and by whatever way they came.
    pub content_hash: SetHash,
    /// Items in it.
    pub item_count: u64,
    /// Items that are new in it.
    pub added: u64,
    /// Items that say something else than in the version before.
    pub changed: u64,
    /// Items of the version before that it does not have.
    pub removed: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What is asked of a new dataset. Fields as in [`Dataset`].
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of Dataset")]
pub struct NewDataset {
    /// The id, where the caller chooses it.
    pub id: Option<DatasetId>,
    pub name: String,
    pub description: Option<String>,
}

/// A change of a dataset's own fields: what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of Dataset")]
pub struct DatasetPatch {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
}

impl NewDataset {
    /// Checks every field.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.name("name", &self.name)?;
        limits.short_text("description", self.description.as_deref())
    }
}

impl DatasetPatch {
    /// Checks every field.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        self.name.as_deref().map_or(Ok(()), |name| limits.name("name", name))?;
        limits.short_text("description", self.description.as_ref().and_then(|text| text.as_deref()))
    }
}

impl Dataset {
    /// A dataset without items.
    #[must_use]
    pub fn empty(id: DatasetId, new: NewDataset, now: Timestamp) -> Self {
        Self {
            id,
            name: new.name,
            description: new.description,
            created_at: now,
            updated_at: now,
            version: 0,
            content_hash: SetHash::default(),
            item_count: 0,
            next_place: 0,
        }
    }

    /// The dataset with the patch applied.
    #[must_use]
    pub fn patched(&self, patch: DatasetPatch, now: Timestamp) -> Self {
        let mut patched = Self {
            name: patch.name.unwrap_or_else(|| self.name.clone()),
            description: patch.description.unwrap_or_else(|| self.description.clone()),
            ..self.clone()
        };
        if patched != *self {
            patched.updated_at = now;
        }
        patched
    }

    /// Begins a change of its items.
    #[must_use]
    pub fn change(&self) -> DatasetChange {
        DatasetChange {
            content_hash: self.content_hash,
            next_place: self.next_place,
            number: self.version + 1,
            counts: (0, 0, 0),
        }
    }

    /// The number of a version that is asked for; `None`: the newest.
    pub fn version_number(&self, field: &str, asked: Option<u64>) -> Result<u64, Refusal> {
        match asked {
            None => Ok(self.version),
            Some(number) if number <= self.version => Ok(number),
            Some(number) => {
                let message = format!("there is no version {number}; the newest is {}", self.version);
                Err(Refusal::invalid(field, message))
            }
        }
    }
}

/// Changes of items that make the next version of a dataset.
#[derive(Debug, Clone)]
pub struct DatasetChange {
    content_hash: SetHash,
    next_place: u64,
    number: u64,
    /// Added, changed, removed.
    counts: (u64, u64, u64),
}

impl DatasetChange {
    /// The number of the version that it makes.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Notes an item that is new; answers its place.
    pub fn add(&mut self, hash: &ContentHash) -> u64 {
        self.content_hash.add(hash);
        self.counts.0 += 1;
        self.next_place += 1;
        self.next_place - 1
    }

    /// Notes that an item says something else.
    pub fn change(&mut self, before: &ContentHash, after: &ContentHash) {
        self.content_hash.remove(before);
        self.content_hash.add(after);
        self.counts.1 += 1;
    }

    /// Notes an item that is not there any more.
    pub fn remove(&mut self, hash: &ContentHash) {
        self.content_hash.remove(hash);
        self.counts.2 += 1;
    }

    /// Items that the dataset has then, beside those that it had.
    #[must_use]
    pub const fn added(&self) -> u64 {
        self.counts.0
    }

    /// Whether nothing was noted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self.counts, (0, 0, 0))
    }

    /// The dataset after it, and the version that it made.
    #[must_use]
    pub fn finish(self, dataset: &Dataset, now: Timestamp) -> (Dataset, DatasetVersion) {
        let (added, changed, removed) = self.counts;
        let item_count = (dataset.item_count + added).saturating_sub(removed);
        let after = Dataset {
            updated_at: now,
            version: self.number,
            content_hash: self.content_hash,
            item_count,
            next_place: self.next_place,
            ..dataset.clone()
        };
        let version = DatasetVersion {
            dataset_id: dataset.id,
            number: self.number,
            content_hash: self.content_hash,
            item_count,
            added,
            changed,
            removed,
            created_at: now,
        };
        (after, version)
    }
}
