//! Experiments side by side, with differences that are worked out by hand.

use serde_json::{Value, json};

use super::{add, agent, asked, evaluator, questions, run, server};
use crate::support::Server;

const COMPARE: &str = "query($a: ID!, $b: ID!, $first: Int = 100, $after: String, $filter: ExperimentPairFilter) {
  compareExperiments(a: $a, b: $b) {
    a { experimentId } b { experimentId } sharedCount onlyInACount onlyInBCount
    differences { measure name pairCount meanA meanB difference interval { low high } verdict }
    pairs(first: $first, after: $after, filter: $filter) {
      totalCount pageInfo { hasNextPage endCursor }
      nodes { item { input } presence runsInA { outputPreview } runsInB { outputPreview } measures { measure name a b better } }
    }
  }
}";

async fn compare(server: &Server, a: &str, b: &str, more: Value) -> Value {
    let mut variables = json!({ "a": a, "b": b });
    for (name, value) in more.as_object().unwrap() {
        variables[name] = value.clone();
    }
    server.data(COMPARE, variables).await["compareExperiments"].clone()
}

fn difference<'a>(compared: &'a Value, measure: &str) -> &'a Value {
    compared["differences"].as_array().unwrap().iter().find(|it| it["measure"] == measure).unwrap()
}

fn close(found: &Value, wanted: f64) -> bool {
    (found.as_f64().unwrap() - wanted).abs() < 1e-3
}

/// Of twelve questions one version answers four, the other all. The differences are eight times -1 and four times 0:
/// their mean is -2/3, their variance (8 · 1/9 + 4 · 4/9) / 11 = 0.24242, and with t = 2.20099 the interval is
/// -2/3 ± 2.20099 · √(0.24242 / 12) = -2/3 ± 0.31284.
#[tokio::test]
async fn the_better_version_is_told_with_its_interval() {
    let server = server().await;
    let weak = agent(&server, "helper", "weak").await;
    agent(&server, "helper", "good").await;
    let (dataset, right) = (asked(&server, 12).await, evaluator(&server).await);
    let evaluators = json!([right]);
    let a = run(&server, &dataset, "helper", json!({ "versionHash": weak, "evaluators": evaluators })).await;
    let b = run(&server, &dataset, "helper", json!({ "evaluators": evaluators })).await;
    let compared = compare(&server, &a, &b, json!({})).await;
    assert_eq!((&compared["sharedCount"], &compared["onlyInACount"]), (&json!(12), &json!(0)));
    let score = difference(&compared, "SCORE");
    assert_eq!(
        (&score["name"], &score["pairCount"], &score["meanB"]),
        (&json!("right"), &json!(12), &json!(1.0))
    );
    assert!(close(&score["meanA"], 1.0 / 3.0) && close(&score["difference"], -2.0 / 3.0), "{score}");
    let interval = &score["interval"];
    assert!(close(&interval["low"], -0.97951) && close(&interval["high"], -0.35383), "{interval}");
    assert_eq!(score["verdict"], "B_BETTER");
    // All pairs differ by the same: more tokens, which is worse, and no interval could be honest.
    let tokens = difference(&compared, "TOKENS");
    assert_eq!((&tokens["difference"], &tokens["interval"]), (&json!(-50.0), &Value::Null));
    assert_eq!(tokens["verdict"], "A_BETTER");
    assert_eq!(difference(&compared, "ERROR_RATE")["verdict"], "UNDECIDED");
    // The other way round.
    let back = compare(&server, &b, &a, json!({})).await;
    let score = difference(&back, "SCORE");
    assert!(close(&score["difference"], 2.0 / 3.0) && close(&score["interval"]["low"], 0.35383), "{score}");
    assert_eq!(score["verdict"], "A_BETTER");
    // Those that are better, page by page.
    let filter = json!({ "better": "B", "measure": "SCORE", "score": "right" });
    let better = compare(&server, &a, &b, json!({ "filter": filter, "first": 5 })).await["pairs"].clone();
    assert_eq!((&better["totalCount"], &better["pageInfo"]["hasNextPage"]), (&json!(8), &json!(true)));
    let node = &better["nodes"][0];
    assert_eq!(node["item"]["input"], "q5", "{node}");
    assert_eq!(node["runsInA"][0]["outputPreview"], "No idea.");
    assert_eq!(node["runsInB"][0]["outputPreview"], "a5");
    let measured = node["measures"].as_array().unwrap().iter().find(|it| it["measure"] == "SCORE").unwrap();
    assert_eq!(*measured, json!({ "measure": "SCORE", "name": "right", "a": 0.0, "b": 1.0, "better": "B" }));
    let after = better["pageInfo"]["endCursor"].clone();
    let rest = compare(&server, &a, &b, json!({ "filter": filter, "first": 5, "after": after })).await;
    let rest: Vec<_> =
        rest["pairs"]["nodes"].as_array().unwrap().iter().map(|it| &it["item"]["input"]).cloned().collect();
    assert_eq!(rest, ["q10", "q11", "q12"]);
    let worse = json!({ "filter": { "better": "A", "measure": "SCORE" } });
    assert_eq!(compare(&server, &a, &b, worse).await["pairs"]["totalCount"], 0);
}

