//! Following an experiment.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{PROGRESS, agent, asked, ended, server, start};

#[tokio::test]
async fn progress_is_a_snapshot_and_then_every_change_from_wherever_it_is_resumed() {
    let server = server().await;
    agent(&server, "helper", "good").await;
    let dataset = asked(&server, 20).await;
    let started = start(&server, &dataset, "helper", json!({})).await;
    let id = started["experiment"]["experimentId"].as_str().unwrap();
    let mut progress = server.follow(PROGRESS, json!({ "id": id }));
    let (mut revision, mut messages) = (0, Vec::new());
    while let Some(answer) = progress.next().await {
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        let message = answer.data["experimentProgress"].clone();
        let now: u64 = message["revision"].as_str().unwrap().parse().unwrap();
        assert!(now > revision, "{message}");
        revision = now;
        messages.push(message);
    }
    assert_eq!((&messages[0]["snapshot"], &messages[0]["items"]), (&json!(true), &json!([])));
    assert!(messages[1..].iter().all(|message| message["snapshot"] == false));
    let last = messages.last().unwrap();
    assert_eq!(last["experiment"]["status"], "COMPLETED");
    // From the first message on each item is told of, and stands in the end as it ended.
    let replayed = resumed(&server, id, &messages[0]["revision"]).await;
    assert_eq!(replayed.len(), 20);
    assert!(replayed.values().all(|status| status == "COMPLETED"), "{replayed:?}");
    // From the end on there is nothing.
    assert_eq!(resumed(&server, id, &last["revision"]).await.len(), 0);
    assert_eq!(ended(&server, id).await["counts"]["completed"], 20);
    let errors = server.follow(PROGRESS, json!({ "id": id, "after": "100000" })).next().await.unwrap().errors;
    assert!(errors[0]["message"].as_str().unwrap().contains("resume with one you received"), "{errors:?}");
}

/// The items that are told of after a revision, with their last states.
async fn resumed(server: &crate::support::Server, id: &str, after: &Value) -> BTreeMap<String, Value> {
    let mut items = BTreeMap::new();
    let mut progress = server.follow(PROGRESS, json!({ "id": id, "after": after }));
    while let Some(answer) = progress.next().await {
        for item in answer.data["experimentProgress"]["items"].as_array().unwrap() {
            items.insert(item["item"]["input"].as_str().unwrap().to_owned(), item["status"].clone());
        }
    }
    items
}
