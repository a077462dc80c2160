//! The page on evaluation: every operation on it does what it says.

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{LONG, over, runtime, trace};
use crate::support::Server;

/// The provider that the page names, with what it would say.
const MODEL: &str = "
scripts:
  gpt-4o-mini:
    turns:
      - text: '{\"reasoning\": \"All of it is in the results.\", \"answer\": true}'
";

fn operations(page: &str) -> Vec<&str> {
    page.split("```graphql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The refusals in an answer, wherever they stand.
fn refusals(answer: &Value, found: &mut Vec<Value>) {
    if let Value::Object(members) = answer {
        for (name, value) in members {
            if name == "refusal" && !value.is_null() {
                found.push(value.clone());
            }
            refusals(value, found);
        }
    }
}

#[tokio::test]
async fn every_operation_of_the_page_is_answered() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/evaluation.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut agents = runtime(MODEL);
    let scripts = dendro::llm::Scripted::parse(MODEL).unwrap();
    agents.models = agents.models.with("openai", std::sync::Arc::new(scripts));
    let server = Server::running(agents).await;
    for _ in 0..8 {
        trace(&server, Some("There."), &[]).await;
    }
    let mut evaluation = Value::Null;
    let operations = operations(&page);
    assert!(operations.len() >= 9, "{}", operations.len());
    for operation in operations {
        let variables = json!({ "evaluation": evaluation });
        if operation.starts_with("subscription") {
            let mut events = server.follow(operation, variables);
            let event = timeout(LONG, events.next()).await.unwrap().unwrap();
            assert!(event.errors.is_empty(), "{operation}: {:?}", event.errors);
            over(&server, evaluation.as_str().unwrap()).await;
            continue;
        }
        let answer = server.data(operation, variables).await;
        let mut refused = Vec::new();
        refusals(&answer, &mut refused);
        // By then the evaluation is over.
        let is_cancel = operation.contains("cancelEvaluation");
        assert_eq!(refused.len(), usize::from(is_cancel), "{operation}: {refused:?}");
        if let Some(started) = answer.get("startEvaluation") {
            evaluation = started["evaluation"]["evaluationId"].clone();
        }
    }
}
