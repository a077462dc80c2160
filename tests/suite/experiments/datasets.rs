//! Datasets: their items, their versions, and what stays as it was.

use serde_json::{Value, json};

use super::{add, assert_consistent, dataset, questions, server};
use crate::support::Server;

const ITEMS: &str = "query($id: ID!, $version: BigInt, $after: String, $first: Int = 100) { dataset(id: $id) {
  version itemCount contentHash
  items(first: $first, after: $after, version: $version) {
    nodes { itemId input expected metadata sinceVersion untilVersion } totalCount pageInfo { hasNextPage endCursor }
  }
} }";

/// The inputs of a version, in their order.
async fn inputs(server: &Server, id: &str, version: Option<u64>) -> Vec<Value> {
    let found = server.data(ITEMS, json!({ "id": id, "version": version })).await;
    let nodes = found["dataset"]["items"]["nodes"].as_array().unwrap();
    assert_eq!(found["dataset"]["items"]["totalCount"], nodes.len());
    nodes.iter().map(|node| node["input"].clone()).collect()
}

const UPDATE: &str = "mutation($input: UpdateDatasetItemInput!) { updateDatasetItem(input: $input) {
  item { itemId input expected sinceVersion } dataset { version contentHash } refusal { message }
} }";

const REMOVE: &str = "mutation($input: RemoveDatasetItemsInput!) { removeDatasetItems(input: $input) {
  removedCount dataset { version itemCount contentHash } refusals { message ... on NotFound { field } ... on InvalidInput { field } } refusal { message }
} }";

#[tokio::test]
async fn each_change_makes_a_version_and_earlier_ones_stay() {
    let server = server().await;
    let id = dataset(&server, "support").await;
    let first = add(&server, &id, questions(1..=3)).await;
    assert_eq!(first["dataset"]["version"], "1");
    // The same again changes nothing, in whatever words the JSON is written.
    let again = add(&server, &id, questions(1..=3)).await;
    assert_eq!((&again["unchangedCount"], &again["dataset"]), (&json!(3), &first["dataset"]));
    assert_eq!(again["results"][1]["item"], first["results"][1]["item"]);
    let second = add(&server, &id, json!([{ "input": "q4" }, { "input": "q4" }])).await;
    assert_eq!((&second["addedCount"], &second["unchangedCount"]), (&json!(1), &json!(1)));
    let item = &first["results"][1]["item"]["itemId"];
    let changed = server.data(UPDATE, json!({ "input": { "itemId": item, "input": "q2!" } })).await;
    assert_eq!(changed["updateDatasetItem"]["item"]["sinceVersion"], "3", "{changed}");
    assert_eq!(changed["updateDatasetItem"]["item"]["expected"], "a2");
    let gone = [&first["results"][0]["item"]["itemId"], &json!("0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44")];
    let removed = server
        .data(REMOVE, json!({ "input": { "datasetId": id, "itemIds": [gone[0], gone[1], gone[0]] } }))
        .await["removeDatasetItems"]
        .clone();
    assert_eq!((&removed["removedCount"], &removed["dataset"]["version"]), (&json!(1), &json!("4")));
    assert_eq!(removed["refusals"][0]["field"], "itemIds.1", "{removed}");
    assert_eq!(inputs(&server, &id, Some(0)).await, Vec::<Value>::new());
    assert_eq!(inputs(&server, &id, Some(1)).await, ["q1", "q2", "q3"]);
    assert_eq!(inputs(&server, &id, Some(2)).await, ["q1", "q2", "q3", "q4"]);
    assert_eq!(inputs(&server, &id, Some(3)).await, ["q1", "q2!", "q3", "q4"]);
    assert_eq!(inputs(&server, &id, None).await, ["q2!", "q3", "q4"]);
    const VERSIONS: &str = "query($id: ID!) { dataset(id: $id) { versions(first: 10) { nodes {
      number itemCount addedCount changedCount removedCount
    } totalCount } } }";
    let found = server.data(VERSIONS, json!({ "id": id })).await;
    let versions = found["dataset"]["versions"]["nodes"].as_array().unwrap();
    let counts: Vec<_> = versions
        .iter()
        .map(|it| ["itemCount", "addedCount", "changedCount", "removedCount"].map(|name| it[name].clone()))
        .collect();
    assert_eq!(
        counts,
        [[3, 3, 0, 0], [4, 1, 0, 0], [4, 0, 1, 0], [3, 0, 0, 1]].map(|it| it.map(|n| json!(n)))
    );
    // What is not there any more cannot be changed, and can be added anew.
    let refused = server.data(UPDATE, json!({ "input": { "itemId": gone[0], "input": "q9" } })).await;
    let message = refused["updateDatasetItem"]["refusal"]["message"].as_str().unwrap();
    assert!(message.contains("removed in version 4"), "{message}");
    assert_eq!(add(&server, &id, questions(1..=1)).await["addedCount"], 1);
    assert_consistent(&server).await;
}

