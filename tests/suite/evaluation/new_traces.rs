//! Rules for new traces: what they mean is judged once it is over, and nothing else is.

use serde_json::{Value, json};

use super::{assert_consistent, end, evaluator, running, scores, server, trace};
use crate::support::Server;

const JUDGES: &str = "
scripts:
  test:
    turns:
      - text: '{\"reasoning\": \"Fine.\", \"answer\": true}'
  prose:
    turns:
      - text: Fine.
      - text: Fine.
";

const SET: &str = "mutation($input: SetEvaluationRuleInput!) { setEvaluationRule(input: $input) {
  rule { id name enabled sample where evaluators { componentId } }
  refusal { message ... on InvalidInput { field } ... on NotFound { field } }
} }";

const RULES: &str = "{ evaluationRules {
  name enabled doneCount scoredCount passedCount failedCount skippedCount errorCount errors { message traceId }
  skips { reason count traceId evaluator { componentId } }
} }";

pub async fn set(server: &Server, changes: Value) -> Value {
    let mut input = json!({ "name": "all" });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    let set = server.data(SET, json!({ "input": input })).await["setEvaluationRule"].clone();
    assert!(set["refusal"].is_null(), "{set}");
    set["rule"].clone()
}

/// Does all that follows of traces that are over.
pub async fn follow(server: &Server) {
    for _ in 0..2 {
        assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
        server.services.evaluations.judge_due().await.unwrap();
    }
}

pub async fn judge(server: &Server, name: &str, model: &str) -> String {
    let model = json!({ "name": format!("scripted/{model}") });
    let kind = json!({ "judge": { "model": model, "rubric": "{{output}}?", "answer": { "boolean": true } } });
    evaluator(server, name, kind).await
}

pub async fn rule(server: &Server) -> Value {
    server.data(RULES, json!({})).await["evaluationRules"][0].clone()
}

#[tokio::test]
async fn new_traces_are_judged_once_they_are_over() {
    let server = server(JUDGES).await;
    let before = trace(&server, Some("There."), &[]).await;
    follow(&server).await;
    let fast = evaluator(&server, "fast", json!({ "latency": { "maxMs": 1000 } })).await;
    let polite = judge(&server, "polite", "test").await;
    let evaluators = super::references(&[&fast, &polite]);
    let made = set(&server, json!({ "evaluators": evaluators, "filter": { "userId": "ada" } })).await;
    assert_eq!((&made["enabled"], &made["where"]), (&json!(true), &json!({ "userIds": ["ada"] })));
    let after = trace(&server, Some("There."), &[]).await;
    let goes_on = running(&server, &[]).await;
    follow(&server).await;
    assert_eq!(scores(&server, &after).await.len(), 2);
    // What was over before there was a rule, and what goes on, is not judged; nor are the judgings.
    assert!(scores(&server, &before).await.is_empty() && scores(&server, &goes_on).await.is_empty());
    let found = rule(&server).await;
    let figures = ["doneCount", "scoredCount", "passedCount", "failedCount"].map(|name| found[name].clone());
    assert_eq!(figures, [json!("1"), json!("2"), json!("1"), json!("1")]);
    // It ends, and is judged. That others got scores has none judged again.
    end(&server, &goes_on, Some("Here."), "COMPLETED").await;
    follow(&server).await;
    assert_eq!(scores(&server, &goes_on).await.len(), 2);
    follow(&server).await;
    assert_eq!(rule(&server).await["doneCount"], "2");
    const JUDGINGS: &str = "{ traces(filter: {name: \"evaluators/\"}) { totalCount } }";
    assert_eq!(server.data(JUDGINGS, json!({})).await["traces"]["totalCount"], 2);
    assert_consistent(&server).await;
}

#[tokio::test]
async fn a_rule_means_what_its_filter_and_sample_mean() {
    let server = server(JUDGES).await;
    let fast = evaluator(&server, "fast", json!({ "latency": { "maxMs": 5000 } })).await;
    let evaluators = super::references(&[&fast]);
    set(&server, json!({ "evaluators": evaluators, "filter": { "userId": "bob" } })).await;
    let of_ada = trace(&server, None, &[]).await;
    follow(&server).await;
    assert!(scores(&server, &of_ada).await.is_empty());
    set(&server, json!({ "evaluators": evaluators, "sample": 0.5 })).await;
    let mut judged = 0;
    let mut traces = Vec::new();
    for _ in 0..40 {
        traces.push(trace(&server, None, &[]).await);
    }
    follow(&server).await;
    for trace in &traces {
        judged += scores(&server, trace).await.len();
    }
    assert!((8..32).contains(&judged), "{judged}");
    set(&server, json!({ "evaluators": evaluators, "enabled": false })).await;
    let off = trace(&server, None, &[]).await;
    follow(&server).await;
    assert!(scores(&server, &off).await.is_empty());
    assert_eq!(rule(&server).await["doneCount"], json!(judged.to_string()));
    const DELETE: &str =
        "mutation { deleteEvaluationRule(input: {name: \"all\"}) { rule { name } refusal { message } } }";
    assert_eq!(server.data(DELETE, json!({})).await["deleteEvaluationRule"]["rule"]["name"], "all");
    let gone = server.data(DELETE, json!({})).await["deleteEvaluationRule"]["refusal"].clone();
    assert_eq!(gone["message"], "name: there is no evaluation rule `all`");
    assert_consistent(&server).await;
}

#[tokio::test]
async fn a_rule_keeps_the_errors_of_its_judges() {
    let server = server(JUDGES).await;
    let prose = judge(&server, "prose", "prose").await;
    set(&server, json!({ "evaluators": super::references(&[&prose]) })).await;
    let found = trace(&server, Some("There."), &[]).await;
    follow(&server).await;
    let kept = rule(&server).await;
    assert_eq!((&kept["errorCount"], &kept["scoredCount"]), (&json!("1"), &json!("0")));
    assert_eq!(kept["errors"][0]["traceId"], json!(found));
    // It is not asked again and again.
    follow(&server).await;
    assert_eq!(rule(&server).await["errorCount"], "1");
}

#[tokio::test]
async fn spans_of_new_traces_are_judged_and_not_over_and_over() {
    let server = server(JUDGES).await;
    let polite = judge(&server, "polite", "test").await;
    let spans = json!({ "spans": { "operationType": "TOOL_CALL" } });
    set(&server, json!({ "evaluators": super::references(&[&polite]), "target": spans })).await;
    let call = json!({ "operationType": "TOOL_CALL", "name": "search", "outputs": "found" });
    trace(&server, None, &[call.clone(), call]).await;
    for _ in 0..3 {
        follow(&server).await;
    }
    let kept = rule(&server).await;
    assert_eq!((&kept["doneCount"], &kept["scoredCount"]), (&json!("1"), &json!("2")), "{kept}");
}
