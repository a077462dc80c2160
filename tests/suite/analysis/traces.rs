//! A trace's analysis: its shape, what runs, what is missing, and what it costs to ask.

use dendro::{graphql::page::PageLimits, service::listing::ListLimits};
use serde_json::{Value, json};

use super::{Span, record, span_id};
use crate::support::Server;

/// An agent whose search failed once; the model reads more from call to call.
fn run() -> Vec<Span> {
    let model = |input: u64, cost: f64, first: f64| {
        json!({"model": "small-1", "provider": "acme", "tokens": {"input": input, "output": 10}, "costUsd": cost,
            "timeToFirstTokenMs": first})
    };
    let tool = |status: &str| json!({"toolName": "search", "status": status});
    vec![
        (None, "AGENT", "support", (0, Some(1000)), json!({})),
        (Some(0), "LLM_CALL", "think", (100, Some(400)), model(100, 0.25, 40.0)),
        (Some(0), "TOOL_CALL", "search", (400, Some(500)), tool("ERROR")),
        (Some(0), "TOOL_CALL", "search", (500, Some(600)), tool("OK")),
        (Some(0), "LLM_CALL", "answer", (600, Some(900)), model(160, 0.5, 60.0)),
    ]
}

const ALL: &str = "query($id: ID!) { trace(id: $id) { analysis {
  isRunning asOf durationMs revision
  totals { spanCount runningCount errorCount cancelledCount costUsd costCoverage unpricedCount tokens { total input output } }
  operations { operationType count errorCount wallTimeMs totalTimeMs selfTimeMs criticalPathMs costUsd successRate }
  models { model provider count costUsd tokens { total } }
  tools { toolName count successCount errorCount successRate }
  slowestSpans(first: 2) { span { name } selfTimeMs durationMs criticalPathMs }
  byDuration: slowestSpans(first: 1, by: DURATION) { span { name } durationMs }
  costliestSpans(first: 1) { span { name } exclusiveCostUsd inclusiveCostUsd exclusiveTokens { total } isUnpriced }
  criticalPath { durationMs segmentCount segments(first: 2) { span { name } startOffsetMs durationMs share } spans(first: 1) { span { name } startOffsetMs durationMs share } }
  concurrency { peak average busyMs parallelMs }
  probableOrigin { span { name } path repeatedBy isRepeat reachedTop failedAtMs }
  failures(repeats: false) { span { name } }
  retryTotals { count attemptCount recoveredCount failedCount }
  retries { attemptCount outcome firstAttempt { spanId } lastAttempt { spanId } }
  firstToken { callCount knownCount spread { count min p50 max } calls { span { name } timeToFirstTokenMs } }
  context { callCount firstInputTokens lastInputTokens largestInputTokens tokensPerCall calls { inputTokens growth } }
  tree { isSound rootCount depth faultCounts { kind count } faults { kind byMs missingParentId span { name } } }
} } }";

