//! Datasets and experiments, through the API, with models that say what a script says.

mod compare;
mod datasets;
mod deletion;
mod failing;
mod files;
mod judges;
mod origins;
mod progress;
mod refusals;
mod runs;

use std::sync::Arc;

use dendro::{
    llm::{Models, Scripted},
    service::agents::{AgentsConfig, Runtime},
    tools::{Tools, ToolsConfig},
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::Server;

/// Models that double what they are asked, as well as they can.
const SCRIPT: &str = r#"
scripts:
  good:
    turns:
      - when: { user_matches: '^q(\d+)$' }
        text: 'a{{match.1}}'
        tokens: { input: 100, output: 10 }
    otherwise: { text: 'You said {{input}}.' }
  weak:
    turns:
      - when: { user_matches: '^q([1-4])$' }
        text: 'a{{match.1}}'
        tokens: { input: 50, output: 10 }
    otherwise: { text: 'No idea.', tokens: { input: 50, output: 10 } }
  shaky:
    turns:
      - when: { user_matches: '^q([13579])$' }
        fail: { kind: refused, message: 'odd is odd' }
    otherwise: { text: 'Even.' }
  slow:
    turns:
      - when: { user_matches: '^q1$' }
        text: Very slowly.
        delay_ms: 60000
    otherwise: { text: Slowly., delay_ms: 1000 }
  never:
    turns: []
    otherwise: { text: Never., delay_ms: 600000 }
  fine:
    turns:
      - text: '{"reasoning": "Fine.", "answer": true}'
        tokens: { input: 1000, output: 100 }
  prose:
    turns:
      - text: I like it.
      - text: I like it very much.
"#;

/// A server whose models say what the script says.
async fn server() -> Server {
    Server::running(runtime(&["scripted"])).await
}

/// Models of these providers, which all say what the script says.
fn runtime(providers: &[&str]) -> Runtime {
    let scripts = Arc::new(Scripted::parse(SCRIPT).unwrap());
    let with = |models: Models, name: &&str| models.with(*name, scripts.clone());
    Runtime {
        models: providers.iter().fold(Models::default(), with),
        tools: Tools::empty(&ToolsConfig::default()),
        config: AgentsConfig { first_retry_ms: 1, attempts: 1, ..AgentsConfig::default() },
    }
}

/// Makes an agent with a model, and answers the hash of its version.
async fn agent(server: &Server, name: &str, model: &str) -> String {
    const CREATE: &str = "mutation($input: CreateAgentInput!) {
      createAgent(input: $input) { version { versionHash } refusal { message } }
    }";
    let input = json!({
        "name": name, "systemPrompt": "Answer {{user}}.", "variables": { "user": "Ada" },
        "model": { "name": format!("scripted/{model}") },
    });
    let made = server.data(CREATE, json!({ "input": input })).await;
    made["createAgent"]["version"]["versionHash"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// Makes a dataset, and answers its id.
async fn dataset(server: &Server, name: &str) -> String {
    const CREATE: &str = "mutation($input: CreateDatasetInput!) {
      createDataset(input: $input) { dataset { datasetId } refusal { message } }
    }";
    let made = server.data(CREATE, json!({ "input": { "name": name } })).await;
    made["createDataset"]["dataset"]["datasetId"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

const ADD: &str = "mutation($input: AddDatasetItemsInput!) { addDatasetItems(input: $input) {
  addedCount unchangedCount refusedCount
  dataset { version itemCount contentHash }
  results { place outcome item { itemId input expected } refusal { message ... on InvalidInput { field } ... on LimitExceeded { field } ... on AlreadyExists { field } ... on NotFound { field } } }
  refusal { message }
} }";

/// Adds items to a dataset.
async fn add(server: &Server, dataset: &str, items: Value) -> Value {
    let input = json!({ "datasetId": dataset, "items": items });
    server.data(ADD, json!({ "input": input })).await["addDatasetItems"].clone()
}

/// Items `q1`, `q2` and so on, which expect `a1`, `a2` and so on.
fn questions(numbers: impl Iterator<Item = u32>) -> Value {
    let item = |n| json!({ "input": format!("q{n}"), "expected": format!("a{n}") });
    numbers.map(item).collect()
}

/// A dataset of questions, and its id.
async fn asked(server: &Server, count: u32) -> String {
    let dataset = dataset(server, "questions").await;
    let added = add(server, &dataset, questions(1..=count)).await;
    assert_eq!(added["addedCount"], count, "{added}");
    dataset
}

/// Makes the evaluator `right`, which compares answers with what is expected. Answers its version.
async fn evaluator(server: &Server) -> Value {
    evaluator_of(server, "right", json!({ "exact": {} })).await
}

/// Makes a judge, and answers its version.
async fn judge(server: &Server, name: &str, model: &str) -> Value {
    let judge = json!({
        "model": { "name": model }, "rubric": "Is {{output}} as good as {{expected}}?", "answer": { "boolean": true },
    });
    evaluator_of(server, name, json!({ "judge": judge })).await
}

async fn evaluator_of(server: &Server, name: &str, kind: Value) -> Value {
    const CREATE: &str = "mutation($input: CreateEvaluatorInput!) { createEvaluator(input: $input) {
      evaluator { evaluatorId version { versionHash } } refusal { message }
    } }";
    let made = server.data(CREATE, json!({ "input": { "name": name, "kind": kind } })).await;
    assert!(made["createEvaluator"]["refusal"].is_null(), "{made}");
    json!({
        "evaluatorId": made["createEvaluator"]["evaluator"]["evaluatorId"],
        "versionHash": made["createEvaluator"]["evaluator"]["version"]["versionHash"],
    })
}

const START: &str = "mutation($input: StartExperimentInput!) { startExperiment(input: $input) {
  experiment { experimentId status counts { total } datasetVersion name }
  refusal { message ... on InvalidInput { field } ... on LimitExceeded { field } ... on NotFound { field } ... on AlreadyExists { field } }
} }";

/// Starts an experiment with the agent `agents/<agent>`; answers the payload.
async fn start(server: &Server, dataset: &str, agent: &str, changes: Value) -> Value {
    let mut input = json!({ "datasetId": dataset, "agentId": format!("agents/{agent}") });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    server.data(START, json!({ "input": input })).await["startExperiment"].clone()
}

const PROGRESS: &str = "subscription($id: ID!, $after: BigInt) {
  experimentProgress(experimentId: $id, after: $after) {
    revision snapshot
    experiment { status error counts { total pending running completed failed cancelled } }
    items { item { input } repetition status revision outputPreview error }
  }
}";

/// Follows an experiment to its end; answers its last message.
async fn ended(server: &Server, id: &str) -> Value {
    let mut progress = server.follow(PROGRESS, json!({ "id": id }));
    let mut last = Value::Null;
    while let Some(answer) = progress.next().await {
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        last = answer.data["experimentProgress"].clone();
    }
    last["experiment"].clone()
}

/// Runs an experiment to its end; answers its id.
async fn run(server: &Server, dataset: &str, agent: &str, changes: Value) -> String {
    let started = start(server, dataset, agent, changes).await;
    let id = started["experiment"]["experimentId"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned();
    let experiment = ended(server, &id).await;
    assert_eq!(experiment["status"], "COMPLETED", "{experiment}");
    id
}

/// Asserts that everything that is stored agrees with everything.
async fn assert_consistent(server: &Server) {
    let report = server.store.check(&|_, _| {}).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.problems);
}
