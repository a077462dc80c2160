//! The GraphQL schema over an engine in memory: one file an entity.

mod bad_input;
mod batches;
mod branches;
mod components;
mod conversations;
mod fields;
mod live;
mod messages;
mod plans;
mod query;
mod reads;
mod schema;
mod scores;
mod series;
mod skeleton;
mod span_orders;
mod spans;
mod traces;
mod versions;

use serde_json::{Value, json};

use crate::support::Server;

/// A run that is over:
///
/// ```text
/// agent "support"               0 to 1000 ms
///   model call "think"          100 to 400 ms
///   tool call "search"          400 to 600 ms
///     retrieval "index"         450 to 550 ms
///   model call "answer"         600 to 900 ms
/// ```
struct Run {
    /// The trace's UUID.
    trace: String,
}

impl Run {
    const SPANS: [(&str, &str, Option<&str>, i64, i64); 5] = [
        ("support", "AGENT", None, 0, 1000),
        ("think", "LLM_CALL", Some("support"), 100, 400),
        ("search", "TOOL_CALL", Some("support"), 400, 600),
        ("index", "RETRIEVAL", Some("search"), 450, 550),
        ("answer", "LLM_CALL", Some("support"), 600, 900),
    ];

    /// Records the run through the API, its spans last ones first.
    async fn record(server: &Server) -> Self {
        let input = json!({"userInput": "Where is it?", "startTime": moment(0)});
        let started = server
            .data(
                "mutation($input: StartTraceInput!) { startTrace(input: $input) { trace { traceId } } }",
                json!({"input": input}),
            )
            .await;
        let trace = started["startTrace"]["trace"]["traceId"].as_str().unwrap().to_owned();
        let run = Self { trace };
        let spans: Vec<_> = Self::SPANS.iter().rev().map(|span| run.input(span)).collect();
        let created = server
            .data(
                "mutation($spans: [CreateSpanInput!]!) { createSpans(input: {spans: $spans}) { results { refusal { message } } } }",
                json!({"spans": spans}),
            )
            .await;
        let refused = |result: &Value| !result["refusal"].is_null();
        assert!(!created["createSpans"]["results"].as_array().unwrap().iter().any(refused), "{created}");
        server
            .data(
                "mutation($id: ID!, $end: DateTime) { completeTrace(input: {traceId: $id, endTime: $end, finalOutput: \"There.\"}) { refusal { message } } }",
                json!({"id": run.trace, "end": moment(1000)}),
            )
            .await;
        run
    }

    fn input(&self, span: &(&str, &str, Option<&str>, i64, i64)) -> Value {
        let (name, operation, parent, start, end) = *span;
        let model = operation == "LLM_CALL";
        json!({
            "traceId": self.trace,
            "spanId": Self::span_id(name),
            "parentSpanId": parent.map(Self::span_id),
            "operationType": operation,
            "name": name,
            "startTime": moment(start),
            "endTime": moment(end),
            "model": model.then_some("small-1"),
            "tokens": model.then_some(json!({"input": 100, "output": "20"})),
            "costUsd": model.then_some(0.25),
            "inputs": {"of": name},
        })
    }

    /// The UUID of a span by its name.
    fn span_id(name: &str) -> String {
        let index = Self::SPANS.iter().position(|(of, ..)| *of == name).unwrap();
        format!("00000000-0000-4000-8000-{index:012}")
    }
}

/// A moment this many milliseconds after the server's clock began.
fn moment(millis: i64) -> String {
    format!("2025-01-01T00:00:{:02}.{:03}000000Z", millis / 1000, millis % 1000)
}
