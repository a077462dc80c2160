//! Branches of conversations, their histories, and deletion.

use serde_json::{Value, json};

use crate::support::Server;

/// A conversation with messages `m0`, `m1`, … ; its ID and theirs.
async fn talk(server: &Server, title: &str, messages: usize) -> (Value, Vec<Value>) {
    let create = "mutation($title: String) { createConversation(input: {title: $title, userId: \"ada\"}) {
      conversation { id }
    } }";
    let created = server.data(create, json!({"title": title})).await;
    let id = created["createConversation"]["conversation"]["id"].clone();
    let said = say(server, &id, (0..messages).map(|index| format!("m{index}"))).await;
    (id, said)
}

async fn say(server: &Server, id: &Value, contents: impl Iterator<Item = String>) -> Vec<Value> {
    let messages: Vec<_> = contents.map(|content| json!({"role": "USER", "content": content})).collect();
    let add = "mutation($id: ID!, $messages: [MessageInput!]!) {
      addMessages(input: {conversationId: $id, messages: $messages}) { messages { id } }
    }";
    let added = server.data(add, json!({"id": id, "messages": messages})).await;
    let added = added["addMessages"]["messages"].as_array().unwrap();
    added.iter().map(|message| message["id"].clone()).collect()
}

const BRANCH: &str = "mutation($id: ID!, $message: ID!, $title: String) {
  branchConversation(input: {conversationId: $id, messageId: $message, title: $title}) {
    conversation { id title userId messageCount parentConversation { title } branchedFromMessage { content } }
    refusal { __typename ... on InvalidInput { field } ... on NotFound { field entity } ... on LimitExceeded { field } }
  }
}";

async fn branch(server: &Server, id: &Value, message: &Value) -> Value {
    let branched = server.data(BRANCH, json!({"id": id, "message": message})).await;
    assert_eq!(branched["branchConversation"]["refusal"], json!(null));
    branched["branchConversation"]["conversation"].clone()
}

