//! A server in this process with the HTTP doors of OpenTelemetry, its clock set behind all recorded spans.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use bytes::Bytes;
use dendro::{
    model::Timestamp,
    otlp::{Otlp, OtlpLimits, router},
};
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceResponse, trace::v1::ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::{Value, json};
use tower_service::Service;

use crate::support::Server;

pub const PROTOBUF: &str = "application/x-protobuf";
pub const JSON: &str = "application/json";
pub const TRACES: &str = "/v1/traces";
pub const LOGS: &str = "/v1/logs";

/// 2027-01-01T00:00:00Z, in nanoseconds.
pub const NOW: i64 = 1_798_761_600_000_000_000;

/// The server and its doors.
pub struct Bed {
    pub server: Server,
    pub otlp: Otlp,
    router: Router,
}

impl Bed {
    pub async fn new() -> Self {
        Self::over(Server::new().await, OtlpLimits::default())
    }

    pub fn over(server: Server, limits: OtlpLimits) -> Self {
        server.clock.set(Timestamp::from_nanos(NOW));
        let otlp = Otlp::new(server.services.ingest.clone(), server.clock.clone(), limits);
        Self { server, router: router(otlp.clone()), otlp }
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Posts a body of a content type.
    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Reply {
        self.send(request(path, content_type, &[], body)).await
    }

    /// The data of a query.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        self.server.data(query, variables).await
    }

    /// All traces, the first started first, with all that is known of them.
    pub async fn all_traces(&self) -> Vec<Value> {
        let mut data = self.data(include_str!("traces.graphql"), json!({})).await;
        let Value::Array(traces) = data["traces"]["nodes"].take() else { panic!("no list") };
        traces
    }
}

/// A POST.
pub fn request(
    path: &str,
    content_type: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Request<Body> {
    let mut request = Request::post(path);
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

/// What a door answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub struct Status {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub message: String,
}

impl Reply {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn is_json(&self) -> bool {
        self.header("content-type") == JSON
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// How many items were not taken and why; of an answer of success, in the request's encoding.
    pub fn rejected(&self, path: &str) -> (i64, String) {
        assert_eq!(self.status, 200, "{self:?}");
        if self.is_json() {
            let partial = &self.json()["partialSuccess"];
            let name = if path == TRACES { "rejectedSpans" } else { "rejectedLogRecords" };
            let count = partial[name].as_str().unwrap_or("0").parse().unwrap();
            return (count, partial["errorMessage"].as_str().unwrap_or("").to_owned());
        }
        assert_eq!(self.header("content-type"), PROTOBUF, "{self:?}");
        if path == TRACES {
            let answer = ExportTraceServiceResponse::decode(self.body.clone()).unwrap();
            answer.partial_success.map(|partial| (partial.rejected_spans, partial.error_message))
        } else {
            let answer = ExportLogsServiceResponse::decode(self.body.clone()).unwrap();
            answer.partial_success.map(|partial| (partial.rejected_log_records, partial.error_message))
        }
        .unwrap_or_default()
    }

    /// What is wrong with the whole request; of an answer that is no success, in the request's encoding.
    pub fn complaint(&self) -> Status {
        assert_ne!(self.status, 200, "{self:?}");
        if self.is_json() {
            let json = self.json();
            let code = i32::try_from(json["code"].as_i64().unwrap()).unwrap();
            return Status { code, message: json["message"].as_str().unwrap().to_owned() };
        }
        assert_eq!(self.header("content-type"), PROTOBUF, "{self:?}");
        Status::decode(self.body.clone()).unwrap()
    }
}
