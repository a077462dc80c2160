//! Deleting evaluations.

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    LONG, PROGRESS, Watched, assert_consistent, new_traces::judge, over, references, scores, start, trace,
};
use crate::support::Server;

const FINE: &str = "
scripts:
  test:
    turns:
      - text: '{\"reasoning\": \"Fine.\", \"answer\": true}'
";

const DELETE: &str = "mutation($id: ID!) { deleteEvaluation(input: {evaluationId: $id}) {
  evaluationId
  refusal { __typename message ... on NotFound { field entity } ... on IllegalTransition { state legal } }
} }";

async fn delete(server: &Server, id: &str) -> Value {
    server.data(DELETE, json!({ "id": id })).await["deleteEvaluation"].clone()
}

#[tokio::test]
async fn an_evaluation_goes_once_it_is_over_and_its_scores_stay() {
    // The judge does not answer before it is told to.
    let models = Watched::new(FINE, 0);
    let server = Server::running(models.runtime()).await;
    let polite = judge(&server, "polite", "test").await;
    let found = trace(&server, Some("There."), &[]).await;
    let input = json!({ "evaluators": references(&[&polite]), "traces": { "ids": [found] } });
    let id = start(&server, input).await;
    models.until_asked(1).await;
    let refused = delete(&server, &id).await["refusal"].clone();
    assert_eq!((&refused["__typename"], &refused["state"]), (&json!("IllegalTransition"), &json!("RUNNING")));
    let message = refused["message"].as_str().unwrap();
    assert_eq!(message, "an evaluation that is RUNNING cannot be deleted; it can: be cancelled first");
    models.answers.add_permits(10);
    assert_eq!(over(&server, &id).await["status"], "COMPLETED");
    let before = scores(&server, &found).await;
    let deleted = delete(&server, &id).await;
    assert_eq!((&deleted["evaluationId"], &deleted["refusal"]), (&json!(id), &Value::Null));
    const GONE: &str =
        "query($id: ID!) { evaluation(id: $id) { status } evaluations { totalCount nodes { status } } }";
    let gone = server.data(GONE, json!({ "id": id })).await;
    assert_eq!(gone, json!({ "evaluation": null, "evaluations": { "totalCount": 0, "nodes": [] } }));
    assert_eq!((before.len(), scores(&server, &found).await), (1, before));
    let again = delete(&server, &id).await["refusal"].clone();
    assert_eq!(
        (&again["field"], &again["entity"]),
        (&json!("evaluationId"), &json!("EVALUATION")),
        "{again}"
    );
    let nonsense = delete(&server, "nonsense").await["refusal"].clone();
    assert_eq!(nonsense["__typename"], "InvalidInput", "{nonsense}");
    assert_consistent(&server).await;
}

#[tokio::test]
async fn one_that_was_stopped_goes_while_its_judges_still_end() {
    let models = Watched::new(FINE, 0);
    let server = Server::running(models.runtime()).await;
    let polite = judge(&server, "polite", "test").await;
    let found = trace(&server, Some("There."), &[]).await;
    let input = json!({ "evaluators": references(&[&polite]), "traces": { "ids": [found] } });
    let id = start(&server, input).await;
    models.until_asked(1).await;
    let mut progress = server.follow(PROGRESS, json!({ "id": id }));
    assert!(timeout(LONG, progress.next()).await.unwrap().is_some());
    const CANCEL: &str =
        "mutation($id: ID!) { cancelEvaluation(input: {evaluationId: $id}) { evaluation { status } } }";
    server.data(CANCEL, json!({ "id": id })).await;
    assert_eq!(delete(&server, &id).await["refusal"], Value::Null);
    // Who follows it is told that there is no more, whatever they still saw.
    let rest = timeout(LONG, progress.collect::<Vec<_>>()).await.unwrap();
    assert!(rest.iter().all(|event| event.errors.is_empty()), "{rest:?}");
    // Nothing brings it back.
    timeout(LONG, server.services.evaluations.stop()).await.unwrap();
    assert_eq!(
        server.data("{ evaluations { totalCount } }", json!({})).await["evaluations"]["totalCount"],
        0
    );
    timeout(LONG, server.services.agents.stop()).await.unwrap();
    assert_consistent(&server).await;
}
