//! Messages: added one by one or many at once, with tool calls and their results, and read in pages.

use serde_json::{Value, json};

use crate::support::Server;

const ADD: &str = "mutation($input: AddMessageInput!) { addMessage(input: $input) {
  message { id messageId ordinal role messageType content parentMessage { content } references { content }
    toolCallId toolCalls { name callId arguments resultMessage { content } } }
  conversation { messageCount }
  trace { name userInput turnId messageId }
  refusal { __typename message ... on InvalidInput { field } ... on NotFound { field } ... on AlreadyExists { field } }
} }";

async fn conversation(server: &Server) -> String {
    let created = server
        .data("mutation { createConversation(input: {}) { conversation { conversationId } } }", json!({}))
        .await;
    created["createConversation"]["conversation"]["conversationId"].as_str().unwrap().to_owned()
}

async fn add(server: &Server, conversation: &str, more: Value) -> Value {
    let mut input = json!({"conversationId": conversation});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.data(ADD, json!({"input": input})).await["addMessage"].clone()
}

#[tokio::test]
async fn a_message_can_set_off_a_trace_in_the_same_commit() {
    let server = Server::new().await;
    let id = conversation(&server).await;
    let added = add(&server, &id, json!({"role": "USER", "content": "Hi", "trace": {"name": "greet"}})).await;
    assert_eq!(added["message"]["messageType"], "TEXT");
    assert_eq!(added["conversation"]["messageCount"], 1);
    assert_eq!(added["trace"]["userInput"], "Hi");
    assert_eq!(added["trace"]["messageId"], added["message"]["messageId"]);
    let refused = add(&server, &id, json!({"role": "USER", "content": "Hi", "trace": {"metadata": 1}})).await;
    assert_eq!(refused["refusal"]["field"], "trace.metadata");
    let count = server
        .data(
            "query($id: ID!) { conversation(id: $id) { messageCount traces { nodes { name } } } }",
            json!({"id": id}),
        )
        .await;
    assert_eq!(count["conversation"], json!({"messageCount": 1, "traces": {"nodes": [{"name": "greet"}]}}));
}

#[tokio::test]
async fn tool_calls_find_their_results() {
    let server = Server::new().await;
    let id = conversation(&server).await;
    let calls = json!([{"name": "search", "callId": "c1", "arguments": {"q": ["x", 1.0]}}]);
    let asked = add(&server, &id, json!({"role": "ASSISTANT", "toolCalls": calls})).await;
    assert_eq!(asked["message"]["messageType"], "TOOL_CALL");
    let call = &asked["message"]["toolCalls"][0];
    assert_eq!(call["arguments"], json!({"q": ["x", 1.0]}));
    assert_eq!(call["resultMessage"], json!(null));
    let answer = json!({
        "role": "TOOL", "content": "found", "toolCallId": "c1", "parentMessageId": asked["message"]["id"],
        "references": [asked["message"]["messageId"]],
    });
    let answered = add(&server, &id, answer).await;
    assert_eq!(answered["message"]["toolCallId"], "c1");
    assert_eq!(answered["message"]["references"], json!([{"content": null}]));
    let read = server
        .data(
            "query($id: ID!) { message(id: $id) { toolCalls { toolCallId resultMessage { content } } } }",
            json!({"id": asked["message"]["id"]}),
        )
        .await;
    assert_eq!(read["message"]["toolCalls"][0]["resultMessage"]["content"], "found");
}

