//! Evaluators inside experiments: judges with traces of their own, and what comes of those that cannot judge.

use std::sync::Arc;

use dendro::engine::{MemoryEngine, SharedEngine};
use serde_json::{Value, json};

use super::{
    add, agent, asked, assert_consistent, dataset, evaluator, judge, questions, run, runtime, server,
};
use crate::support::Server;

const EXPERIMENT: &str = "query($id: ID!) { experiment(id: $id) {
  status error counts { completed failed }
  items(first: 100) { nodes {
    item { input } status error evaluatorErrors traceId
    scores { name booleanValue source judgingTrace { traceId name status userInput totalTokens metadata } }
  } }
  summary {
    counts { completed failed } scores { name count mean } latency { count meanMs } totalTokens
    evaluatorErrorCount
  }
} }";

async fn experiment(server: &Server, id: &str) -> Value {
    server.data(EXPERIMENT, json!({ "id": id })).await["experiment"].clone()
}

#[tokio::test]
async fn what_evaluators_cannot_say_is_counted_and_named_and_the_run_counts() {
    let engine: SharedEngine = Arc::new(MemoryEngine::default());
    // The provider of one judge is there when it is made, and not any more when it is to judge.
    let before = Server::running_on(engine.clone(), runtime(&["scripted", "elsewhere"])).await;
    let gone = judge(&before, "gone", "elsewhere/fine").await;
    let server = Server::running_on(engine, runtime(&["scripted"])).await;
    for _ in 0..1_000 {
        // Ids that the one before has made.
        let _ = server.services.tracing.new_span_id();
    }
    agent(&server, "helper", "good").await;
    let (right, prose) = (evaluator(&server).await, judge(&server, "prose", "scripted/prose").await);
    let dataset = dataset(&server, "questions").await;
    add(&server, &dataset, questions(1..=3)).await;
    add(&server, &dataset, json!([{ "input": "q4" }])).await;
    // No run may fail, and none does.
    let changes = json!({ "evaluators": [right, prose, gone], "maxErrors": 0 });
    let id = run(&server, &dataset, "helper", changes.clone()).await;
    let found = experiment(&server, &id).await;
    assert_eq!(found["counts"], json!({ "completed": 4, "failed": 0 }), "{found}");
    assert!(found["error"].is_null());
    let items = found["items"]["nodes"].as_array().unwrap();
    for item in &items[..3] {
        assert_eq!((&item["status"], &item["error"]), (&json!("COMPLETED"), &Value::Null), "{item}");
        let errors = item["evaluatorErrors"].as_array().unwrap();
        let no_verdict = "evaluators/prose: the judge gave no verdict that can be used, in 2 attempts: it is no JSON \
            object";
        assert_eq!((errors.len(), &errors[0]), (2, &json!(no_verdict)), "{item}");
        let missing = errors[1].as_str().unwrap();
        assert!(missing.starts_with("evaluators/gone: "), "{missing}");
        assert!(missing.contains("no provider is called `elsewhere`"), "{missing}");
        assert_eq!(item["scores"].as_array().unwrap().len(), 1);
    }
    // Of the last nothing is expected: nobody can say anything.
    let errors = items[3]["evaluatorErrors"].as_array().unwrap();
    assert!(errors.len() == 3 && errors[0].as_str().unwrap().starts_with("evaluators/right: "), "{errors:?}");
    assert_eq!((&items[3]["status"], &items[3]["scores"]), (&json!("COMPLETED"), &json!([])));
    let summary = &found["summary"];
    assert_eq!(summary["counts"], json!({ "completed": 4, "failed": 0 }));
    assert_eq!(summary["scores"], json!([{ "name": "right", "count": 3, "mean": 1.0 }]));
    assert_eq!((&summary["evaluatorErrorCount"], &summary["latency"]["count"]), (&json!(9), &json!(4)));
    // Beside another, what nobody said is no figure.
    let other = run(&server, &dataset, "helper", changes).await;
    const COMPARE: &str = "query($a: ID!, $b: ID!) { compareExperiments(a: $a, b: $b) {
      differences { measure name pairCount meanA meanB difference interval { low high } verdict }
    } }";
    let compared = server.data(COMPARE, json!({ "a": id, "b": other })).await["compareExperiments"].clone();
    let differences = compared["differences"].as_array().unwrap();
    let scores: Vec<_> = differences.iter().filter(|it| it["measure"] == "SCORE").collect();
    assert_eq!(scores.len(), 1, "{compared}");
    assert_eq!(
        (&scores[0]["name"], &scores[0]["pairCount"], &scores[0]["difference"], &scores[0]["verdict"]),
        (&json!("right"), &json!(3), &json!(0.0), &json!("NOT_ENOUGH_DATA"))
    );
    for difference in differences {
        for figure in ["meanA", "meanB", "difference"] {
            assert!(difference[figure].as_f64().is_some_and(f64::is_finite), "{difference}");
        }
        assert!(difference["interval"].is_null(), "{difference}");
    }
    assert_consistent(&server).await;
}

#[tokio::test]
async fn a_judge_in_an_experiment_has_a_trace_of_its_own() {
    let server = server().await;
    agent(&server, "helper", "good").await;
    let (dataset, polite) = (asked(&server, 3).await, judge(&server, "polite", "scripted/fine").await);
    let id = run(&server, &dataset, "helper", json!({ "evaluators": [polite], "repetitions": 2 })).await;
    let found = experiment(&server, &id).await;
    let mut traces = Vec::new();
    for item in found["items"]["nodes"].as_array().unwrap() {
        let [score] = item["scores"].as_array().unwrap().as_slice() else { panic!("{item}") };
        assert_eq!((&score["booleanValue"], &score["source"]), (&json!(true), &json!("MODEL")), "{item}");
        let judging = &score["judgingTrace"];
        assert_eq!(
            (&judging["name"], &judging["status"]),
            (&json!("evaluators/polite"), &json!("COMPLETED"))
        );
        // It is shown the answer and what the item expects, and belongs to no experiment.
        let number = &item["item"]["input"].as_str().unwrap()[1..];
        assert_eq!(judging["userInput"], json!(format!("Is a{number} as good as a{number}?")));
        assert_eq!(
            (&judging["totalTokens"], &judging["metadata"]),
            (&json!("1100"), &Value::Null),
            "{judging}"
        );
        traces.extend([item["traceId"].clone(), judging["traceId"].clone()]);
    }
    traces.sort_by_key(ToString::to_string);
    traces.dedup();
    assert_eq!(traces.len(), 12, "six runs, six judgings");
    // What a judge uses is not the agent's.
    assert_eq!(found["summary"]["totalTokens"], (6 * 110).to_string());
    assert_eq!(found["summary"]["scores"], json!([{ "name": "polite", "count": 6, "mean": 1.0 }]));
    assert_eq!(found["summary"]["evaluatorErrorCount"], 0);
    assert_consistent(&server).await;
}
