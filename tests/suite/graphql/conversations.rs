//! Conversations: their life, their lists, and what belongs to them.

use serde_json::{Value, json};

use crate::support::Server;

const CREATE: &str = "mutation($input: CreateConversationInput!) { createConversation(input: $input) {
  conversation { id conversationId title temperature maxTokens metadata tags userId messageCount revision }
  refusal { __typename message ... on InvalidInput { field } ... on AlreadyExists { field id } ... on LimitExceeded { field } }
} }";

const ID: &str = "0192f7c4-0000-7000-8000-00000000000a";

async fn create(server: &Server, input: Value) -> Value {
    server.data(CREATE, json!({"input": input})).await["createConversation"].clone()
}

#[tokio::test]
async fn a_conversation_is_begun_changed_and_read() {
    let server = Server::new().await;
    let input = json!({
        "conversationId": ID, "title": "Flights", "metadata": {"seat": "12A"}, "tags": ["travel", "travel", "beta"],
        "userId": "ada", "maxTokens": 500,
    });
    let created = create(&server, input.clone()).await["conversation"].clone();
    let mut expected = json!({
        "conversationId": ID, "title": "Flights", "temperature": 0.7, "maxTokens": 500,
        "metadata": {"seat": "12A"}, "tags": ["travel", "beta"], "userId": "ada", "messageCount": 0,
        "revision": "1",
    });
    expected["id"] = created["id"].clone();
    assert_eq!(created, expected);
    let again = create(&server, input).await;
    assert_eq!(again["refusal"]["field"], "conversationId");

    let update = "mutation($input: UpdateConversationInput!) { updateConversation(input: $input) {
      conversation { title maxTokens tags userId temperature revision } refusal { message }
    } }";
    let change = json!({"conversationId": created["id"], "title": null, "temperature": 1.5, "tags": []});
    let updated = server.data(update, json!({"input": change})).await;
    assert_eq!(
        updated["updateConversation"]["conversation"],
        json!({"title": null, "maxTokens": 500, "tags": [], "userId": "ada", "temperature": 1.5, "revision": "2"})
    );
    let read = server
        .data(
            "query($id: ID!) { conversation(id: $id) { title } node(id: $id) { __typename } }",
            json!({"id": created["id"]}),
        )
        .await;
    assert_eq!(read, json!({"conversation": {"title": null}, "node": {"__typename": "Conversation"}}));
}

#[tokio::test]
async fn bad_fields_are_named() {
    let server = Server::new().await;
    for (field, value, kind) in [
        ("conversationId", json!("x"), "InvalidInput"),
        ("temperature", json!(2.5), "InvalidInput"),
        ("temperature", json!(-0.1), "InvalidInput"),
        ("maxTokens", json!(-1), "InvalidInput"),
        ("metadata", json!("text"), "InvalidInput"),
        ("tags.1", json!(["a", " "]), "InvalidInput"),
        ("createdAt", json!("now"), "InvalidInput"),
        ("title", json!("t".repeat(5000)), "LimitExceeded"),
    ] {
        let refused = create(&server, json!({field.split('.').next().unwrap(): value})).await;
        assert_eq!(refused["conversation"], json!(null), "{field}");
        assert_eq!(
            (&refused["refusal"]["__typename"], &refused["refusal"]["field"]),
            (&json!(kind), &json!(field)),
        );
    }
    let list = server.data("{ conversations { totalCount } }", json!({})).await;
    assert_eq!(list["conversations"]["totalCount"], 0);
}

