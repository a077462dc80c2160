//! An engine that counts what is asked of another: tests prove with it that a nested query costs a fixed
//! number of reads, and metrics report it. It must not change what it passes on.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::{Batch, Engine, EngineKind, EngineResult, ScanPage, ScanRequest, SharedEngine, Tree};

/// What was asked of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// [`Engine::get_many`].
    Get,
    /// A request of [`Engine::scan_many`].
    Scan,
    /// [`Engine::commit`], once for each tree that the batch writes to.
    Commit,
}

/// How often something was asked of one tree, and how much it moved. Calls that failed count too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCount {
    /// Calls of `get_many`, requests of `scan_many`, or batches.
    pub calls: u64,
    /// Keys asked for, entries found, or writes.
    pub items: u64,
    /// Bytes of the keys and values that were found or written.
    pub bytes: u64,
}

/// The counts of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Round trips: calls of the engine, however many trees, keys or requests each had.
    pub round_trips: BTreeMap<CallKind, u64>,
    /// The counts by kind of call and tree.
    pub by_tree: BTreeMap<(CallKind, Tree), CallCount>,
}

impl Counts {
    /// Calls of a kind, over all trees.
    #[must_use]
    pub fn calls(&self, kind: CallKind) -> u64 {
        self.by_tree.iter().filter(|((of, _), _)| *of == kind).map(|(_, count)| count.calls).sum()
    }

    /// The counts of a kind of call on one tree.
    #[must_use]
    pub fn of(&self, kind: CallKind, tree: &Tree) -> CallCount {
        self.by_tree.get(&(kind, tree.clone())).copied().unwrap_or_default()
    }

    /// Round trips of a kind.
    #[must_use]
    pub fn trips(&self, kind: CallKind) -> u64 {
        self.round_trips.get(&kind).copied().unwrap_or_default()
    }

    fn trip(&mut self, kind: CallKind) {
        *self.round_trips.entry(kind).or_default() += 1;
    }

    fn add(&mut self, kind: CallKind, tree: &Tree, more: CallCount) {
        let count = self.by_tree.entry((kind, tree.clone())).or_default();
        count.calls += more.calls;
        count.items += more.items;
        count.bytes += more.bytes;
    }
}

/// Counts what is asked of the engine inside.
pub struct Counting {
    inner: SharedEngine,
    counts: Mutex<Counts>,
}

impl Counting {
    /// Counts from zero what is asked of `inner`.
    #[must_use]
    pub fn new(inner: SharedEngine) -> Self {
        Self { inner, counts: Mutex::default() }
    }

    /// The counts since the beginning, or since they were last taken.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts.lock().clone()
    }

    /// The counts, which begin at zero again.
    #[must_use]
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts.lock())
    }

    fn count_gets(&self, tree: &Tree, keys: usize, found: &EngineResult<Vec<Option<Bytes>>>) {
        let values = found.iter().flatten().flatten();
        let bytes = values.map(|value| value.len() as u64).sum();
        let mut counts = self.counts.lock();
        counts.trip(CallKind::Get);
        counts.add(CallKind::Get, tree, CallCount { calls: 1, items: keys as u64, bytes });
    }

    fn count_scans(&self, trees: &[Tree], found: &EngineResult<Vec<ScanPage>>) {
        let mut counts = self.counts.lock();
        counts.trip(CallKind::Scan);
        let mut pages = found.iter().flatten();
        for tree in trees {
            let entries = pages.next().map_or(&[][..], |page| &page.entries);
            let bytes = entries.iter().map(|entry| (entry.key.len() + entry.value.len()) as u64).sum();
            let items = entries.len() as u64;
            counts.add(CallKind::Scan, tree, CallCount { calls: 1, items, bytes });
        }
    }

    fn count_commit(&self, writes: BTreeMap<Tree, CallCount>) {
        let mut counts = self.counts.lock();
        counts.trip(CallKind::Commit);
        for (tree, count) in writes {
            counts.add(CallKind::Commit, &tree, count);
        }
    }
}

/// The writes of a batch by tree.
fn writes_by_tree(batch: &Batch) -> BTreeMap<Tree, CallCount> {
    let mut counts = BTreeMap::<Tree, CallCount>::new();
    for write in &batch.writes {
        let count = counts.entry(write.tree.clone()).or_default();
        count.calls = 1;
        count.items += 1;
        count.bytes += (write.key.len() + write.value.as_ref().map_or(0, Bytes::len)) as u64;
    }
    counts
}

impl Engine for Counting {
    fn kind(&self) -> EngineKind {
        self.inner.kind()
    }

    fn blocks(&self) -> bool {
        self.inner.blocks()
    }

    fn health(&self) -> EngineResult<()> {
        self.inner.health()
    }

    fn get_many(&self, tree: &Tree, keys: Vec<Vec<u8>>) -> BoxFuture<'_, EngineResult<Vec<Option<Bytes>>>> {
        let tree = tree.clone();
        Box::pin(async move {
            let asked = keys.len();
            let found = self.inner.get_many(&tree, keys).await;
            self.count_gets(&tree, asked, &found);
            found
        })
    }

    fn scan_many(&self, requests: Vec<ScanRequest>) -> BoxFuture<'_, EngineResult<Vec<ScanPage>>> {
        Box::pin(async move {
            let trees: Vec<Tree> = requests.iter().map(|request| request.tree.clone()).collect();
            let found = self.inner.scan_many(requests).await;
            self.count_scans(&trees, &found);
            found
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, EngineResult<()>> {
        Box::pin(async move {
            let writes = writes_by_tree(&batch);
            let done = self.inner.commit(batch).await;
            self.count_commit(writes);
            done
        })
    }

    fn trees(&self) -> BoxFuture<'_, EngineResult<Vec<Tree>>> {
        self.inner.trees()
    }

    fn drop_tree(&self, tree: &Tree) -> BoxFuture<'_, EngineResult<()>> {
        self.inner.drop_tree(tree)
    }

    fn finish(&self) -> BoxFuture<'_, EngineResult<()>> {
        self.inner.finish()
    }

    fn rest(&self) -> BoxFuture<'_, EngineResult<()>> {
        self.inner.rest()
    }

    fn let_go(&self) -> BoxFuture<'static, ()> {
        self.inner.let_go()
    }

    fn size_on_disk(&self) -> BoxFuture<'_, EngineResult<u64>> {
        self.inner.size_on_disk()
    }
}
