//! Requests of OpenTelemetry, for as long as someone lets it run. The first byte says which way a request
//! comes, and how it is written; the rest is its body. What the test suite runs is short and always the same:
//! `tests/suite/otlp/fuzz.rs`.
//!
//! | bit | not set | set |
//! |---|---|---|
//! | 1 | spans | records of logs |
//! | 2 | protobuf | JSON |
//! | 4 | through a door | from a file, whose content says the rest |
//!
//! The stable compiler does, when it is told to take what is the nightly one's. No part of Dendro is unsafe, so
//! a sanitizer has little to find, and with one the build takes many times as long.
//!
//! ```sh
//! cargo install cargo-fuzz --locked
//! mkdir -p fuzz/corpus/request
//! for file in tests/fixtures/otlp/*/*.{pb,json}; do
//!   name=fuzz/corpus/request/$(tr / - <<< "${file#tests/fixtures/otlp/}")
//!   case $file in *-traces.pb) door='\0' ;; *-logs.pb) door='\1' ;; *-logs.json) door='\3' ;; *) door='\2' ;; esac
//!   { printf "$door"; cat "$file"; } > "$name"
//!   { printf '\4'; cat "$file"; } > "$name-file"
//! done
//! # Of a database with spans that were recorded through the API, as `dendro demo --data data` leaves one.
//! dendro export | head -n 1 | { printf '\4'; cat; } > fuzz/corpus/request/export
//! RUSTC_BOOTSTRAP=1 cargo fuzz run request --sanitizer none --codegen-units 16 -- \
//!   -max_len=65536 -timeout=30 -max_total_time=3600
//! ```
//!
//! What it finds stands in `fuzz/artifacts`; `cargo fuzz fmt request FILE`, with the same options, shows it.
//! It may need what came before it: with `DENDRO_FUZZ_KEEP=FOLDER` all that one server got stands in the folder,
//! and `cargo fuzz run request … $(ls FOLDER/*)` gives it to another one, in its order.

#![no_main]

use std::{
    cell::RefCell,
    io::Cursor,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Router, body::Body, http::Request};
use dendro::{
    engine::MemoryEngine,
    live::Hub,
    model::{
        Timestamp,
        clock::{Clock, Ids},
        limits::RecordLimits,
        prices::PriceTable,
    },
    otlp::{
        Otlp, OtlpLimits,
        import::{Importer, Reader, detect, run},
        router,
    },
    service::{Context, Services, ingest::Ingest, listing::ListLimits},
    store::{Store, StoreConfig},
};
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

/// Requests that one server gets: what it keeps must not fill the memory.
const OF_ONE_SERVER: u64 = 1_000;

/// 2027-01-01T00:00:00Z, always.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(1_798_761_600_000_000_000)
    }
}

/// Ids that count up.
#[derive(Default)]
struct Counted(AtomicU64);

impl Ids for Counted {
    fn next(&self) -> uuid::Uuid {
        uuid::Uuid::from_u128(self.0.fetch_add(1, Ordering::Relaxed).into())
    }
}

struct Server {
    runtime: Runtime,
    router: Router,
    importer: Importer,
    ingest: Ingest,
    requests: u64,
}

impl Server {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (router, importer, ingest) = runtime.block_on(async {
            let hub = Arc::new(Hub::default());
            let engine = Arc::new(MemoryEngine::default());
            let services = Services::new(Context {
                store: Store::open(engine, StoreConfig::default(), hub.clone()).await.unwrap(),
                hub,
                clock: Arc::new(Still),
                ids: Arc::new(Counted::default()),
                limits: Arc::new(RecordLimits::default()),
                lists: Arc::new(ListLimits::default()),
                prices: PriceTable::bundled().unwrap(),
                ingest: Arc::default(),
                arriving: Arc::default(),
            });
            let (ingest, clock) = (services.ingest, Arc::new(Still));
            let router = router(Otlp::new(ingest.clone(), clock.clone(), OtlpLimits::default()));
            (router, Importer::new(ingest.clone(), clock), ingest)
        });
        Self { runtime, router, importer, ingest, requests: 0 }
    }

    fn send(&mut self, path: &str, content_type: &str, body: Vec<u8>) {
        let request =
            Request::post(path).header("content-type", content_type).body(Body::from(body)).unwrap();
        let answer = async {
            let response = self.router.call(request).await.unwrap();
            let (parts, body) = response.into_parts();
            self.ingest.turns_made().await;
            (parts.status.as_u16(), body.collect().await.unwrap().to_bytes())
        };
        let (status, body) = self.runtime.block_on(answer);
        assert!([200, 400, 413].contains(&status), "{status}: {}", String::from_utf8_lossy(&body));
        self.requests += 1;
    }

    fn import(&mut self, file: Vec<u8>) {
        self.requests += 1;
        let (Some(form), input) = detect(Box::new(Cursor::new(file))) else { return };
        let reader = Reader::new("file", input, form);
        self.runtime.block_on(run(&self.importer, reader, false, |_| {})).unwrap();
    }
}

/// Writes an input to the folder for what one server gets, if there is one.
fn keep(number: u64, input: &[u8]) {
    let Some(folder) = std::env::var_os("DENDRO_FUZZ_KEEP").map(PathBuf::from) else { return };
    if number == 0 {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
    }
    std::fs::write(folder.join(format!("{number:04}")), input).unwrap();
}

thread_local! {
    static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
}

fuzz_target!(|input: &[u8]| {
    let Some((door, body)) = input.split_first() else { return };
    let path = if door & 1 == 0 { "/v1/traces" } else { "/v1/logs" };
    let content_type = if door & 2 == 0 { "application/x-protobuf" } else { "application/json" };
    SERVER.with_borrow_mut(|server| {
        if server.as_ref().is_some_and(|server| server.requests >= OF_ONE_SERVER) {
            *server = None;
        }
        let server = server.get_or_insert_with(Server::start);
        keep(server.requests, input);
        match door & 4 {
            0 => server.send(path, content_type, body.to_vec()),
            _ => server.import(body.to_vec()),
        }
    });
});
