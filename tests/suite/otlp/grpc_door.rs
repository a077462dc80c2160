//! gRPC as the protocol wants it: both services, packing, sizes, codes by which senders know whether to try
//! again.

use std::future::pending;

use axum::body::Body;
use bytes::Bytes;
use dendro::otlp::{OtlpLimits, serve_grpc};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceResponse, trace::v1::ExportTraceServiceResponse,
};
use prost::Message;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    bed::{Bed, JSON, NOW, request},
    grpc::{
        INVALID_ARGUMENT, LOGS, OK, RESOURCE_EXHAUSTED, TRACES, UNAVAILABLE, UNIMPLEMENTED, call,
        call_packed, gzip,
    },
    real::Real,
    samples::{evaluation, of_logs, of_spans, span},
};
use crate::support;

const START: u64 = NOW as u64;

/// A bed whose gRPC is served, and where.
async fn serve(limits: OtlpLimits) -> (Bed, String, JoinHandle<()>) {
    let bed = Bed::over(support::Server::new().await, limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = serve_grpc(bed.otlp.clone(), listener, 100, pending());
    (bed, address, tokio::spawn(async move { serving.await.unwrap() }))
}

#[tokio::test]
async fn both_services_take_what_is_sent() {
    let (bed, address, _serving) = serve(OtlpLimits::default()).await;
    let spans = of_spans(vec![span(1, 1, START), span(1, 2, START)]).encode_to_vec();
    let ended = call(&address, TRACES, &spans).await;
    assert_eq!((ended.code, ended.body.len()), (OK, 0), "{ended:?}");
    let logs = of_logs(vec![evaluation(1, 1, START, 0.5)]).encode_to_vec();
    let ended = call_packed(&address, LOGS, &gzip(&logs)).await;
    assert_eq!((ended.code, ended.body.len()), (OK, 0), "{ended:?}");
    let ended =
        call_packed(&address, TRACES, &gzip(&of_spans(vec![span(2, 1, START)]).encode_to_vec())).await;
    assert_eq!(ended.code, OK);
    // Nothing is nothing wrong.
    assert_eq!(call(&address, TRACES, &[]).await.code, OK);
    assert_eq!(call(&address, LOGS, &[]).await.code, OK);
    let traces = bed.all_traces().await;
    let counts: Vec<_> = traces.iter().map(|trace| trace["spanCount"].as_u64().unwrap()).collect();
    assert_eq!(counts, [2, 1]);
    assert_eq!(traces[0]["spans"]["nodes"][0]["scores"][0]["numberValue"], 0.5);
}

#[tokio::test]
async fn what_was_not_taken_is_told() {
    let (bed, address, _serving) = serve(OtlpLimits::default()).await;
    let mut spans = vec![span(1, 1, START), span(1, 2, START)];
    spans[0].trace_id = Vec::new();
    let ended = call(&address, TRACES, &of_spans(spans.clone()).encode_to_vec()).await;
    assert_eq!(ended.code, OK);
    let partial = ExportTraceServiceResponse::decode(ended.body).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.starts_with("resourceSpans.0.scopeSpans.0.spans.0.traceId: is missing"));

    let mut records = vec![evaluation(1, 2, START, 1.0), evaluation(1, 2, START, 1.0)];
    records[1].attributes.clear();
    let ended = call(&address, LOGS, &of_logs(records).encode_to_vec()).await;
    let partial = ExportLogsServiceResponse::decode(ended.body).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_log_records, 1);
    assert!(partial.error_message.contains("gen_ai.evaluation.name"), "{partial:?}");

    // Nothing that could be taken: senders must not send it again.
    let ended = call(&address, TRACES, &of_spans(spans[..1].to_vec()).encode_to_vec()).await;
    assert_eq!(ended.code, INVALID_ARGUMENT, "{ended:?}");
    assert!(ended.message.contains("traceId: is missing"), "{ended:?}");
    for broken in [&[0xff_u8, 0xff, 0xff][..], b"no protobuf"] {
        let ended = call(&address, TRACES, broken).await;
        assert_eq!(ended.code, INVALID_ARGUMENT, "{ended:?}");
        assert!(ended.message.starts_with("not a protobuf traces request"), "{ended:?}");
    }
    assert_eq!(bed.all_traces().await[0]["spanCount"], 1);
}

