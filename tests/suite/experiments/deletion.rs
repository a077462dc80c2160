//! Deleting experiments: what goes with one, what stays, and a deletion that is cut off.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use dendro::engine::{Batch, EngineError, EngineResult, MemoryEngine, SharedEngine};
use futures_util::{StreamExt, future::BoxFuture};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{PROGRESS, agent, asked, assert_consistent, ended, evaluator, run, runtime, server, start};
use crate::support::{
    Server,
    engines::{Around, wrap},
};

/// More than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_secs(60);

const DELETE: &str = "mutation($id: ID!) { deleteExperiment(input: {experimentId: $id}) {
  experimentId
  refusal { __typename message ... on NotFound { field entity } ... on IllegalTransition { state legal } }
} }";

async fn delete(server: &Server, id: &str) -> Value {
    server.data(DELETE, json!({ "id": id })).await["deleteExperiment"].clone()
}

/// Rows of runs that are stored.
async fn rows(server: &Server) -> u64 {
    let report = server.store.check(&|_, _| {}).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.problems);
    report.entries.iter().find(|(table, _)| *table == "experiment_item").map_or(0, |(_, count)| *count)
}

#[tokio::test]
async fn an_experiment_goes_with_its_rows_and_its_traces_stay() {
    let server = server().await;
    agent(&server, "helper", "good").await;
    let (dataset, right) = (asked(&server, 4).await, evaluator(&server).await);
    let evaluators = json!({ "evaluators": [right], "repetitions": 2 });
    let id = run(&server, &dataset, "helper", evaluators.clone()).await;
    let kept = run(&server, &dataset, "helper", evaluators).await;
    assert_eq!(rows(&server).await, 16);
    const TRACES: &str = "query($id: ID!) { experiment(id: $id) { items(first: 50) { nodes { traceId } } } }";
    let traces = server.data(TRACES, json!({ "id": id })).await["experiment"]["items"]["nodes"].clone();
    let deleted = delete(&server, &id).await;
    assert_eq!((&deleted["experimentId"], &deleted["refusal"]), (&json!(id), &Value::Null));
    assert_eq!(rows(&server).await, 8);
    const GONE: &str = "query($id: ID!, $dataset: ID!) {
      experiment(id: $id) { status } experiments { totalCount nodes { experimentId } }
      dataset(id: $dataset) { itemCount experiments { nodes { experimentId } } }
    }";
    let gone = server.data(GONE, json!({ "id": id, "dataset": dataset })).await;
    let others = json!([{ "experimentId": kept }]);
    assert_eq!((&gone["experiment"], &gone["experiments"]["totalCount"]), (&Value::Null, &json!(1)));
    assert_eq!(gone["experiments"]["nodes"], others);
    assert_eq!(gone["dataset"], json!({ "itemCount": 4, "experiments": { "nodes": others } }));
    const TRACE: &str =
        "query($id: ID!) { trace(id: $id) { status finalOutput scores { name booleanValue } } }";
    for trace in traces.as_array().unwrap() {
        let found = server.data(TRACE, json!({ "id": trace["traceId"] })).await["trace"].clone();
        assert_eq!(found["status"], "COMPLETED");
        assert_eq!(found["scores"], json!([{ "name": "right", "booleanValue": true }]), "{found}");
    }
    const COMPARE: &str = "query($a: ID!, $b: ID!) { compareExperiments(a: $a, b: $b) { sharedCount } }";
    let errors = server.errors(COMPARE, json!({ "a": kept, "b": id })).await;
    assert_eq!(errors[0]["extensions"]["code"], "NOT_FOUND", "{errors:?}");
    let again = delete(&server, &id).await["refusal"].clone();
    assert_eq!(
        (&again["field"], &again["entity"]),
        (&json!("experimentId"), &json!("EXPERIMENT")),
        "{again}"
    );
    // Its ID is free again.
    let anew = run(&server, &dataset, "helper", json!({ "experimentId": id })).await;
    assert_eq!((anew, rows(&server).await), (id, 12));
}

