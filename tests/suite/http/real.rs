//! The transports with the schema itself behind them.

use std::{sync::Arc, time::Duration};

use async_graphql::{Variables, parser::parse_query};
use dendro::{
    config::Limits,
    graphql::{self, guard::Guard, page::PageLimits, request},
    http::{Access, Prepared},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{
    clients,
    server::{Server, post},
    toy::Probe,
};
use crate::support;

/// A server of the schema, over an engine in memory, and what it is a server of.
async fn serve() -> (Server, support::Server) {
    let inner = support::Server::new().await;
    let services = inner.services.clone();
    let limits = PageLimits::default();
    let schema =
        Prepared::new(graphql::schema(), move |request| request::prepare(request, &services, &limits))
            .with_weights(graphql::weights());
    let access = Access::loopback(&[], &[]);
    let server = Server::run(Arc::new(schema), Arc::new(Probe::default()), Limits::default(), &access).await;
    (server, inner)
}

async fn data(server: &Server, query: &str, variables: Value) -> Value {
    let answer = post(server, json!({ "query": query, "variables": variables })).await;
    assert!(answer.body.get("errors").is_none(), "{:#}", answer.body);
    answer.body["data"].clone()
}

async fn start_trace(server: &Server) -> String {
    let start = "mutation { startTrace(input: { userInput: \"Hello\" }) { trace { traceId } } }";
    data(server, start, json!({})).await["startTrace"]["trace"]["traceId"].as_str().unwrap().to_owned()
}

async fn add_span(server: &Server, trace: &str, input: Value) -> Value {
    let mut span = json!({ "traceId": trace, "operationType": "TOOL_CALL", "name": "search" });
    span.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
    let create = "mutation($span: CreateSpanInput!) { createSpan(input: $span) { span { spanId } refusal { message } } }";
    data(server, create, json!({ "span": span })).await["createSpan"].clone()
}

/// Goes on adding spans to a trace.
fn write_on(server: &Arc<Server>, trace: &str) -> JoinHandle<()> {
    let (server, trace) = (Arc::clone(server), trace.to_owned());
    tokio::spawn(async move {
        loop {
            add_span(&server, &trace, json!({})).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

#[tokio::test]
async fn the_audits_of_graphql_over_http_hold() {
    let (server, _inner) = serve().await;
    clients::run("http.mjs", &[&server.url("/graphql")]).await;
}

#[tokio::test]
async fn clients_follow_a_trace_over_socket_and_events() {
    let (server, _inner) = serve().await;
    let server = Arc::new(server);
    let trace = start_trace(&server).await;
    let writing = write_on(&server, &trace);
    let follow = format!("subscription {{ traceSpans(traceId: \"{trace}\") {{ spans {{ spanId name }} }} }}");
    clients::run("ws.mjs", &[&format!("ws://{}/graphql/ws", server.address), &follow]).await;
    clients::run("sse.mjs", &[&server.url("/graphql/stream"), &follow]).await;
    writing.abort();
}

#[tokio::test]
async fn stored_json_comes_back_as_it_was_written() {
    let (server, _inner) = serve().await;
    let trace = start_trace(&server).await;
    let inputs = json!({ "text": "line\nline", "deep": [[[{ "a": [1, 2.5, null, true] }]]], "empty": {} });
    let span = add_span(&server, &trace, json!({ "inputs": inputs })).await;
    assert!(span["refusal"].is_null(), "{span}");
    let read = "query($id: ID!) { trace(id: $id) { spans { nodes { name inputs } } } }";
    let got = data(&server, read, json!({ "id": trace })).await;
    assert_eq!(got["trace"]["spans"]["nodes"][0]["inputs"], inputs);
}

#[tokio::test]
async fn an_unknown_word_is_answered_with_the_field_and_the_known_ones() {
    let (server, _inner) = serve().await;
    let create = "mutation($span: CreateSpanInput!) { createSpan(input: $span) { span { id } } }";
    let trace = start_trace(&server).await;
    for (member, value, field, end) in [
        ("status", json!("HAPPY"), "status", "\"HAPPY\"; it has RUNNING, OK, ERROR, CANCELLED"),
        ("costUsd", json!("1"), "costUsd", "expected type \"Float\""),
        ("colour", json!("red"), "colour", "unknown field \"colour\" of type \"CreateSpanInput\""),
        ("events", json!([{ "time": "x" }]), "events.0.name", "is required but not provided"),
    ] {
        let mut span = json!({ "traceId": trace, "operationType": "CUSTOM", "name": "x" });
        span[member] = value;
        let answer = post(&server, json!({ "query": create, "variables": { "span": span } })).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
        assert_eq!(answer.body["errors"][0]["extensions"]["field"], field, "{:?}", answer.body);
        assert!(answer.message().ends_with(end), "{}", answer.message());
    }
    let count =
        data(&server, "query($id: ID!) { trace(id: $id) { spanCount } }", json!({ "id": trace })).await;
    assert_eq!(count["trace"]["spanCount"], 0);
}

/// The guard takes a tree for as large as the spans of a long run, however it is asked for.
#[tokio::test]
async fn trees_are_weighed_by_their_size() {
    let (server, _inner) = serve().await;
    let levels = |count: usize| {
        (0..count)
            .fold("name depth".to_owned(), |below, _| format!("name depth status children {{ {below} }}"))
    };
    let one = format!("query($id: ID!) {{ trace(id: $id) {{ rootSpans {{ {} }} }} }}", levels(20));
    let id = start_trace(&server).await;
    data(&server, &one, json!({ "id": id })).await;
    for (views, first, passes) in [
        ("rootSpans { name status children { name status } }", 50, true),
        ("rootSpans { name status children { name status } }", 1_000, false),
        (
            "rootSpans { name components { version { definition } } children { name components { version { definition } } } }",
            50,
            true,
        ),
        ("skeleton { names parents }", 1_000, true),
        ("spans(first: 1000) { nodes { name } }", 1_000, false),
    ] {
        let query = format!("{{ traces(first: {first}) {{ nodes {{ {views} }} }} }}");
        let answer = post(&server, json!({ "query": query })).await;
        let refused = answer.body["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX";
        assert_eq!(refused, !passes, "{query}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn introspection_passes_the_guard() {
    let (server, _inner) = serve().await;
    let answer = post(&server, json!({ "query": include_str!("introspection.graphql") })).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

#[test]
fn the_samples_of_graphiql_pass_the_guard() {
    let limits = Limits::default();
    let guard = Guard::new(&graphql::sdl(), &graphql::weights(), limits.document, limits.selection).unwrap();
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/web/src/samples");
    let paths = std::fs::read_dir(samples).unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "graphql")) {
        let source = std::fs::read_to_string(&path).unwrap();
        let document = parse_query(&source).unwrap();
        for (name, operation) in document.operations.iter() {
            let definitions = operation.node.variable_definitions.iter();
            let required = definitions.filter(|definition| definition.node.default_value.is_none());
            let values = required.map(|definition| (definition.node.name.node.clone(), "any".into()));
            let variables = Variables::from_value(async_graphql::Value::Object(values.collect()));
            let judged = guard.admit(&source, name.map(async_graphql::Name::as_str), &variables);
            assert!(judged.is_ok(), "{}: {judged:?}", path.display());
        }
    }
}
