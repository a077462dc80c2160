//! Components, their versions and labels.

use reqwest::Method;
use serde_json::json;

use super::bed::{Bed, NOBODY};

#[tokio::test]
async fn versions_are_registered_once_labelled_and_kept_for_good() {
    let bed = Bed::start().await;
    let versions = "/components/prompts%2Fplanner/versions";
    let first =
        json!({ "componentType": "PROMPT", "definition": { "text": "Plan.", "n": 1.0 }, "tags": ["x"] });
    let made = bed.made(versions, first.clone()).await;
    let again = bed
        .post(versions, json!({ "componentType": "PROMPT", "definition": { "n": 1, "text": "Plan." } }))
        .await;
    assert_eq!((again.status, &again.body), (200, &made), "the same content is the same version");
    let second = bed.made(versions, json!({ "componentType": "PROMPT", "definition": "Plan well." })).await;
    bed.post(versions, json!({ "componentType": "TOOL", "definition": "x" })).await.is_problem(
        422,
        "BAD_USER_INPUT",
        "componentType",
    );

    let hash = made["versionHash"].as_str().unwrap();
    let definition = bed.get(&format!("{versions}/{hash}/definition")).await;
    assert_eq!(definition.text, r#"{"text":"Plan.","n":1.0}"#);
    assert_eq!(definition.header("etag"), format!("\"{hash}\""));
    assert!(definition.header("cache-control").contains("immutable"));
    let version = bed.get(&format!("{versions}/{hash}")).await;
    assert!(!version.header("cache-control").contains("immutable"), "its state can change");

    let label = "/components/prompts%2Fplanner/labels/production";
    bed.get(label).await.is_problem(404, "NOT_FOUND", "label");
    let pointed = bed.send(Method::PUT, label, json!({ "versionHash": hash })).await;
    assert_eq!(pointed.body["labels"], json!({ "production": hash }));
    assert_eq!(bed.shown(label).await, made);
    bed.send(Method::PUT, label, json!({ "versionHash": "0".repeat(64) })).await.is_problem(
        422,
        "NOT_FOUND",
        "versionHash",
    );
    bed.send(Method::PUT, label, json!({ "versionHash": "0" })).await.is_problem(
        422,
        "BAD_USER_INPUT",
        "versionHash",
    );
    let removed = bed.send(Method::DELETE, label, json!({})).await;
    assert_eq!(removed.body["labels"], json!({}));

    assert_eq!(bed.all(&format!("{versions}?limit=1")).await, [second, made]);
    let component = bed.shown("/components/prompts%2Fplanner").await;
    assert_eq!(
        (&component["versionCount"], &component["componentId"]),
        (&json!(2), &json!("prompts/planner"))
    );
    for (query, count) in [("type=PROMPT", 1), ("type=TOOL", 0), ("id=PLAN", 1), ("label=production", 0)] {
        assert_eq!(bed.all(&format!("/components?{query}")).await.len(), count, "{query}");
    }
    bed.get("/components/none").await.is_problem(404, "NOT_FOUND", "componentId");
    bed.get("/components/none/versions").await.is_problem(404, "NOT_FOUND", "componentId");
    bed.get(&format!("{versions}/{}", "0".repeat(64))).await.is_problem(404, "NOT_FOUND", "versionHash");
    bed.get(&format!("{versions}/{NOBODY}")).await.is_problem(400, "BAD_USER_INPUT", "versionHash");
}
