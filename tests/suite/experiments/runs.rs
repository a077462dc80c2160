//! Experiments that run to their end, are stopped, or given up.

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{
    PROGRESS, add, agent, asked, assert_consistent, dataset, ended, evaluator, questions, run, server, start,
};

const EXPERIMENT: &str = "query($id: ID!) { experiment(id: $id) {
  status error datasetVersion name agent { componentId versionHash } model variables repetitions
  counts { total pending running completed failed cancelled }
  items(first: 100) { totalCount nodes {
    item { input } repetition status attempt outputPreview error evaluatorErrors
    scores { name booleanValue evaluator { componentId } }
    trace { status userInput finalOutput metadata conversationId spans(first: 10) { nodes { operationType ... on LlmCallSpan { inputMessages { role text } } } } }
  } }
  summary { counts { total completed failed } scores { name valueType count mean categories { value } } latency { count p50Ms p95Ms } totalTokens totalCostUsd costedCount }
} }";

#[tokio::test]
async fn an_agent_is_run_over_each_item_and_judged() {
    let server = server().await;
    let version = agent(&server, "helper", "weak").await;
    let (dataset, right) = (asked(&server, 6).await, evaluator(&server).await);
    let changes = json!({ "evaluators": [right], "variables": { "user": "Eve" }, "repetitions": 2 });
    let id = run(&server, &dataset, "helper", changes).await;
    let found = server.data(EXPERIMENT, json!({ "id": id })).await["experiment"].clone();
    assert_eq!(found["agent"], json!({ "componentId": "agents/helper", "versionHash": version }));
    let counts =
        json!({ "total": 12, "pending": 0, "running": 0, "completed": 12, "failed": 0, "cancelled": 0 });
    assert_eq!(found["counts"], counts);
    let items = found["items"]["nodes"].as_array().unwrap();
    assert_eq!(found["items"]["totalCount"], 12);
    let inputs: Vec<_> = items.iter().map(|it| (&it["item"]["input"], &it["repetition"])).collect();
    assert_eq!(
        inputs[..3],
        [(&json!("q1"), &json!(1)), (&json!("q1"), &json!(2)), (&json!("q2"), &json!(1))]
    );
    let (first, last) = (&items[0], &items[11]);
    assert_eq!((&first["outputPreview"], &last["outputPreview"]), (&json!("a1"), &json!("No idea.")));
    assert_eq!(first["scores"][0]["booleanValue"], true, "{first}");
    assert_eq!(last["scores"][0]["booleanValue"], false);
    assert_eq!(first["scores"][0]["evaluator"]["componentId"], "evaluators/right");
    let trace = &first["trace"];
    assert_eq!(trace["metadata"]["experimentId"], id.as_str());
    assert!(trace["conversationId"].is_null());
    let call =
        trace["spans"]["nodes"].as_array().unwrap().iter().find(|it| it["operationType"] == "LLM_CALL");
    assert_eq!(call.unwrap()["inputMessages"][0]["text"], "Answer Eve.");
    let summary = &found["summary"];
    let score =
        json!({ "name": "right", "valueType": "BOOLEAN", "count": 12, "mean": 8.0 / 12.0, "categories": [] });
    assert_eq!(summary["scores"], json!([score]));
    assert_eq!(summary["latency"]["count"], 12);
    assert_eq!(summary["totalTokens"], (12 * 60).to_string());
    assert_eq!((&summary["totalCostUsd"], &summary["costedCount"]), (&Value::Null, &json!(0)));
    assert_consistent(&server).await;
}

#[tokio::test]
async fn an_older_version_is_run_as_it_was_and_with_other_parts() {
    let server = server().await;
    agent(&server, "helper", "weak").await;
    let dataset = asked(&server, 2).await;
    add(&server, &dataset, questions(3..=9)).await;
    let changes = json!({ "datasetVersion": 1, "model": "scripted/good", "name": "other model" });
    let id = run(&server, &dataset, "helper", changes).await;
    let found = server.data(EXPERIMENT, json!({ "id": id })).await["experiment"].clone();
    assert_eq!((&found["counts"]["total"], &found["datasetVersion"]), (&json!(2), &json!("1")));
    assert_eq!((&found["model"], &found["name"]), (&json!("scripted/good"), &json!("other model")));
    const LIST: &str = "query($filter: ExperimentFilter) { experiments(filter: $filter) { nodes { experimentId } totalCount } }";
    for (filter, count) in [
        (json!({ "datasetId": dataset, "statuses": ["COMPLETED"], "agentId": "agents/helper" }), 1),
        (json!({ "name": "OTHER" }), 1),
        (json!({ "statuses": ["RUNNING"] }), 0),
    ] {
        let found = server.data(LIST, json!({ "filter": filter })).await;
        assert_eq!(found["experiments"]["totalCount"], count, "{filter}");
    }
}

#[tokio::test]
async fn items_that_fail_do_not_stop_the_others_unless_too_many_do() {
    let server = server().await;
    agent(&server, "helper", "shaky").await;
    let (dataset, right) = (asked(&server, 8).await, evaluator(&server).await);
    let id = run(&server, &dataset, "helper", json!({ "evaluators": [right] })).await;
    let found = server.data(EXPERIMENT, json!({ "id": id })).await["experiment"].clone();
    assert_eq!((&found["counts"]["completed"], &found["counts"]["failed"]), (&json!(4), &json!(4)));
    let failed = &found["items"]["nodes"][0];
    assert!(failed["error"].as_str().unwrap().contains("odd is odd"), "{failed}");
    assert_eq!((&failed["scores"], &failed["trace"]["status"]), (&json!([]), &json!("FAILED")));
    assert_eq!(found["summary"]["scores"][0]["count"], 4);
    // One at a time: q1 fails, q2 not, q3 is one too many.
    let given_up = start(&server, &dataset, "helper", json!({ "maxErrors": 1, "parallelism": 1 })).await;
    let id = given_up["experiment"]["experimentId"].as_str().unwrap();
    let experiment = ended(&server, id).await;
    assert_eq!(experiment["status"], "FAILED", "{experiment}");
    assert_eq!(experiment["error"], "2 runs failed, and 1 may");
    assert_eq!(experiment["counts"]["pending"], 5, "{experiment}");
    assert_consistent(&server).await;
}

