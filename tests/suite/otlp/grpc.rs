//! gRPC by hand: one call over a connection of its own, as far as a test has to see it.

use std::io::Write;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpStream;

pub const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

pub const OK: u32 = 0;
pub const INVALID_ARGUMENT: u32 = 3;
pub const RESOURCE_EXHAUSTED: u32 = 8;
pub const UNIMPLEMENTED: u32 = 12;
pub const INTERNAL: u32 = 13;
pub const UNAVAILABLE: u32 = 14;

/// How a call ended.
#[derive(Debug)]
pub struct Ended {
    pub code: u32,
    pub message: String,
    /// The answer's message; empty where there is none.
    pub body: Bytes,
    details: Option<Vec<u8>>,
}

/// `google.rpc.Status` with its details.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Duration>,
}

#[derive(Clone, PartialEq, Message)]
struct Duration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Ended {
    /// The code, and the seconds to wait that `google.rpc.RetryInfo` gives.
    pub fn retry_after(&self) -> Option<f64> {
        let status = Status::decode(self.details.as_deref()?).unwrap();
        assert_eq!(u32::try_from(status.code).unwrap(), self.code);
        let of = |any: &&Any| any.type_url == "type.googleapis.com/google.rpc.RetryInfo";
        let info = RetryInfo::decode(status.details.iter().find(of)?.value.as_slice()).unwrap();
        let Duration { seconds, nanos } = info.retry_delay?;
        Some(seconds as f64 + f64::from(nanos) / 1e9)
    }
}

/// A message in the frame that gRPC has for it.
pub fn framed(message: &[u8], packed: bool) -> Vec<u8> {
    let mut framed = vec![u8::from(packed)];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Calls a method with a message.
pub async fn call(address: &str, path: &str, message: &[u8]) -> Ended {
    send(address, path, framed(message, false)).await
}

/// Calls a method with a message that is packed.
pub async fn call_packed(address: &str, path: &str, packed: &[u8]) -> Ended {
    send(address, path, framed(packed, true)).await
}

async fn send(address: &str, path: &str, body: Vec<u8>) -> Ended {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-encoding", "gzip")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let headers = response.headers().clone();
    let collected = response.into_body().collect().await.unwrap();
    // What fails at once has its end among the headers.
    let end = collected.trailers().cloned().unwrap_or(headers);
    let body = collected.to_bytes();
    assert!(body.is_empty() || body.first() == Some(&0), "an answer is not packed");
    Ended::of(&end, body.slice(body.len().min(5)..))
}

impl Ended {
    fn of(end: &HeaderMap, body: Bytes) -> Self {
        let text = |name: &str| end.get(name).map_or("", |value| value.to_str().unwrap());
        let message = percent_encoding::percent_decode_str(text("grpc-message"));
        let details = text("grpc-status-details-bin").trim_end_matches('=');
        Self {
            code: text("grpc-status").parse().unwrap(),
            message: message.decode_utf8().unwrap().into_owned(),
            body,
            details: (!details.is_empty()).then(|| STANDARD_NO_PAD.decode(details).unwrap()),
        }
    }
}
