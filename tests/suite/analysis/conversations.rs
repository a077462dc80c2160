//! A conversation's evaluation: its turns, what is left out, and its branches.

use dendro::{graphql::page::PageLimits, service::listing::ListLimits};
use serde_json::{Value, json};

use super::{Span, conversation, record, score};
use crate::support::Server;

const TURNS: [&str; 2] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];

fn call(input: u64, cost: f64) -> Value {
    json!({"model": "m", "tokens": {"input": input, "output": 10}, "costUsd": cost})
}

/// Two turns: the first is answered in 400 ms; the second fails, is tried again in a trace of its own, and succeeds.
async fn talk(server: &Server, id: &str) -> Vec<String> {
    let trace = |turn: usize| json!({"conversationId": id, "turnId": TURNS[turn]});
    let tool = |status: &str| json!({"toolName": "pay", "status": status});
    let first: &[Span] = &[
        (None, "AGENT", "a", (0, Some(400)), json!({})),
        (Some(0), "LLM_CALL", "chat", (0, Some(300)), call(100, 0.5)),
        (Some(0), "TOOL_CALL", "pay", (300, Some(400)), tool("OK")),
    ];
    let second: &[Span] = &[
        (None, "AGENT", "a", (0, Some(300)), json!({"status": "ERROR"})),
        (Some(0), "TOOL_CALL", "pay", (0, Some(100)), tool("ERROR")),
        (Some(0), "TOOL_CALL", "pay", (100, Some(200)), tool("ERROR")),
    ];
    let third: &[Span] = &[(None, "LLM_CALL", "chat", (0, Some(500)), call(250, 1.5))];
    vec![
        record(server, trace(0), 0, Some((400, "COMPLETED")), first).await,
        record(server, trace(1), 1_000, Some((300, "FAILED")), second).await,
        // Ten seconds later: the pause is no latency.
        record(server, trace(1), 11_300, Some((500, "COMPLETED")), third).await,
    ]
}

const EVALUATION: &str = "conversationCount messageCount turnCount tracesByStatus { status count } tracesLeftOut isPartial
  latencyMs { count min p50 p90 p95 p99 max mean } tokens { total } tokensPerTurn { mean } costUsd costCoverage
  costUsdPerTurn { max } errorCount errorRate failureRate retryCount retryRate recoveryRate
  tools { toolName callCount successCount errorCount successRate totalTimeMs }
  plans { count completionRate stepCount stepCompletionRate byStatus { status count } stepsByStatus { status count } }
  scores { name count numbers { count mean min max } categories { category count } trueCount falseCount }
  trends { latencyMs { turnCount slope } tokens { slope } costUsd { slope } errors { slope } contextTokens { slope } }
  turns { turnId traceCount latencyMs totalTokens costUsd contextTokens toolCallCount errorCount retryCount isFailed firstTrace { traceId } }";

async fn evaluation(server: &Server, id: &str, arguments: &str) -> Value {
    let query =
        format!("query($id: ID!) {{ conversation(id: $id) {{ evaluation{arguments} {{ {EVALUATION} }} }} }}");
    server.data(&query, json!({"id": id})).await["conversation"]["evaluation"].clone()
}

#[tokio::test]
async fn a_conversation_is_told_by_its_turns() {
    let server = Server::new().await;
    let id = conversation(&server, json!({})).await;
    let traces = talk(&server, &id).await;
    let plan =
        json!({"conversationId": id, "title": "p", "steps": [{"description": "a"}, {"description": "b"}]});
    server
        .data(
            "mutation($input: CreatePlanInput!) { createPlan(input: $input) { plan { id } } }",
            json!({"input": plan}),
        )
        .await;
    for (target, value) in [
        (json!({"conversationId": id}), json!({"number": 1.0})),
        (json!({"traceId": traces[0]}), json!({"number": 0.5})),
        (json!({"span": {"spanId": super::span_id(0), "traceId": traces[1]}}), json!({"boolean": false})),
        (json!({"traceId": traces[2]}), json!({"category": "polite"})),
    ] {
        score(&server, target, "quality", value).await;
    }
    let found = evaluation(&server, &id, "").await;
    // Turn 1: 400 ms, 110 tokens, 0.5 $. Turn 2: 300 + 500 ms, 260 tokens, 1.5 $, 3 failed spans, 1 retry.
    let wanted = json!({
        "conversationCount": 1, "messageCount": 0, "turnCount": 2,
        "tracesByStatus": [{"status": "COMPLETED", "count": 2}, {"status": "FAILED", "count": 1}],
        "tracesLeftOut": 0, "isPartial": false,
        // Type 7 of 400 and 800: 400 + p · 400.
        "latencyMs": {"count": 2, "min": 400.0, "p50": 600.0, "p90": 760.0, "p95": 780.0, "p99": 796.0, "max": 800.0, "mean": 600.0},
        "tokens": {"total": "370"}, "tokensPerTurn": {"mean": 185.0}, "costUsd": 2.0, "costCoverage": "KNOWN",
        "costUsdPerTurn": {"max": 1.5}, "errorCount": 3, "errorRate": 3.0 / 7.0, "failureRate": 0.5,
        "retryCount": 1, "retryRate": 0.5, "recoveryRate": 0.0,
        "tools": [{
            "toolName": "pay", "callCount": 3, "successCount": 1, "errorCount": 2, "successRate": 1.0 / 3.0, "totalTimeMs": 300.0,
        }],
        "plans": {
            "count": 1, "completionRate": null, "stepCount": 2, "stepCompletionRate": 0.0,
            "byStatus": [{"status": "PENDING", "count": 1}], "stepsByStatus": [{"status": "PENDING", "count": 2}],
        },
        "scores": [{
            "name": "quality", "count": 4, "numbers": {"count": 2, "mean": 0.75, "min": 0.5, "max": 1.0},
            "categories": [{"category": "polite", "count": 1}], "trueCount": 0, "falseCount": 1,
        }],
        "trends": {
            "latencyMs": {"turnCount": 2, "slope": 400.0}, "tokens": {"slope": 150.0}, "costUsd": {"slope": 1.0},
            "errors": {"slope": 3.0}, "contextTokens": {"slope": 150.0},
        },
        "turns": [
            {"turnId": TURNS[0], "traceCount": 1, "latencyMs": 400.0, "totalTokens": "110", "costUsd": 0.5,
             "contextTokens": "100", "toolCallCount": 1, "errorCount": 0, "retryCount": 0, "isFailed": false,
             "firstTrace": {"traceId": traces[0]}},
            {"turnId": TURNS[1], "traceCount": 2, "latencyMs": 800.0, "totalTokens": "260", "costUsd": 1.5,
             "contextTokens": "250", "toolCallCount": 2, "errorCount": 3, "retryCount": 1, "isFailed": true,
             "firstTrace": {"traceId": traces[1]}},
        ],
    });
    assert_eq!(found, wanted, "{found:#}");
}

