//! Analysis of traces and evaluation of conversations, as the API tells them.

mod conversations;
mod groups;
mod tau_bench;
mod traces;

use std::sync::Arc;

use dendro::{
    model::{Timestamp, limits::RecordLimits},
    service::import::{Defaults, FileReport, Importer, Progress, Reader, open, run},
};
use serde_json::{Value, json};

use crate::support::Server;

/// A moment this many milliseconds after the server's clock began.
fn moment(millis: i64) -> String {
    format!("2025-01-01T00:{:02}:{:02}.{:03}000000Z", millis / 60_000, millis / 1000 % 60, millis % 1000)
}

/// The UUID of the span of this number.
fn span_id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// A span: its number's parent, what it is, its time in milliseconds, and its other fields.
type Span = (Option<usize>, &'static str, &'static str, (i64, Option<i64>), Value);

/// Records a trace with these spans, which start `at` milliseconds; without an end and a status it runs on.
async fn record(
    server: &Server,
    mut trace: Value,
    at: i64,
    end: Option<(i64, &str)>,
    spans: &[Span],
) -> String {
    trace["startTime"] = json!(moment(at));
    let started = server
        .data(
            "mutation($input: StartTraceInput!) { startTrace(input: $input) { trace { traceId } refusal { message } } }",
            json!({"input": trace}),
        )
        .await;
    let id = started["startTrace"]["trace"]["traceId"].as_str().expect("a trace").to_owned();
    let input = |(number, span): (usize, &Span)| {
        let (parent, operation, name, (start, end), more) = span;
        let mut input = json!({
            "traceId": id, "spanId": span_id(number), "parentSpanId": parent.map(span_id),
            "operationType": operation, "name": name,
            "startTime": moment(at + start), "endTime": end.map(|end| moment(at + end)),
        });
        let more = more.as_object().cloned().unwrap_or_default();
        input.as_object_mut().unwrap().extend(more);
        input
    };
    let spans: Vec<_> = spans.iter().enumerate().map(input).collect();
    let created = server
        .data(
            "mutation($spans: [CreateSpanInput!]!) { createSpans(input: {spans: $spans}) { results { refusal { message } } } }",
            json!({"spans": spans}),
        )
        .await;
    let refused = |result: &Value| !result["refusal"].is_null();
    assert!(!created["createSpans"]["results"].as_array().unwrap().iter().any(refused), "{created}");
    if let Some((end, status)) = end {
        let input = json!({"traceId": id, "endTime": moment(at + end), "status": status});
        let ended = server
            .data(
                "mutation($input: CompleteTraceInput!) { completeTrace(input: $input) { refusal { message } } }",
                json!({"input": input}),
            )
            .await;
        assert!(ended["completeTrace"]["refusal"].is_null(), "{ended}");
    }
    id
}

/// A conversation with these fields.
async fn conversation(server: &Server, input: Value) -> String {
    let made = server
        .data(
            "mutation($input: CreateConversationInput!) { createConversation(input: $input) { conversation { conversationId } } }",
            json!({"input": input}),
        )
        .await;
    made["createConversation"]["conversation"]["conversationId"].as_str().unwrap().to_owned()
}

/// Records a score.
async fn score(server: &Server, target: Value, name: &str, value: Value) {
    let input = json!({"target": target, "name": name, "value": value, "source": "RULE"});
    let recorded = server
        .data(
            "mutation($input: RecordScoreInput!) { recordScore(input: $input) { refusal { message } } }",
            json!({"input": input}),
        )
        .await;
    assert!(recorded["recordScore"]["refusal"].is_null(), "{recorded}");
}

/// Imports a file of transcripts.
async fn import(server: &Server, name: &str) -> FileReport {
    let path = format!("{}/tests/fixtures/transcripts/{name}", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let limits = RecordLimits::default();
    let base = Timestamp::from_nanos(1_700_000_000_000_000_000);
    let importer =
        Importer::new(server.services.clone(), Arc::new(limits.clone()), base, Defaults::default());
    let reader = Reader::new(name, open(file).unwrap(), None, limits);
    run(&importer, reader, true, |_: &Progress| {}).await.unwrap()
}