#[tokio::test]
async fn an_experiment_is_stopped_with_what_goes_on() {
    let server = server().await;
    agent(&server, "helper", "never").await;
    let dataset = asked(&server, 5).await;
    let started = start(&server, &dataset, "helper", json!({ "parallelism": 2 })).await;
    let id = started["experiment"]["experimentId"].as_str().unwrap();
    let mut progress = server.follow(PROGRESS, json!({ "id": id }));
    while let Some(answer) = progress.next().await {
        if answer.data["experimentProgress"]["experiment"]["counts"]["running"] == 2 {
            break;
        }
    }
    const CANCEL: &str = "mutation($id: ID!) { cancelExperiment(input: {experimentId: $id}) {
      experiment { status } refusal { message ... on IllegalTransition { state } }
    } }";
    let cancelled = server.data(CANCEL, json!({ "id": id })).await;
    assert_eq!(cancelled["cancelExperiment"]["experiment"]["status"], "CANCELLED", "{cancelled}");
    let last = ended(&server, id).await;
    let counts =
        json!({ "total": 5, "pending": 3, "running": 0, "completed": 0, "failed": 0, "cancelled": 2 });
    assert_eq!(last["counts"], counts);
    let found = server.data(EXPERIMENT, json!({ "id": id })).await["experiment"].clone();
    for item in found["items"]["nodes"].as_array().unwrap() {
        assert_eq!((&item["status"], &item["trace"]["status"]), (&json!("CANCELLED"), &json!("CANCELLED")));
    }
    let again = server.data(CANCEL, json!({ "id": id })).await;
    assert_eq!(again["cancelExperiment"]["refusal"]["state"], "CANCELLED", "{again}");
}

#[tokio::test]
async fn an_experiment_whose_dataset_goes_is_given_up_and_keeps_what_was_run() {
    let server = server().await;
    agent(&server, "helper", "never").await;
    agent(&server, "quick", "good").await;
    let dataset = asked(&server, 200).await;
    let before = run(&server, &dataset, "quick", json!({ "parallelism": 16 })).await;
    let started = start(&server, &dataset, "helper", json!({ "parallelism": 1 })).await;
    let id = started["experiment"]["experimentId"].as_str().unwrap();
    const DELETE: &str =
        "mutation($id: ID!) { deleteDataset(input: {datasetId: $id}) { refusal { message } } }";
    server.data(DELETE, json!({ "id": dataset })).await;
    // The run that goes on is stopped by hand: then the next item is looked for.
    let mut progress = server.follow(PROGRESS, json!({ "id": id }));
    let mut last = Value::Null;
    while let Some(answer) = progress.next().await {
        last = answer.data["experimentProgress"]["experiment"].clone();
        const RUNNING: &str =
            "query($id: ID!) { experiment(id: $id) { items(statuses: [RUNNING]) { nodes { traceId } } } }";
        let found = server.data(RUNNING, json!({ "id": id })).await;
        for item in found["experiment"]["items"]["nodes"].as_array().unwrap() {
            let trace = json!({ "id": item["traceId"] });
            server
                .run(
                    "mutation($id: ID!) { cancelTrace(input: {traceId: $id}) { refusal { message } } }",
                    trace,
                )
                .await;
        }
    }
    assert_eq!((&last["status"], &last["error"]), (&json!("FAILED"), &json!("its dataset was deleted")));
    let found = server.data(EXPERIMENT, json!({ "id": before })).await["experiment"].clone();
    let item = &found["items"]["nodes"][0];
    assert_eq!((&item["item"], &item["outputPreview"]), (&Value::Null, &json!("a1")));
    assert_consistent(&server).await;
}

#[tokio::test]
async fn a_conversation_is_given_to_the_agent_as_it_is() {
    let server = server().await;
    agent(&server, "helper", "good").await;
    let dataset = dataset(&server, "talks").await;
    let talk = json!([
        { "role": "system", "content": "Be somebody else." },
        { "role": "user", "content": "q1" },
        { "role": "assistant", "content": "a1" },
        { "role": "user", "content": "q7" },
    ]);
    add(&server, &dataset, json!([{ "input": talk }, { "input": { "city": "Ulm" } }])).await;
    let id = run(&server, &dataset, "helper", json!({})).await;
    let found = server.data(EXPERIMENT, json!({ "id": id })).await["experiment"].clone();
    let items = &found["items"]["nodes"];
    assert_eq!((&items[0]["outputPreview"], &items[0]["trace"]["userInput"]), (&json!("a7"), &json!("q7")));
    let spans = items[0]["trace"]["spans"]["nodes"].as_array().unwrap();
    let call = spans.iter().find(|it| it["operationType"] == "LLM_CALL").unwrap();
    let texts: Vec<_> = call["inputMessages"].as_array().unwrap().iter().map(|it| &it["text"]).collect();
    assert_eq!(texts, ["Answer Ada.", "q1", "a1", "q7"]);
    assert_eq!(items[1]["outputPreview"], "You said {\"city\":\"Ulm\"}.");
}
