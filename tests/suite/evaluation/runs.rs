//! Evaluations over traces that are there: which are chosen, how they go on, and how they end.

use std::sync::Arc;

use dendro::engine::{MemoryEngine, SharedEngine};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    LONG, PROGRESS, assert_consistent, evaluator, judged, over, plain, references, running, runtime, scores,
    server, start, tally, trace,
};
use crate::support::Server;

async fn fast(server: &Server) -> String {
    evaluator(server, "fast", json!({ "latency": { "maxMs": 5000 } })).await
}

fn counts(evaluation: &Value) -> [&str; 2] {
    ["selectedCount", "doneCount"].map(|name| evaluation[name].as_str().unwrap())
}

#[tokio::test]
async fn traces_are_chosen_by_a_filter_a_sample_and_a_limit() {
    let server = plain().await;
    let fast = fast(&server).await;
    let mut traces = Vec::new();
    for _ in 0..60 {
        traces.push(trace(&server, Some("There."), &[]).await);
    }
    running(&server, &[]).await;
    let run = |traces: Value, sample: f64| {
        let input = json!({ "evaluators": references(&[&fast]), "traces": traces, "sample": sample });
        let server = &server;
        async move {
            let id = start(server, input).await;
            over(server, &id).await
        }
    };
    let all = run(json!({ "filter": {} }), 1.0).await;
    assert_eq!((counts(&all), tally(&all)), (["61", "61"], [60, 60, 0, 1, 0]), "{all}");
    let completed = json!({ "filter": { "filter": { "statuses": ["COMPLETED"], "userId": "ada" } } });
    assert_eq!(counts(&run(completed.clone(), 1.0).await), ["60", "60"]);
    let sampled = run(completed.clone(), 0.5).await;
    let [selected, done] = counts(&sampled);
    let count: u64 = selected.parse().unwrap();
    assert!(selected == done && (10..50).contains(&count), "{sampled}");
    // The same ones again, by their IDs too.
    assert_eq!(counts(&run(json!({ "ids": traces }), 0.5).await), [selected, selected]);
    let limited = json!({ "filter": { "filter": { "statuses": ["COMPLETED"] }, "limit": 7 } });
    assert_eq!(counts(&run(limited, 1.0).await), ["7", "7"]);
    let none = run(json!({ "filter": { "filter": { "userId": "nobody" } } }), 1.0).await;
    assert_eq!((counts(&none), &none["status"]), (["0", "0"], &json!("COMPLETED")));
    let twice = [traces[0].as_str(), &traces[0], "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44"];
    // One that is not there does not apply.
    assert_eq!(tally(&judged(&server, &[&fast, &fast], &twice).await), [1, 1, 0, 1, 0]);
    const LIST: &str = "query($first: Int, $statuses: [EvaluationStatus!]) {
      evaluations(first: $first, filter: {statuses: $statuses}) { totalCount nodes { id status doneCount } }
    }";
    let list =
        server.data(LIST, json!({ "first": 2, "statuses": ["COMPLETED"] })).await["evaluations"].clone();
    assert_eq!((&list["totalCount"], list["nodes"].as_array().unwrap().len()), (&json!(7), 2));
    const NODE: &str = "query($id: ID!) { node(id: $id) { ... on Evaluation { doneCount } }
      evaluation(id: $id) { evaluators { componentId } sample } }";
    let node = server.data(NODE, json!({ "id": list["nodes"][0]["id"] })).await;
    assert_eq!(node["evaluation"]["evaluators"], json!([{ "componentId": "evaluators/fast" }]));
    assert_eq!(node["node"]["doneCount"], list["nodes"][0]["doneCount"]);
    assert_consistent(&server).await;
}

#[tokio::test]
async fn progress_begins_with_how_it_stands() {
    let server = plain().await;
    let fast = fast(&server).await;
    let found = trace(&server, None, &[]).await;
    let input = json!({ "name": "first", "evaluators": references(&[&fast]), "traces": { "ids": [found] } });
    let id = start(&server, input).await;
    let mut progress = server.follow(PROGRESS, json!({ "id": id }));
    let mut events = Vec::new();
    while let Some(event) = timeout(LONG, progress.next()).await.unwrap() {
        events.push(event.data["evaluationProgress"].clone());
    }
    assert_eq!(events[0]["snapshot"], true);
    assert!(events[1..].iter().all(|event| event["snapshot"] == false));
    let last = &events.last().unwrap()["evaluation"];
    assert_eq!(
        (&last["status"], &last["name"], &last["doneCount"]),
        (&json!("COMPLETED"), &json!("first"), &json!("1"))
    );
    assert!(last["startedAt"].is_string() && last["endedAt"].is_string());
    // Of one that is over there is one event, and then no more.
    let mut again = server.follow(PROGRESS, json!({ "id": id }));
    assert_eq!(again.next().await.unwrap().data["evaluationProgress"]["evaluation"], *last);
    assert!(timeout(LONG, again.next()).await.unwrap().is_none());
    let mut nobody = server.follow(PROGRESS, json!({ "id": "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44" }));
    assert_eq!(nobody.next().await.unwrap().errors[0]["extensions"]["code"], "NOT_FOUND");
}

const SLOW: &str = "
scripts:
  test:
    turns:
      - text: Never.
        delay_ms: 600000
";

const QUICK: &str = "
scripts:
  test:
    turns:
      - text: '{\"reasoning\": \"Fine.\", \"answer\": true}'
