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
