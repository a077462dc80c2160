//! What is answered: how many items were not taken and why, or what is wrong with the whole, in the
//! encoding of the request.

use opentelemetry_proto::tonic::collector::{
    logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse},
    trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse},
};
use prost::Message;
use serde_json::json;

use super::{request::Signal, wire::Encoding};

/// What became of the items of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Items that were not taken.
    pub rejected: usize,
    /// Why; empty where all were taken.
    pub message: String,
}

impl Outcome {
    fn count(&self) -> i64 {
        i64::try_from(self.rejected).unwrap_or(i64::MAX)
    }

    fn is_whole(&self) -> bool {
        self.rejected == 0 && self.message.is_empty()
    }

    /// The answer for spans.
    pub(super) fn of_traces(&self) -> ExportTraceServiceResponse {
        let partial =
            ExportTracePartialSuccess { rejected_spans: self.count(), error_message: self.message.clone() };
        ExportTraceServiceResponse { partial_success: (!self.is_whole()).then_some(partial) }
    }

    /// The answer for records.
    pub(super) fn of_logs(&self) -> ExportLogsServiceResponse {
        let partial = ExportLogsPartialSuccess {
            rejected_log_records: self.count(),
            error_message: self.message.clone(),
        };
        ExportLogsServiceResponse { partial_success: (!self.is_whole()).then_some(partial) }
    }

    /// The body of the answer.
    pub(super) fn body(&self, signal: Signal, encoding: Encoding) -> Vec<u8> {
        match (encoding, signal) {
            (Encoding::Protobuf, Signal::Traces) => self.of_traces().encode_to_vec(),
            (Encoding::Protobuf, Signal::Logs) => self.of_logs().encode_to_vec(),
            (Encoding::Json, _) if self.is_whole() => b"{}".to_vec(),
            (Encoding::Json, signal) => {
                let rejected = match signal {
                    Signal::Traces => "rejectedSpans",
                    Signal::Logs => "rejectedLogRecords",
                };
                // 64-bit numbers are texts in OTLP's JSON.
                let partial = json!({ rejected: self.rejected.to_string(), "errorMessage": self.message });
                json!({ "partialSuccess": partial }).to_string().into_bytes()
            }
        }
    }
}

/// What is wrong with a whole request: `google.rpc.Status`, as OTLP asks.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    /// The code, as gRPC numbers them.
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    /// What is wrong, and what would be right.
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

impl Status {
    pub(super) fn body(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Protobuf => self.encode_to_vec(),
            Encoding::Json => json!({ "code": self.code, "message": self.message }).to_string().into_bytes(),
        }
    }
}
