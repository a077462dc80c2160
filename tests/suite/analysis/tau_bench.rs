//! 200 real runs: what the API tells of them is what a short Python script finds out without Dendro.

use std::{collections::BTreeMap, process::Command};

use serde_json::{Value, json};

use super::import;
use crate::support::Server;

const RUNS: &str = "tau-bench-gpt-4o-airline.json.gz";

/// What `tests/analysis/tau_bench.py` says of the runs.
fn independently() -> Value {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new("python3")
        .arg(format!("{root}/tests/analysis/tau_bench.py"))
        .arg(format!("{root}/tests/fixtures/transcripts/{RUNS}"))
        .output()
        .expect("python3 is needed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn near(found: &Value, wanted: &Value, what: &str) {
    let (found, wanted) = (found.as_f64().unwrap(), wanted.as_f64().unwrap());
    assert!((found - wanted).abs() < 1e-9 * wanted.abs().max(1.0), "{what}: {found}, not {wanted}");
}

#[track_caller]
fn same_interval(found: &Value, wanted: &Value, within: f64, what: &str) {
    for (end, place) in [("low", 0), ("high", 1)] {
        let (found, wanted) = (found[end].as_f64().unwrap(), wanted[place].as_f64().unwrap());
        assert!((found - wanted).abs() < within, "{what}, {end}: {found}, not {wanted}");
    }
}

async fn imported() -> Server {
    let server = Server::new().await;
    let report = import(&server, RUNS).await;
    let new = report.written.new;
    assert_eq!((new.conversations, new.messages, new.tool_calls, new.scores), (200, 5_308, 1_164, 200));
    server
}

#[tokio::test]
async fn trials_are_told_and_compared_as_by_hand() {
    let (server, wanted) = (imported().await, independently());
    let groups = "{ evaluateConversations(groupBy: TAG, tagPrefix: \"trial-\") { isPartial groups {
        key conversationCount success { successCount rate interval { low high } }
        turns { mean } messages { mean } toolCalls { mean } modelCalls { mean } tokens { mean } durationMs { mean } } } }";
    let found = server.data(groups, json!({})).await["evaluateConversations"].clone();
    assert_eq!(found["isPartial"], false);
    let groups: BTreeMap<_, _> = found["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (group["key"].as_str().unwrap(), group))
        .collect();
    assert_eq!(groups.len(), 4);
    for (trial, wanted) in wanted["trials"].as_object().unwrap() {
        let group = groups[trial.as_str()];
        assert_eq!(
            (&group["conversationCount"], &group["success"]["successCount"]),
            (&wanted["runs"], &wanted["succeeded"])
        );
        near(&group["success"]["rate"], &wanted["rate"], trial);
        same_interval(&group["success"]["interval"], &wanted["interval"], 1e-9, trial);
        for mean in ["turns", "messages", "toolCalls", "modelCalls"] {
            near(&group[mean]["mean"], &wanted[mean], &format!("{mean} of {trial}"));
        }
        // The recording tells neither tokens nor times: nothing is made up.
        assert_eq!((&group["tokens"], &group["durationMs"]), (&Value::Null, &Value::Null));
    }
    let compare =
        "query($a: [String!]!, $b: [String!]!) { compareConversations(a: {tags: $a}, b: {tags: $b}) {
        inBothCount success { interval { low high } outcome } turns { interval { low high } outcome }
        toolCalls { interval { low high } } durationMs { outcome } } }";
    let comparisons = wanted["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 6);
    for wanted in comparisons {
        let found = server.data(compare, json!({"a": [wanted["a"]], "b": [wanted["b"]]})).await;
        let found = &found["compareConversations"];
        for figure in ["success", "turns", "toolCalls"] {
            same_interval(&found[figure]["interval"], &wanted[figure], 1e-8, figure);
        }
        // Four trials of the same agent: no success rate is shown to differ.
        assert_eq!((&found["success"]["outcome"], &found["inBothCount"]), (&json!("NOT_SHOWN"), &json!(0)));
        assert_eq!(found["durationMs"]["outcome"], "NOT_ENOUGH_DATA");
    }
}

#[tokio::test]
async fn tools_are_counted_as_by_hand() {
    let (server, wanted) = (imported().await, independently());
    let query = "query($after: String) { conversations(first: 100, after: $after) { pageInfo { endCursor }
        nodes { evaluation { tracesLeftOut latencyMs { mean } tools { toolName callCount successCount errorCount totalTimeMs } } } } }";
    let (mut tools, mut after) = (BTreeMap::<String, [u64; 3]>::new(), Value::Null);
    for _ in 0..2 {
        let page = server.data(query, json!({"after": after})).await["conversations"].clone();
        after = page["pageInfo"]["endCursor"].clone();
        for evaluation in page["nodes"].as_array().unwrap().iter().map(|node| &node["evaluation"]) {
            assert_eq!((&evaluation["tracesLeftOut"], &evaluation["latencyMs"]), (&json!(0), &Value::Null));
            for tool in evaluation["tools"].as_array().unwrap() {
                assert_eq!(tool["totalTimeMs"], Value::Null);
                let counts = tools.entry(tool["toolName"].as_str().unwrap().to_owned()).or_default();
                for (count, name) in counts.iter_mut().zip(["callCount", "successCount", "errorCount"]) {
                    *count += tool[name].as_u64().unwrap();
                }
            }
        }
    }
    let found: BTreeMap<_, _> = tools
        .into_iter()
        .map(|(tool, [calls, succeeded, failed])| {
            (tool, json!({"calls": calls, "succeeded": succeeded, "failed": failed}))
        })
        .collect();
    assert_eq!(json!(found), wanted["tools"]);
}

#[tokio::test]
async fn an_import_again_changes_nothing() {
    let server = imported().await;
    let again = import(&server, RUNS).await;
    assert_eq!(again.written.new, dendro::service::import::Counts::default());
    let query = "{ conversations(first: 1, filter: {tags: [\"trial-3\", \"task-7\"]}) { totalCount nodes { title tags } } }";
    let found = server.data(query, json!({})).await["conversations"].clone();
    assert_eq!(
        found,
        json!({"totalCount": 1, "nodes": [{"title": "Task 7, trial 3", "tags": ["imported", "tau-bench", "task-7", "trial-3"]}]})
    );
    let report = server.store.check(&|_, _| {}).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.problems);
}
