//! The consistency check: every index entry follows from its record, every record has its entries,
//! and what is derived (summaries, counters, references) equals what it is derived from.
//!
//! It reads page by page, so its memory does not grow with the database, and it changes nothing.

mod components;
mod conversations;
mod datasets;
mod evaluations;
mod experiments;
mod plans;
mod scores;
mod series;
mod traces;

use std::collections::BTreeMap;

use super::{
    Store, StoreResult,
    codec::{self, Record},
    index::{IndexEntry, Indexed},
    key::Key,
    keyspace::{self, Deleted, Nothing, Table},
};
use crate::{
    engine::{KeyRange, ScanRequest, Tree},
    model::{
        conversation::Conversation,
        dataset::Dataset,
        experiment::{Experiment, ExperimentItem},
        message::Message,
        plan::Plan,
        trace::Trace,
    },
};

/// Entries read at a time.
const PAGE: usize = 1_000;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The table.
    pub table: &'static str,
    /// The key, in hexadecimal digits.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct CheckReport {
    /// Entries of each table, in the order of the keyspace.
    pub entries: Vec<(&'static str, u64)>,
    /// What is wrong; the first [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// How much is wrong in all.
    pub problem_count: u64,
}

/// Problems that a report names.
pub const MAX_PROBLEMS: usize = 1_000;

/// Told how a check goes on.
pub type CheckProgress<'a> = &'a (dyn Fn(&'static str, u64) + Send + Sync);

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problem_count == 0
    }

    fn note(&mut self, table: &'static str, key: &[u8], message: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < MAX_PROBLEMS {
            let key = hexadecimal(key);
            self.problems.push(Problem { table, key, message: message.into() });
        }
    }
}

impl Store {
    /// Checks every table; `progress` is told the table and the entries read of it so far. Run it while
    /// nothing writes: a write between two reads looks like damage.
    pub async fn check(&self, progress: CheckProgress<'_>) -> StoreResult<CheckReport> {
        let (report, read) = (CheckReport::default(), BTreeMap::new());
        let mut check = Check { store: self, report, read, progress };
        check.indexed::<Conversation>().await?;
        check.indexed::<Message>().await?;
        check.indexed::<Plan>().await?;
        check.indexed::<Trace>().await?;
        check.indexed::<Dataset>().await?;
        check.indexed::<Experiment>().await?;
        check.indexed::<ExperimentItem>().await?;
        check.conversations().await?;
        check.messages().await?;
        check.tool_calls().await?;
        check.tool_results().await?;
        check.spans().await?;
        check.components().await?;
        check.scores().await?;
        check.evaluations().await?;
        check.plans().await?;
        check.datasets().await?;
        check.experiments().await?;
        check.series().await?;
        check.deletions().await?;
        let mut report = check.report;
        report.entries.sort_by_key(|(table, _)| keyspace::TABLES.iter().position(|name| name == table));
        Ok(report)
    }
}

struct Check<'a> {
    store: &'a Store,
    report: CheckReport,
    /// Entries read of each table in its present reading: some tables are read twice.
    read: BTreeMap<&'static str, u64>,
    progress: CheckProgress<'a>,
}

