//! Components and their versions: registered, labelled, moved through their life, compared.

use serde_json::{Value, json};

use super::Run;
use crate::support::Server;

const REGISTER: &str = "mutation($input: RegisterComponentVersionInput!) { registerComponentVersion(input: $input) {
  created version { id versionHash sequence definition state versionName } component { id componentId versionCount }
  refusal { __typename message ... on InvalidInput { field } }
} }";

async fn register(server: &Server, definition: Value) -> Value {
    let input = json!({
        "componentId": "prompts/planner", "componentType": "PROMPT", "definition": definition, "versionName": "v",
    });
    server.data(REGISTER, json!({"input": input})).await["registerComponentVersion"].clone()
}

#[tokio::test]
async fn the_same_content_is_the_same_version() {
    let server = Server::new().await;
    let first = register(&server, json!({"text": "Plan.", "n": 1.0})).await;
    assert_eq!((&first["created"], &first["version"]["sequence"]), (&json!(true), &json!(1)));
    let same = register(&server, json!({"n": 1, "text": "Plan."})).await;
    assert_eq!((&same["created"], &same["version"]["id"]), (&json!(false), &first["version"]["id"]));
    let second = register(&server, json!({"text": "Plan well."})).await;
    assert_eq!(second["component"]["versionCount"], 2);
    let read = server
        .data(
            "query($component: ID!, $version: ID!) {
              component(id: $component) { componentType newestVersion { sequence } versions { totalCount nodes { sequence component { componentId } } } }
              byName: component(id: \"prompts/planner\") { id }
              componentVersion(id: $version) { sequence }
              nodes(ids: [$component, $version]) { __typename }
              components(filter: {text: \"PLAN\", componentType: PROMPT}) { totalCount nodes { componentId } }
            }",
            json!({"component": first["component"]["id"], "version": first["version"]["id"]}),
        )
        .await;
    let owner = json!({"componentId": "prompts/planner"});
    assert_eq!(
        read,
        json!({
            "component": {
                "componentType": "PROMPT", "newestVersion": {"sequence": 2},
                "versions": {"totalCount": 2, "nodes": [
                    {"sequence": 2, "component": owner}, {"sequence": 1, "component": owner},
                ]},
            },
            "byName": {"id": first["component"]["id"]},
            "componentVersion": {"sequence": 1},
            "nodes": [{"__typename": "Component"}, {"__typename": "ComponentVersion"}],
            "components": {"totalCount": 1, "nodes": [owner]},
        })
    );
}

#[tokio::test]
async fn labels_move_and_versions_retire() {
    let server = Server::new().await;
    let first = register(&server, json!({"text": "a"})).await["version"]["versionHash"].clone();
    let second = register(&server, json!({"text": "b"})).await["version"]["versionHash"].clone();
    let label = "mutation($hash: String) { setComponentLabel(input: {componentId: \"prompts/planner\", label: \"production\", versionHash: $hash}) {
      component { labels { name version { sequence labels } } } refusal { __typename ... on InvalidInput { field } ... on NotFound { field } }
    } }";
    let labelled = server.data(label, json!({"hash": first})).await["setComponentLabel"].clone();
    assert_eq!(
        labelled["component"]["labels"],
        json!([{"name": "production", "version": {"sequence": 1, "labels": ["production"]}}])
    );
    let find = "query($hash: String, $label: String) {
      componentVersion(componentId: \"prompts/planner\", versionHash: $hash, label: $label) { sequence }
    }";
    for (variables, sequence) in [
        (json!({"label": "production"}), json!({"sequence": 1})),
        (json!({"hash": second}), json!({"sequence": 2})),
        (json!({}), json!({"sequence": 2})),
        (json!({"label": "nobody"}), json!(null)),
    ] {
        assert_eq!(server.data(find, variables).await["componentVersion"], sequence);
    }
    let state = "mutation($hash: String!, $state: VersionState!) {
      setComponentVersionState(input: {componentId: \"prompts/planner\", versionHash: $hash, state: $state}) {
        version { state } refusal { __typename ... on InvalidInput { field } ... on IllegalTransition { state legal } }
      }
    }";
    let held = server.data(state, json!({"hash": first, "state": "RETIRED"})).await;
    assert_eq!(held["setComponentVersionState"]["refusal"]["field"], "state");
    let retired = server.data(state, json!({"hash": second, "state": "RETIRED"})).await;
    assert_eq!(retired["setComponentVersionState"]["version"]["state"], "RETIRED");
    let back = server.data(state, json!({"hash": second, "state": "ACTIVE"})).await;
    assert_eq!(back["setComponentVersionState"]["refusal"]["__typename"], "IllegalTransition");
    assert_eq!(server.data(find, json!({})).await["componentVersion"], json!({"sequence": 1}));
    let none = server.data(label, json!({"hash": null})).await["setComponentLabel"].clone();
    assert_eq!(none["component"]["labels"], json!([]));
    let bad = server.data(label, json!({"hash": "abc"})).await["setComponentLabel"].clone();
    assert_eq!(bad["refusal"]["field"], "versionHash");
}