#[tokio::test]
async fn lists_are_filtered_and_ordered() {
    let server = Server::new().await;
    for (id, title, user, tags, model) in [
        (None, "Flights to Rome", "ada", json!(["travel"]), None),
        (Some(ID), "Refund", "bob", json!(["billing", "travel"]), Some("small-1")),
        (None, "Rome hotels", "ada", json!(["travel", "hotel"]), None),
    ] {
        let input =
            json!({"conversationId": id, "title": title, "userId": user, "tags": tags, "modelName": model});
        create(&server, input).await;
        server.clock.advance_ms(1000);
    }
    let list = "query($first: Int, $after: String, $filter: ConversationFilter, $orderBy: ConversationOrder! = LAST_ACTIVE_FIRST) {
      conversations(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        totalCount nodes { title } pageInfo { hasNextPage endCursor }
      }
    }";
    let titles = async |variables: Value| {
        let page = server.data(list, variables).await["conversations"]["nodes"].clone();
        let titles = page.as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned());
        titles.collect::<Vec<_>>()
    };
    assert_eq!(titles(json!({})).await, ["Rome hotels", "Refund", "Flights to Rome"]);
    assert_eq!(titles(json!({"orderBy": "OLDEST_FIRST", "first": 1})).await, ["Flights to Rome"]);
    assert_eq!(titles(json!({"filter": {"title": "rome"}})).await, ["Rome hotels", "Flights to Rome"]);
    assert_eq!(titles(json!({"filter": {"tags": ["travel", "billing"]}})).await, ["Refund"]);
    assert_eq!(
        titles(json!({"filter": {"userId": "ada", "createdFrom": "2025-01-01T00:00:01Z"}})).await,
        ["Rome hotels"]
    );
    assert_eq!(
        titles(json!({"filter": {"activeFrom": "2025-01-01T00:00:01Z", "activeTo": "2025-01-01T00:00:02Z"}}))
            .await,
        ["Refund"]
    );
    assert_eq!(titles(json!({"filter": {"modelName": "small-1"}})).await, ["Refund"]);
    assert_eq!(
        titles(json!({"orderBy": "LAST_ACTIVE_LAST"})).await,
        ["Flights to Rome", "Refund", "Rome hotels"]
    );
    assert_eq!(titles(json!({"orderBy": "NEWEST_FIRST", "first": 1})).await, ["Rome hotels"]);
    let first =
        server.data(list, json!({"first": 2, "filter": {"tags": ["travel"]}})).await["conversations"].clone();
    assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
    let after = &first["pageInfo"]["endCursor"];
    assert_eq!(
        titles(json!({"first": 2, "after": after, "filter": {"tags": ["travel"]}})).await,
        ["Flights to Rome"]
    );
    let elsewhere = server.errors(list, json!({"after": after, "filter": {"tags": ["hotel"]}})).await;
    assert_eq!(elsewhere[0]["extensions"], json!({"code": "BAD_USER_INPUT", "field": "after"}));
    // What is said in it makes a conversation the one that was active last.
    let say = "mutation($id: ID!) { addMessage(input: {conversationId: $id, role: USER, content: \"Hi\"}) { refusal { message } } }";
    server.data(say, json!({"id": ID})).await;
    assert_eq!(titles(json!({"first": 1})).await, ["Refund"]);
    let refused = server.errors(list, json!({"filter": {"activeTo": "soon"}})).await;
    assert_eq!(refused[0]["extensions"]["field"], "filter.activeTo");
}

#[tokio::test]
async fn what_belongs_to_a_conversation_is_read_with_it() {
    let server = Server::new().await;
    create(&server, json!({"conversationId": ID})).await;
    let add = "mutation($input: AddMessageInput!) { addMessage(input: $input) { trace { traceId } refusal { message } } }";
    let ask = json!({"conversationId": ID, "role": "USER", "content": "Where is it?", "trace": {"name": "support"}});
    server.data(add, json!({"input": ask})).await;
    let plan = "mutation($input: CreatePlanInput!) { createPlan(input: $input) { refusal { message } } }";
    let steps = json!([{"description": "look"}]);
    server.data(plan, json!({"input": {"conversationId": ID, "title": "Find it", "steps": steps}})).await;
    let read = server
        .data(
            "query($id: ID!) { conversation(id: $id) {
              messages { nodes { content trace { name conversation { conversationId } message { content } } } }
              traces { nodes { userInput status } }
              plans { nodes { title steps { description plan { title } } } }
            } }",
            json!({"id": ID}),
        )
        .await;
    assert_eq!(
        read["conversation"],
        json!({
            "messages": {"nodes": [{"content": "Where is it?", "trace": {
                "name": "support", "conversation": {"conversationId": ID}, "message": {"content": "Where is it?"},
            }}]},
            "traces": {"nodes": [{"userInput": "Where is it?", "status": "RUNNING"}]},
            "plans": {"nodes": [{"title": "Find it", "steps": [{"description": "look", "plan": {"title": "Find it"}}]}]},
        })
    );
}
