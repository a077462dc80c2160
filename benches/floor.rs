//! What taking in reports costs at the least: a server that does nothing with them but what no server can leave out.
//! Each body is received, unpacked from protobuf, packed by zstd, appended to one file and synced there before it is
//! acknowledged; what comes together is synced together. It keeps no traces and answers no questions but how many
//! spans it has.
//!
//! `peers/floor.py` tells `peerbench.py` how to start it.

#![allow(missing_docs)]

use std::{
    cell::RefCell,
    fs::{self, File},
    io::{self, Write as _},
    iter,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::{get, post},
};
use clap::Parser;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tokio::sync::oneshot;
use zstd::bulk::Compressor;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a sync waits for what comes with its first report: as long as Dendro's.
const GATHER: Duration = Duration::from_micros(100);

/// zstd's fastest ordinary level, as Dendro's.
const LEVEL: i32 = 1;

#[derive(Parser)]
struct Args {
    /// The folder of the file.
    #[arg(long)]
    data: PathBuf,
    /// Where it listens.
    #[arg(long)]
    listen: String,
    #[arg(long, hide = true)]
    bench: bool,
}

/// A packed report, and who waits until it is on the disk.
type Report = (Vec<u8>, oneshot::Sender<()>);

struct Server {
    queue: mpsc::Sender<Report>,
    spans: AtomicU64,
}

thread_local! {
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    fs::create_dir_all(&args.data)?;
    let file = File::create(args.data.join("reports"))?;
    let (queue, reports) = mpsc::channel();
    thread::spawn(move || write(file, &reports));
    let server = Arc::new(Server { queue, spans: AtomicU64::new(0) });
    let count =
        |State(server): State<Arc<Server>>| async move { server.spans.load(Ordering::SeqCst).to_string() };
    let router = Router::new()
        .route("/v1/traces", post(take))
        .route("/readyz", get(|| async {}))
        .route("/count", get(count))
        .layer(DefaultBodyLimit::disable())
        .with_state(server);
    axum::serve(tokio::net::TcpListener::bind(&args.listen).await?, router).await?;
    Ok(())
}

async fn take(State(server): State<Arc<Server>>, body: Bytes) -> Result<(), StatusCode> {
    let request = ExportTraceServiceRequest::decode(body.clone()).map_err(|_| StatusCode::BAD_REQUEST)?;
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    let spans = scopes.map(|scope| scope.spans.len() as u64).sum();
    drop(request);
    let packed = pack(&body).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let (done, durable) = oneshot::channel();
    server.queue.send((packed, done)).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    durable.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    server.spans.fetch_add(spans, Ordering::SeqCst);
    Ok(())
}

fn pack(body: &[u8]) -> io::Result<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| {
        let packer = match packer {
            Some(packer) => packer,
            None => packer.insert(Compressor::new(LEVEL)?),
        };
        packer.compress(body)
    })
}

/// Writes what comes, until a write fails: then nobody is told that theirs is durable.
fn write(mut file: File, reports: &mpsc::Receiver<Report>) -> io::Result<()> {
    while let Ok(first) = reports.recv() {
        thread::sleep(GATHER);
        let group: Vec<Report> = iter::once(first).chain(reports.try_iter()).collect();
        for (packed, ..) in &group {
            file.write_all(packed)?;
        }
        file.sync_data()?;
        for (_, done) in group {
            let _ = done.send(());
        }
    }
    Ok(())
}
