//! Reading typed records: by key, by range, page by page.

use std::ops::Bound;

use super::{
    Store, StoreError, StoreResult,
    codec::{self, Record},
    index::Indexed,
    key::{Key, KeyPart},
    keyspace::Table,
};
use crate::engine::{Direction, KeyRange, ScanRequest};

/// A record with its key.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<K, R> {
    /// The key.
    pub key: K,
    /// The record.
    pub record: R,
}

/// One page of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TablePage<K, R> {
    /// The records with their keys, in the scan's direction.
    pub items: Vec<Found<K, R>>,
    /// Whether the range holds more.
    pub more: bool,
}

/// All keys of a table that begin with these parts.
#[must_use]
pub fn prefix<P: KeyPart>(parts: &P) -> KeyRange {
    KeyRange::prefix(&parts.encode())
}

/// The keys of a table that begin with these parts and go on with `from` or later, before `until`.
#[must_use]
pub fn between<P: KeyPart, T: KeyPart>(parts: &P, from: Option<&T>, until: Option<&T>) -> KeyRange {
    let mut range = prefix(parts);
    let bound = |next: &T| {
        let mut key = parts.encode();
        next.write(&mut key);
        key
    };
    if let Some(from) = from {
        range.start = Bound::Included(bound(from));
    }
    if let Some(until) = until {
        range.end = Bound::Excluded(bound(until));
    }
    range
}

impl Store {
    /// The record at `key`.
    pub async fn get<K: Key, R: Record>(&self, table: Table<K, R>, key: &K) -> StoreResult<Option<R>> {
        Ok(self.get_many(table, std::slice::from_ref(key)).await?.pop().flatten())
    }

    /// The records at `keys`, in their order, in one call to the engine.
    pub async fn get_many<K: Key, R: Record>(
        &self,
        table: Table<K, R>,
        keys: &[K],
    ) -> StoreResult<Vec<Option<R>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let values =
            self.engine().get_many(&self.tree(table.name), keys.iter().map(Key::encode).collect()).await?;
        values
            .iter()
            .map(|value| value.as_ref().map(|value| codec::decode(table.name, value)).transpose())
            .collect()
    }

    /// A page of the records in `range`.
    pub async fn scan<K: Key, R: Record>(
        &self,
        table: Table<K, R>,
        range: KeyRange,
        direction: Direction,
        limit: usize,
    ) -> StoreResult<TablePage<K, R>> {
        let mut pages = self.scan_many(table, vec![(range, direction, limit)]).await?;
        Ok(pages.pop().unwrap_or(TablePage { items: Vec::new(), more: false }))
    }

    /// A page for each range, in one call to the engine.
    pub async fn scan_many<K: Key, R: Record>(
        &self,
        table: Table<K, R>,
        ranges: Vec<(KeyRange, Direction, usize)>,
    ) -> StoreResult<Vec<TablePage<K, R>>> {
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let tree = self.tree(table.name);
        let request = |(range, direction, limit)| ScanRequest {
            tree: tree.clone(),
            range,
            direction,
            limit,
            max_bytes: usize::MAX,
        };
        let pages = self.engine().scan_many(ranges.into_iter().map(request).collect()).await?;
        let page = |page: crate::engine::ScanPage| {
            let found = |entry: &crate::engine::Entry| {
                let key = key_of(table, &entry.key)?;
                Ok(Found { key, record: codec::decode(table.name, &entry.value)? })
            };
            let items = page.entries.iter().map(found).collect::<StoreResult<_>>()?;
            Ok(TablePage { items, more: page.more })
        };
        pages.into_iter().map(page).collect()
    }
}

/// As much as is handled well at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk<T> {
    /// What was found.
    pub items: Vec<T>,
    /// Whether there is more.
    pub more: bool,
}

/// Bytes of records that [`Store::chunk`] reads at a time.
const CHUNK_BYTES: usize = 8 << 20;

impl Store {
    /// The first records in `range`, as many as are handled well at a time: bounded in number and bytes.
    pub async fn chunk<K: Key, R: Record>(
        &self,
        table: Table<K, R>,
        range: KeyRange,
        limit: usize,
    ) -> StoreResult<TablePage<K, R>> {
        let page = self.raw_chunk(table.name, range, limit).await?;
        let found = |entry: &crate::engine::Entry| {
            Ok(Found { key: key_of(table, &entry.key)?, record: codec::decode(table.name, &entry.value)? })
        };
        let items = page.entries.iter().map(found).collect::<StoreResult<_>>()?;
        Ok(TablePage { items, more: page.more })
    }