";

fn polite() -> Value {
    let model = json!({ "name": "scripted/test" });
    json!({ "judge": { "model": model, "rubric": "{{output}}?", "answer": { "boolean": true } } })
}

/// Waits until some judgings are under way.
async fn at_work(server: &Server, count: usize) {
    const RUNNING: &str =
        "{ traces(filter: {statuses: [RUNNING], name: \"evaluators/polite\"}) { nodes { traceId } } }";
    let begun = async {
        while server.data(RUNNING, json!({})).await["traces"]["nodes"].as_array().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, begun).await.unwrap();
}

/// The server after the one that was cut off, whose ids it does not make again.
async fn second_server(engine: SharedEngine) -> Server {
    let server = Server::running_on(engine, runtime(QUICK)).await;
    for _ in 0..1_000 {
        let _ = server.services.tracing.new_span_id();
    }
    server
}

const CANCEL: &str = "mutation($id: ID!) { cancelEvaluation(input: {evaluationId: $id}) {
  evaluation { status endedAt } refusal { __typename message }
} }";

#[tokio::test]
async fn an_evaluation_is_stopped_with_the_judges_that_are_at_it() {
    let server = server(SLOW).await;
    let polite = evaluator(&server, "polite", polite()).await;
    let traces = [trace(&server, Some("a"), &[]).await, trace(&server, Some("b"), &[]).await];
    let id =
        start(&server, json!({ "evaluators": references(&[&polite]), "traces": { "ids": traces } })).await;
    at_work(&server, 2).await;
    let stopped = server.data(CANCEL, json!({ "id": id })).await["cancelEvaluation"].clone();
    assert_eq!(stopped["evaluation"]["status"], "CANCELLED");
    let ended = over(&server, &id).await;
    assert_eq!((&ended["status"], tally(&ended)), (&json!("CANCELLED"), [0; 5]));
    // The judgings end too, and nobody waits for them.
    const CANCELLED: &str = "{ traces(filter: {statuses: [CANCELLED]}) { nodes { traceId } } }";
    let both = async {
        while server.data(CANCELLED, json!({})).await["traces"]["nodes"].as_array().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, both).await.unwrap();
    let again = server.data(CANCEL, json!({ "id": id })).await["cancelEvaluation"].clone();
    assert_eq!(again["refusal"]["__typename"], "IllegalTransition");
    assert_eq!(server.services.evaluations.resume().await.unwrap(), 0);
    assert_consistent(&server).await;
}

#[tokio::test]
async fn an_evaluation_that_was_cut_off_goes_on_with_the_next_server() {
    let engine: SharedEngine = Arc::new(MemoryEngine::default());
    let first = Server::running_on(engine.clone(), runtime(SLOW)).await;
    let (fast, polite) = (fast(&first).await, evaluator(&first, "polite", polite()).await);
    let mut traces = Vec::new();
    for _ in 0..20 {
        traces.push(trace(&first, Some("There."), &[]).await);
    }
    let input = json!({ "evaluators": references(&[&fast, &polite]), "traces": { "filter": {} } });
    let id = start(&first, input).await;
    at_work(&first, 1).await;
    timeout(LONG, first.services.evaluations.stop()).await.unwrap();
    timeout(LONG, first.services.agents.stop()).await.unwrap();
    const STATUS: &str = "query($id: ID!) { evaluation(id: $id) { status doneCount } }";
    let cut_off = first.data(STATUS, json!({ "id": id })).await["evaluation"].clone();
    assert_eq!(cut_off, json!({ "status": "RUNNING", "doneCount": "0" }));
    let second = second_server(engine).await;
    second.services.agents.end_interrupted().await.unwrap();
    assert_eq!(second.services.evaluations.resume().await.unwrap(), 1);
    let ended = over(&second, &id).await;
    assert_eq!((counts(&ended), tally(&ended)), (["20", "20"], [40, 40, 0, 0, 0]), "{ended}");
    for trace in &traces {
        assert_eq!(scores(&second, trace).await.len(), 2);
    }
    assert_eq!(second.services.evaluations.resume().await.unwrap(), 0);
    assert_consistent(&second).await;
}

#[tokio::test]
async fn what_was_done_before_is_not_done_again() {
    // Half of the answers come at once, and the judges of the rest hang until the server is gone.
    const HALF: &str = "
scripts:
  test:
    turns:
      - when: { user: later }
        text: Never.
        delay_ms: 600000
      - text: '{\"reasoning\": \"Fine.\", \"answer\": true}'
";
    let engine: SharedEngine = Arc::new(MemoryEngine::default());
    let first = Server::running_on(engine.clone(), runtime(HALF)).await;
    let polite = evaluator(&first, "polite", polite()).await;
    let mut traces = Vec::new();
    for number in 0..10 {
        let output = if number < 5 { "now" } else { "later" };
        traces.push(trace(&first, Some(output), &[]).await);
    }
    let id =
        start(&first, json!({ "evaluators": references(&[&polite]), "traces": { "ids": traces } })).await;
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
    let before = scores(&first, &traces[0]).await;
    let second = second_server(engine).await;
    assert_eq!(second.services.evaluations.resume().await.unwrap(), 1);
    let ended = over(&second, &id).await;
    assert_eq!((counts(&ended), tally(&ended)), (["10", "10"], [10, 10, 0, 0, 0]), "{ended}");
    assert_eq!(scores(&second, &traces[0]).await, before);
}