impl Check<'_> {
    /// Every record of a table, page by page: those that cannot be read are noted and left out.
    async fn page<K: Key, R: Record>(
        &mut self,
        table: Table<K, R>,
        from: &mut Option<Vec<u8>>,
    ) -> StoreResult<Option<Vec<(Vec<u8>, K, R)>>> {
        let range = match from.take() {
            None => {
                self.read.remove(table.name);
                KeyRange::all()
            }
            Some(key) => KeyRange::all().after(&key),
        };
        let tree: Tree = self.store.tree(table.name);
        let request = ScanRequest { max_bytes: 16 << 20, ..ScanRequest::forward(&tree, range, PAGE) };
        let page = crate::engine::scan(self.store.engine().as_ref(), request).await?;
        let Some(last) = page.entries.last() else { return Ok(None) };
        *from = Some(last.key.to_vec());
        self.count(table.name, page.entries.len() as u64);
        let mut records = Vec::with_capacity(page.entries.len());
        for entry in page.entries {
            match (K::decode(&entry.key), codec::decode(table.name, &entry.value)) {
                (None, _) => self.report.note(table.name, &entry.key, "not a key of this table"),
                (_, Err(error)) => self.report.note(table.name, &entry.key, error.to_string()),
                (Some(key), Ok(record)) => records.push((entry.key.to_vec(), key, record)),
            }
        }
        Ok(Some(records))
    }

    /// Counts entries that were read. A table that is read again counts once.
    fn count(&mut self, table: &'static str, more: u64) {
        let read = self.read.entry(table).or_default();
        *read += more;
        match self.report.entries.iter_mut().find(|(name, _)| *name == table) {
            Some((_, count)) => *count = (*count).max(*read),
            None => self.report.entries.push((table, *read)),
        }
        (self.progress)(table, *read);
    }

    /// The records at `keys`; `None` also where one cannot be read, which its own table's turn tells.
    async fn readable<K: Key, R: Record>(
        &self,
        table: Table<K, R>,
        keys: &[K],
    ) -> StoreResult<Vec<Option<R>>> {
        let keys = keys.iter().map(Key::encode).collect();
        let found = self.store.engine().get_many(&self.store.tree(table.name), keys).await?;
        let decode = |value: Option<bytes::Bytes>| codec::decode(table.name, &value?).ok();
        Ok(found.into_iter().map(decode).collect())
    }

    /// The record at `key`, if it can be read.
    async fn readable_at<K: Key, R: Record>(&self, table: Table<K, R>, key: &K) -> StoreResult<Option<R>> {
        Ok(self.readable(table, std::slice::from_ref(key)).await?.pop().flatten())
    }

    /// Which of these were deleted, and only the rest of them is still to go.
    async fn deleted(&self, marks: &[Deleted]) -> StoreResult<Vec<bool>> {
        let found = self.readable(keyspace::DELETION, marks).await?;
        Ok(found.iter().map(Option::is_some).collect())
    }

    /// Whether what is missing was deleted, and only the rest of it is still to go.
    async fn is_deleted(&self, deleted: Deleted) -> StoreResult<bool> {
        Ok(self.deleted(&[deleted]).await?.contains(&true))
    }

    /// The marks of deletions that go on, or that the next start of the server finishes.
    async fn deletions(&mut self) -> StoreResult<()> {
        let mut from = None;
        while self.page(keyspace::DELETION, &mut from).await?.is_some() {}
        Ok(())
    }

    /// A table with indexes: records have their entries, and entries follow from records.
    async fn indexed<E: Indexed>(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(records) = self.page(E::TABLE, &mut from).await? {
            for (raw, _, record) in &records {
                if record.key().encode() != *raw {
                    self.report.note(E::TABLE.name, raw, "the record names another key than its own");
                }
            }
            self.entries_exist(&records).await?;
        }
        for index in E::INDEXES {
            self.entries_follow::<E>(index).await?;
        }
        Ok(())
    }

    async fn entries_exist<E: Indexed>(&mut self, records: &[(Vec<u8>, E::Key, E)]) -> StoreResult<()> {
        let mut wanted: BTreeMap<&'static str, Vec<WantedEntry<'_>>> = BTreeMap::new();
        for (raw, _, record) in records {
            for entry in record.entries() {
                wanted.entry(entry.table).or_default().push((entry.key, raw));
            }
        }
        for (index, entries) in wanted {
            let keys = entries.iter().map(|(key, _)| key.clone()).collect();
            let found = self.store.engine().get_many(&self.store.tree(index), keys).await?;
            for ((_, raw), _) in entries.iter().zip(found).filter(|(_, found)| found.is_none()) {
                self.report.note(E::TABLE.name, raw, format!("its entry in `{index}` is missing"));
            }
        }
        Ok(())
    }

    async fn entries_follow<E: Indexed>(&mut self, index: &'static str) -> StoreResult<()> {
        let mut from = None;
        while let Some(entries) = self.page(raw_index(index), &mut from).await? {
            let (mut raws, mut keys) = (Vec::new(), Vec::new());
            for (raw, _, _) in entries {
                match E::record_key(&raw) {
                    Some(key) => {
                        raws.push(raw);
                        keys.push(key);
                    }
                    None => self.report.note(index, &raw, "not a key of this index"),
                }
            }
            let records = self.readable(E::TABLE, &keys).await?;
            for (raw, record) in raws.into_iter().zip(records) {
                let entry = IndexEntry { table: index, key: raw };
                if !record.is_some_and(|record| record.entries().contains(&entry)) {
                    self.report.note(index, &entry.key, "no record has this entry");
                }
            }
        }
        Ok(())
    }
}

/// An index by its name, its keys as raw bytes.
fn raw_index(name: &'static str) -> Table<RawKey, Nothing> {
    Table::named(name)
}

/// A key as its bytes.
struct RawKey;

impl Key for RawKey {
    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(_: &[u8]) -> Option<Self> {
        Some(Self)
    }
}

/// An index entry that must be there, with the key of its record.
type WantedEntry<'a> = (Vec<u8>, &'a [u8]);

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
