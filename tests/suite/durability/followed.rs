//! A server is killed while it follows traces that are over. In the end its figures, and what is found in it, are those
//! of a server that was never killed.
//!
//! `DENDRO_SEED` chooses other moments to kill.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dendro::{
    engine::{EngineKind, MemoryEngine},
    otlp::OtlpLimits,
    search::{Index, SearchConfig},
};
use rand::Rng;
use serde_json::{Value, json};
use similar::TextDiff;

use super::{
    exporter::Exporter,
    ingest::reports_of,
    place::{Place, kill, moments},
    told::ask,
};
use crate::{
    otlp::bed::{Bed, PROTOBUF},
    support::Server,
};

/// Servers that are killed.
const KILLS: usize = 6;

/// Requests that are answered before nothing more is sent.
const ANSWERS: std::ops::RangeInclusive<u64> = 10..=25;

/// How long a server may follow what was sent until it is killed, in milliseconds: traces gather for half a second.
const FOLLOWS: std::ops::Range<u64> = 0..1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_follows_every_trace_on_sled() {
    killed(EngineKind::Sled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_follows_every_trace_on_fjall() {
    killed(EngineKind::Fjall).await;
}

async fn killed(engine: EngineKind) {
    let (mut random, place) = (moments(), Place::new(engine, "scripts: {}"));
    let mut exporter = Exporter::start();
    let mut in_the_midst = 0;
    for _ in 0..KILLS {
        let server = place.serve();
        exporter.point_at(&server.address);
        exporter.answers(random.random_range(ANSWERS)).await;
        exporter.point_at("");
        tokio::time::sleep(Duration::from_millis(random.random_range(FOLLOWS))).await;
        kill(server);
        let left = place.check();
        in_the_midst += usize::from(left.of("follow_due") > 0);
    }
    let server = place.serve();
    exporter.point_at(&server.address);
    let groups = exporter.finish().await;
    let expected = never_killed(&groups).await;
    let mut found = Value::Null;
    // It follows beside its other work, so whoever waits for it asks again.
    for _ in 0..600 {
        found = all(async |document, variables| ask(&server.address, document, variables).await).await;
        if found == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_same(&found, &expected);
    let left = place.stop(server);
    assert_eq!(left.of("follow_due"), 0);
    println!("{engine}: {KILLS} kills, {in_the_midst} in the midst, {} traces", left.of("trace"));
    assert!(in_the_midst > 0, "nothing was cut off");
}

/// What a server tells that was sent the same, one request after the other, and lived.
async fn never_killed(groups: &BTreeMap<u64, u64>) -> Value {
    let index = Index::in_memory(&SearchConfig::default(), 1).unwrap();
    let server = Server::searching(Arc::new(MemoryEngine::default()), Arc::new(index)).await;
    let bed = Bed::over(server, OtlpLimits::default());
    for report in reports_of(groups) {
        let reply = bed.post(report.path, PROTOBUF, report.body).await;
        assert_eq!(reply.rejected(report.path), (0, String::new()));
    }
    bed.server.services.ingest.finish().await.unwrap();
    assert_eq!(bed.server.services.followers.catch_up().await.unwrap(), 0);
    all(async |document, variables| bed.data(document, variables).await).await
}

const SERIES: &str = "query($by: SeriesDimension!) {
  timeSeries(input: {from: \"2026-01-01T00:00:00Z\", until: \"2026-01-02T00:00:00Z\", bucket: HOUR, groupBy: $by}) {
    leftOutCount
    groups { value
      total { traces { ...measure } spans { ...measure } scores { name count mean yesRate } }
      points { start traces { count failedCount totalTokens } spans { count failedCount totalTokens } }
    }
  }
}
fragment measure on SeriesMeasure {
  count failedCount inputTokens outputTokens totalCostUsd
  durationMs { count mean standardDeviation p50 p95 } tokens { count mean p95 } costUsd { count mean p95 }
}";

const SEARCH: &str =
    "query($text: String!, $after: String) { search(text: $text, first: 100, after: $after) {
  totalCount
  pageInfo { hasNextPage endCursor }
  nodes { traceId span { spanId } message { content } excerpt { kind text } }
} }";

const PLACES: &str = "query($where: TraceWhere!, $field: TraceOrderField!, $after: String) {
  found: queryTraces(where: $where, orderBy: {field: $field}, first: 200, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { traceId totalTokens totalCostUsd }
  }
}";

/// The figures, the places of traces among others, and what is found.
async fn all(ask: impl AsyncFn(&'static str, Value) -> Value) -> Value {
    let mut all = BTreeMap::new();
    for by in ["ALL", "MODEL", "OPERATION", "COMPONENT", "VERSION", "USER", "TOOL"] {
        let mut series = ask(SERIES, json!({ "by": by })).await["timeSeries"].take();
        let groups = series["groups"].as_array_mut().unwrap();
        groups.sort_by_key(|group| group["value"].to_string());
        all.insert(format!("series by {by}"), series);
    }
    for text in ["cloudy", "vienna", "\"what will the weather be\"", "question 1", "retrieve", "\"too long\""]
    {
        let mut hits = pages(&ask, SEARCH, json!({ "text": text }), "search").await;
        hits.sort_by_key(ToString::to_string);
        all.insert(format!("search for {text}"), json!(hits));
    }
    for (by, condition) in [
        ("tool", json!({ "span": { "tools": ["divide"] } })),
        ("score", json!({ "score": { "name": "quality" } })),
        ("model", json!({ "models": ["gpt-4o"] })),
    ] {
        for field in ["COST", "TOKENS", "DURATION"] {
            let variables = json!({ "where": condition, "field": field });
            let found = pages(&ask, PLACES, variables, "found").await;
            all.insert(format!("traces of a {by} by {field}"), json!(found));
        }
    }
    json!(all)
}

/// All nodes of a list.
async fn pages(
    ask: impl AsyncFn(&'static str, Value) -> Value,
    document: &'static str,
    mut variables: Value,
    field: &str,
) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let mut page = ask(document, variables.clone()).await[field].take();
        all.append(page["nodes"].as_array_mut().unwrap());
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        variables["after"] = page["pageInfo"]["endCursor"].take();
    }
}

fn assert_same(found: &Value, expected: &Value) {
    let found_any = |name: &str| expected[name].as_array().is_some_and(|list| !list.is_empty());
    assert!(found_any("search for cloudy") && found_any("traces of a tool by COST"), "{expected:#}");
    for (name, expected) in expected.as_object().unwrap() {
        let [found, expected] = [&found[name], expected].map(|it| serde_json::to_string_pretty(it).unwrap());
        if found != expected {
            let diff = TextDiff::from_lines(&expected, &found);
            panic!("{name}\n{}", diff.unified_diff().context_radius(3));
        }
    }
}
