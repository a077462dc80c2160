//! Scores: recorded once, replaced by ID, found at what they judge.

use serde_json::{Value, json};

use super::Run;
use crate::support::Server;

const RECORD: &str = "mutation($input: RecordScoreInput!) { recordScore(input: $input) {
  score { id scoreId name valueType numberValue categoryValue booleanValue comment source
    trace { traceId } span { name } conversation { conversationId } message { content } }
  refusal { __typename message ... on InvalidInput { field } ... on NotFound { field entity } }
} }";

async fn record(server: &Server, input: Value) -> Value {
    server.data(RECORD, json!({"input": input})).await["recordScore"].clone()
}

#[tokio::test]
async fn everything_that_can_be_judged_shows_its_scores() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    let talk = server
        .data("mutation { createConversation(input: {}) { conversation { conversationId } } }", json!({}))
        .await;
    let talk = talk["createConversation"]["conversation"]["conversationId"].clone();
    let said = server
        .data(
            "mutation($id: ID!) { addMessage(input: {conversationId: $id, role: USER, content: \"Hi\"}) { message { id } } }",
            json!({"id": talk}),
        )
        .await["addMessage"]["message"]["id"]
        .clone();
    let span = json!({"spanId": Run::span_id("answer"), "traceId": trace});
    for (target, value) in [
        (json!({"traceId": trace}), json!({"number": 0.5})),
        (json!({"span": span}), json!({"category": "polite"})),
        (json!({"conversationId": talk}), json!({"boolean": true})),
        (json!({"messageId": said}), json!({"number": 1})),
    ] {
        let scored =
            record(&server, json!({"target": target, "name": "tone", "value": value, "source": "RULE"}))
                .await;
        assert_eq!(scored["score"]["source"], "RULE", "{scored}");
    }
    let read = server
        .data(
            "query($trace: ID!, $span: ID!, $talk: ID!, $said: ID!) {
              trace(id: $trace) { scores { valueType numberValue } }
              span(id: $span, traceId: $trace) { scores { categoryValue span { name } trace { name } } }
              conversation(id: $talk) { scores { booleanValue } }
              message(id: $said) { scores { numberValue message { content } conversation { conversationId } } }
            }",
            json!({"trace": trace, "span": Run::span_id("answer"), "talk": talk, "said": said}),
        )
        .await;
    assert_eq!(
        read,
        json!({
            "trace": {"scores": [{"valueType": "NUMBER", "numberValue": 0.5}]},
            "span": {"scores": [{"categoryValue": "polite", "span": {"name": "answer"}, "trace": {"name": "support"}}]},
            "conversation": {"scores": [{"booleanValue": true}]},
            "message": {"scores": [{"numberValue": 1.0, "message": {"content": "Hi"}, "conversation": {"conversationId": talk}}]},
        })
    );
}

#[tokio::test]
async fn a_score_with_the_same_id_is_replaced() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    let input = |number: f64| {
        json!({
            "scoreId": "44444444-4444-4444-8444-444444444444", "target": {"traceId": trace}, "name": "quality",
            "value": {"number": number}, "comment": "why",
        })
    };
    record(&server, input(0.1)).await;
    let second = record(&server, input(0.9)).await["score"].clone();
    assert_eq!((&second["numberValue"], &second["source"]), (&json!(0.9), &json!("HUMAN")));
    let read = server
        .data(
            "query($trace: ID!, $id: ID!) { trace(id: $trace) { scores { numberValue comment } } node(id: $id) { ... on Score { name } } }",
            json!({"trace": trace, "id": second["id"]}),
        )
        .await;
    assert_eq!(read["trace"]["scores"], json!([{"numberValue": 0.9, "comment": "why"}]));
    assert_eq!(read["node"]["name"], "quality");
}

#[tokio::test]
async fn bad_fields_are_named() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    let nowhere = "99999999-9999-4999-8999-999999999999";
    for (field, member, value) in [
        ("value.category", "value", json!({"category": " "})),
        ("name", "name", json!("")),
        ("scoreId", "scoreId", json!("x")),
        ("target.traceId", "target", json!({"traceId": "x"})),
        ("target.traceId", "target", json!({"traceId": nowhere})),
        ("target.messageId", "target", json!({"messageId": nowhere})),
        ("target.conversationId", "target", json!({"conversationId": nowhere})),
        ("target.span.traceId", "target", json!({"span": {"spanId": nowhere}})),
        ("target.span.spanId", "target", json!({"span": {"spanId": nowhere, "traceId": trace}})),
    ] {
        let mut input = json!({"target": {"traceId": trace}, "name": "x", "value": {"number": 1}});
        input[member] = value;
        let refused = record(&server, input).await;
        assert_eq!(refused["refusal"]["field"], field, "{refused}");
    }
    for value in
        [json!({"number": 1, "boolean": true}), json!({}), json!({"number": null}), json!({"number": "1"})]
    {
        let input = json!({"target": {"traceId": trace}, "name": "x", "value": value});
        let errors = server.errors(RECORD, json!({"input": input})).await;
        assert!(errors[0]["message"].as_str().unwrap().contains("input.value"), "{errors:?}");
    }
    let infinite = "mutation { recordScore(input: {target: {traceId: \"x\"}, name: \"x\", value: {number: 1e999}}) { score { id } } }";
    assert!(!server.run(infinite, json!({})).await.errors.is_empty());
    let read =
        server.data("query($id: ID!) { trace(id: $id) { scores { id } } }", json!({"id": trace})).await;
    assert_eq!(read["trace"]["scores"], json!([]));
}
