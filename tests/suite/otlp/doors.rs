//! The doors as the protocol wants them: encodings, packing, methods, sizes, and what is said when there is
//! too much.

use axum::body::Body;
use bytes::Bytes;
use dendro::otlp::OtlpLimits;
use futures_util::{
    StreamExt,
    stream::{self, FuturesUnordered},
};
use prost::Message;
use serde_json::json;

use super::{
    bed::{Bed, JSON, LOGS, NOW, PROTOBUF, Reply, TRACES, request},
    grpc::gzip,
    real::Real,
    samples::{evaluation, just_now, of_logs, of_spans, span},
};
use crate::support::{self, engines};

/// The body of a request with one span, in an encoding.
fn one_span(number: u64, start: u64, content_type: &str) -> Vec<u8> {
    if content_type.contains("protobuf") {
        return of_spans(vec![span(number, number, start)]).encode_to_vec();
    }
    let span = json!({
        "traceId": format!("7ace{number:028x}"), "spanId": format!("{number:016x}"), "name": "in JSON",
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 1).to_string(),
    });
    json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] }).to_string().into_bytes()
}

async fn post(url: &str, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Reply {
    let mut request = reqwest::Client::new().post(url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn every_form_is_taken_at_every_port() {
    let server = Real::start();
    let mut number = 0;
    for port in [&server.main, &server.http] {
        for (content_type, answered) in [
            ("application/x-protobuf", PROTOBUF),
            ("application/protobuf", PROTOBUF),
            ("application/json", JSON),
            ("Application/JSON; charset=utf-8", JSON),
        ] {
            for packing in ["", "identity", "gzip", "GZIP", "x-gzip"] {
                number += 1;
                let plain = one_span(number, just_now(), content_type);
                let body = if packing.to_lowercase().contains("gzip") { gzip(&plain) } else { plain };
                let headers = [("content-type", content_type), ("content-encoding", packing)];
                let headers = if packing.is_empty() { &headers[..1] } else { &headers };
                let reply = post(&format!("{port}/v1/traces"), headers, body).await;
                assert_eq!(reply.header("content-type"), answered, "{reply:?}");
                assert_eq!(reply.rejected(TRACES), (0, String::new()));
                let whole: &[u8] = if answered == JSON { b"{}" } else { b"" };
                assert_eq!(reply.body, whole, "{content_type} {packing}");
            }
        }
    }
    let count = server.ask("{ traces(first: 100) { nodes { spanCount status } } }", json!({})).await;
    let traces = count["traces"]["nodes"].as_array().unwrap();
    assert_eq!(traces.len(), number as usize);
    assert!(traces.iter().all(|trace| trace["spanCount"] == 1 && trace["status"] == "COMPLETED"));
}

#[tokio::test]
async fn what_is_not_otlp_is_told_what_is() {
    let server = Real::start();
    let client = reqwest::Client::new();
    for port in [&server.main, &server.http] {
        for path in [TRACES, LOGS] {
            let url = format!("{port}{path}");
            for wrong in [client.get(&url), client.put(&url).body("{}"), client.delete(&url)] {
                let reply = Reply::of(wrong.send().await.unwrap()).await;
                assert_eq!((reply.status, reply.header("allow")), (405, "POST"), "{reply:?}");
                assert!(reply.body.starts_with(b"OTLP is sent by POST"), "{reply:?}");
            }
            for headers in [&[][..], &[("content-type", "text/plain")], &[("content-type", "nonsense")]] {
                let reply = post(&url, headers, "{}").await;
                assert_eq!(reply.status, 415, "{reply:?}");
                let told = String::from_utf8_lossy(&reply.body).into_owned();
                assert!(told.contains("application/x-protobuf or application/json"), "{told}");
            }
            let packed = [("content-type", JSON), ("content-encoding", "br")];
            let complaint = post(&url, &packed, "{}").await.complaint();
            assert_eq!(complaint.message, "Content-Encoding must be gzip or identity");
        }
        // Metrics have no place here; exporters give up on this answer.
        let metrics = post(&format!("{port}/v1/metrics"), &[("content-type", PROTOBUF)], "").await;
        assert_eq!(metrics.status, 404);
    }
}

#[tokio::test]
async fn chunks_are_a_body_like_any_other() {
    let server = Real::start();
    for (content_type, number) in [(JSON, 1), (PROTOBUF, 2)] {
        let body = one_span(number, just_now(), content_type);
        let chunks: Vec<_> = body.chunks(7).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
        let headers = [("content-type", content_type)];
        let body = reqwest::Body::wrap_stream(stream::iter(chunks));
        let reply = post(&format!("{}/v1/traces", server.http), &headers, body).await;
        assert_eq!(reply.rejected(TRACES), (0, String::new()));
    }
}

#[tokio::test]
async fn what_was_not_taken_is_told_in_the_requests_encoding() {
    let bed = Bed::new().await;
    let now = u64::try_from(NOW).unwrap();
    let mut spans: Vec<_> = (1..=6).map(|number| span(1, number, now)).collect();
    spans[1].span_id = Vec::new();
    spans[3].trace_id = vec![0; 16];
    spans[4].span_id = vec![1, 2];
    spans[5].start_time_unix_nano = 5;
    let reply = bed.post(TRACES, PROTOBUF, of_spans(spans).encode_to_vec()).await;
    let (count, message) = reply.rejected(TRACES);
    assert_eq!(count, 4);
    let spans = "resourceSpans.0.scopeSpans.0.spans";
    for (place, why) in
        [(1, "spanId: is all zeros or empty"), (3, "traceId: is all zeros"), (4, "spanId: has 2")]
    {
        assert!(message.contains(&format!("{spans}.{place}.{why}")), "{message}");
    }
    assert!(message.ends_with("and 1 more"), "{message}");

    let mut records = vec![evaluation(1, 1, now, 1.0), evaluation(1, 3, now, 2.0)];
    records[1].event_name = "http.request".to_owned();
    let reply = bed.post(LOGS, PROTOBUF, of_logs(records).encode_to_vec()).await;
    let (count, message) = reply.rejected(LOGS);
    assert_eq!(count, 1);
    assert!(message.starts_with("resourceLogs.0.scopeLogs.0.logRecords.1.eventName: "), "{message}");

    let spans = json!([
        { "traceId": "7ace".to_owned() + &"0".repeat(27) + "2", "spanId": "0000000000000001", "name": "good",
          "startTimeUnixNano": now.to_string(), "endTimeUnixNano": now.to_string() },
        { "traceId": "7ace".to_owned() + &"0".repeat(27) + "2", "spanId": 5, "name": "bad" },
    ]);
    let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] });
    let reply = bed.post(TRACES, JSON, body.to_string()).await;
    let (count, message) = reply.rejected(TRACES);
    assert_eq!((count, message.as_str()), (1, "resourceSpans.0.scopeSpans.0.spans.1.spanId: must be a text"));
    let traces = bed.all_traces().await;
    let counts: Vec<_> = traces.iter().map(|trace| trace["spanCount"].as_u64().unwrap()).collect();
    assert_eq!(counts, [2, 1]);
    assert_eq!(traces[0]["spans"]["nodes"][0]["scores"][0]["numberValue"], 1.0);
}