    /// The first keys in `range`, as many as are handled well at a time; the records stay unread.
    pub async fn chunk_keys<K: Key, R>(
        &self,
        table: Table<K, R>,
        range: KeyRange,
        limit: usize,
    ) -> StoreResult<Chunk<K>> {
        let page = self.raw_chunk(table.name, range, limit).await?;
        let items = page.entries.iter().map(|entry| key_of(table, &entry.key)).collect::<StoreResult<_>>()?;
        Ok(Chunk { items, more: page.more })
    }

    /// The first `most` keys of a table.
    pub async fn first_keys<K: Key, R>(&self, table: Table<K, R>, most: usize) -> StoreResult<Vec<K>> {
        let tree = self.tree(table.name);
        let request = ScanRequest::forward(&tree, KeyRange::all(), most);
        let page = crate::engine::scan(self.engine().as_ref(), request).await?;
        page.entries.iter().map(|entry| key_of(table, &entry.key)).collect()
    }

    /// How many entries there are in each part of an index, counted up to `most`, and whether there are more: one call
    /// to the engine.
    pub async fn count_entries(
        &self,
        parts: Vec<(&'static str, KeyRange)>,
        most: usize,
    ) -> StoreResult<Vec<(usize, bool)>> {
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let request = |(table, range)| ScanRequest::forward(&self.tree(table), range, most);
        let pages = self.engine().scan_many(parts.into_iter().map(request).collect()).await?;
        Ok(pages.into_iter().map(|page| (page.entries.len(), page.more)).collect())
    }

    async fn raw_chunk(
        &self,
        table: &'static str,
        range: KeyRange,
        limit: usize,
    ) -> StoreResult<crate::engine::ScanPage> {
        let tree = self.tree(table);
        let request = ScanRequest { max_bytes: CHUNK_BYTES, ..ScanRequest::forward(&tree, range, limit) };
        Ok(crate::engine::scan(self.engine().as_ref(), request).await?)
    }
}

fn key_of<K: Key, R>(table: Table<K, R>, bytes: &[u8]) -> StoreResult<K> {
    K::decode(bytes).ok_or_else(|| StoreError::Damaged {
        table: table.name,
        message: format!("{} bytes are not a key of it", bytes.len()),
    })
}

/// Records found through an index, with the keys of their index entries.
#[derive(Debug, Clone)]
pub struct IndexPage<E> {
    /// The index keys with their records, in the scan's direction. `None`: the record was deleted
    /// between the two reads.
    pub items: Vec<(Vec<u8>, Option<E>)>,
    /// Whether the range holds more.
    pub more: bool,
}

/// A stretch of an index to read: which keys, from which end, how many.
pub type IndexRange = (KeyRange, Direction, usize);

impl Store {
    /// Records in the order of an index, a page for each range: two calls to the engine, however many.
    pub async fn index_pages<E: Indexed>(
        &self,
        index: &'static str,
        ranges: Vec<IndexRange>,
    ) -> StoreResult<Vec<IndexPage<E>>> {
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let tree = self.tree(index);
        let request = |(range, direction, limit)| ScanRequest {
            tree: tree.clone(),
            range,
            direction,
            limit,
            max_bytes: usize::MAX,
        };
        let pages = self.engine().scan_many(ranges.into_iter().map(request).collect()).await?;
        let damaged = || StoreError::Damaged { table: index, message: "a key names no record".to_owned() };
        let key = |entry: &crate::engine::Entry| E::record_key(&entry.key).ok_or_else(damaged);
        let keys = pages.iter().flat_map(|page| &page.entries).map(key).collect::<StoreResult<Vec<_>>>()?;
        let mut records = self.get_many(E::TABLE, &keys).await?.into_iter();
        let page = |page: crate::engine::ScanPage| {
            let item = |entry: crate::engine::Entry| (entry.key.to_vec(), records.next().flatten());
            IndexPage { items: page.entries.into_iter().map(item).collect(), more: page.more }
        };
        Ok(pages.into_iter().map(page).collect())
    }
}
