//! What a server tells of all that it has, for comparison.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use similar::TextDiff;
use uuid::Uuid;

use super::{
    exporter::Spans,
    reports::{MESSAGES, TURNS},
};

/// Everything: traces with their spans and conversations, components with their versions.
#[derive(Debug, Default)]
pub struct Told {
    traces: Vec<Value>,
    components: Vec<Value>,
}

impl Told {
    pub async fn by(server: &str) -> Self {
        let document = include_str!("../otlp/traces.graphql");
        let mut told = Self::default();
        pages(server, document, json!({ "traces": 6, "spans": 15, "messages": 20 }), |trace| {
            told.traces.push(trace);
        })
        .await;
        let mut data = ask(server, include_str!("../otlp/components.graphql"), json!({})).await;
        told.components = serde_json::from_value(data["components"]["nodes"].take()).unwrap();
        // What happened at the same moment, and versions, stand in the order in which they came here.
        let name = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
        told.traces.sort_by_key(|trace| name(trace, "traceId"));
        told.components.sort_by_key(|component| name(component, "componentId"));
        for component in &mut told.components {
            let versions = component["versions"]["nodes"].as_array_mut().unwrap();
            versions.sort_by_key(|version| name(version, "versionHash"));
        }
        told
    }

    /// Asserts that each conversation has each of its messages once.
    pub fn assert_conversations(&self) {
        let spoken: Vec<_> = self.traces.iter().filter(|trace| !trace["conversationId"].is_null()).collect();
        assert!(!spoken.is_empty());
        for trace in &spoken {
            let turns = spoken.iter().filter(|other| other["conversationId"] == trace["conversationId"]);
            let turns = turns.count() as u64;
            assert!(turns <= TURNS);
            let count = trace["conversation"]["messageCount"].as_u64();
            assert_eq!(count, Some(1 + MESSAGES * turns), "{:#}", trace["conversation"]);
        }
    }

    pub fn assert_same(&self, other: &Self) {
        for (ours, theirs) in [(&self.traces, &other.traces), (&self.components, &other.components)] {
            assert_eq!(ours.len(), theirs.len());
            if let Some((one, other)) = ours.iter().zip(theirs).find(|(one, other)| one != other) {
                let [told, otherwise] =
                    [one, other].map(|value| serde_json::to_string_pretty(value).unwrap());
                let diff = TextDiff::from_lines(&told, &otherwise);
                panic!("{}\n{}", one["traceId"], diff.unified_diff().context_radius(3));
            }
        }
    }
}

/// All spans, as the skeletons of traces tell them.
pub async fn spans_of(server: &str) -> Spans {
    let document = "query($after: String) { traces(first: 100, after: $after) {
        nodes { traceId skeleton { spanIds } } pageInfo { hasNextPage endCursor } } }";
    let mut spans = Spans::new();
    pages(server, document, json!({}), |trace| {
        let id: Uuid = serde_json::from_value(trace["traceId"].clone()).unwrap();
        let told: Vec<Uuid> = serde_json::from_value(trace["skeleton"]["spanIds"].clone()).unwrap();
        let once: BTreeSet<_> = told.iter().copied().collect();
        assert_eq!(once.len(), told.len(), "trace {id} has a span twice");
        spans.insert(id, once);
    })
    .await;
    spans
}

/// Reads all pages of a list of traces.
pub async fn pages(server: &str, document: &str, mut variables: Value, mut each: impl FnMut(Value)) {
    loop {
        let mut data = ask(server, document, variables.clone()).await;
        let Value::Array(nodes) = data["traces"]["nodes"].take() else { panic!("no list") };
        nodes.into_iter().for_each(&mut each);
        let page = &data["traces"]["pageInfo"];
        if page["hasNextPage"] == false {
            return;
        }
        variables["after"] = page["endCursor"].clone();
    }
}

pub async fn ask(server: &str, document: &str, variables: Value) -> Value {
    let request = reqwest::Client::new().post(format!("http://{server}/graphql"));
    let response = request.json(&json!({ "query": document, "variables": variables })).send().await.unwrap();
    let mut answer: Value = response.json().await.unwrap();
    assert!(answer.get("errors").is_none(), "{:#}", answer["errors"]);
    answer["data"].take()
}