#[tokio::test]
async fn versions_are_compared() {
    let server = Server::new().await;
    let before =
        register(&server, json!({"text": "One\nTwo", "n": 1})).await["version"]["versionHash"].clone();
    let after =
        register(&server, json!({"text": "One\nThree", "m": 2})).await["version"]["versionHash"].clone();
    let read = server
        .data(
            "query($before: String!, $after: String!) { component(id: \"prompts/planner\") { diff(before: $before, after: $after) {
              before { sequence } after { sequence } changes { path before after lines { before after text } }
            } } }",
            json!({"before": before, "after": after}),
        )
        .await;
    let diff = &read["component"]["diff"];
    assert_eq!((&diff["before"]["sequence"], &diff["after"]["sequence"]), (&json!(1), &json!(2)));
    assert_eq!(
        diff["changes"],
        json!([
            {"path": "/m", "before": null, "after": 2, "lines": []},
            {"path": "/n", "before": 1, "after": null, "lines": []},
            {"path": "/text", "before": "One\nTwo", "after": "One\nThree", "lines": [
                {"before": 1, "after": 1, "text": "One"},
                {"before": 2, "after": null, "text": "Two"},
                {"before": null, "after": 2, "text": "Three"},
            ]},
        ])
    );
}

#[tokio::test]
async fn spans_name_the_versions_behind_them() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    let hash = register(&server, json!({"text": "a"})).await["version"]["versionHash"].clone();
    let create = "mutation($input: CreateSpanInput!) { createSpan(input: $input) {
      span { components { componentId version { sequence definition } } } refusal { message }
    } }";
    let components = json!([{"componentId": "prompts/planner", "versionHash": hash}]);
    let input = json!({"traceId": trace, "operationType": "LLM_CALL", "name": "x", "components": components});
    let span = server.data(create, json!({"input": input})).await["createSpan"]["span"].clone();
    let version = json!({"sequence": 1, "definition": {"text": "a"}});
    assert_eq!(span["components"], json!([{"componentId": "prompts/planner", "version": version}]));
    let list =
        "query($component: ComponentUseFilter) { traces(filter: {component: $component}) { totalCount } }";
    for (component, count) in [
        (json!({"componentId": "prompts/planner"}), 1),
        (json!({"componentId": "prompts/planner", "versionHash": hash}), 1),
        (json!({"componentId": "other"}), 0),
    ] {
        assert_eq!(server.data(list, json!({"component": component})).await["traces"]["totalCount"], count);
    }
}

#[tokio::test]
async fn bad_fields_are_named() {
    let server = Server::new().await;
    register(&server, json!({"text": "a"})).await;
    for (field, value) in [
        ("componentId", json!(" ")),
        ("componentType", json!("TOOL")),
        ("state", json!("RETIRED")),
        ("tags.0", json!([""])),
        ("definition", json!({})),
        ("definition", json!([])),
        ("definition", json!(" ")),
    ] {
        let mut input =
            json!({"componentId": "prompts/planner", "componentType": "PROMPT", "definition": {"text": "b"}});
        input[field.split('.').next().unwrap()] = value;
        let refused =
            server.data(REGISTER, json!({"input": input})).await["registerComponentVersion"].clone();
        assert_eq!(refused["refusal"]["field"], field, "{refused}");
    }
    for (query, field) in [
        ("{ component(id: \"prompts/planner\") { diff(before: \"x\", after: \"y\") { id } } }", "before"),
        ("{ componentVersion { id } }", "componentId"),
        ("{ componentVersion(id: \"x\") { id } }", "id"),
        ("{ componentVersion(componentId: \"prompts/planner\", versionHash: \"x\") { id } }", "versionHash"),
        (
            "{ componentVersion(componentId: \"prompts/planner\", versionHash: \"x\", label: \"y\") { id } }",
            "label",
        ),
    ] {
        assert_eq!(server.errors(query, json!({})).await[0]["extensions"]["field"], field);
    }
}
