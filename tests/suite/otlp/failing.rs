//! A store that fails: a sender is told to come back where that can help, and then what it sends again is
//! stored; where no repeat mends it, it is told so.

use std::{future::pending, path::Path, sync::Arc, time::Duration};

use dendro::{
    engine::{
        Batch, EngineConfig, EngineError, EngineKind, KeyRange, MemoryEngine, ScanRequest, SharedEngine,
        Tree, open,
    },
    otlp::{OtlpLimits, serve_grpc},
    store::StoreConfig,
};
use prost::Message;
use serde_json::json;
use tokio::net::TcpListener;

use super::{
    bed::{Bed, JSON, NOW, PROTOBUF, TRACES},
    grpc::{self, INTERNAL, OK, UNAVAILABLE},
    samples::{of_spans, span},
};
use crate::support::{
    self,
    engines::{Failing, wrap},
};

const START: u64 = NOW as u64;

/// What a sender is told to wait, in seconds: short enough for exporters that give up after ten.
const WAIT: &str = "5";

async fn over(engine: SharedEngine) -> Bed {
    let server = support::Server::on(engine, StoreConfig::default(), Default::default()).await;
    Bed::over(server, OtlpLimits::default())
}

/// Where gRPC is served.
async fn serve(bed: &Bed) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(serve_grpc(bed.otlp.clone(), listener, 100, pending()));
    address
}

fn request() -> Vec<u8> {
    of_spans(vec![span(1, 1, START)]).encode_to_vec()
}

/// Every door says that the request may come again.
async fn assert_told_to_come_back(bed: &Bed, address: &str) {
    let json = json!({
        "traceId": "7ace".to_owned() + &"0".repeat(28), "spanId": "0000000000000001", "name": "in JSON",
        "startTimeUnixNano": START.to_string(), "endTimeUnixNano": (START + 1).to_string(),
    });
    let json = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [json] }] }] }).to_string();
    for (content_type, body) in [(PROTOBUF, request()), (JSON, json.into_bytes())] {
        let reply = bed.post(TRACES, content_type, body).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, WAIT), "{reply:?}");
        let told = reply.complaint();
        assert_eq!((told.code, told.message.as_str()), (14, "nothing can be stored now; try again later"));
    }
    let ended = grpc::call(address, grpc::TRACES, &request()).await;
    assert_eq!((ended.code, ended.retry_after()), (UNAVAILABLE, WAIT.parse().ok()), "{ended:?}");
}

/// Every door says that the server failed, and nothing of coming back.
async fn assert_told_that_it_failed(bed: &Bed, address: &str) {
    let reply = bed.post(TRACES, PROTOBUF, request()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (500, ""), "{reply:?}");
    assert_eq!(reply.complaint().code, 13);
    let ended = grpc::call(address, grpc::TRACES, &request()).await;
    assert_eq!((ended.code, ended.retry_after()), (INTERNAL, None), "{ended:?}");
}

#[tokio::test]
async fn what_passes_is_worth_a_repeat() {
    let failing = Arc::new(Failing::default());
    let bed = over(wrap(Arc::new(MemoryEngine::new()), &failing)).await;
    let address = serve(&bed).await;
    let why = || "as the test asked".to_owned();
    for error in [EngineError::Full(why()), EngineError::Io(why()), EngineError::Stopped(why())] {
        failing.with(Some(error));
        assert_told_to_come_back(&bed, &address).await;
        assert!(bed.all_traces().await.is_empty());
    }
    failing.with(None);
    assert_eq!(bed.post(TRACES, PROTOBUF, request()).await.rejected(TRACES), (0, String::new()));
    assert_eq!(grpc::call(&address, grpc::TRACES, &request()).await.code, OK);
    assert_eq!(bed.all_traces().await.len(), 1);
}

#[tokio::test]
async fn what_no_repeat_mends_is_told_as_such() {
    let failing = Arc::new(Failing::default());
    let memory: SharedEngine = Arc::new(MemoryEngine::new());
    let bed = over(wrap(memory.clone(), &failing)).await;
    let address = serve(&bed).await;
    failing.with(Some(EngineError::Corrupt("as the test asked".to_owned())));
    assert_told_that_it_failed(&bed, &address).await;

    // The record of the trace cannot be read any more.
    failing.with(None);
    assert_eq!(bed.post(TRACES, PROTOBUF, request()).await.status, 200);
    let rows = Tree::new("default/trace");
    let scan = ScanRequest::forward(&rows, KeyRange::all(), 10);
    let page = memory.scan_many(vec![scan]).await.unwrap().pop().unwrap();
    let mut batch = Batch::default();
    page.entries.into_iter().for_each(|entry| batch.put(&rows, entry.key.to_vec(), "no trace"));
    assert!(!batch.is_empty());
    memory.commit(batch).await.unwrap();
    let bed = over(memory).await;
    let address = serve(&bed).await;
    assert_told_that_it_failed(&bed, &address).await;
}

/// The engine, as soon as whoever had it open has let it go.
async fn engine(config: &EngineConfig, folder: &Path) -> SharedEngine {
    for _ in 0..1_000 {
        match open(config, folder) {
            Err(EngineError::Locked(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            engine => return engine.unwrap(),
        }
    }
    panic!("the engine was not let go");
}

/// The disk of a database becomes full, and room is made again.
#[tokio::test]
async fn a_full_disk_is_waited_for() {
    for kind in [EngineKind::Sled, EngineKind::Fjall] {
        let folder = tempfile::tempdir().unwrap();
        let roomy = EngineConfig::new(kind);
        let full = EngineConfig { reserve_bytes: u64::MAX / 2, ..roomy.clone() };
        drop(over(engine(&roomy, folder.path()).await).await);

        let bed = over(engine(&full, folder.path()).await).await;
        let reply = bed.post(TRACES, PROTOBUF, request()).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, WAIT), "{reply:?}");
        drop(bed);

        let bed = over(engine(&roomy, folder.path()).await).await;
        assert!(bed.all_traces().await.is_empty());
        assert_eq!(bed.post(TRACES, PROTOBUF, request()).await.rejected(TRACES), (0, String::new()));
    }
}
