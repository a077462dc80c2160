//! Durable spans a second through the store, bytes on disk, and the time to open it again.
//!
//! `cargo bench --bench store -- --engine sled --spans 200000 --writers 1,4,16`

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::cast_precision_loss, missing_docs)]

mod support;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use clap::Parser;
use dendro::{
    engine::EngineKind,
    model::trace::NewTrace,
    service::tracing::{SpanWrite, Tracing},
};
use support::{disk_bytes, open, peak_mib, resident_mib, workload::Workload};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    /// The engine: sled, fjall or memory.
    #[arg(long, default_value = "sled")]
    engine: EngineKind,
    /// Spans written in each run.
    #[arg(long, default_value_t = 200_000)]
    spans: usize,
    /// Writers at once; a run for each number.
    #[arg(long, value_delimiter = ',', default_value = "1,4,16")]
    writers: Vec<usize>,
    /// Where the databases are made; they are removed after each run.
    #[arg(long, default_value = "target/bench-data")]
    dir: PathBuf,
    /// Only time opening the database of an earlier run that was kept.
    #[arg(long)]
    open: bool,
    /// Keep the database of the last run.
    #[arg(long)]
    keep: bool,
    #[arg(long, hide = true)]
    bench: bool,
}

const BATCH: usize = 25;
const SPANS_PER_TRACE: usize = 50;

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let dir = arguments.dir.join(arguments.engine.to_string());
    if arguments.open {
        return reopen(arguments.engine, &dir).await;
    }
    println!("| engine | spans | writers | spans/s | disk bytes/span | RSS MiB | peak MiB |");
    println!("|---|---|---|---|---|---|---|");
    for writers in &arguments.writers {
        let _ = std::fs::remove_dir_all(&dir);
        run(&arguments, *writers, &dir).await;
    }
    if !arguments.keep {
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

async fn run(arguments: &Arguments, writers: usize, dir: &std::path::Path) {
    let (engine, context) = open(arguments.engine, dir).await;
    let tracing = Tracing::new(context);
    let left = Arc::new(AtomicUsize::new(arguments.spans / SPANS_PER_TRACE));
    let started = Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|writer| tokio::spawn(write(tracing.clone(), Arc::clone(&left), writer as u64)))
        .collect();
    let (mut making, mut spans) = (0.0, 0);
    for task in tasks {
        let (made, written) = task.await.unwrap();
        making += made;
        spans += written;
    }
    let seconds = started.elapsed().as_secs_f64();
    let (rss, peak) = (resident_mib(), peak_mib());
    drop((tracing, engine));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let per_span = disk_bytes(dir) as f64 / spans as f64;
    println!(
        "| {} | {spans} | {writers} | {:.0} | {per_span:.0} | {rss:.0} | {peak:.0} |",
        arguments.engine,
        spans as f64 / seconds,
    );
    eprintln!(
        "  {seconds:.1} s in all; making spans took {making:.1} s of the writers' time, which is part of it"
    );
}

/// Writes traces in two batches each until none is left; answers the seconds spent making them.
async fn write(tracing: Tracing, left: Arc<AtomicUsize>, seed: u64) -> (f64, usize) {
    let mut workload = Workload::new(seed);
    let (mut making, mut written) = (0.0, 0);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let clock = Instant::now();
        let trace_id = workload.trace_id();
        let spans = workload.spans(SPANS_PER_TRACE);
        making += clock.elapsed().as_secs_f64();
        tracing.start_trace(NewTrace { id: Some(trace_id), ..NewTrace::default() }).await.unwrap();
        let mut spans = spans.into_iter().map(|op| SpanWrite { trace_id, op });
        loop {
            let batch: Vec<_> = spans.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            written += batch.len();
            for outcome in tracing.write_spans(batch).await {
                outcome.unwrap();
            }
        }
    }
    (making, written)
}

async fn reopen(engine: EngineKind, dir: &std::path::Path) {
    let started = Instant::now();
    let (_engine, context) = open(engine, dir).await;
    let seconds = started.elapsed().as_secs_f64();
    let page = dendro::model::page::PageRequest { first: 50, after: None };
    let listed = Instant::now();
    let traces =
        Tracing::new(context).list_traces(&Default::default(), Default::default(), &page).await.unwrap();
    println!(
        "{engine}: open {seconds:.3} s, RSS {:.0} MiB, newest {} traces in {:.1} ms",
        resident_mib(),
        traces.items.len(),
        listed.elapsed().as_secs_f64() * 1e3,
    );
}