fn small() -> OtlpLimits {
    OtlpLimits { body_bytes: 4_000, unpacked_bytes: 10_000, ..OtlpLimits::default() }
}

#[tokio::test]
async fn what_is_too_large_is_told_how_large_it_may_be() {
    let bed = Bed::over(support::Server::new().await, small());
    for content_type in [JSON, PROTOBUF] {
        let declared = request(TRACES, content_type, &[("content-length", "5000")], "");
        let undeclared = Body::from_stream(stream::repeat(vec![0; 100]).map(Ok::<_, std::io::Error>));
        let undeclared = request(TRACES, content_type, &[], undeclared);
        for request in [declared, undeclared] {
            let complaint = bed.send(request).await;
            assert_eq!(complaint.status, 413);
            let told = complaint.complaint();
            assert_eq!(told.code, 8);
            assert!(told.message.contains("more than 4000 bytes"), "{told:?}");
            assert!(told.message.contains("`otlp.limits.body_bytes`"), "{told:?}");
        }
        let unpacks = request(TRACES, content_type, &[("content-encoding", "gzip")], gzip(&[0; 10_001]));
        let told = bed.send(unpacks).await.complaint();
        assert!(told.message.contains("more than 10000 bytes"), "{told:?}");
        assert!(told.message.contains("`otlp.limits.unpacked_bytes`"), "{told:?}");
        let broken = request(TRACES, content_type, &[("content-encoding", "gzip")], "no gzip");
        let told = bed.send(broken).await;
        assert_eq!(told.status, 400);
        assert!(told.complaint().message.starts_with("the body is not gzip"), "{told:?}");
    }
}

