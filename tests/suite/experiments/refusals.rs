//! What cannot be: each says which field is at fault, and nothing of it is stored.

use serde_json::json;

use super::{add, agent, asked, assert_consistent, dataset, evaluator, questions, server, start};

#[tokio::test]
async fn items_that_cannot_be_kept_are_named_and_the_others_stored() {
    let server = server().await;
    let id = dataset(&server, "mixed").await;
    let own = "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44";
    let items = json!([
        { "input": "good" },
        { "input": " " },
        { "input": [] },
        { "input": [{ "text": "no role" }] },
        { "input": "fine", "metadata": [1] },
        { "input": "x".repeat(2 << 20) },
        { "input": "one", "itemId": own },
        { "input": "two", "itemId": own },
        { "input": "three", "itemId": "nonsense" },
        { "input": "good" },
        { "input": "four", "sourceSpanId": own },
    ]);
    let added = add(&server, &id, items).await;
    let told: Vec<_> = added["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["outcome"].as_str().unwrap(), it["refusal"]["field"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            ("ADDED", ""),
            ("REFUSED", "items.1.input"),
            ("REFUSED", "items.2.input"),
            ("REFUSED", "items.3.input"),
            ("REFUSED", "items.4.metadata"),
            ("REFUSED", "items.5.input"),
            ("ADDED", ""),
            ("REFUSED", "items.7.itemId"),
            ("REFUSED", "items.8.itemId"),
            ("UNCHANGED", ""),
            ("REFUSED", "items.10.sourceTraceId"),
        ]
    );
    assert_eq!((&added["dataset"]["version"], &added["dataset"]["itemCount"]), (&json!("1"), &json!(2)));
    let other =
        add(&server, &dataset(&server, "other").await, json!([{ "input": "two", "itemId": own }])).await;
    assert_eq!(other["results"][0]["refusal"]["field"], "items.0.itemId");
    assert_eq!(other["dataset"]["version"], "0");
    let nowhere = add(&server, own, json!([{ "input": "a" }])).await;
    assert!(nowhere["refusal"]["message"].as_str().unwrap().contains("no dataset"), "{nowhere}");
    assert_consistent(&server).await;
}

#[tokio::test]
async fn experiments_that_cannot_be_run_are_refused_before_they_begin() {
    let server = server().await;
    agent(&server, "helper", "good").await;
    let (full, empty) = (asked(&server, 3).await, dataset(&server, "empty").await);
    let (right, nowhere) = (evaluator(&server).await, "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44");
    let unknown = json!({ "componentId": "prompts/none", "versionHash": "0".repeat(64) });
    let unjudged = json!({ "evaluatorId": "evaluators/right", "versionHash": "0".repeat(64) });
    for (dataset, agent, changes, field) in [
        (empty.as_str(), "helper", json!({}), "datasetId"),
        (nowhere, "helper", json!({}), "datasetId"),
        (&full, "nobody", json!({}), "agentId"),
        (&full, "helper", json!({ "label": "production" }), "label"),
        (&full, "helper", json!({ "model": "nobody/nothing" }), "agentId.name"),
        (&full, "helper", json!({ "components": [unknown] }), "components.0"),
        (&full, "helper", json!({ "datasetVersion": 2 }), "datasetVersion"),
        (&full, "helper", json!({ "datasetVersion": 0 }), "datasetId"),
        (&full, "helper", json!({ "parallelism": 0 }), "parallelism"),
        (&full, "helper", json!({ "parallelism": 1_000_000 }), "parallelism"),
        (&full, "helper", json!({ "repetitions": 0 }), "repetitions"),
        (&full, "helper", json!({ "repetitions": 101 }), "repetitions"),
        (&full, "helper", json!({ "evaluators": [unjudged] }), "evaluators.0.versionHash"),
        (
            &full,
            "helper",
            json!({ "evaluators": [{ "evaluatorId": "agents/helper" }] }),
            "evaluators.0.evaluatorId",
        ),
        (&full, "helper", json!({ "evaluators": [right, right] }), "evaluators.1"),
        (&full, "helper", json!({ "variables": { "user": 3 } }), "variables"),
        (&full, "helper", json!({ "name": "" }), "name"),
    ] {
        let refused = start(&server, dataset, agent, changes.clone()).await;
        assert_eq!(refused["refusal"]["field"], field, "{changes}: {refused}");
        assert!(refused["experiment"].is_null());
    }
    const OFF: &str = "mutation { updateTracingSettings(input: {enabled: false}) { settings { enabled } } }";
    server.data(OFF, json!({})).await;
    let refused = start(&server, &full, "helper", json!({})).await;
    assert!(refused["refusal"]["message"].as_str().unwrap().contains("tracingSettings"), "{refused}");
    let none = server.data("{ experiments { totalCount } }", json!({})).await;
    assert_eq!(none["experiments"]["totalCount"], 0);
}

#[tokio::test]
async fn an_experiment_has_its_id_once_and_only_so_many_go_on() {
    let server = server().await;
    agent(&server, "helper", "never").await;
    let dataset = asked(&server, 1).await;
    let id = json!({ "experimentId": "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44" });
    assert!(start(&server, &dataset, "helper", id.clone()).await["refusal"].is_null());
    let twice = start(&server, &dataset, "helper", id).await;
    assert_eq!(twice["refusal"]["field"], "experimentId", "{twice}");
    for _ in 1..8 {
        assert!(start(&server, &dataset, "helper", json!({})).await["refusal"].is_null());
    }
    let many = start(&server, &dataset, "helper", json!({})).await;
    assert!(many["refusal"]["message"].as_str().unwrap().contains("8 experiments go on"), "{many}");
    // While they go on, items can be added: the version that they name stays.
    let added = add(&server, &dataset, questions(1..=3)).await;
    assert_eq!(added["dataset"]["version"], "2");
}
