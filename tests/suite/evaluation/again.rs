//! What is judged once, and what again: a judge has its price.

use std::sync::Arc;

use dendro::{
    engine::{Batch, Engine, KeyRange, MemoryEngine, ScanRequest, SharedEngine, Tree, scan},
    model::{component::VersionSelector, evaluations::EvaluationTarget},
    service::evaluators::Judgements,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    LONG, Watched, assert_consistent, moment,
    new_traces::{follow, judge, rule, set},
    references, scores, trace,
};
use crate::support::Server;

const FINE: &str = "
scripts:
  test:
    turns:
      - text: '{\"reasoning\": \"Fine.\", \"answer\": true}'
";

/// How often each span of a trace was judged, in the order of their starts.
async fn judged(server: &Server, trace: &str) -> Vec<usize> {
    const SPANS: &str =
        "query($id: ID!) { trace(id: $id) { spans(first: 50) { nodes { scores { scoreId } } } } }";
    let found = server.data(SPANS, json!({ "id": trace })).await;
    let spans = found["trace"]["spans"]["nodes"].as_array().unwrap();
    spans.iter().map(|span| span["scores"].as_array().unwrap().len()).collect()
}

fn calls(count: usize) -> Vec<Value> {
    let call =
        |number| json!({ "operationType": "TOOL_CALL", "name": format!("call {number}"), "outputs": "x" });
    (0..count).map(call).collect()
}

#[tokio::test]
async fn spans_that_were_judged_are_not_paid_for_again_after_a_restart() {
    let engine: SharedEngine = Arc::new(MemoryEngine::default());
    // Of three spans the judge answers for one, and hangs at the second until the server is gone.
    let models = Watched::new(FINE, 1);
    let first = Server::running_on(engine.clone(), models.runtime()).await;
    let polite = judge(&first, "polite", "test").await;
    let target = json!({ "spans": { "operationType": "TOOL_CALL" } });
    set(&first, json!({ "evaluators": references(&[&polite]), "target": target })).await;
    let found = trace(&first, Some("There."), &calls(3)).await;
    assert_eq!(first.services.followers.catch_up().await.unwrap(), 0);
    let evaluations = first.services.evaluations.clone();
    let working = tokio::spawn(async move { evaluations.judge_due().await });
    models.until_asked(2).await;
    timeout(LONG, first.services.evaluations.stop()).await.unwrap();
    assert!(working.await.unwrap().is_err(), "it was stopped");
    timeout(LONG, first.services.agents.stop()).await.unwrap();
    assert_eq!(judged(&first, &found).await, [1, 0, 0]);

    let models = Watched::new(FINE, 100);
    let second = Server::running_on(engine, models.runtime()).await;
    for _ in 0..1_000 {
        // Ids that the first one has made.
        let _ = second.services.tracing.new_span_id();
    }
    second.services.agents.end_interrupted().await.unwrap();
    for _ in 0..2 {
        follow(&second).await;
        assert_eq!((models.asked(), judged(&second, &found).await), (2, vec![1, 1, 1]));
    }
    let kept = rule(&second).await;
    assert_eq!((&kept["doneCount"], &kept["scoredCount"]), (&json!("1"), &json!("2")), "{kept}");
    // That its spans are stored otherwise, as happens when a trace is over, is nothing new.
    let id = found.parse().unwrap();
    second.store.merge_trace(id).await.unwrap();
    let evaluators = &second.services.evaluators;
    let (version, _) = evaluators.resolve(&polite, &VersionSelector::Newest).await.unwrap();
    let again =
        evaluators.evaluate_all(&[version], id, &EvaluationTarget::Trace, Judgements::Due).await.unwrap();
    assert_eq!(again.len(), 1, "the whole was not judged, only its spans");
    let rest = second.services.evaluations.judge_due().await.unwrap();
    assert_eq!((rest, models.asked()), (0, 3));
    assert_consistent(&second).await;
}

