//! An index that stays in step: with deletions, with restarts, and when its files are gone or damaged.

use std::{path::Path, sync::Arc};

use dendro::{
    engine::{MemoryEngine, SharedEngine},
    search::{Index, SearchConfig},
};
use serde_json::{Value, json};

use super::{complete, follow, found, server, span, start};
use crate::support::Server;

async fn run(server: &Server, name: &str, text: &str) -> String {
    // Servers of one database count their ids from the same number on.
    let id = format!(
        "33333333-3333-4333-8333-{:0>12}",
        name.bytes().map(|byte| format!("{byte:x}")).collect::<String>()
    );
    let id = &id[..36];
    let trace = start(server, json!({ "traceId": id, "name": name })).await;
    let input = json!({ "operationType": "TOOL_CALL", "spanId": id, "name": name, "inputs": text });
    span(server, &trace, input).await;
    complete(server, &trace, "").await;
    trace
}

/// A server over an engine that stays and an index in a folder.
async fn open(engine: &SharedEngine, folder: &Path, fresh: u32) -> Server {
    let index = Index::open(&folder.join("search"), &SearchConfig::default(), fresh).unwrap();
    Server::searching(Arc::clone(engine), Arc::new(index)).await
}

#[tokio::test]
async fn what_is_deleted_is_not_found() {
    let server = server().await;
    let talk = server
        .data("mutation { createConversation(input: {}) { conversation { conversationId } } }", json!({}))
        .await["createConversation"]["conversation"]["conversationId"]
        .clone();
    let trace =
        start(&server, json!({ "name": "gone", "conversationId": talk, "userInput": "penguin" })).await;
    complete(&server, &trace, "").await;
    run(&server, "stays", "penguin").await;
    follow(&server).await;
    assert_eq!(found(&server, "penguin").await, ["stays", "gone"]);
    const DELETE: &str = "mutation($input: DeleteConversationInput!) { deleteConversation(input: $input) { refusal { message } } }";
    let deleted: Value = server.data(DELETE, json!({ "input": { "conversationId": talk } })).await;
    assert!(deleted["deleteConversation"]["refusal"].is_null(), "{deleted}");
    // At once, though the index does not know it yet.
    assert_eq!(found(&server, "penguin").await, ["stays"]);
    follow(&server).await;
    let hits = super::search(&server, json!({ "text": "penguin" })).await;
    assert_eq!(hits["totalCount"], 1);
}

#[tokio::test]
async fn a_trace_that_goes_on_is_found_as_it_is_when_it_is_over_again() {
    let server = server().await;
    let trace = run(&server, "first", "otter").await;
    follow(&server).await;
    span(
        &server,
        &trace,
        json!({ "operationType": "TOOL_CALL", "name": "late", "inputs": "otter and heron" }),
    )
    .await;
    follow(&server).await;
    let mut names = found(&server, "otter").await;
    names.sort();
    assert_eq!(names, ["first", "late"]);
    assert_eq!(found(&server, "heron").await, ["late"]);
}

#[tokio::test]
async fn an_index_lasts_and_one_that_is_lost_is_filled_again() {
    let (engine, folder): (SharedEngine, _) =
        (Arc::new(MemoryEngine::default()), tempfile::tempdir().unwrap());
    let first = open(&engine, folder.path(), 1).await;
    run(&first, "before", "badger").await;
    follow(&first).await;
    drop(first);

    let second = open(&engine, folder.path(), 2).await;
    assert_eq!(found(&second, "badger").await, ["before"], "it lasts");
    run(&second, "after", "badger").await;
    drop(second);

    // Followed by nobody before the server ended.
    let third = open(&engine, folder.path(), 3).await;
    follow(&third).await;
    assert_eq!(found(&third, "badger").await, ["before", "after"]);
    drop(third);

    std::fs::remove_dir_all(folder.path().join("search")).unwrap();
    let fourth = open(&engine, folder.path(), 4).await;
    assert_eq!(found(&fourth, "badger").await, [""; 0]);
    follow(&fourth).await;
    assert_eq!(found(&fourth, "badger").await, ["before", "after"]);
    drop(fourth);

    std::fs::write(folder.path().join("search/meta.json"), "not JSON").unwrap();
    let fifth = open(&engine, folder.path(), 5).await;
    follow(&fifth).await;
    assert_eq!(found(&fifth, "badger").await, ["before", "after"]);
}

#[tokio::test]
async fn building_it_anew_comes_to_the_same() {
    let server = server().await;
    for number in 0..5 {
        run(&server, &format!("run {number}"), "stoat").await;
    }
    let open = start(&server, json!({ "name": "open", "userInput": "stoat" })).await;
    follow(&server).await;
    let before = found(&server, "stoat").await;
    let mut told = Vec::new();
    assert_eq!(server.services.search.rebuild(|count| told.push(count)).await.unwrap(), 5);
    // The one that goes on is found, and is in no index.
    assert_eq!((told.last(), before.len()), (Some(&5), 6));
    assert_eq!(found(&server, "stoat").await, before);
    complete(&server, &open, "").await;
    follow(&server).await;
    assert_eq!(found(&server, "stoat").await.len(), 6);
}
