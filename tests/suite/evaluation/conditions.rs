//! Evaluations and rules by conditions: which traces they mean, what is shown of them, and what was kept before there
//! were conditions.

use std::sync::Arc;

use dendro::{
    engine::{MemoryEngine, SharedEngine},
    model::{
        EvaluationId, Json, Timestamp, TraceId,
        component::{ComponentRef, VersionHash},
        evaluations::{Evaluation, EvaluationRule, EvaluationStatus, EvaluationTarget, Selection, Tally},
        page::{Cursor, ListId},
    },
    service::query::QueryLimits,
    store::{StoreError, key::Key, keyspace},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    LONG, PROGRESS, START, assert_consistent, end, evaluator, over, plain, references, running, runtime,
    scores, start, tally, trace,
};
use crate::support::Server;

async fn fast(server: &Server, name: &str) -> String {
    evaluator(server, name, json!({ "latency": { "maxMs": 5000 } })).await
}

fn tool(name: &str, status: &str) -> Value {
    json!({ "operationType": "TOOL_CALL", "name": "call", "toolName": name, "status": status,
        "attributes": { "tier": if name == "search" { 2 } else { 1 } } })
}

/// Three traces that are over: one whose search failed, one that booked, and one that did nothing.
async fn traces(server: &Server) -> [String; 3] {
    [
        trace(server, None, &[tool("search", "ERROR")]).await,
        trace(server, None, &[tool("book", "OK")]).await,
        trace(server, None, &[]).await,
    ]
}

/// Of some traces, those that have a score of this name.
async fn judged_by(server: &Server, traces: &[String], name: &str) -> Vec<usize> {
    let mut judged = Vec::new();
    for (number, trace) in traces.iter().enumerate() {
        if scores(server, trace).await.iter().any(|score| score["name"] == name) {
            judged.push(number);
        }
    }
    judged
}

const SHOWN: &str = "query($id: ID!) { evaluation(id: $id) { where } }";

#[tokio::test]
async fn an_evaluation_means_what_its_condition_and_its_filter_mean() {
    let server = plain().await;
    let traces = traces(&server).await;
    for (round, caught_up) in [false, true].into_iter().enumerate() {
        if caught_up {
            assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
        }
        for (number, (chosen, meant)) in [
            (json!({ "where": { "span": { "tools": ["search"] } } }), vec![0]),
            (json!({ "where": { "span": { "attribute": { "key": "tier", "is": 1 } } } }), vec![1]),
            (json!({ "where": { "not": { "span": { "operationTypes": ["TOOL_CALL"] } } } }), vec![2]),
            (json!({ "filter": { "hasErrors": false }, "where": { "spanCount": { "min": 1 } } }), vec![1]),
            (json!({ "filter": { "hasErrors": true }, "where": { "errorCount": { "max": 0 } } }), vec![]),
            (json!({ "filter": { "userId": "ada", "name": "" }, "where": {} }), vec![0, 1, 2]),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("fast-{round}-{number}");
            let fast = fast(&server, &name).await;
            let input = json!({ "evaluators": references(&[&fast]), "traces": { "filter": chosen } });
            let id = start(&server, input).await;
            let ended = over(&server, &id).await;
            assert_eq!(ended["status"], "COMPLETED", "{ended}");
            assert_eq!(ended["doneCount"], json!(meant.len().to_string()), "{chosen}: {ended}");
            assert_eq!(judged_by(&server, &traces, &name).await, meant, "{chosen}");
            let shown = server.data(SHOWN, json!({ "id": id })).await["evaluation"]["where"].clone();
            for (name, value) in chosen["where"].as_object().unwrap() {
                assert_eq!(shown[name], *value, "{shown}");
            }
            assert!(shown["startTime"]["to"].is_string(), "what starts later is not there: {shown}");
        }
    }
    let fast = fast(&server, "by ids").await;
    let id = start(&server, json!({ "evaluators": references(&[&fast]), "traces": { "ids": traces } })).await;
    assert_eq!(over(&server, &id).await["doneCount"], "3");
    assert_eq!(server.data(SHOWN, json!({ "id": id })).await, json!({ "evaluation": { "where": null } }));
    assert_consistent(&server).await;
}

/// Judges that answer at once for the first five, and hang for the others.
const HALF: &str = "
scripts:
  test:
    turns:
      - when: { user: later }
        text: Never.
        delay_ms: 600000
      - text: '{\"reasoning\": \"Fine.\", \"answer\": true}'
";