#[tokio::test]
async fn a_history_is_read_from_either_end() {
    let server = Server::new().await;
    let id = conversation(&server).await;
    let messages: Vec<_> = (0..7)
        .map(|index| json!({"role": if index % 2 == 0 { "USER" } else { "ASSISTANT" }, "content": format!("m{index}")}))
        .collect();
    let many = server
        .data(
            "mutation($id: ID!, $messages: [MessageInput!]!) { addMessages(input: {conversationId: $id, messages: $messages}) {
              messages { ordinal content } refusal { message }
            } }",
            json!({"id": id, "messages": messages}),
        )
        .await;
    assert_eq!(many["addMessages"]["messages"][6], json!({"ordinal": 6, "content": "m6"}));
    let list = "query($id: ID!, $first: Int, $after: String, $filter: MessageFilter, $orderBy: MessageOrder! = OLDEST_FIRST) {
      conversation(id: $id) { messages(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        totalCount nodes { content } pageInfo { hasNextPage endCursor }
      } }
    }";
    let page = async |mut variables: Value| {
        variables["id"] = json!(id);
        let page = server.data(list, variables).await["conversation"]["messages"].clone();
        let contents = page["nodes"].as_array().unwrap().iter().map(|node| node["content"].as_str().unwrap());
        (
            contents.map(str::to_owned).collect::<Vec<_>>(),
            page["pageInfo"]["endCursor"].clone(),
            page["totalCount"].clone(),
        )
    };
    let (first, after, total) = page(json!({"first": 3, "orderBy": "NEWEST_FIRST"})).await;
    assert_eq!((first, total), (vec!["m6".to_owned(), "m5".to_owned(), "m4".to_owned()], json!(7)));
    let (second, ..) = page(json!({"first": 3, "orderBy": "NEWEST_FIRST", "after": after})).await;
    assert_eq!(second, ["m3", "m2", "m1"]);
    let (users, _, total) = page(json!({"filter": {"roles": ["USER"]}})).await;
    assert_eq!((users, total), (["m0", "m2", "m4", "m6"].map(str::to_owned).to_vec(), json!(null)));
    let (none, _, total) = page(json!({"filter": {"roles": []}})).await;
    assert_eq!((none.len(), total), (7, json!(7)), "an empty list means any");
    let wrong = server.errors(list, json!({"id": id, "after": after})).await;
    assert_eq!(wrong[0]["extensions"]["field"], "after");
}

#[tokio::test]
async fn bad_messages_are_refused_by_field_and_nothing_is_stored() {
    let server = Server::new().await;
    let (id, other) = (conversation(&server).await, conversation(&server).await);
    let elsewhere =
        add(&server, &other, json!({"role": "USER", "content": "elsewhere"})).await["message"]["id"].clone();
    for (field, input) in [
        ("content", json!({"role": "USER"})),
        ("confidenceScore", json!({"role": "USER", "content": "x", "confidenceScore": 1.5})),
        ("tokenCount", json!({"role": "USER", "content": "x", "tokenCount": -1})),
        ("parentMessageId", json!({"role": "USER", "content": "x", "parentMessageId": elsewhere})),
        ("references.1", json!({"role": "USER", "content": "x", "references": [elsewhere, "?"]})),
        ("toolCallId", json!({"role": "TOOL", "content": "x", "toolCallId": "nobody"})),
        ("toolCalls", json!({"role": "USER", "content": "x", "toolCalls": [{"name": "a", "arguments": {}}]})),
        (
            "toolCalls.0.toolCallId",
            json!({"role": "ASSISTANT", "toolCalls": [{"toolCallId": "z", "name": "a", "arguments": {}}]}),
        ),
        ("messageId", json!({"role": "USER", "content": "x", "messageId": elsewhere})),
        ("metadata", json!({"role": "USER", "content": "x", "metadata": []})),
        ("turnId", json!({"role": "USER", "content": "x", "turnId": "1"})),
    ] {
        let refused = add(&server, &id, input).await;
        assert_eq!(refused["refusal"]["field"], field, "{refused}");
    }
    let batch = "mutation($id: ID!, $messages: [MessageInput!]!) { addMessages(input: {conversationId: $id, messages: $messages}) {
      messages { id } refusal { ... on InvalidInput { field } }
    } }";
    let messages =
        json!([{"role": "USER", "content": "fine"}, {"role": "USER", "content": "x", "timestamp": "then"}]);
    let refused = server.data(batch, json!({"id": id, "messages": messages})).await;
    assert_eq!(
        refused["addMessages"],
        json!({"messages": null, "refusal": {"field": "messages.1.timestamp"}})
    );
    let count =
        server.data("query($id: ID!) { conversation(id: $id) { messageCount } }", json!({"id": id})).await;
    assert_eq!(count["conversation"]["messageCount"], 0);
}