#[tokio::test]
async fn a_trace_tells_where_its_time_went_and_what_went_wrong() {
    let server = Server::new().await;
    let id = record(&server, json!({}), 0, Some((1000, "COMPLETED")), &run()).await;
    let data = server.data(ALL, json!({"id": id})).await;
    let mut found = data["trace"]["analysis"].clone();
    found["revision"].take();
    // The agent itself: 1000 without 100–900. The two calls took 300 each, and all of it is waited for.
    let wanted = json!({
        "isRunning": false, "asOf": "2025-01-01T00:00:01.000000000Z", "durationMs": 1000.0, "revision": null,
        "totals": {
            "spanCount": 5, "runningCount": 0, "errorCount": 1, "cancelledCount": 0, "costUsd": 0.75,
            "costCoverage": "KNOWN", "unpricedCount": 0, "tokens": {"total": "280", "input": "260", "output": "20"},
        },
        "operations": [
            {"operationType": "LLM_CALL", "count": 2, "errorCount": 0, "wallTimeMs": 600.0, "totalTimeMs": 600.0,
             "selfTimeMs": 600.0, "criticalPathMs": 600.0, "costUsd": 0.75, "successRate": 1.0},
            {"operationType": "TOOL_CALL", "count": 2, "errorCount": 1, "wallTimeMs": 200.0, "totalTimeMs": 200.0,
             "selfTimeMs": 200.0, "criticalPathMs": 200.0, "costUsd": null, "successRate": 0.5},
            {"operationType": "AGENT", "count": 1, "errorCount": 0, "wallTimeMs": 1000.0, "totalTimeMs": 1000.0,
             "selfTimeMs": 200.0, "criticalPathMs": 200.0, "costUsd": null, "successRate": 1.0},
        ],
        "models": [{"model": "small-1", "provider": "acme", "count": 2, "costUsd": 0.75, "tokens": {"total": "280"}}],
        "tools": [{"toolName": "search", "count": 2, "successCount": 1, "errorCount": 1, "successRate": 0.5}],
        "slowestSpans": [
            {"span": {"name": "think"}, "selfTimeMs": 300.0, "durationMs": 300.0, "criticalPathMs": 300.0},
            {"span": {"name": "answer"}, "selfTimeMs": 300.0, "durationMs": 300.0, "criticalPathMs": 300.0},
        ],
        "byDuration": [{"span": {"name": "support"}, "durationMs": 1000.0}],
        "costliestSpans": [{
            "span": {"name": "answer"}, "exclusiveCostUsd": 0.5, "inclusiveCostUsd": 0.5,
            "exclusiveTokens": {"total": "170"}, "isUnpriced": false,
        }],
        "criticalPath": {
            "durationMs": 1000.0, "segmentCount": 6,
            "segments": [
                {"span": {"name": "support"}, "startOffsetMs": 0.0, "durationMs": 100.0, "share": 0.1},
                {"span": {"name": "think"}, "startOffsetMs": 100.0, "durationMs": 300.0, "share": 0.3},
            ],
            "spans": [{"span": {"name": "think"}, "startOffsetMs": null, "durationMs": 300.0, "share": 0.3}],
        },
        "concurrency": {"peak": 1, "average": 1.0, "busyMs": 800.0, "parallelMs": 0.0},
        "probableOrigin": {
            "span": {"name": "search"}, "path": ["support", "search"], "repeatedBy": 0, "isRepeat": false,
            "reachedTop": false, "failedAtMs": 500.0,
        },
        "failures": [{"span": {"name": "search"}}],
        "retryTotals": {"count": 1, "attemptCount": 1, "recoveredCount": 1, "failedCount": 0},
        "retries": [{
            "attemptCount": 2, "outcome": "RECOVERED", "firstAttempt": {"spanId": span_id(2)},
            "lastAttempt": {"spanId": span_id(3)},
        }],
        "firstToken": {
            "callCount": 2, "knownCount": 2, "spread": {"count": 2, "min": 40.0, "p50": 50.0, "max": 60.0},
            "calls": [
                {"span": {"name": "think"}, "timeToFirstTokenMs": 40.0},
                {"span": {"name": "answer"}, "timeToFirstTokenMs": 60.0},
            ],
        },
        "context": {
            "callCount": 2, "firstInputTokens": "100", "lastInputTokens": "160", "largestInputTokens": "160",
            "tokensPerCall": 60.0,
            "calls": [{"inputTokens": "100", "growth": null}, {"inputTokens": "160", "growth": 60.0}],
        },
        "tree": {"isSound": true, "rootCount": 1, "depth": 2, "faultCounts": [], "faults": []},
    });
    assert_eq!(found, wanted, "{found:#}");
}

#[tokio::test]
async fn spans_carry_their_own_figures_and_the_heads_are_read_once() {
    let server = Server::new().await;
    let id = record(&server, json!({}), 0, Some((1000, "COMPLETED")), &run()).await;
    let plain = "query($id: ID!) { trace(id: $id) { spans { nodes { name } } } }";
    let with = "query($id: ID!) { trace(id: $id) {
      spans { nodes { name selfTimeMs onCriticalPath } }
      analysis { totals { spanCount } slowestSpans { span { selfTimeMs } } }
    } }";
    let (_, least) = server.counted(plain, json!({"id": id})).await;
    let (data, counts) = server.counted(with, json!({"id": id})).await;
    assert_eq!(format!("{:?}", counts.by_tree), format!("{:?}", least.by_tree));
    assert_eq!(
        data["trace"]["spans"]["nodes"][0],
        json!({"name": "support", "selfTimeMs": 200.0, "onCriticalPath": true})
    );
}