#[tokio::test]
async fn an_evaluation_by_a_condition_goes_on_where_it_was_whatever_there_is_by_now() {
    let engine: SharedEngine = Arc::new(MemoryEngine::default());
    let first = Server::running_on(engine.clone(), runtime(HALF)).await;
    let judge = json!({ "judge": { "model": { "name": "scripted/test" }, "rubric": "{{output}}?",
        "answer": { "boolean": true } } });
    let polite = evaluator(&first, "polite", judge).await;
    for number in 0..10 {
        // The ones that are looked at first are those that began last: of one moment, by their ids.
        let output = if number < 5 { "later" } else { "now" };
        trace(&first, Some(output), &[tool("search", "OK")]).await;
    }
    let chosen = json!({ "filter": { "where": { "span": { "attribute": { "key": "tier" } } } } });
    let id = start(&first, json!({ "evaluators": references(&[&polite]), "traces": chosen })).await;
    let mut progress = first.follow(PROGRESS, json!({ "id": id }));
    let half = async {
        while let Some(event) = progress.next().await {
            if event.data["evaluationProgress"]["evaluation"]["doneCount"] == "5" {
                return;
            }
        }
    };
    timeout(LONG, half).await.unwrap();
    timeout(LONG, first.services.evaluations.stop()).await.unwrap();
    timeout(LONG, first.services.agents.stop()).await.unwrap();
    let limits = QueryLimits { attribute_spans: 0, ..QueryLimits::default() };
    let quick = HALF.replace("later", "nobody says this");
    let second = Server::querying_over(engine, runtime(&quick), limits).await;
    for _ in 0..1_000 {
        let _ = second.services.tracing.new_span_id();
    }
    second.services.agents.end_interrupted().await.unwrap();
    assert_eq!(second.services.evaluations.resume().await.unwrap(), 1);
    let ended = over(&second, &id).await;
    assert_eq!((&ended["doneCount"], tally(&ended)), (&json!("10"), [10, 10, 0, 0, 0]), "{ended}");
    assert_consistent(&second).await;
}

#[tokio::test]
async fn what_would_look_at_too_much_is_refused_when_it_is_asked_for() {
    let limits = QueryLimits { attribute_spans: 0, ..QueryLimits::default() };
    let server = Server::querying_over(Arc::new(MemoryEngine::default()), runtime(HALF), limits).await;
    traces(&server).await;
    let fast = fast(&server, "fast").await;
    let input = |condition: Value| json!({ "input": { "evaluators": references(&[&fast]), "traces": { "filter": { "where": condition } } } });
    let attribute = json!({ "span": { "attribute": { "key": "tier" } } });
    let refused = server.data(START, input(attribute)).await["startEvaluation"].clone();
    assert_eq!(refused["refusal"]["field"], "traces.filter.where", "{refused}");
    assert!(refused["refusal"]["message"].as_str().unwrap().contains("Ask for less time"), "{refused}");
    const NONE: &str = "{ evaluations { totalCount } }";
    assert_eq!(server.data(NONE, json!({})).await["evaluations"]["totalCount"], 0);
    let heads = json!({ "span": { "tools": ["search"] } });
    let taken = server.data(START, input(heads)).await["startEvaluation"].clone();
    over(&server, taken["evaluation"]["evaluationId"].as_str().unwrap()).await;
}

const SET: &str = "mutation($input: SetEvaluationRuleInput!) { setEvaluationRule(input: $input) {
  rule { where } refusal { message ... on InvalidInput { field } }
} }";

async fn follow(server: &Server) {
    for _ in 0..2 {
        assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
        server.services.evaluations.judge_due().await.unwrap();
    }
}

#[tokio::test]
async fn a_rule_means_what_its_condition_and_its_filter_mean() {
    let server = plain().await;
    let scored = json!({ "score": { "name": "helpful", "boolean": true } });
    let rules = [
        (json!({ "where": { "span": { "tools": ["search"], "statuses": ["ERROR"] } } }), vec![0]),
        (json!({ "where": { "span": { "attribute": { "key": "tier", "number": { "max": 1 } } } } }), vec![1]),
        (json!({ "where": { "not": { "span": {} } } }), vec![2, 3]),
        (json!({ "filter": { "userId": "ada" }, "where": { "toolCallCount": { "min": 1 } } }), vec![0, 1]),
        (json!({ "filter": { "userId": "bob" }, "where": { "toolCallCount": { "min": 1 } } }), vec![]),
        (json!({ "where": { "tags": ["beta"] } }), vec![]),
        (json!({ "where": scored }), vec![3]),
    ];
    for (number, (chosen, _)) in rules.iter().enumerate() {
        let name = format!("fast-{number}");
        let mut input = chosen.clone();
        input["name"] = json!(name);
        input["evaluators"] = references(&[&fast(&server, &name).await]);
        let set = server.data(SET, json!({ "input": input })).await["setEvaluationRule"].clone();
        for (name, value) in chosen["where"].as_object().unwrap() {
            assert_eq!(set["rule"]["where"][name], *value, "{set}");
        }
    }
    let [first, second, third] = traces(&server).await;
    let fourth = running(&server, &[]).await;
    const SCORE: &str =
        "mutation($input: RecordScoreInput!) { recordScore(input: $input) { refusal { message } } }";
    let score = json!({ "target": { "traceId": fourth }, "name": "helpful", "value": { "boolean": true } });
    assert!(server.data(SCORE, json!({ "input": score })).await["recordScore"]["refusal"].is_null());
    end(&server, &fourth, None, "COMPLETED").await;
    follow(&server).await;
    let all = [first, second, third, fourth];
    for (number, (chosen, meant)) in rules.iter().enumerate() {
        assert_eq!(judged_by(&server, &all, &format!("fast-{number}")).await, *meant, "{chosen}");
    }
    const COUNTS: &str = "{ evaluationRules { doneCount } }";
    let counts = server.data(COUNTS, json!({})).await;
    follow(&server).await;
    assert_eq!(server.data(COUNTS, json!({})).await, counts, "nothing is judged over and over");
    let text = json!({ "name": "texts", "evaluators": references(&["evaluators/fast-0"]),
        "where": { "or": [{ "text": { "query": "refund" } }] } });
    let refused = server.data(SET, json!({ "input": text })).await["setEvaluationRule"]["refusal"].clone();
    assert_eq!(refused["field"], "where");
    assert!(refused["message"].as_str().unwrap().contains("`startEvaluation`"), "{refused}");
    assert_consistent(&server).await;
}

