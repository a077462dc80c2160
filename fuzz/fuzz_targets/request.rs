//! Requests of OpenTelemetry, for as long as someone lets it run. The first byte says which door a request
//! goes to, and how it is written; the rest is its body. What the test suite runs is short and always the
//! same: `tests/suite/otlp/fuzz.rs`.
//!
//! ```sh
//! rustup toolchain install nightly && cargo install cargo-fuzz
//! mkdir -p fuzz/corpus/request
//! for file in tests/fixtures/otlp/*/*.{pb,json}; do
//!   case $file in *-traces.pb) door='\0' ;; *-logs.pb) door='\1' ;; *-logs.json) door='\3' ;; *) door='\2' ;; esac
//!   { printf "$door"; cat "$file"; } > "fuzz/corpus/request/$(tr / - <<< "${file#tests/fixtures/otlp/}")"
//! done
//! cargo +nightly fuzz run request -- -max_len=65536 -max_total_time=3600
//! ```
//!
//! What it finds stands in `fuzz/artifacts`; `cargo +nightly fuzz fmt request FILE` shows it.

#![no_main]

use std::{
    cell::RefCell,
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
    otlp::{Otlp, OtlpLimits, router},
    service::{Context, Services, listing::ListLimits},
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
    requests: u64,
}

impl Server {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let router = runtime.block_on(async {
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
            });
            router(Otlp::new(services.ingest, Arc::new(Still), OtlpLimits::default()))
        });
        Self { runtime, router, requests: 0 }
    }

    fn send(&mut self, path: &str, content_type: &str, body: Vec<u8>) {
        let request =
            Request::post(path).header("content-type", content_type).body(Body::from(body)).unwrap();
        let answer = async {
            let response = self.router.call(request).await.unwrap();
            let (parts, body) = response.into_parts();
            (parts.status.as_u16(), body.collect().await.unwrap().to_bytes())
        };
        let (status, body) = self.runtime.block_on(answer);
        assert!([200, 400, 413].contains(&status), "{status}: {}", String::from_utf8_lossy(&body));
        self.requests += 1;
    }
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
        server.get_or_insert_with(Server::start).send(path, content_type, body.to_vec());
    });
});
