//! Senders with another name or another text in every span: what becomes versions and components is bounded,
//! and the spans are stored whole all the same.

use std::sync::Arc;

use dendro::{
    engine::{EngineError, MemoryEngine, SharedEngine},
    otlp::OtlpLimits,
    service::ingest::IngestConfig,
};
use futures_util::future::join_all;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};

use super::{
    bed::{Bed, NOW, PROTOBUF, TRACES},
    samples::{of_spans, span, text},
};
use crate::support::{
    Server,
    engines::{Failing, wrap},
};

/// A server with room for so many components, and for two versions of each.
async fn bed(engine: &SharedEngine, components: u64) -> Bed {
    let ingest = IngestConfig { components, versions_per_component: 2, ..IngestConfig::default() };
    Bed::over(Server::ingesting(engine.clone(), ingest).await, OtlpLimits::default())
}

fn memory() -> SharedEngine {
    Arc::new(MemoryEngine::new())
}

/// A call of a model, as a trace of its own; what is said besides makes another version of the model.
fn call(number: u64, model: &str, also: &[(&str, &str)]) -> Span {
    let mut span = span(number, 1, NOW as u64 - 1_000_000_000 + number);
    span.attributes = vec![text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", model)];
    span.attributes.extend(also.iter().map(|(name, value)| text(name, value)));
    span
}

async fn send(bed: &Bed, spans: Vec<Span>) {
    let reply = bed.post(TRACES, PROTOBUF, of_spans(spans).encode_to_vec()).await;
    assert_eq!(reply.rejected(TRACES), (0, String::new()));
}

/// The components, each with the number of its versions.
async fn components(bed: &Bed) -> Vec<(String, u64)> {
    let query = "{ components(first: 500) { nodes { componentId versionCount } } }";
    let data = bed.data(query, json!({})).await;
    let of = |node: &Value| {
        (node["componentId"].as_str().unwrap().to_owned(), node["versionCount"].as_u64().unwrap())
    };
    data["components"]["nodes"].as_array().unwrap().iter().map(of).collect()
}

fn counted(components: &[(&str, u64)]) -> Vec<(String, u64)> {
    components.iter().map(|(name, versions)| ((*name).to_owned(), *versions)).collect()
}

/// What each span names, the first started first. All of them have their attributes.
async fn named(bed: &Bed) -> Vec<Vec<String>> {
    let of = |trace: &Value| {
        let span = &trace["spans"]["nodes"][0];
        assert_eq!(span["attributes"]["gen_ai.operation.name"], "chat");
        assert_eq!(span["model"], span["attributes"]["gen_ai.request.model"]);
        let components = span["components"].as_array().unwrap().iter();
        components.map(|component| component["componentId"].as_str().unwrap().to_owned()).collect()
    };
    bed.all_traces().await.iter().map(of).collect()
}

#[tokio::test]
async fn a_component_whose_content_is_always_another_has_so_many_versions() {
    let bed = bed(&memory(), 10).await;
    for number in 1..=4 {
        let seed = number.to_string();
        send(&bed, vec![call(number, "small", &[("gen_ai.request.seed", &seed)])]).await;
    }
    assert_eq!(components(&bed).await, counted(&[("models/small", 2)]));
    let small = vec!["models/small".to_owned()];
    assert_eq!(named(&bed).await, [small.clone(), small, vec![], vec![]]);
    // Others are not touched by it.
    send(&bed, vec![call(5, "large", &[])]).await;
    assert_eq!(named(&bed).await.pop().unwrap(), ["models/large"]);
}

#[tokio::test]
async fn names_that_are_always_others_make_so_many_components() {
    let engine = memory();
    let bed = bed(&engine, 3).await;
    let all = (1..=6).map(|number| call(number, &format!("model-{number}"), &[])).collect();
    send(&bed, all).await;
    let three = counted(&[("models/model-1", 1), ("models/model-2", 1), ("models/model-3", 1)]);
    assert_eq!(components(&bed).await, three);
    let found = named(&bed).await;
    assert_eq!(found[..3].concat(), ["models/model-1", "models/model-2", "models/model-3"]);
    assert!(found[3..].iter().all(Vec::is_empty), "{found:?}");
    // What is there goes on as before: it is named, and gets further versions.
    send(&bed, vec![call(7, "model-2", &[]), call(8, "model-2", &[("gen_ai.request.seed", "5")])]).await;
    assert_eq!(named(&bed).await[6..].concat(), ["models/model-2", "models/model-2"]);
    assert_eq!(components(&bed).await[1].1, 2);
}

#[tokio::test]
async fn those_that_are_there_count_after_a_start() {
    let engine = memory();
    let first = bed(&engine, 2).await;
    let register = "mutation($input: RegisterComponentVersionInput!) {
      registerComponentVersion(input: $input) { created refusal { message } }
    }";
    let input =
        json!({"componentId": "by hand", "componentType": "PROMPT", "definition": {"text": "Be brief."}});
    let registered = first.data(register, json!({ "input": input })).await;
    assert_eq!(registered["registerComponentVersion"]["created"], true);
    send(&first, vec![call(1, "one", &[]), call(2, "two", &[])]).await;
    let two = counted(&[("by hand", 1), ("models/one", 1)]);
    assert_eq!(components(&first).await, two);
    drop(first);

    let second = bed(&engine, 2).await;
    send(&second, vec![call(3, "two", &[]), call(4, "three", &[]), call(5, "one", &[])]).await;
    assert_eq!(components(&second).await, two);
    assert_eq!(named(&second).await[2..], [vec![], vec![], vec!["models/one".to_owned()]]);
    drop(second);

    // With more room there are as many more.
    let third = bed(&engine, 3).await;
    send(&third, vec![call(6, "two", &[]), call(7, "three", &[])]).await;
    assert_eq!(components(&third).await.len(), 3);
}

#[tokio::test]
async fn many_senders_at_once_make_no_more_of_them() {
    let bed = bed(&memory(), 20).await;
    let senders = (0..8_u64).map(|sender| {
        let bed = &bed;
        async move {
            for number in 0..10 {
                // Each name comes from two senders at once.
                let model = format!("model-{}", sender / 2 * 10 + number);
                send(bed, vec![call(sender * 10 + number, &model, &[])]).await;
            }
        }
    });
    join_all(senders).await;
    let found = components(&bed).await;
    assert_eq!(found.len(), 20, "{found:?}");
    let named = named(&bed).await;
    assert_eq!(named.len(), 80);
    for component in named.concat() {
        assert!(found.iter().any(|(known, _)| *known == component), "{component} is not there");
    }
}

#[tokio::test]
async fn a_component_that_could_not_be_written_takes_no_place() {
    let failing = Arc::new(Failing::default());
    let bed = bed(&wrap(memory(), &failing), 1).await;
    failing.with(Some(EngineError::Full("as the test asked".to_owned())));
    let body = of_spans(vec![call(1, "small", &[])]).encode_to_vec();
    assert_eq!(bed.post(TRACES, PROTOBUF, body).await.status, 503);
    failing.with(None);
    send(&bed, vec![call(1, "small", &[])]).await;
    assert_eq!(named(&bed).await, [["models/small"]]);
}