/// The version of an evaluator.
async fn version(server: &Server, id: &str) -> ComponentRef {
    const VERSION: &str = "query($id: ID!) { component(id: $id) { newestVersion { versionHash } } }";
    let found = server.data(VERSION, json!({ "id": id })).await;
    let hash = found["component"]["newestVersion"]["versionHash"].as_str().unwrap().to_owned();
    ComponentRef { component_id: id.to_owned(), version_hash: VersionHash::parse("hash", &hash).unwrap() }
}

/// What a program kept that knew filters only: a rule, and an evaluation that is half done.
#[tokio::test]
async fn what_was_kept_before_there_were_conditions_goes_on() {
    let server = plain().await;
    let fast = fast(&server, "fast").await;
    let evaluator = version(&server, &fast).await;
    let mut traces = Vec::new();
    for _ in 0..10 {
        traces.push(trace(&server, None, &[]).await);
    }
    // They began at once, so the last ids come first.
    traces.sort();
    traces.reverse();
    let start = Timestamp::from_nanos(1_735_689_600_000_000_000);
    let fifth: TraceId = traces[4].parse().unwrap();
    let key = ("ada".to_owned(), start, fifth).encode();
    let now = start.plus_nanos(60_000_000_000);
    let evaluation = Evaluation {
        id: EvaluationId::from_bytes([7; 16]),
        name: None,
        evaluators: vec![evaluator.clone()],
        selection: Selection::Filter {
            filter: Json::parse(&format!(r#"{{"userId":"ada","startedBefore":{}}}"#, now.nanos())).unwrap(),
            limit: 1_000,
        },
        target: EvaluationTarget::Trace,
        sample: 1.0,
        status: EvaluationStatus::Running,
        created_at: now,
        started_at: Some(now),
        ended_at: None,
        error_message: None,
        selected: Some(10),
        done: 5,
        tally: Tally::default(),
        cursor: Some(Cursor::new(ListId::of("traces of ada"), &key).encode()),
        errors: Vec::new(),
        skips: Vec::new(),
        revision: 3,
    };
    let rule = EvaluationRule {
        name: "kept".to_owned(),
        evaluators: vec![evaluator],
        filter: Json::parse(r#"{"userId":"ada","hasErrors":true}"#).unwrap(),
        target: EvaluationTarget::Trace,
        sample: 1.0,
        enabled: true,
        created_at: now,
        updated_at: now,
        done: 0,
        tally: Tally::default(),
        errors: Vec::new(),
        skips: Vec::new(),
    };
    let (evaluation, rule) = (&evaluation, &rule);
    let kept = server.store.transact::<_, StoreError, _>(|tx| {
        Box::pin(async move {
            tx.put_indexed(None, evaluation)?;
            tx.put(keyspace::EVALUATION_RULE, &rule.name, rule)
        })
    });
    kept.await.unwrap();
    assert_eq!(server.services.evaluations.resume().await.unwrap(), 1);
    let id = evaluation.id.to_string();
    let ended = over(&server, &id).await;
    assert_eq!((&ended["doneCount"], tally(&ended)), (&json!("10"), [5, 5, 0, 0, 0]), "{ended}");
    assert_eq!(judged_by(&server, &traces, "fast").await, [5, 6, 7, 8, 9]);
    let shown = server.data(SHOWN, json!({ "id": id })).await["evaluation"]["where"].clone();
    assert_eq!(shown, json!({ "userIds": ["ada"], "startTime": { "to": now.to_string() } }));

    let later = [trace(&server, None, &[tool("search", "ERROR")]).await, trace(&server, None, &[]).await];
    follow(&server).await;
    assert_eq!(judged_by(&server, &later, "fast").await, [0]);
    const RULES: &str = "{ evaluationRules { where } }";
    let shown = server.data(RULES, json!({})).await["evaluationRules"][0]["where"].clone();
    assert_eq!(shown, json!({ "userIds": ["ada"], "errorCount": { "min": 1 } }));
    assert_consistent(&server).await;
}
