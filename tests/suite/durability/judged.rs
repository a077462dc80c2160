//! A server is killed while evaluators judge, traces that are there and new ones. In the end each trace has each of its
//! scores, once, and what is counted adds up.
//!
//! `DENDRO_SEED` chooses other moments to kill.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use dendro::engine::EngineKind;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rand::Rng;
use serde_json::{Value, json};

use super::{
    exporter::post,
    place::{Place, kill, moments},
    reports::Report,
    told::{ask, pages},
};
use crate::otlp::samples::{of_spans, span, span_id, text};

/// Servers that are killed.
const KILLS: u64 = 6;

/// Traces that are judged.
const TRACES: u64 = 240;

/// When the first of them began: 2026-01-01T00:00:00Z, in nanoseconds.
const BEGIN: u64 = 1_767_225_600_000_000_000;

/// Traces that are judged at the same time, as is configured.
const AT_ONCE: u64 = 8;

const SCRIPT: &str = "
scripts:
  judge:
    turns:
      - text: '{\"reasoning\": \"Fine.\", \"answer\": true}'
        delay_ms: 10
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evaluation_comes_to_its_end_on_sled() {
    evaluation(EngineKind::Sled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evaluation_comes_to_its_end_on_fjall() {
    evaluation(EngineKind::Fjall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_judges_every_new_trace_on_sled() {
    rule(EngineKind::Sled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_judges_every_new_trace_on_fjall() {
    rule(EngineKind::Fjall).await;
}

async fn evaluation(engine: EngineKind) {
    let (mut random, place) = (moments(), Place::new(engine, SCRIPT));
    let mut server = place.serve();
    send(&server.address, 0..TRACES).await;
    make_evaluators(&server.address).await;
    const START: &str = "mutation { startEvaluation(input: {
      evaluators: [{evaluatorId: \"evaluators/fast\"}, {evaluatorId: \"evaluators/quiet\"}, {evaluatorId: \"evaluators/polite\"}]
      traces: {filter: {}}
    }) { evaluation { evaluationId } refusal { message } } }";
    let started = ask(&server.address, START, json!({})).await["startEvaluation"].take();
    let id = started["evaluation"]["evaluationId"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned();
    let mut cut_off = 0;
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(random.random_range(50..500))).await;
        let before = evaluation_of(&server.address, &id).await;
        cut_off +=
            u64::from(before["status"] == "RUNNING" && (1..TRACES).contains(&count(&before, "doneCount")));
        kill(server);
        if random.random_bool(0.5) {
            place.check();
        }
        server = place.serve();
    }
    let mut ended = evaluation_of(&server.address, &id).await;
    for _ in 0..1_200 {
        if ended["endedAt"].is_string() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        ended = evaluation_of(&server.address, &id).await;
    }
    println!("{engine}: {KILLS} kills, {cut_off} in the midst, {ended}");
    assert_eq!(ended["status"], "COMPLETED", "{ended}");
    let counts = ["selectedCount", "doneCount", "scoredCount", "passedCount", "failedCount", "skippedCount"];
    let expected = [TRACES, TRACES, 3 * TRACES, 3 * TRACES, 0, 0];
    assert_eq!(counts.map(|name| count(&ended, name)), expected, "{ended}");
    assert_eq!(count(&ended, "errorCount"), 0, "{ended}");
    let scores = scores(&server.address).await;
    assert_eq!(scores.len() as u64, TRACES);
    for (trace, names) in scores {
        assert_eq!(names, ["fast", "polite", "quiet"], "{trace}");
    }
    assert!(cut_off > 0, "nothing was cut off");
    place.stop(server);
}

async fn rule(engine: EngineKind) {
    let (mut random, place) = (moments(), Place::new(engine, SCRIPT));
    let mut server = place.serve();
    make_evaluators(&server.address).await;
    const SET: &str = "mutation { setEvaluationRule(input: {name: \"all\", evaluators: [
      {evaluatorId: \"evaluators/fast\"}, {evaluatorId: \"evaluators/polite\"}
    ]}) { rule { name } refusal { message } } }";
    let set = ask(&server.address, SET, json!({})).await["setEvaluationRule"].take();
    assert!(set["refusal"].is_null(), "{set}");
    let (share, mut sent, mut in_the_midst) = (TRACES / KILLS, 0, 0);
    for _ in 0..KILLS {
        let life = Duration::from_millis(random.random_range(100..1_500));
        // What was not acknowledged by then is sent to the next one.
        let lived = async {
            send(&server.address, sent..sent + share).await;
            sent += share;
            std::future::pending::<()>().await;
        };
        let _ = tokio::time::timeout(life, lived).await;
        kill(server);
        let left = place.check();
        in_the_midst += u64::from(left.of("evaluation_due") + left.of("follow_due") > 0);
        server = place.serve();
    }
    send(&server.address, sent..TRACES).await;
    let mut judged = BTreeMap::new();
    for _ in 0..600 {
        judged = scores(&server.address).await;
        if judged.values().filter(|names| names.len() >= 2).count() as u64 == TRACES {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(judged.len() as u64, TRACES);
    for (trace, names) in judged {
        assert_eq!(names, ["fast", "polite"], "{trace}");
    }
    const RULE: &str =
        "{ evaluationRules { doneCount scoredCount passedCount failedCount skippedCount errorCount } }";
    let told = ask(&server.address, RULE, json!({})).await["evaluationRules"][0].take();
    const JUDGINGS: &str =
        "{ traces(filter: {name: \"evaluators/polite\", statuses: [COMPLETED]}) { totalCount } }";
    let judgings = ask(&server.address, JUDGINGS, json!({})).await["traces"]["totalCount"].as_u64().unwrap();
    println!("{engine}: {KILLS} kills, {in_the_midst} in the midst, {judgings} judgings, {told}");
    // What was judged at the moment of a kill may be judged twice, or be scored and not counted.
    let open = KILLS * 2 * AT_ONCE;
    assert!((TRACES..=TRACES + open).contains(&judgings), "{judgings}");
    let counted = count(&told, "scoredCount");
    assert!((2 * TRACES - 2 * open..=2 * TRACES).contains(&counted), "{told}");
    assert_eq!(count(&told, "passedCount"), counted, "{told}");
    assert_eq!((count(&told, "skippedCount"), count(&told, "errorCount")), (0, 0), "{told}");
    assert!(in_the_midst > 0, "nothing was cut off");
    let left = place.stop(server);
    assert_eq!((left.of("evaluation_due"), left.of("agent_run")), (0, 0));
}

/// Two rules that every trace passes, and a judge.
async fn make_evaluators(server: &str) {
    const CREATE: &str = "mutation($input: CreateEvaluatorInput!) {
      createEvaluator(input: $input) { refusal { message } }
    }";
    let judge = json!({
        "model": { "name": "scripted/judge" }, "rubric": "{{tools}}?", "answer": { "boolean": true },
    });
    for (name, kind) in [
        ("fast", json!({ "latency": { "maxMs": 60_000 } })),
        ("quiet", json!({ "noErrors": {} })),
        ("polite", json!({ "judge": judge })),
    ] {
        let made = ask(server, CREATE, json!({ "input": { "name": name, "kind": kind } })).await;
        assert!(made["createEvaluator"]["refusal"].is_null(), "{made}");
    }
}

/// Sends traces of these numbers, some at a time.
async fn send(server: &str, numbers: Range<u64>) {
    let client = reqwest::Client::new();
    let numbers: Vec<_> = numbers.collect();
    for some in numbers.chunks(10) {
        let spans: Vec<_> = some.iter().flat_map(|number| trace(*number)).collect();
        let body = of_spans(spans).encode_to_vec();
        let report = Report { path: "/v1/traces", body, spans: Vec::new() };
        while !post(&client, server, &report).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A run with a call of a tool.
fn trace(number: u64) -> [Span; 2] {
    let start = BEGIN + number * 1_000_000_000;
    let mut call = span(number, 2, start);
    call.parent_span_id = span_id(1);
    call.attributes = vec![text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", "look")];
    [call, Span { name: "run".to_owned(), ..span(number, 1, start) }]
}

/// The names of the scores of each trace, but for those of judgings.
async fn scores(server: &str) -> BTreeMap<String, Vec<String>> {
    const SCORES: &str = "query($after: String) { traces(first: 200, after: $after) {
      nodes { traceId name scores { name } } pageInfo { hasNextPage endCursor }
    } }";
    let mut all = BTreeMap::new();
    pages(server, SCORES, json!({}), |trace| {
        if trace["name"].as_str().is_some_and(|name| name.starts_with("evaluators/")) {
            return;
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut names: Vec<_> =
            trace["scores"].as_array().unwrap().iter().map(|score| text(&score["name"])).collect();
        names.sort();
        all.insert(text(&trace["traceId"]), names);
    })
    .await;
    all
}

async fn evaluation_of(server: &str, id: &str) -> Value {
    const EVALUATION: &str = "query($id: ID!) { evaluation(id: $id) {
      status endedAt selectedCount doneCount scoredCount passedCount failedCount skippedCount errorCount
      errors { message } skips { reason }
    } }";
    ask(server, EVALUATION, json!({ "id": id })).await["evaluation"].take()
}

fn count(of: &Value, name: &str) -> u64 {
    of[name].as_str().map_or(0, |text| text.parse().unwrap())
}