/// The contents of a whole history, read in pages of three.
async fn history(server: &Server, id: &Value, order: &str) -> Vec<String> {
    let list = "query($id: ID!, $after: String, $order: MessageOrder!) { conversation(id: $id) {
      messages(first: 3, after: $after, orderBy: $order) { nodes { content } pageInfo { hasNextPage endCursor } }
    } }";
    let (mut contents, mut after) = (Vec::new(), json!(null));
    loop {
        let page = server.data(list, json!({"id": id, "after": after, "order": order})).await;
        let page = &page["conversation"]["messages"];
        let nodes = page["nodes"].as_array().unwrap();
        contents.extend(nodes.iter().map(|node| node["content"].as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            return contents;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test]
async fn a_branch_goes_on_from_a_message_and_shares_what_was_said_before() {
    let server = Server::new().await;
    let (trunk, said) = talk(&server, "Trip", 4).await;
    let first = branch(&server, &trunk, &said[2]).await;
    assert_eq!((&first["title"], &first["userId"]), (&json!("Trip"), &json!("ada")));
    assert_eq!((&first["messageCount"], &first["parentConversation"]["title"]), (&json!(3), &json!("Trip")));
    assert_eq!(first["branchedFromMessage"]["content"], "m2");
    let own = say(&server, &first["id"], ["a0", "a1"].map(str::to_owned).into_iter()).await;
    let second = branch(&server, &first["id"], &own[0]).await;
    say(&server, &second["id"], std::iter::once("b0".to_owned())).await;

    assert_eq!(history(&server, &second["id"], "OLDEST_FIRST").await, ["m0", "m1", "m2", "a0", "b0"]);
    assert_eq!(history(&server, &second["id"], "NEWEST_FIRST").await, ["b0", "a0", "m2", "m1", "m0"]);
    assert_eq!(history(&server, &first["id"], "OLDEST_FIRST").await, ["m0", "m1", "m2", "a0", "a1"]);
    assert_eq!(history(&server, &trunk, "OLDEST_FIRST").await, ["m0", "m1", "m2", "m3"]);

    // A message before the fork belongs to the branch's history, so it can be branched off there too.
    let third = branch(&server, &second["id"], &said[0]).await;
    assert_eq!(history(&server, &third["id"], "OLDEST_FIRST").await, ["m0"]);
}

#[tokio::test]
async fn branches_are_listed_with_their_parent_in_pages() {
    let server = Server::new().await;
    let (trunk, said) = talk(&server, "Trip", 1).await;
    for title in ["one", "two", "three"] {
        server.clock.advance_ms(10);
        server.data(BRANCH, json!({"id": trunk, "message": said[0], "title": title})).await;
    }
    let list = "query($id: ID!, $after: String) {
      conversation(id: $id) {
        branchCount branches(first: 2, after: $after) { totalCount nodes { title } pageInfo { hasNextPage endCursor } }
      }
      conversations(filter: {isBranch: true}) { totalCount }
      whole: conversations(filter: {isBranch: false}) { nodes { title } }
    }";
    let first = server.data(list, json!({"id": trunk})).await;
    let page = &first["conversation"]["branches"];
    assert_eq!((&first["conversation"]["branchCount"], &page["totalCount"]), (&json!(3), &json!(3)));
    assert_eq!(page["nodes"], json!([{"title": "one"}, {"title": "two"}]));
    assert_eq!(first["whole"]["nodes"], json!([{"title": "Trip"}]));
    let rest = server.data(list, json!({"id": trunk, "after": page["pageInfo"]["endCursor"]})).await;
    assert_eq!(rest["conversation"]["branches"]["nodes"], json!([{"title": "three"}]));
    assert_eq!(rest["conversation"]["branches"]["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn what_cannot_be_branched_off_is_named() {
    let server = Server::new().await;
    let (trunk, _) = talk(&server, "Trip", 1).await;
    let (_, elsewhere) = talk(&server, "Other", 1).await;
    let nowhere = json!("99999999-9999-4999-8999-999999999999");
    for (id, message, field, kind) in [
        (&nowhere, &elsewhere[0], "conversationId", "NotFound"),
        (&trunk, &nowhere, "messageId", "NotFound"),
        (&trunk, &elsewhere[0], "messageId", "InvalidInput"),
        (&json!("x"), &elsewhere[0], "conversationId", "InvalidInput"),
        (&trunk, &json!("x"), "messageId", "InvalidInput"),
    ] {
        let refused = server.data(BRANCH, json!({"id": id, "message": message})).await;
        let refusal = &refused["branchConversation"]["refusal"];
        assert_eq!((&refusal["__typename"], &refusal["field"]), (&json!(kind), &json!(field)), "{refused}");
    }
    let read = server.data("{ conversations { totalCount } }", json!({})).await;
    assert_eq!(read["conversations"]["totalCount"], 2);
}

const DELETE: &str = "mutation($id: ID!, $branches: Boolean! = false) {
  deleteConversation(input: {conversationId: $id, deleteBranches: $branches}) {
    conversationIds messageCount traceCount planCount
    refusal { __typename message ... on InvalidInput { field } ... on NotFound { field entity } }
  }
}";

#[tokio::test]
async fn a_conversation_is_deleted_with_all_that_belongs_to_it() {
    let server = Server::new().await;
    let (trunk, said) = talk(&server, "Trip", 2).await;
    let ask = "mutation($id: ID!) { addMessage(input: {conversationId: $id, role: USER, content: \"Hi\", trace: {}}) {
      trace { id }
    } }";
    let trace = server.data(ask, json!({"id": trunk})).await["addMessage"]["trace"]["id"].clone();
    let fork = branch(&server, &trunk, &said[0]).await;
    let refused = server.data(DELETE, json!({"id": trunk})).await["deleteConversation"].clone();
    assert_eq!(refused["refusal"]["field"], "conversationId");
    assert_eq!(refused["conversationIds"], json!(null));

    let deleted =
        server.data(DELETE, json!({"id": trunk, "branches": true})).await["deleteConversation"].clone();
    assert_eq!(deleted["refusal"], json!(null));
    assert_eq!(deleted["conversationIds"].as_array().unwrap().len(), 2);
    assert_eq!((&deleted["messageCount"], &deleted["traceCount"]), (&json!(3), &json!(1)));
    let read = server
        .data(
            "query($ids: [ID!]!) { nodes(ids: $ids) { id } conversations { totalCount } traces { totalCount } }",
            json!({"ids": [trunk, fork["id"], said[0], trace]}),
        )
        .await;
    let gone = json!({"nodes": [null, null, null, null], "conversations": {"totalCount": 0}, "traces": {"totalCount": 0}});
    assert_eq!(read, gone);
    let again = server.data(DELETE, json!({"id": trunk})).await["deleteConversation"].clone();
    assert_eq!(again["refusal"]["__typename"], "NotFound");
}
