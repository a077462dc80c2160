//! Evaluators, evaluations and rules that nobody could run: each refused by the name of its field.

use serde_json::{Value, json};

use super::{START, create, evaluator, plain};

#[tokio::test]
async fn evaluators_that_cannot_be_run_are_refused() {
    let server = plain().await;
    let cases = [
        (json!({ "regex": { "pattern": "(a{1000}){1000}" } }), "kind.regex.pattern", "repeat less"),
        (json!({ "regex": { "pattern": "(" } }), "kind.regex.pattern", "no regular expression"),
        (json!({ "regex": { "pattern": "(?=a)" } }), "kind.regex.pattern", "look-around"),
        (
            json!({ "jsonSchema": { "schema": { "type": "nothing" } } }),
            "kind.jsonSchema.schema",
            "no JSON Schema",
        ),
        (json!({ "jsonSchema": { "schema": [1] } }), "kind.jsonSchema.schema", "is an object"),
        (
            json!({ "jsonSchema": { "schema": { "$ref": "http://127.0.0.1:1/a.json" } } }),
            "kind.jsonSchema.schema",
            "no JSON Schema",
        ),
        (json!({ "latency": { "maxMs": 0 } }), "kind.latency.maxMs", "above 0"),
        (json!({ "latency": { "maxMs": -5 } }), "kind.latency.maxMs", ""),
        (json!({ "cost": { "maxUsd": 0 } }), "kind.cost.maxUsd", "above 0"),
        (json!({ "cost": { "maxUsd": -0.5 } }), "kind.cost.maxUsd", "0 or more"),
        (json!({ "tokens": {} }), "kind.tokens.maxTotal", "give a budget"),
        (json!({ "tokens": { "maxOutput": "0" } }), "kind.tokens.maxOutput", "above 0"),
        (json!({ "contains": { "texts": [""] } }), "kind.contains.texts.0", "empty"),
        (json!({ "toolCalled": { "tools": [] } }), "kind.toolCalled.tools", "at least one"),
        (
            json!({ "toolCalled": { "tools": [{ "name": "a", "min": 2, "max": 1 }] } }),
            "kind.toolCalled.tools.0.max",
            "less than",
        ),
        (
            json!({ "toolCalled": { "tools": [{ "name": "a", "arguments": [1] }] } }),
            "kind.toolCalled.tools.0.arguments",
            "object",
        ),
        (
            json!({ "exact": { "source": { "spans": {} } } }),
            "kind.exact.source.spans.operationType",
            "say which spans",
        ),
    ];
    for (kind, field, part) in cases {
        let made = create(&server, "wrong", kind.clone()).await;
        let refusal = &made["refusal"];
        assert_eq!(refusal["field"], json!(field), "{kind}: {refusal}");
        assert!(refusal["message"].as_str().unwrap().contains(part), "{kind}: {refusal}");
    }
    let unnamed = create(&server, " ", json!({ "noErrors": {} })).await;
    assert_eq!(unnamed["refusal"]["field"], "name");
    let long = create(&server, &"n".repeat(500), json!({ "noErrors": {} })).await;
    assert_eq!(long["refusal"]["field"], "name");
    const NONE: &str = "{ evaluators { nodes { name } } }";
    assert_eq!(server.data(NONE, json!({})).await["evaluators"]["nodes"], json!([]));
}

/// A condition that is so deep.
fn deep(levels: usize) -> Value {
    (0..levels).fold(json!({ "statuses": ["FAILED"] }), |inner, _| json!({ "not": inner }))
}

