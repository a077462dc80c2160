//! Items that are made of what was recorded.

use serde_json::json;

use super::{ADD, agent, assert_consistent, dataset, server};

#[tokio::test]
async fn traces_and_conversations_become_items() {
    let server = server().await;
    agent(&server, "helper", "good").await;
    let made = server
        .data("mutation { createConversation(input: {}) { conversation { conversationId } } }", json!({}))
        .await;
    let conversation = made["createConversation"]["conversation"]["conversationId"].clone();
    const SAY: &str =
        "mutation($input: ProcessUserInputInput!) { processUserInput(input: $input) { traceId } }";
    let mut traces = Vec::new();
    for content in ["q1", "q2"] {
        let input = json!({ "conversationId": conversation, "agentId": "agents/helper", "content": content });
        let said = server.data(SAY, json!({ "input": input })).await;
        traces.push(said["processUserInput"]["traceId"].clone());
    }
    let nobody = json!("0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44");
    let id = dataset(&server, "recorded").await;
    let input = json!({
        "datasetId": id, "outputAsExpected": true,
        "fromTraces": [traces[0], nobody],
        "fromTraceFilter": { "filter": { "conversationId": conversation }, "first": 10 },
        "fromConversations": [conversation, nobody],
    });
    let added = server.data(ADD, json!({ "input": input })).await["addDatasetItems"].clone();
    let outcomes: Vec<_> = added["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["place"].as_str().unwrap(), it["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("fromTraces.0", "ADDED"),
            ("fromTraces.1", "REFUSED"),
            ("fromTraceFilter.0", "ADDED"),
            ("fromTraceFilter.1", "UNCHANGED"),
            ("fromConversations.0", "ADDED"),
            ("fromConversations.1", "REFUSED"),
        ]
    );
    assert_eq!(added["results"][1]["refusal"]["field"], "fromTraces.1.traceId", "{added}");
    assert_eq!(added["results"][0]["item"]["input"], "q1");
    assert_eq!(added["results"][0]["item"]["expected"], "a1");
    let talk = &added["results"][4]["item"];
    assert_eq!(
        talk["input"],
        json!([
            { "role": "user", "content": "q1" },
            { "role": "assistant", "content": "a1" },
            { "role": "user", "content": "q2" },
        ])
    );
    assert_eq!(talk["expected"], "a2");
    const SOURCES: &str = "query($id: ID!) { dataset(id: $id) { items { nodes { sourceTrace { traceId } sourceMessage { content } } } } }";
    let found = server.data(SOURCES, json!({ "id": id })).await;
    let nodes = &found["dataset"]["items"]["nodes"];
    assert_eq!(nodes[0]["sourceTrace"]["traceId"], traces[0]);
    assert_eq!(nodes[2]["sourceMessage"]["content"], "q2");
    assert_consistent(&server).await;
}

#[tokio::test]
async fn traces_that_fulfil_a_condition_become_items() {
    let server = server().await;
    agent(&server, "helper", "good").await;
    const START: &str =
        "mutation($input: StartTraceInput!) { startTrace(input: $input) { trace { traceId } } }";
    const SPAN: &str =
        "mutation($input: CreateSpanInput!) { createSpan(input: $input) { refusal { message } } }";
    for number in 1..=6 {
        let input = json!({ "userInput": format!("q{number}"), "userId": if number < 5 { "ada" } else { "bob" },
            "startTime": format!("2025-01-01T00:00:0{number}Z") });
        let started = server.data(START, json!({ "input": input })).await;
        let tool = if number % 2 == 0 { "search" } else { "book" };
        let span = json!({ "traceId": started["startTrace"]["trace"]["traceId"], "operationType": "TOOL_CALL",
            "name": "call", "toolName": tool, "attributes": { "number": number } });
        assert!(server.data(SPAN, json!({ "input": span })).await["createSpan"]["refusal"].is_null());
    }
    let search = json!({ "span": { "tools": ["search"] } });
    let numbered = json!({ "not": { "span": { "attribute": { "key": "number", "number": { "max": 3 } } } } });
    for (number, (chosen, items)) in [
        (json!({ "where": search, "first": 10 }), vec!["q6", "q4", "q2"]),
        (json!({ "where": search, "first": 1 }), vec!["q6"]),
        (json!({ "where": search, "filter": { "userId": "ada" }, "first": 10 }), vec!["q4", "q2"]),
        (json!({ "where": numbered, "first": 10 }), vec!["q6", "q5", "q4"]),
        (json!({ "filter": { "userId": "bob" }, "first": 10 }), vec!["q6", "q5"]),
        (json!({ "first": 2 }), vec!["q6", "q5"]),
    ]
    .into_iter()
    .enumerate()
    {
        let id = dataset(&server, &format!("recorded {number}")).await;
        let input = json!({ "datasetId": id, "fromTraceFilter": chosen });
        let added = server.data(ADD, json!({ "input": input })).await["addDatasetItems"].clone();
        let found: Vec<_> =
            added["results"].as_array().unwrap().iter().map(|it| it["item"]["input"].clone()).collect();
        assert_eq!(json!(found), json!(items), "{chosen}: {added}");
        assert_eq!(added["results"][0]["place"], "fromTraceFilter.0");
    }
    let id = dataset(&server, "nothing").await;
    const REFUSED: &str = "mutation($input: AddDatasetItemsInput!) { addDatasetItems(input: $input) {
      refusal { message ... on InvalidInput { field } }
    } }";
    for (chosen, field) in [
        (json!({ "where": { "name": {} }, "first": 1 }), "fromTraceFilter.where.name"),
        (json!({ "where": { "text": { "query": "a" } }, "first": 1 }), "fromTraceFilter.where.text.query"),
        (json!({ "where": {}, "first": 0 }), "fromTraceFilter.first"),
    ] {
        let input = json!({ "datasetId": id, "fromTraceFilter": chosen });
        let refused = server.data(REFUSED, json!({ "input": input })).await["addDatasetItems"].clone();
        assert_eq!(refused["refusal"]["field"], field, "{refused}");
    }
    assert_consistent(&server).await;
}
