//! OpenTelemetry in and out: OTLP over HTTP and gRPC and from files, decoded and mapped to what the service
//! takes; and traces as OTLP again ([`export`]).
//!
//! | door | what |
//! |---|---|
//! | `POST /v1/traces`, `POST /v1/logs` | OTLP/HTTP, protobuf or JSON, gzip or not |
//! | gRPC | `TraceService` and `LogsService` |
//! | files | requests as the Collector's file exporter writes them: see [`import`] |
//!
//! All doors take the same way: [`wire`] reads a request's outer layers and leaves each span and record
//! as the bytes that it is; [`request`] reads them one by one, so a broken one costs only itself; what
//! they mean, `semconv` says; the service stores them. An answer of success says that everything which
//! was not refused is on the disk. This layer knows nothing of the store.

mod any_value;
mod attributes;
mod buffers;
mod door;
pub mod export;
mod fingerprint;
mod grpc;
mod http;
mod id;
pub mod import;
mod json;
mod json_value;
mod log;
mod origin;
mod own;
mod reply;
mod request;
mod span;
mod time;
mod untyped;
mod wire;

pub use self::{
    door::{Otlp, OtlpLimits},
    grpc::serve as serve_grpc,
    http::router,
    request::Signal,
    wire::Encoding,
};
