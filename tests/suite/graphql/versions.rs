//! Versions: what each comes to, two against each other, and what happened to them over time.

use serde_json::{Value, json};

use super::moment;
use crate::support::Server;

async fn version(server: &Server, text: &str) -> String {
    let input =
        json!({"componentId": "prompts/support", "componentType": "PROMPT", "definition": {"text": text}});
    let made = server
        .data("mutation($input: RegisterComponentVersionInput!) { registerComponentVersion(input: $input) { version { versionHash } refusal { message } } }", json!({"input": input}))
        .await["registerComponentVersion"]
        .clone();
    made["version"]["versionHash"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// A trace with one use of the version that takes so long, and an inner one, which is the same use.
async fn uses(server: &Server, hash: &str, millis: i64, fails: bool, quality: f64) {
    let started = server
        .data(
            "mutation($start: DateTime) { startTrace(input: {startTime: $start}) { trace { traceId } } }",
            json!({"start": moment(0)}),
        )
        .await;
    let trace = &started["startTrace"]["trace"]["traceId"];
    let components = json!([{"componentId": "prompts/support", "versionHash": hash}]);
    let outer = "33333333-3333-4333-8333-333333333333";
    for span in [
        json!({"traceId": trace, "spanId": outer, "operationType": "AGENT", "name": "outer", "components": components,
            "startTime": moment(0), "endTime": moment(millis), "status": if fails { "ERROR" } else { "OK" }}),
        json!({"traceId": trace, "parentSpanId": outer, "operationType": "LLM_CALL", "name": "inner", "components": components,
            "startTime": moment(0), "endTime": moment(1), "tokens": {"input": 100, "output": 10}, "costUsd": 0.5}),
    ] {
        let made = server
            .data(
                "mutation($input: CreateSpanInput!) { createSpan(input: $input) { refusal { message } } }",
                json!({"input": span}),
            )
            .await;
        assert_eq!(made["createSpan"]["refusal"], Value::Null);
    }
    server
        .data("mutation($id: ID!, $end: DateTime) { completeTrace(input: {traceId: $id, endTime: $end}) { refusal { message } } }", json!({"id": trace, "end": moment(millis)}))
        .await;
    let score = json!({"target": {"traceId": trace}, "name": "quality", "value": {"number": quality}});
    server
        .data(
            "mutation($input: RecordScoreInput!) { recordScore(input: $input) { refusal { message } } }",
            json!({"input": score}),
        )
        .await;
}

/// 1 to 10 ms against 11 to 20 ms: the interval is worked out beside `compare` in the model.
#[tokio::test]
async fn two_versions_are_compared_with_how_sure_that_is() {
    let server = Server::new().await;
    let (a, b) = (version(&server, "Be brief.").await, version(&server, "Be kind.").await);
    for millis in 1..=10 {
        uses(&server, &a, millis, millis == 1, 0.5).await;
        uses(&server, &b, 10 + millis, false, if millis % 2 == 0 { 0.9 } else { 0.7 }).await;
    }
    assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
    let compared = server
        .data(
            "query($a: String, $b: String) { compareVersions(a: {componentId: \"prompts/support\", versionHash: $a}, b: {componentId: \"prompts/support\", versionHash: $b}) {
              a { versionHash } usageA { uses { count failureRate totalTokens totalCostUsd } traces { count } scores { name mean } }
              differences { figure scoreName a { count value } b { count value } difference low high method outcome }
              diff { changes { path before after } } } }",
            json!({"a": a, "b": b}),
        )
        .await["compareVersions"]
        .clone();
    // The inner span is part of the outer one's use: neither it nor its tokens count twice.
    assert_eq!(
        compared["usageA"],
        json!({"uses": {"count": "10", "failureRate": 0.1, "totalTokens": "1100", "totalCostUsd": 5.0},
          "traces": {"count": "10"}, "scores": [{"name": "quality", "mean": 0.5}]})
    );
    assert_eq!(
        compared["diff"]["changes"],
        json!([{"path": "/text", "before": "Be kind.", "after": "Be brief."}])
    );
    let figure = |name: &str| {
        let all = compared["differences"].as_array().unwrap();
        all.iter().find(|one| one["figure"] == name).unwrap_or_else(|| panic!("{name}: {compared:#}")).clone()
    };
    let duration = figure("USE_DURATION_MS");
    assert_eq!(
        (&duration["a"], &duration["b"]),
        (&json!({"count": "10", "value": 5.5}), &json!({"count": "10", "value": 15.5}))
    );
    assert_eq!(
        (&duration["difference"], &duration["method"], &duration["outcome"]),
        (&json!(-10.0), &json!("WELCH"), &json!("B_HIGHER"))
    );
    assert!((duration["low"].as_f64().unwrap() + 12.844_66).abs() < 1e-4, "{duration}");
    // Ten of ten costs are the same on both sides: nothing says how sure that is.
    let cost = figure("USE_COST_USD");
    assert_eq!(
        (&cost["difference"], &cost["low"], &cost["outcome"]),
        (&json!(0.0), &Value::Null, &json!("NOT_ENOUGH_DATA"))
    );
    let failures = figure("USE_FAILURE_RATE");
    assert_eq!(
        (&failures["difference"], &failures["method"], &failures["outcome"]),
        (&json!(0.1), &json!("NEWCOMBE"), &json!("NOT_SHOWN"))
    );
    let quality = figure("SCORE_MEAN");
    assert_eq!((&quality["scoreName"], &quality["outcome"]), (&json!("quality"), &json!("B_HIGHER")));
    let errors = server
        .errors("query($a: String) { compareVersions(a: {componentId: \"prompts/support\", versionHash: $a}, b: {componentId: \"prompts/support\", versionHash: $a}) { id } }", json!({"a": a}))
        .await;
    assert_eq!(errors[0]["extensions"]["field"], "b");
}