/// A gigabyte of zeros in a megabyte of gzip: members of a file can stand one behind the other.
#[tokio::test]
async fn a_bomb_takes_no_memory() {
    let server = Real::start();
    let bomb = gzip(&vec![0; 16 << 20]).repeat(64);
    let before = server.serving.peak_memory();
    let headers = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    for port in [&server.main, &server.http] {
        let reply = post(&format!("{port}/v1/traces"), &headers, bomb.clone()).await;
        assert_eq!((reply.status, reply.complaint().code), (413, 8));
    }
    let taken = server.serving.peak_memory() - before;
    assert!(taken < 256 << 20, "{taken} bytes");
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_drips_is_let_go() {
    let bed = Bed::new().await;
    let drips = stream::iter([Ok::<_, std::io::Error>(Bytes::from("{"))]).chain(stream::pending());
    let reply = bed.send(request(TRACES, JSON, &[], Body::from_stream(drips))).await;
    assert_eq!((reply.status, reply.complaint().code), (408, 4));
}

#[tokio::test]
async fn without_room_senders_are_told_to_come_back() {
    let limits = OtlpLimits { bytes_at_once: 1 << 20, ..OtlpLimits::default() };
    let bed = Bed::over(support::Server::new().await, limits);
    let now = u64::try_from(NOW).unwrap();
    // One that has sent as much as there is room for has all of it, until it has sent the rest.
    let (bytes, rest) = tokio::sync::mpsc::channel(1);
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(rest));
    let held = bed.send(request(TRACES, JSON, &[], body));
    let others = async {
        bytes.send(Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1 << 20]))).await.unwrap();
        // Until it is taken: the channel holds one.
        bytes.send(Ok(Bytes::from_static(b" "))).await.unwrap();
        for content_type in [JSON, PROTOBUF] {
            let reply = bed.post(TRACES, content_type, one_span(2, now, content_type)).await;
            assert_eq!((reply.status, reply.header("retry-after")), (503, "1"), "{reply:?}");
            let told = reply.complaint();
            assert_eq!((told.code, told.message.as_str()), (14, "too much is going on; try again later"));
        }
        bytes.send(Ok(Bytes::from(one_span(1, now, JSON)))).await.unwrap();
        drop(bytes);
    };
    let (reply, ()) = tokio::join!(held, others);
    assert_eq!(reply.rejected(TRACES), (0, String::new()));
    let reply = bed.post(TRACES, JSON, one_span(2, now, JSON)).await;
    assert_eq!(reply.rejected(TRACES), (0, String::new()));
    assert_eq!(bed.all_traces().await.len(), 2);
}

/// The store's queue is full: nothing is lost that was acknowledged, and what was refused can come again.
#[tokio::test]
async fn when_the_store_is_busy_senders_are_told_to_come_back() {
    let gate = engines::Gate::new(true);
    let engine = engines::wrap(std::sync::Arc::new(dendro::engine::MemoryEngine::new()), &gate);
    let queue = dendro::store::QueueLimits { writes: 1, retry_after_ms: 2_500, ..Default::default() };
    let config = dendro::store::StoreConfig { queue, ..Default::default() };
    let server = support::Server::on(engine, config, Default::default()).await;
    let bed = Bed::over(server, OtlpLimits::default());
    let now = u64::try_from(NOW).unwrap();
    gate.close();
    let sending = (1..=5).map(|number| bed.post(TRACES, JSON, one_span(number, now, JSON)));
    let mut sending: FuturesUnordered<_> = sending.collect();
    // Whoever is answered while nothing can be written is refused.
    let mut refused = vec![sending.next().await.unwrap()];
    gate.open();
    let (taken, more): (Vec<_>, Vec<_>) =
        sending.collect::<Vec<_>>().await.into_iter().partition(|reply| reply.status == 200);
    refused.extend(more);
    assert!(!taken.is_empty());
    for reply in &refused {
        assert_eq!((reply.status, reply.header("retry-after")), (503, "2"), "{reply:?}");
    }
    assert_eq!(bed.all_traces().await.len(), taken.len());
    for number in 1..=5 {
        let reply = bed.post(TRACES, JSON, one_span(number, now, JSON)).await;
        assert_eq!(reply.rejected(TRACES), (0, String::new()));
    }
    assert_eq!(bed.all_traces().await.len(), 5);
}