#[tokio::test]
async fn evaluations_that_cannot_be_run_are_refused() {
    let server = plain().await;
    let fast = evaluator(&server, "fast", json!({ "latency": { "maxMs": 1 } })).await;
    const REGISTER: &str = "mutation { registerComponentVersion(input: {
      componentId: \"evaluators/theirs\", componentType: EVALUATOR, definition: {text: \"be kind\"}
    }) { created } p: registerComponentVersion(input: {
      componentId: \"prompts/p\", componentType: PROMPT, definition: \"be kind\"
    }) { created } }";
    server.data(REGISTER, json!({})).await;
    let refused = |changes: Value| {
        let mut input = json!({ "evaluators": [{ "evaluatorId": fast }], "traces": { "ids": [] } });
        for (name, value) in changes.as_object().unwrap() {
            input[name] = value.clone();
        }
        let server = &server;
        async move {
            let refusal =
                server.data(START, json!({ "input": input })).await["startEvaluation"]["refusal"].clone();
            (
                refusal["field"].as_str().unwrap_or_default().to_owned(),
                refusal["message"].as_str().unwrap_or_default().to_owned(),
            )
        }
    };
    let evaluator = |id: &str| json!({ "evaluators": [{ "evaluatorId": fast }, { "evaluatorId": id }] });
    let cases = [
        (json!({ "evaluators": [] }), "evaluators", "at least one"),
        (evaluator("evaluators/nobody"), "evaluators.1.evaluatorId", "there is no component"),
        (evaluator("evaluators/theirs"), "evaluators.1.evaluatorId", "createEvaluator"),
        (evaluator("prompts/p"), "evaluators.1.evaluatorId", "is no evaluator"),
        (json!({ "sample": 0 }), "sample", "above 0"),
        (json!({ "sample": 1.5 }), "sample", "up to 1"),
        (json!({ "traces": { "filter": { "limit": 0 } } }), "traces.filter.limit", "from 1 to"),
        (json!({ "traces": { "ids": ["nope"] } }), "traces.ids.0", "nope"),
        (
            json!({ "traces": { "filter": { "where": { "name": {} } } } }),
            "traces.filter.where.name",
            "one of",
        ),
        (
            json!({ "traces": { "filter": { "where": { "not": { "traceIds": ["nope"] } } } } }),
            "traces.filter.where.not.traceIds.0",
            "nope",
        ),
        (
            json!({ "traces": { "filter": { "where": { "text": { "query": "refund" } } } } }),
            "traces.filter.where.text.query",
            "no index of texts",
        ),
        (
            json!({ "traces": { "filter": { "where": deep(50) } } }),
            &format!("traces.filter.where{}", ".not".repeat(10)),
            "levels deep",
        ),
        (json!({ "target": { "spans": {} } }), "target.spans.operationType", "say which spans"),
        (json!({ "target": { "trace": false } }), "target.trace", "true"),
        (json!({ "name": "" }), "name", "blank"),
    ];
    for (changes, field, part) in cases {
        let (at, message) = refused(changes.clone()).await;
        assert_eq!(at, field, "{changes}: {message}");
        assert!(message.contains(part), "{changes}: {message}");
    }
    let many: Vec<_> = (0..1_001).map(|number| format!("00000000-0000-4000-8000-{number:012}")).collect();
    let (field, message) = refused(json!({ "traces": { "ids": many } })).await;
    assert_eq!((field.as_str(), message.contains("by a filter")), ("traces.ids", true));
    const CANCEL: &str =
        "mutation { cancelEvaluation(input: {evaluationId: \"0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44\"}) {
      refusal { message ... on NotFound { entity } }
    } }";
    let gone = server.data(CANCEL, json!({})).await["cancelEvaluation"]["refusal"].clone();
    assert_eq!(gone["entity"], "EVALUATION");
    const SET: &str = "mutation($input: SetEvaluationRuleInput!) { setEvaluationRule(input: $input) {
      refusal { ... on InvalidInput { field } ... on NotFound { field } }
    } }";
    for (input, field) in [
        (json!({ "name": "", "evaluators": [{ "evaluatorId": fast }] }), "name"),
        (json!({ "name": "r", "evaluators": [] }), "evaluators"),
        (json!({ "name": "r", "evaluators": [{ "evaluatorId": fast }], "sample": -1 }), "sample"),
        (
            json!({ "name": "r", "evaluators": [{ "evaluatorId": fast }], "filter": { "from": "x" } }),
            "filter.from",
        ),
        (
            json!({ "name": "r", "evaluators": [{ "evaluatorId": fast }], "where": { "durationMs": {} } }),
            "where.durationMs",
        ),
    ] {
        let set = server.data(SET, json!({ "input": input })).await;
        assert_eq!(set["setEvaluationRule"]["refusal"]["field"], json!(field), "{input}");
    }
    const NONE: &str = "{ evaluations { nodes { status } } evaluationRules { name } }";
    assert_eq!(
        server.data(NONE, json!({})).await,
        json!({ "evaluations": { "nodes": [] }, "evaluationRules": [] })
    );
}