#[tokio::test]
async fn what_happened_to_labels_and_states_is_kept() {
    let server = Server::new().await;
    let (a, b) = (version(&server, "one").await, version(&server, "two").await);
    let label = "mutation($hash: String) { setComponentLabel(input: {componentId: \"prompts/support\", label: \"production\", versionHash: $hash}) { refusal { message } } }";
    for hash in [json!(a), json!(b), json!(b), Value::Null] {
        server.data(label, json!({"hash": hash})).await;
    }
    server
        .data("mutation($hash: String!) { setComponentVersionState(input: {componentId: \"prompts/support\", versionHash: $hash, state: DEPRECATED}) { refusal { message } } }", json!({"hash": a}))
        .await;
    let events = "query($after: String) { component(id: \"prompts/support\") { history(first: 3, after: $after) {
      nodes { kind versionHash label versionBefore { versionHash } stateBefore state } pageInfo { hasNextPage endCursor } } } }";
    let first = server.data(events, json!({})).await["component"]["history"].clone();
    let rest =
        server.data(events, json!({"after": first["pageInfo"]["endCursor"]})).await["component"]["history"]
            .clone();
    assert_eq!(
        (&first["pageInfo"]["hasNextPage"], &rest["pageInfo"]["hasNextPage"]),
        (&json!(true), &json!(false))
    );
    let mut all = first["nodes"].as_array().unwrap().clone();
    all.extend(rest["nodes"].as_array().unwrap().clone());
    let event = |kind: &str, hash: &str, label: Value, before: Value, states: (Value, Value)| json!({"kind": kind, "versionHash": hash, "label": label, "versionBefore": before, "stateBefore": states.0, "state": states.1});
    let none = || (Value::Null, Value::Null);
    assert_eq!(
        all,
        [
            event("STATE_CHANGED", &a, Value::Null, Value::Null, (json!("ACTIVE"), json!("DEPRECATED"))),
            event("LABEL_REMOVED", &b, json!("production"), Value::Null, none()),
            event("LABEL_SET", &b, json!("production"), json!({"versionHash": a}), none()),
            event("LABEL_SET", &a, json!("production"), Value::Null, none()),
        ]
    );
    assert!(server.store.check(&|_, _| ()).await.unwrap().is_clean());
}