#[tokio::test]
async fn what_runs_counts_up_to_now_and_says_so() {
    let server = Server::new().await;
    let spans: &[Span] = &[
        (None, "AGENT", "support", (0, None), json!({})),
        (Some(0), "LLM_CALL", "think", (100, None), json!({})),
        (Some(7), "TOOL_CALL", "early", (200, Some(250)), json!({})),
    ];
    let id = record(&server, json!({}), 0, None, spans).await;
    server.clock.advance_ms(400);
    let query = "query($id: ID!) { trace(id: $id) {
      spans { nodes { name selfTimeMs } }
      analysis { isRunning asOf durationMs totals { runningCount costUsd costCoverage tokens { total } }
        firstToken { spread { count } } context { tokensPerCall }
        tree { isSound faults { kind missingParentId } } }
    } }";
    let data = server.data(query, json!({"id": id})).await;
    let wanted = json!({
        "isRunning": true, "asOf": "2025-01-01T00:00:00.400000000Z", "durationMs": 400.0,
        "totals": {"runningCount": 2, "costUsd": null, "costCoverage": "NOTHING", "tokens": null},
        "firstToken": {"spread": null}, "context": {"tokensPerCall": null},
        "tree": {"isSound": false, "faults": [{"kind": "PROVISIONAL_ROOT", "missingParentId": span_id(7)}]},
    });
    assert_eq!(data["trace"]["analysis"], wanted);
    assert_eq!(data["trace"]["spans"]["nodes"][1], json!({"name": "think", "selfTimeMs": 300.0}));
}

#[tokio::test]
async fn a_trace_of_nothing_has_an_answer() {
    let server = Server::new().await;
    let id = record(&server, json!({}), 0, Some((5, "FAILED")), &[]).await;
    let data = server.data(ALL, json!({"id": id})).await;
    let found = &data["trace"]["analysis"];
    assert_eq!((&found["durationMs"], &found["totals"]["spanCount"]), (&json!(5.0), &json!(0)));
    assert_eq!(
        found["criticalPath"],
        json!({"durationMs": 0.0, "segmentCount": 0, "segments": [], "spans": []})
    );
    assert_eq!(found["concurrency"]["average"], Value::Null);
    assert_eq!((&found["probableOrigin"], &found["tree"]["isSound"]), (&Value::Null, &json!(true)));
    let gone = server
        .data(
            "{ trace(id: \"99999999-9999-4999-8999-999999999999\") { analysis { durationMs } } }",
            json!({}),
        )
        .await;
    assert_eq!(gone["trace"], Value::Null);
}

#[tokio::test]
async fn lists_are_bounded_and_a_bad_number_is_named() {
    let limits = PageLimits { most: 3, ..PageLimits::default() };
    let server = Server::with(limits, ListLimits::default()).await;
    let id = record(&server, json!({}), 0, Some((1000, "COMPLETED")), &run()).await;
    for list in ["slowestSpans", "costliestSpans", "failures", "retries", "models", "tools"] {
        for wrong in ["0", "-1", "4"] {
            let query = format!(
                "query($id: ID!) {{ trace(id: $id) {{ analysis {{ {list}(first: {wrong}) {{ __typename }} }} }} }}"
            );
            let errors = server.errors(&query, json!({"id": id})).await;
            assert_eq!(errors[0]["extensions"]["field"], "first", "{list}: {errors:?}");
        }
    }
    let query =
        "query($id: ID!) { trace(id: $id) { analysis { slowestSpans(first: 3) { span { name } } } } }";
    let data = server.data(query, json!({"id": id})).await;
    assert_eq!(data["trace"]["analysis"]["slowestSpans"].as_array().unwrap().len(), 3);
}
