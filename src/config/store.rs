//! Where data lies and how it is kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Fault, at_least};
use crate::{
    engine::{EngineConfig, EngineKind},
    store::{QueueLimits, StoreConfig, spans::SpanConfig},
};

/// The database's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// The engine. A database stays with the one that made it.
    pub engine: EngineKind,
    /// The folder that holds the database. The engine `memory` keeps nothing there.
    pub data_dir: PathBuf,
    /// See [`EngineConfig::cache_bytes`].
    pub cache_bytes: u64,
    /// See [`EngineConfig::write_buffer_bytes`].
    pub write_buffer_bytes: u64,
    /// See [`EngineConfig::reserve_bytes`].
    pub reserve_bytes: u64,
    /// Bounds of the queue of writes.
    pub queue: QueueLimits,
    /// How span blocks are kept and cached.
    pub spans: SpanConfig,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        let EngineConfig { kind, cache_bytes, write_buffer_bytes, reserve_bytes } =
            EngineConfig::new(EngineKind::Sled);
        let StoreConfig { queue, spans } = StoreConfig::default();
        let data_dir = PathBuf::from("data");
        Self { engine: kind, data_dir, cache_bytes, write_buffer_bytes, reserve_bytes, queue, spans }
    }
}

impl DatabaseConfig {
    /// What the engine is given.
    #[must_use]
    pub fn engine_config(&self) -> EngineConfig {
        EngineConfig {
            kind: self.engine,
            cache_bytes: self.cache_bytes,
            write_buffer_bytes: self.write_buffer_bytes,
            reserve_bytes: self.reserve_bytes,
        }
    }

    /// What the store is given.
    #[must_use]
    pub fn store_config(&self) -> StoreConfig {
        StoreConfig { queue: self.queue.clone(), spans: self.spans.clone() }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.data_dir.as_os_str().is_empty() && self.engine != EngineKind::Memory {
            return Err(Fault::new("store.data_dir", "must name a folder"));
        }
        let megabyte = 1 << 20;
        for (key, value) in
            [("store.cache_bytes", self.cache_bytes), ("store.write_buffer_bytes", self.write_buffer_bytes)]
        {
            if value < megabyte {
                return Err(Fault::new(key, format!("{value} is too few; at least {megabyte}")));
            }
        }
        at_least("store.queue.writes", self.queue.writes, 1)?;
        at_least("store.queue.bytes", self.queue.bytes, 1 << 20)?;
        at_least("store.queue.commit_bytes", self.queue.commit_bytes, 1 << 10)?;
        at_least("store.spans.cached_spans", self.spans.cached_spans, 1)?;
        at_least("store.spans.merge_after_blocks", self.spans.merge_after_blocks as usize, 2)
    }
}
