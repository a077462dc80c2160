//! Imported runs read back through the API alone: as many as the file has, by its own count.

use std::{io::Cursor, sync::Arc};

use dendro::{
    model::{Timestamp, limits::RecordLimits},
    service::import::{Defaults, Importer, Progress, Reader, open, run},
};
use serde_json::{Value, json};

use super::fixture;
use crate::support::Server;

async fn import(server: &Server, bytes: &[u8]) {
    let (limits, base) = (RecordLimits::default(), Timestamp::from_nanos(1_700_000_000_000_000_000));
    let importer =
        Importer::new(server.services.clone(), Arc::new(limits.clone()), base, Defaults::default());
    let reader = Reader::new("runs.json", open(Cursor::new(bytes.to_vec())).unwrap(), None, limits);
    run(&importer, reader, true, |_: &Progress| {}).await.unwrap();
}

/// All nodes of a connection that stands at `path`, read two at a time.
async fn all(server: &Server, query: &str, path: &[&str], id: &Value) -> Vec<Value> {
    let (mut nodes, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = server.data(query, json!({"id": id, "after": after})).await;
        let page = path.iter().fold(&data, |data, name| &data[name]);
        nodes.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            return nodes;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// What there is, counted through the API.
#[derive(Debug, Default, PartialEq)]
struct Found {
    conversations: usize,
    messages: usize,
    tool_calls: usize,
    scores_of_one: usize,
    ids: Vec<Value>,
}

async fn count(server: &Server) -> Found {
    let conversations = "query($after: String) { conversations(first: 2, after: $after) {
      nodes { id scores { numberValue } } pageInfo { hasNextPage endCursor }
    } }";
    let messages =
        "query($id: ID!, $after: String) { conversation(id: $id) { messages(first: 2, after: $after) {
      nodes { id toolCalls { id } } pageInfo { hasNextPage endCursor }
    } } }";
    let mut found = Found::default();
    for conversation in all(server, conversations, &["conversations"], &Value::Null).await {
        found.conversations += 1;
        let scores = conversation["scores"].as_array().unwrap().iter();
        found.scores_of_one += scores.filter(|score| score["numberValue"] == 1.0).count();
        for message in all(server, messages, &["conversation", "messages"], &conversation["id"]).await {
            found.messages += 1;
            found.tool_calls += message["toolCalls"].as_array().unwrap().len();
            found.ids.push(message["id"].clone());
        }
    }
    found
}

#[tokio::test]
async fn runs_are_read_back_as_the_file_has_them_and_once() {
    let bytes = fixture("tau-bench.json");
    let runs: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let messages = || runs.iter().flat_map(|run| run["traj"].as_array().unwrap());
    let server = Server::new().await;
    import(&server, &bytes).await;
    let found = count(&server).await;
    assert_eq!(found.conversations, runs.len());
    assert_eq!(found.messages, messages().count());
    let calls = messages().filter_map(|message| message["tool_calls"].as_array()).map(Vec::len);
    assert_eq!(found.tool_calls, calls.sum::<usize>());
    assert_eq!(found.scores_of_one, runs.iter().filter(|run| run["reward"] == 1.0).count());
    assert!(found.messages > 10 && found.tool_calls > 2 && found.scores_of_one > 0, "{found:?}");

    import(&server, &bytes).await;
    assert_eq!(count(&server).await, found);
}
