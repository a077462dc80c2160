//! What the benches share: deterministic workloads like those of real agents, a server, and figures of
//! processes.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss
)]

pub mod agents;
pub mod phrases;
pub mod server;
pub mod workload;

use std::{fs, path::Path, sync::Arc};

use dendro::{
    engine::{self, EngineConfig, EngineKind, SharedEngine},
    live::Hub,
    model::{
        clock::{RandomIds, SystemClock},
        limits::RecordLimits,
    },
    service::{Context, Shared, listing::ListLimits},
    store::{Store, StoreConfig},
};

/// A store in `dir` with everything that services need.
pub async fn open(kind: EngineKind, dir: &Path) -> (SharedEngine, Context) {
    let engine = engine::open(&EngineConfig::new(kind), dir).unwrap();
    let hub = Arc::new(Hub::default());
    let observer: Arc<dyn dendro::store::Observer> = Arc::clone(&hub) as _;
    let store = Store::open(Arc::clone(&engine), StoreConfig::default(), observer).await.unwrap();
    let context = Context::from(Shared {
        store,
        hub,
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        limits: Arc::new(RecordLimits::default()),
        lists: Arc::new(ListLimits::default()),
        prices: dendro::model::prices::PriceTable::bundled().unwrap(),
        ingest: Arc::default(),
        query: Arc::default(),
        series: Arc::default(),
        arriving: Arc::default(),
        deletions: Arc::default(),
        search: None,
        evaluation: Arc::default(),
    });
    (engine, context)
}

/// Memory that the process holds now, in MiB.
pub fn resident_mib() -> f64 {
    memory_mib("self", "VmRSS:")
}

/// The most memory that the process ever held, in MiB.
pub fn peak_mib() -> f64 {
    memory_mib("self", "VmHWM:")
}

/// A figure of a process's memory, in MiB.
pub fn memory_mib(process: &str, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Bytes that the files below `dir` take on disk.
pub fn disk_bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = fs::read_dir(dir).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                disk_bytes(&path)
            } else {
                path.metadata().map_or(0, |meta| meta.blocks() * 512)
            }
        })
        .sum()
}
