//! The tool that searches conversations: by the index of texts, and without one.

use dendro::{
    service::agents::SearchConversations,
    tools::{Tool, ToolError},
};
use serde_json::{Value, json};

use super::{complete, follow, server, start};
use crate::support::Server;

async fn conversation(server: &Server, title: &str) -> Value {
    const CREATE: &str = "mutation($title: String) { createConversation(input: {title: $title}) { conversation { conversationId } } }";
    let made = server.data(CREATE, json!({ "title": title })).await;
    made["createConversation"]["conversation"]["conversationId"].clone()
}

async fn say(server: &Server, conversation: &Value, content: &str, trace: Option<&str>) {
    const ADD: &str =
        "mutation($input: AddMessageInput!) { addMessage(input: $input) { refusal { message } } }";
    let input =
        json!({ "conversationId": conversation, "role": "USER", "content": content, "traceId": trace });
    let said = server.data(ADD, json!({ "input": input })).await;
    assert!(said["addMessage"]["refusal"].is_null(), "{said}");
}

async fn found(server: &Server, query: &str) -> Result<Vec<String>, ToolError> {
    let tool =
        SearchConversations::new(server.services.conversations.clone(), server.services.search.clone());
    let answer: Value = tool.call(json!({ "query": query })).await?.read().unwrap();
    let messages = answer["messages"].as_array().unwrap();
    assert_eq!(answer["found"], messages.len());
    Ok(messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect())
}

/// A conversation whose first message is of a run, and whose second is of none; then so many others.
async fn talk(server: &Server, others: usize) {
    let talk = conversation(server, "birds").await;
    let trace = start(server, json!({ "conversationId": talk })).await;
    say(server, &talk, "The heron, of a run.", Some(&trace)).await;
    complete(server, &trace, "").await;
    for _ in 0..others {
        say(server, &talk, "Something else.", None).await;
    }
    say(server, &talk, "A heron, of no run.", None).await;
}

#[tokio::test]
async fn it_finds_what_was_said_long_ago_and_what_is_in_no_index() {
    let searching = server().await;
    talk(&searching, 200).await;
    follow(&searching).await;
    assert_eq!(found(&searching, "HERON").await.unwrap(), ["A heron, of no run.", "The heron, of a run."]);
    // Each word means itself: what the index takes for signs is none here.
    assert_eq!(found(&searching, "heron -run.").await.unwrap(), [""; 0]);
    assert_eq!(found(&searching, "heron, \"of").await.unwrap(), [""; 0]);
    assert_eq!(found(&searching, "?!").await.unwrap(), [""; 0]);
    assert_eq!(found(&searching, "heron, no").await.unwrap(), ["A heron, of no run."]);

    let without = Server::new().await;
    talk(&without, 200).await;
    assert_eq!(found(&without, "heron").await.unwrap(), ["A heron, of no run."]);
}
