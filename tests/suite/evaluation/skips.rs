//! Why evaluators did not apply: the reasons of evaluations and of rules.

use serde_json::{Value, json};

use super::{
    assert_consistent, evaluator, judged,
    new_traces::{follow, rule, set},
    plain, references, running, tally, trace,
};

/// The reasons, each with its evaluator, how often it was the one, and the first trace.
fn reasons(of: &Value) -> Vec<[&str; 4]> {
    let mut found = Vec::new();
    for skip in of["skips"].as_array().unwrap() {
        let values = [&skip["reason"], &skip["evaluator"]["componentId"], &skip["count"], &skip["traceId"]];
        found.push(values.map(|value| value.as_str().unwrap()));
    }
    found
}

#[tokio::test]
async fn an_evaluation_says_why_nothing_was_judged() {
    let server = plain().await;
    let right = evaluator(&server, "right", json!({ "exact": {} })).await;
    let found = evaluator(&server, "found", json!({ "regex": { "pattern": "there" } })).await;
    let mut traces = Vec::new();
    for _ in 0..3 {
        traces.push(trace(&server, None, &[]).await);
    }
    traces.push(running(&server, &[]).await);
    let ids: Vec<_> = traces.iter().map(String::as_str).collect();
    let ended = judged(&server, &[&right, &found], &ids).await;
    assert_eq!((tally(&ended), &ended["status"]), ([0, 0, 0, 8, 0], &json!("COMPLETED")), "{ended}");
    let goes_on = "the run still goes on";
    let expected = [
        ["nothing is expected: neither by the rule nor by an example", &right, "3", ids[0]],
        ["the run has no output", &found, "3", ids[0]],
        [goes_on, &right, "1", ids[3]],
        [goes_on, &found, "1", ids[3]],
    ];
    assert_eq!(reasons(&ended), expected);
    assert_consistent(&server).await;
}

#[tokio::test]
async fn a_rule_says_why_nothing_was_judged() {
    let server = plain().await;
    let quiet = evaluator(&server, "quiet", json!({ "noErrors": { "operationType": "TOOL_CALL" } })).await;
    set(&server, json!({ "evaluators": references(&[&quiet]) })).await;
    let first = trace(&server, Some("There."), &[]).await;
    trace(&server, Some("There."), &[json!({ "operationType": "TOOL_CALL", "name": "search" })]).await;
    follow(&server).await;
    trace(&server, Some("There."), &[]).await;
    follow(&server).await;
    let kept = rule(&server).await;
    assert_eq!((&kept["scoredCount"], &kept["skippedCount"]), (&json!("1"), &json!("2")), "{kept}");
    assert_eq!(reasons(&kept), [["it has no span of the type TOOL_CALL", &quiet, "2", &first]]);
    // What takes the rule's place keeps what was counted.
    set(&server, json!({ "evaluators": references(&[&quiet]), "sample": 0.5 })).await;
    assert_eq!(rule(&server).await["skips"], kept["skips"]);
    assert_consistent(&server).await;
}
