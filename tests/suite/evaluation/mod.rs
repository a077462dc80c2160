//! Evaluators, their runs over traces that are there, and rules for new ones: through the API, with judges that say
//! what a script says.

mod again;
mod bad_input;
mod conditions;
mod deletion;
mod docs;
mod judges;
mod new_traces;
mod reported;
mod rules;
mod runs;
mod skips;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use dendro::{
    llm::{Model, ModelError, ModelRequest, ModelStream, Models, Scripted},
    service::agents::{AgentsConfig, Runtime},
    tools::{Tools, ToolsConfig},
};
use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, time::timeout};

use crate::support::Server;

/// More than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_secs(60);

/// A server whose models say what `scripts` says.
async fn server(scripts: &str) -> Server {
    Server::running(runtime(scripts)).await
}

fn runtime(scripts: &str) -> Runtime {
    runtime_of(Arc::new(Scripted::parse(scripts).unwrap()))
}

fn runtime_of(model: Arc<dyn Model>) -> Runtime {
    let config = AgentsConfig { first_retry_ms: 1, attempts: 3, ..AgentsConfig::default() };
    let models = Models::default().with("scripted", model);
    Runtime { models, tools: Tools::empty(&ToolsConfig::default()), config }
}

/// Scripted models that count how often they are asked, and answer as often as they may.
struct Watched {
    scripts: Scripted,
    asked: AtomicUsize,
    answers: Semaphore,
}

impl Watched {
    fn new(scripts: &str, answers: usize) -> Arc<Self> {
        let scripts = Scripted::parse(scripts).unwrap();
        Arc::new(Self { scripts, asked: AtomicUsize::new(0), answers: Semaphore::new(answers) })
    }

    fn runtime(self: &Arc<Self>) -> Runtime {
        runtime_of(Arc::clone(self) as Arc<dyn Model>)
    }

    /// How often they were asked.
    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    /// Waits until they were asked so often.
    async fn until_asked(&self, count: usize) {
        let asked = async {
            while self.asked() < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, asked).await.unwrap();
    }
}

impl Model for Watched {
    fn ask(&self, request: ModelRequest) -> BoxFuture<'_, Result<ModelStream, ModelError>> {
        async move {
            self.asked.fetch_add(1, SeqCst);
            self.answers.acquire().await.unwrap().forget();
            self.scripts.ask(request).await
        }
        .boxed()
    }

    fn shown(&self, name: &str) -> String {
        self.scripts.shown(name)
    }
}

/// A server with no models.
async fn plain() -> Server {
    server("scripts: { none: { turns: [{ text: Nothing. }] } }").await
}

const CREATE: &str = "mutation($input: CreateEvaluatorInput!) { createEvaluator(input: $input) {
  created
  evaluator { evaluatorId name kind definition version { versionHash sequence componentType } }
  component { componentId }
  refusal { message ... on InvalidInput { field } ... on LimitExceeded { field } }
} }";

async fn create(server: &Server, name: &str, kind: Value) -> Value {
    let input = json!({ "name": name, "kind": kind });
    server.data(CREATE, json!({ "input": input })).await["createEvaluator"].clone()
}

/// Makes an evaluator; answers its ID.
async fn evaluator(server: &Server, name: &str, kind: Value) -> String {
    let made = create(server, name, kind).await;
    assert!(made["refusal"].is_null(), "{made}");
    made["evaluator"]["evaluatorId"].as_str().unwrap().to_owned()
}

/// A moment this many milliseconds after the server's clock began.
fn moment(millis: i64) -> String {
    format!("2025-01-01T00:{:02}:{:02}.{:03}000000Z", millis / 60_000, millis / 1_000 % 60, millis % 1_000)
}

/// Records a trace that took two seconds, with these spans, and ends it; answers its ID.
async fn trace(server: &Server, output: Option<&str>, spans: &[Value]) -> String {
    let id = running(server, spans).await;
    end(server, &id, output, "COMPLETED").await;
    id
}

async fn running(server: &Server, spans: &[Value]) -> String {
    const START: &str =
        "mutation($input: StartTraceInput!) { startTrace(input: $input) { trace { traceId } } }";
    let input = json!({ "userInput": "Where is it?", "startTime": moment(0), "userId": "ada" });
    let started = server.data(START, json!({ "input": input })).await;
    let id = started["startTrace"]["trace"]["traceId"].as_str().unwrap().to_owned();
    let with_trace = |(number, span): (usize, &Value)| {
        let mut span = span.clone();
        span["traceId"] = json!(id);
        let start = i64::try_from(number).unwrap() * 100;
        for (name, usual) in [
            ("operationType", json!("LLM_CALL")),
            ("name", json!("step")),
            ("startTime", json!(moment(start))),
            ("endTime", json!(moment(start + 50))),
        ] {
            if span[name].is_null() {
                span[name] = usual;
            }
        }
        span
    };
    let spans: Vec<_> = spans.iter().enumerate().map(with_trace).collect();
    const SPANS: &str = "mutation($spans: [CreateSpanInput!]!) {
      createSpans(input: {spans: $spans}) { results { refusal { message } } }
    }";
    let created = server.data(SPANS, json!({ "spans": spans })).await;
    for result in created["createSpans"]["results"].as_array().unwrap() {
        assert!(result["refusal"].is_null(), "{result}");
    }
    id
}