#[tokio::test]
async fn a_span_that_changes_is_judged_anew_with_those_above_it_alone() {
    let models = Watched::new(FINE, 100);
    let server = Server::running(models.runtime()).await;
    let polite = judge(&server, "polite", "test").await;
    let target = json!({ "spans": { "operationType": "TOOL_CALL" } });
    set(&server, json!({ "evaluators": references(&[&polite]), "target": target })).await;
    // Two calls, each with another below it.
    const ID: [&str; 4] = [
        "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a41",
        "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a42",
        "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a43",
        "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44",
    ];
    let spans = [
        json!({ "operationType": "TOOL_CALL", "spanId": ID[0], "outputs": "one" }),
        json!({ "operationType": "TOOL_CALL", "spanId": ID[1], "parentSpanId": ID[0], "outputs": "one" }),
        json!({ "operationType": "TOOL_CALL", "spanId": ID[2], "outputs": "two" }),
        json!({ "operationType": "TOOL_CALL", "spanId": ID[3], "parentSpanId": ID[2], "outputs": "two" }),
    ];
    let found = trace(&server, Some("There."), &spans).await;
    follow(&server).await;
    assert_eq!(models.asked(), 4);
    const LATE: &str =
        "mutation($input: CreateSpanInput!) { createSpan(input: $input) { refusal { message } } }";
    let late = json!({
        "traceId": found, "parentSpanId": ID[3], "operationType": "CUSTOM", "name": "late",
        "startTime": moment(1_000), "endTime": moment(1_001),
    });
    let late = server.data(LATE, json!({ "input": late })).await;
    assert!(late["createSpan"]["refusal"].is_null(), "{late}");
    follow(&server).await;
    assert_eq!((models.asked(), judged(&server, &found).await), (6, vec![1, 1, 1, 1, 0]));
}

#[tokio::test]
async fn an_evaluator_of_several_rules_is_asked_once() {
    let models = Watched::new(FINE, 100);
    let server = Server::running(models.runtime()).await;
    let polite = judge(&server, "polite", "test").await;
    for name in ["one", "other"] {
        set(&server, json!({ "name": name, "evaluators": references(&[&polite]) })).await;
    }
    let found = trace(&server, Some("There."), &[]).await;
    follow(&server).await;
    assert_eq!((models.asked(), scores(&server, &found).await.len()), (1, 1));
}

#[tokio::test]
async fn a_trace_that_cannot_be_read_does_not_hold_up_the_others() {
    let memory = Arc::new(MemoryEngine::default());
    let server = Server::running_on(memory.clone(), super::runtime(FINE)).await;
    let polite = judge(&server, "polite", "test").await;
    set(&server, json!({ "evaluators": references(&[&polite]) })).await;
    let mut traces = Vec::new();
    for _ in 0..3 {
        traces.push(trace(&server, Some("There."), &calls(1)).await);
    }
    assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
    // The heads of the second are no heads any more.
    let id: dendro::model::TraceId = traces[1].parse().unwrap();
    let tree = Tree::new("default/span_head");
    let entries =
        scan(&*memory, ScanRequest::forward(&tree, KeyRange::all(), usize::MAX)).await.unwrap().entries;
    let entry = entries.into_iter().find(|entry| entry.key.starts_with(id.bytes())).unwrap();
    let set = async |value: Vec<u8>| {
        let mut batch = Batch::default();
        batch.put(&tree, entry.key.to_vec(), value);
        memory.commit(batch).await.unwrap();
    };
    set(vec![0]).await;
    assert!(server.services.evaluations.judge_due().await.is_err());
    let counts = async || {
        let mut counts = Vec::new();
        for trace in &traces {
            counts.push(scores(&server, trace).await.len());
        }
        counts
    };
    assert_eq!(counts().await, [1, 0, 1]);
    set(entry.value.to_vec()).await;
    assert_eq!(server.services.evaluations.judge_due().await.unwrap(), 1);
    assert_eq!((counts().await, &rule(&server).await["doneCount"]), (vec![1; 3], &json!("3")));
}