#[tokio::test]
async fn nothing_said_has_defined_figures() {
    let server = Server::new().await;
    let id = conversation(&server, json!({})).await;
    let found = evaluation(&server, &id, "").await;
    for nothing in [
        "latencyMs",
        "tokens",
        "tokensPerTurn",
        "costUsd",
        "errorRate",
        "failureRate",
        "retryRate",
        "recoveryRate",
    ] {
        assert_eq!(found[nothing], Value::Null, "{nothing}");
    }
    assert_eq!((&found["turnCount"], &found["costCoverage"]), (&json!(0), &json!("NOTHING")));
    assert_eq!(found["trends"]["errors"], json!({"slope": null}));
    // A turn that runs has no latency, and is not over.
    record(&server, json!({"conversationId": id}), 0, None, &[(None, "AGENT", "a", (0, None), json!({}))])
        .await;
    let found = evaluation(&server, &id, "").await;
    assert_eq!(
        (&found["turnCount"], &found["latencyMs"], &found["failureRate"]),
        (&json!(1), &json!(null), &json!(null))
    );
    assert_eq!(found["turns"][0]["turnId"], Value::Null);
}

#[tokio::test]
async fn branches_count_where_they_are_asked_for() {
    let server = Server::new().await;
    let id = conversation(&server, json!({})).await;
    talk(&server, &id).await;
    let said = server
        .data(
            "mutation($id: ID!) { addMessage(input: {conversationId: $id, role: USER, content: \"Hi\"}) { message { id } } }",
            json!({"id": id}),
        )
        .await["addMessage"]["message"]["id"]
        .clone();
    let mut parent = id.clone();
    for _ in 0..2 {
        let branched = server
            .data(
                "mutation($id: ID!, $message: ID!) { branchConversation(input: {conversationId: $id, messageId: $message}) { conversation { conversationId } } }",
                json!({"id": parent, "message": said}),
            )
            .await;
        parent =
            branched["branchConversation"]["conversation"]["conversationId"].as_str().unwrap().to_owned();
        talk(&server, &parent).await;
    }
    let count = |found: &Value| {
        (found["conversationCount"].clone(), found["turnCount"].clone(), found["messageCount"].clone())
    };
    assert_eq!(count(&evaluation(&server, &id, "").await), (json!(1), json!(2), json!(1)));
    let found = evaluation(&server, &id, "(includeBranches: true)").await;
    // A turn's ID means one turn wherever it stands: here the branches repeat those of the first.
    assert_eq!(count(&found), (json!(3), json!(2), json!(1)));
    assert_eq!((&found["errorCount"], &found["turns"][0]["traceCount"]), (&json!(9), &json!(3)));
}

#[tokio::test]
async fn what_is_left_out_is_told() {
    let lists = ListLimits { spans_at_once: 4, ..ListLimits::default() };
    let server = Server::with(PageLimits::default(), lists).await;
    let id = conversation(&server, json!({})).await;
    talk(&server, &id).await;
    // The newest has 1 span and the one before it 3; the oldest does not fit.
    let found = evaluation(&server, &id, "").await;
    assert_eq!(
        (&found["tracesLeftOut"], &found["isPartial"], &found["turnCount"]),
        (&json!(1), &json!(true), &json!(1))
    );
    let lists = ListLimits { traces_at_once: 1, ..ListLimits::default() };
    let server = Server::with(PageLimits::default(), lists).await;
    let id = conversation(&server, json!({})).await;
    talk(&server, &id).await;
    let found = evaluation(&server, &id, "").await;
    assert_eq!(
        (&found["tracesLeftOut"], &found["isPartial"], &found["errorCount"]),
        (&json!(1), &json!(true), &json!(0))
    );
}

#[tokio::test]
async fn many_are_evaluated_with_as_many_calls_as_one() {
    let server = Server::new().await;
    for _ in 0..12 {
        let id = conversation(&server, json!({})).await;
        talk(&server, &id).await;
    }
    let query = "query($first: Int!) { conversations(first: $first) { nodes { evaluation { turnCount errorCount costUsd } } } }";
    let (_, one) = server.counted(query, json!({"first": 1})).await;
    let (data, many) = server.counted(query, json!({"first": 12})).await;
    assert_eq!(one.round_trips, many.round_trips, "{many:#?}");
    let nodes = data["conversations"]["nodes"].as_array().unwrap();
    assert!(
        nodes
            .iter()
            .all(|node| node["evaluation"] == json!({"turnCount": 2, "errorCount": 3, "costUsd": 2.0}))
    );
}