async fn end(server: &Server, id: &str, output: Option<&str>, status: &str) {
    const END: &str = "mutation($input: CompleteTraceInput!) {
      completeTrace(input: $input) { refusal { message } }
    }";
    let input = json!({ "traceId": id, "endTime": moment(2_000), "finalOutput": output, "status": status });
    let ended = server.data(END, json!({ "input": input })).await;
    assert!(ended["completeTrace"]["refusal"].is_null(), "{ended}");
}

const START: &str = "mutation($input: StartEvaluationInput!) { startEvaluation(input: $input) {
  evaluation { evaluationId status }
  refusal { message ... on InvalidInput { field } ... on NotFound { field entity } ... on LimitExceeded { field } }
} }";

/// The ID of an evaluation that begins.
async fn start(server: &Server, input: Value) -> String {
    let started = server.data(START, json!({ "input": input })).await["startEvaluation"].clone();
    assert!(started["refusal"].is_null(), "{started}");
    started["evaluation"]["evaluationId"].as_str().unwrap().to_owned()
}

fn references(evaluators: &[&str]) -> Value {
    evaluators.iter().map(|id| json!({ "evaluatorId": id })).collect()
}

const PROGRESS: &str =
    "subscription($id: ID!) { evaluationProgress(evaluationId: $id) { snapshot evaluation {
  evaluationId name status selectedCount doneCount scoredCount passedCount failedCount skippedCount errorCount
  errorMessage startedAt endedAt
  errors { message traceId evaluator { componentId } span { name } }
  skips { reason count traceId evaluator { componentId } span { name } }
} } }";

/// Waits until an evaluation is over; answers it.
async fn over(server: &Server, id: &str) -> Value {
    let last = async {
        let mut progress = server.follow(PROGRESS, json!({ "id": id }));
        let mut last = Value::Null;
        while let Some(answer) = progress.next().await {
            assert!(answer.errors.is_empty(), "{:?}", answer.errors);
            last = answer.data["evaluationProgress"]["evaluation"].clone();
        }
        last
    };
    timeout(LONG, last).await.unwrap()
}

/// Has evaluators judge traces; answers the evaluation as it ended.
async fn judged(server: &Server, evaluators: &[&str], traces: &[&str]) -> Value {
    let input = json!({ "evaluators": references(evaluators), "traces": { "ids": traces } });
    let id = start(server, input).await;
    over(server, &id).await
}

/// How many were scored, passed, failed, skipped, and went wrong.
fn tally(evaluation: &Value) -> [u64; 5] {
    ["scoredCount", "passedCount", "failedCount", "skippedCount", "errorCount"]
        .map(|name| evaluation[name].as_str().unwrap().parse().unwrap())
}

const SCORES: &str = "query($id: ID!) { trace(id: $id) { scores {
  scoreId name source comment booleanValue numberValue categoryValue
  evaluator { componentId } judgingTrace { traceId name status }
} } }";

async fn scores(server: &Server, trace: &str) -> Vec<Value> {
    let found = server.data(SCORES, json!({ "id": trace })).await;
    found["trace"]["scores"].as_array().unwrap().clone()
}

/// What one rule says of one trace: whether it passes, with its comment; `None` where it does not apply.
async fn says(server: &Server, kind: Value, trace: &str) -> Option<(bool, String)> {
    let name = format!("rule {}", blake3::hash(kind.to_string().as_bytes()).to_hex());
    let id = evaluator(server, &name, kind.clone()).await;
    let ended = judged(server, &[&id], &[trace]).await;
    assert_eq!(ended["status"], "COMPLETED", "{ended}");
    let mine = scores(server, trace).await.into_iter().find(|score| score["name"] == json!(name));
    let said = mine.map(|score| {
        assert_eq!(score["source"], "RULE");
        assert_eq!(score["evaluator"]["componentId"], json!(id));
        (score["booleanValue"].as_bool().unwrap(), score["comment"].as_str().unwrap_or_default().to_owned())
    });
    let expected = match &said {
        Some((true, _)) => [1, 1, 0, 0, 0],
        Some((false, _)) => [1, 0, 1, 0, 0],
        None => [0, 0, 0, 1, 0],
    };
    assert_eq!(tally(&ended), expected, "{kind}: {ended}");
    said
}

/// Asserts that every index and everything derived agrees with the records.
async fn assert_consistent(server: &Server) {
    let report = server.store.check(&|_, _| {}).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.problems);
}
