//! Transactions: what was read must still hold when it is written.
//!
//! Every read is remembered as a precondition, so a transaction commits only if nothing that it
//! looked at has changed. Records and their index entries go in one batch.

use super::{
    Store, StoreError, StoreResult, Touched,
    codec::{self, Record},
    commit::{self, Pending},
    index::Indexed,
    key::Key,
    keyspace::Table,
};
use crate::engine::Batch;

/// Reads and writes that happen together or not at all. Dropping it does nothing.
pub struct Tx<'a> {
    store: &'a Store,
    batch: Batch,
    touched: Vec<Touched>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, batch: Batch::default(), touched: Vec::new() }
    }

    /// The record at `key`. It must still be the same when the transaction commits.
    pub async fn get<K: Key, R: Record>(&mut self, table: Table<K, R>, key: &K) -> StoreResult<Option<R>> {
        let mut found = self.get_many(table, std::slice::from_ref(key)).await?;
        Ok(found.pop().flatten())
    }

    /// The records at `keys`, in one call to the engine. They must still be the same at the commit.
    pub async fn get_many<K: Key, R: Record>(
        &mut self,
        table: Table<K, R>,
        keys: &[K],
    ) -> StoreResult<Vec<Option<R>>> {
        let tree = self.store.tree(table.name);
        let keys: Vec<_> = keys.iter().map(Key::encode).collect();
        let values = self.store.engine().get_many(&tree, keys.clone()).await?;
        let records = values
            .iter()
            .map(|value| value.as_ref().map(|value| codec::decode(table.name, value)).transpose());
        let records = records.collect::<StoreResult<Vec<_>>>()?;
        for (key, value) in keys.into_iter().zip(values) {
            self.batch.require(&tree, key, value);
        }
        Ok(records)
    }

    /// Sets the record at `key`.
    pub fn put<K: Key, R: Record>(&mut self, table: Table<K, R>, key: &K, record: &R) -> StoreResult<()> {
        let value = codec::encode(table.name, record)?;
        self.batch.put(&self.store.tree(table.name), key.encode(), value);
        Ok(())
    }

    /// Removes the record at `key`.
    pub fn delete<K: Key, R>(&mut self, table: Table<K, R>, key: &K) {
        self.batch.delete(&self.store.tree(table.name), key.encode());
    }

    /// Removes a key by its bytes.
    pub fn delete_key<K, R>(&mut self, table: Table<K, R>, key: Vec<u8>) {
        self.batch.delete(&self.store.tree(table.name), key);
    }

    /// Puts a record that has indexes, in place of `old`: its index entries change where they differ.
    pub fn put_indexed<E: Indexed>(&mut self, old: Option<&E>, new: &E) -> StoreResult<()> {
        let (tree, key, value) =
            (self.store.tree(E::TABLE.name), new.key().encode(), codec::encode(E::TABLE.name, new)?);
        self.batch.put(&tree, key, value);
        self.write_index(old, Some(new))
    }

    /// Removes a record that has indexes, and its entries.
    pub fn delete_indexed<E: Indexed>(&mut self, old: &E) -> StoreResult<()> {
        self.batch.delete(&self.store.tree(E::TABLE.name), old.key().encode());
        self.write_index(Some(old), None)
    }

    fn write_index<E: Indexed>(&mut self, old: Option<&E>, new: Option<&E>) -> StoreResult<()> {
        super::index::write_diff(self.store, &mut self.batch, old, new)
    }

    /// Makes the transaction depend on `key` holding nothing.
    pub fn require_absent<K: Key, R>(&mut self, table: Table<K, R>, key: &K) {
        self.batch.require(&self.store.tree(table.name), key.encode(), None);
    }

    /// Tells whoever watches `touched` once the transaction is durable.
    pub fn touch(&mut self, touched: Touched) {
        self.touched.push(touched);
    }

    /// Whether the transaction changes nothing so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Commits; durable when it returns `Ok`. [`StoreError::Conflict`]: nothing was changed, because
    /// something that was read has changed; run the whole again.
    pub async fn commit(self) -> StoreResult<()> {
        self.submit()?.durable().await
    }

    /// Puts the transaction into the queue of commits.
    pub(super) fn submit(self) -> StoreResult<Pending> {
        let place = self.store.committer().place(commit::size(&self.batch))?;
        Ok(place.submit(self.batch, self.touched))
    }
}

/// A transaction in the queue of commits, with what it came to. What is queued after it becomes durable
/// together with it or later, so that it may rest on it; whoever does so must still see that it is done.
pub struct Queued<T> {
    outcome: T,
    pending: Pending,
}

impl<T> Queued<T> {
    pub(super) fn new(outcome: T, pending: Pending) -> Self {
        Self { outcome, pending }
    }

    /// What the transaction came to, if it is committed.
    pub fn outcome(&self) -> &T {
        &self.outcome
    }

    /// Waits until the transaction is durable. [`StoreError::Conflict`]: as [`Tx::commit`].
    pub async fn durable(self) -> StoreResult<T> {
        self.pending.durable().await?;
        Ok(self.outcome)
    }
}

/// How often a transaction is run again after a conflict before the caller is told.
pub(super) const ATTEMPTS: usize = 8;

/// Whether running the transaction again can help.
pub(super) fn is_conflict(error: &StoreError) -> bool {
    matches!(error, StoreError::Conflict)
}