#[tokio::test]
async fn the_same_items_have_the_same_hash_whatever_the_way_to_them() {
    let server = server().await;
    let (one, other) = (dataset(&server, "one").await, dataset(&server, "other").await);
    let straight = add(&server, &one, questions(1..=5)).await;
    let around = add(&server, &other, questions((1..=7).rev())).await;
    let ids: Vec<_> =
        around["results"].as_array().unwrap()[..2].iter().map(|it| &it["item"]["itemId"]).collect();
    assert_ne!(around["dataset"]["contentHash"], straight["dataset"]["contentHash"]);
    let removed = server.data(REMOVE, json!({ "input": { "datasetId": other, "itemIds": ids } })).await;
    let removed = &removed["removeDatasetItems"]["dataset"];
    assert_eq!(removed["contentHash"], straight["dataset"]["contentHash"]);
}

#[tokio::test]
async fn items_are_walked_page_by_page_over_what_was_removed() {
    let server = server().await;
    let id = dataset(&server, "long").await;
    let added = add(&server, &id, questions(1..=50)).await;
    let results = added["results"].as_array().unwrap();
    let gone: Vec<_> = results.iter().skip(3).step_by(2).map(|it| &it["item"]["itemId"]).collect();
    server.data(REMOVE, json!({ "input": { "datasetId": id, "itemIds": gone } })).await;
    for (version, count) in [(json!(1), 50), (json!(2), 26)] {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({ "id": id, "version": version, "after": after, "first": 7 });
            let found = server.data(ITEMS, variables).await["dataset"]["items"].clone();
            seen.extend(found["nodes"].as_array().unwrap().iter().map(|it| it["input"].clone()));
            assert_eq!(found["totalCount"], count);
            if found["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = found["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen.len(), count);
        assert!(seen.is_sorted_by_key(|it| it.as_str().unwrap()[1..].parse::<u32>().unwrap()));
    }
}

#[tokio::test]
async fn names_are_of_one_dataset_each_and_free_again() {
    let server = server().await;
    let id = dataset(&server, "one").await;
    const CHANGE: &str = "mutation($input: UpdateDatasetInput!) { updateDataset(input: $input) {
      dataset { name description } refusal { message ... on AlreadyExists { field } }
    } }";
    const CREATE: &str =
        "mutation($name: String!) { createDataset(input: {name: $name}) { refusal { message } } }";
    let taken = server.data(CREATE, json!({ "name": "one" })).await;
    assert!(taken["createDataset"]["refusal"]["message"].as_str().unwrap().contains("already"), "{taken}");
    let change = json!({ "datasetId": id, "name": "two", "description": "Questions." });
    let changed = server.data(CHANGE, json!({ "input": change })).await;
    assert_eq!(changed["updateDataset"]["dataset"], json!({ "name": "two", "description": "Questions." }));
    dataset(&server, "one").await;
    let taken = server.data(CHANGE, json!({ "input": { "datasetId": id, "name": "one" } })).await;
    assert_eq!(taken["updateDataset"]["refusal"]["field"], "name", "{taken}");
    const LIST: &str = "query($name: String) { datasets(name: $name) { nodes { name } totalCount } named: dataset(name: \"two\") { datasetId } none: dataset(name: \"three\") { id } }";
    let found = server.data(LIST, json!({ "name": "TW" })).await;
    assert_eq!(found["datasets"], json!({ "nodes": [{ "name": "two" }], "totalCount": 1 }));
    assert_eq!((&found["named"]["datasetId"], &found["none"]), (&json!(id), &Value::Null));
    const DELETE: &str =
        "mutation($id: ID!) { deleteDataset(input: {datasetId: $id}) { datasetId refusal { message } } }";
    let added = add(&server, &id, questions(1..=3)).await;
    let item = &added["results"][0]["item"]["itemId"];
    let deleted = server.data(DELETE, json!({ "id": id })).await;
    assert_eq!(deleted["deleteDataset"]["datasetId"], id.as_str());
    let again = server.data(DELETE, json!({ "id": id })).await;
    assert!(!again["deleteDataset"]["refusal"].is_null());
    let gone = server.data("query($id: ID!) { datasetItem(id: $id) { id } }", json!({ "id": item })).await;
    assert!(gone["datasetItem"].is_null());
    dataset(&server, "two").await;
    assert_consistent(&server).await;
}

#[tokio::test]
async fn nested_lists_of_datasets_take_as_many_reads_for_many_as_for_one() {
    let server = server().await;
    for n in 0..8 {
        let id = dataset(&server, &format!("d{n}")).await;
        add(&server, &id, questions(1..=n + 1)).await;
    }
    const NESTED: &str = "query($first: Int!) { datasets(first: $first) { nodes {
      items(first: 5) { nodes { id dataset { id } } } versions(first: 5) { nodes { number } } experiments(first: 5) { nodes { id } }
    } } }";
    let (_, one) = server.counted(NESTED, json!({ "first": 1 })).await;
    let (_, many) = server.counted(NESTED, json!({ "first": 8 })).await;
    assert_eq!(one.round_trips, many.round_trips);
}