#[tokio::test]
async fn one_that_runs_is_to_be_cancelled_first() {
    let server = server().await;
    agent(&server, "helper", "never").await;
    let dataset = asked(&server, 5).await;
    let started = start(&server, &dataset, "helper", json!({ "parallelism": 2 })).await;
    let id = started["experiment"]["experimentId"].as_str().unwrap();
    let mut progress = server.follow(PROGRESS, json!({ "id": id }));
    while let Some(answer) = progress.next().await {
        if answer.data["experimentProgress"]["experiment"]["counts"]["running"] == 2 {
            break;
        }
    }
    let refused = delete(&server, id).await["refusal"].clone();
    assert_eq!((&refused["__typename"], &refused["state"]), (&json!("IllegalTransition"), &json!("RUNNING")));
    let message = "an experiment that is RUNNING cannot be deleted; it can: be cancelled first";
    assert_eq!(refused["message"], message);
    const CANCEL: &str =
        "mutation($id: ID!) { cancelExperiment(input: {experimentId: $id}) { refusal { message } } }";
    server.data(CANCEL, json!({ "id": id })).await;
    // Its runs end, and until they have it stays.
    let gone = async {
        loop {
            let deleted = delete(&server, id).await;
            if deleted["refusal"].is_null() {
                return deleted;
            }
            let message = deleted["refusal"]["message"].as_str().unwrap();
            assert_eq!(message, "runs of it are still ending; try again in a moment");
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(timeout(LONG, gone).await.unwrap()["experimentId"], id);
    // Whoever follows it is told that there is no more.
    timeout(LONG, async { while progress.next().await.is_some() {} }).await.unwrap();
    assert_eq!(rows(&server).await, 0);
    assert_eq!(server.services.experiments.resume().await.unwrap(), 0);
}

/// Commits that remove runs' rows fail for as long as they shall.
#[derive(Default)]
struct Stuck(AtomicBool);

impl Around for Stuck {
    fn before_commit<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        let removes = batch
            .writes
            .iter()
            .any(|write| write.value.is_none() && write.tree.name() == "default/experiment_item");
        let fails = removes && self.0.load(SeqCst);
        Box::pin(
            async move { if fails { Err(EngineError::Io("as the test asked".to_owned())) } else { Ok(()) } },
        )
    }
}

#[tokio::test]
async fn a_deletion_that_is_cut_off_is_finished_by_the_next_start() {
    let memory: SharedEngine = Arc::new(MemoryEngine::default());
    let stuck = Arc::new(Stuck::default());
    let first = Server::running_on(wrap(memory.clone(), &stuck), runtime(&["scripted"])).await;
    agent(&first, "helper", "good").await;
    let dataset = asked(&first, 3).await;
    let id = run(&first, &dataset, "helper", json!({})).await;
    stuck.0.store(true, SeqCst);
    first.errors(DELETE, json!({ "id": id })).await;
    // It is gone for everybody, and what is left of it belongs to a deletion.
    assert!(first.data("query($id: ID!) { experiment(id: $id) { status } }", json!({ "id": id })).await["experiment"].is_null());
    assert_eq!(rows(&first).await, 3);
    let taken = start(&first, &dataset, "helper", json!({ "experimentId": id })).await;
    let message = taken["refusal"]["message"].as_str().unwrap();
    assert!(message.contains("still being deleted"), "{message}");

    let second = Server::running_on(memory, runtime(&["scripted"])).await;
    for _ in 0..1_000 {
        // Ids that the first one has made.
        let _ = second.services.tracing.new_span_id();
    }
    assert_eq!(second.services.conversations.finish_deletions().await.unwrap(), 1);
    assert_eq!(rows(&second).await, 0);
    assert_eq!(second.services.conversations.finish_deletions().await.unwrap(), 0);
    let started = start(&second, &dataset, "helper", json!({ "experimentId": id })).await;
    assert_eq!(
        ended(&second, started["experiment"]["experimentId"].as_str().unwrap()).await["status"],
        "COMPLETED"
    );
    assert_consistent(&second).await;
}