#[tokio::test]
async fn there_is_only_export() {
    let (_bed, address, _serving) = serve(OtlpLimits::default()).await;
    for path in [
        TRACES.replace("Export", "Import"),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export".to_owned(),
    ] {
        assert_eq!(call(&address, &path, &[]).await.code, UNIMPLEMENTED, "{path}");
    }
}

/// Senders try OUT_OF_RANGE again, for ever; RESOURCE_EXHAUSTED without a time to wait they do not.
#[tokio::test]
async fn what_is_too_large_is_not_to_come_again() {
    let limits = OtlpLimits { body_bytes: 10_000, unpacked_bytes: 10_000, ..OtlpLimits::default() };
    let (_bed, address, _serving) = serve(limits).await;
    for ended in [
        call(&address, TRACES, &[0; 10_001]).await,
        call_packed(&address, TRACES, &gzip(&[0; 10_001])).await,
        call_packed(&address, LOGS, &gzip(&vec![0; 10 << 20])).await,
    ] {
        assert_eq!((ended.code, ended.retry_after()), (RESOURCE_EXHAUSTED, None), "{ended:?}");
        assert!(ended.message.contains("more than 10000 bytes"), "{ended:?}");
        assert!(ended.message.contains("`otlp.limits.unpacked_bytes`"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_bomb_takes_no_memory() {
    let server = Real::start();
    let bomb = gzip(&vec![0; 256 << 20]);
    let before = server.serving.peak_memory();
    let ended = call_packed(&server.grpc, TRACES, &bomb).await;
    assert_eq!(ended.code, RESOURCE_EXHAUSTED, "{ended:?}");
    let taken = server.serving.peak_memory() - before;
    assert!(taken < 256 << 20, "{taken} bytes");
}

#[tokio::test]
async fn without_room_senders_are_told_when_to_come_back() {
    let limits = OtlpLimits { bytes_at_once: 1 << 20, ..OtlpLimits::default() };
    let (bed, address, _serving) = serve(limits).await;
    // One that has sent as much as there is room for has all of it, until it has sent the rest.
    let (bytes, rest) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(1);
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(rest));
    let held = bed.send(request(super::bed::TRACES, JSON, &[], body));
    let message = of_spans(vec![span(1, 1, START)]).encode_to_vec();
    let others = async {
        bytes.send(Ok(Bytes::from(vec![b' '; 1 << 20]))).await.unwrap();
        // Until it is taken: the channel holds one.
        bytes.send(Ok(Bytes::from_static(b" "))).await.unwrap();
        for path in [TRACES, LOGS] {
            let ended = call(&address, path, &message).await;
            assert_eq!((ended.code, ended.retry_after()), (UNAVAILABLE, Some(1.0)), "{ended:?}");
        }
        bytes.send(Ok(Bytes::from_static(b"{\"resourceSpans\":[]}"))).await.unwrap();
        drop(bytes);
    };
    let (reply, ()) = tokio::join!(held, others);
    assert_eq!(reply.status, 200);
    assert_eq!(call(&address, TRACES, &message).await.code, OK);
    // The room is free again, also after one that is larger than all of it.
    let mut large = span(2, 1, START);
    large.attributes = vec![super::samples::text("large", &"x".repeat(3 << 20))];
    let large = of_spans(vec![large]).encode_to_vec();
    for _ in 0..3 {
        assert_eq!(call(&address, TRACES, &large).await.code, OK);
        assert_eq!(call_packed(&address, TRACES, &gzip(&large)).await.code, OK);
    }
    assert_eq!(bed.all_traces().await.len(), 2);
}