#[tokio::test]
async fn versions_of_a_dataset_compare_the_items_that_they_share() {
    let server = server().await;
    agent(&server, "helper", "good").await;
    let dataset = asked(&server, 4).await;
    let a = run(&server, &dataset, "helper", json!({})).await;
    const ITEMS: &str = "query($id: ID!) { dataset(id: $id) { items { nodes { itemId } } } }";
    let items = server.data(ITEMS, json!({ "id": dataset })).await["dataset"]["items"]["nodes"].clone();
    const CHANGE: &str = "mutation($first: ID!, $second: ID!, $dataset: ID!) {
      updateDatasetItem(input: {itemId: $first, input: \"q21\"}) { refusal { message } }
      removeDatasetItems(input: {datasetId: $dataset, itemIds: [$second]}) { refusal { message } }
    }";
    let change = json!({ "first": items[0]["itemId"], "second": items[1]["itemId"], "dataset": dataset });
    server.data(CHANGE, change).await;
    add(&server, &dataset, questions(5..=5)).await;
    let b = run(&server, &dataset, "helper", json!({})).await;
    let compared = compare(&server, &a, &b, json!({})).await;
    let pairs = compared["pairs"]["nodes"].as_array().unwrap();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|it| (it["item"]["input"].as_str().unwrap(), it["presence"].as_str().unwrap()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("q1", "ONLY_A"),
            ("q21", "ONLY_B"),
            ("q2", "ONLY_A"),
            ("q3", "BOTH"),
            ("q4", "BOTH"),
            ("q5", "ONLY_B")
        ]
    );
    let tokens = difference(&compared, "TOKENS");
    assert_eq!((&tokens["pairCount"], &tokens["verdict"]), (&json!(2), &json!("NOT_ENOUGH_DATA")));
    assert!(tokens["interval"].is_null());
}

#[tokio::test]
async fn experiments_over_different_datasets_do_not_compare() {
    let server = server().await;
    agent(&server, "helper", "good").await;
    let dataset = asked(&server, 1).await;
    let a = run(&server, &dataset, "helper", json!({})).await;
    let other = super::dataset(&server, "other").await;
    add(&server, &other, questions(1..=1)).await;
    let b = run(&server, &other, "helper", json!({})).await;
    let errors = server.errors(COMPARE, json!({ "a": a, "b": b })).await;
    assert_eq!(errors[0]["extensions"]["field"], "b", "{errors:?}");
    let errors = server.errors(COMPARE, json!({ "a": dataset, "b": b })).await;
    assert_eq!(errors[0]["extensions"]["code"], "NOT_FOUND", "{errors:?}");
}
