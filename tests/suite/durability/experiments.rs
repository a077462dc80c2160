//! A server is killed while an experiment goes on. In the end each item has exactly one run that was finished, judged
//! once; runs that were over are not made again.
//!
//! `DENDRO_SEED` chooses other moments to kill.

use std::{collections::BTreeMap, env, fs, time::Duration};

use dendro::engine::EngineKind;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::told::ask;
use crate::cli::{Serving, dendro};

const ITEMS: usize = 40;

/// Times that the server is killed, or asked to stop.
const KILLS: usize = 6;

/// How long a server lives, in milliseconds.
const LIVES: std::ops::Range<u64> = 50..500;

const SCRIPT: &str = "
scripts:
  worker:
    turns:
      - when: { user_matches: '^q(\\d+)$' }
        text: 'a{{match.1}}'
        delay_ms: 150
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_item_is_run_once_on_sled() {
    killed(EngineKind::Sled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_item_is_run_once_on_fjall() {
    killed(EngineKind::Fjall).await;
}

async fn killed(engine: EngineKind) {
    let seed = env::var("DENDRO_SEED").map_or(1, |text| text.parse().unwrap());
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("worker.yaml"), SCRIPT).unwrap();
    fs::write(folder.path().join("dendro.toml"), "[models.providers.scripted]\nscript = \"worker.yaml\"\n")
        .unwrap();
    let engine = engine.to_string();
    let serve = || {
        let mut command = dendro(folder.path(), &["serve", "--data", "db", "--engine", &engine]);
        command.args([
            "--listen",
            "127.0.0.1:0",
            "--otlp-http",
            "off",
            "--otlp-grpc",
            "off",
            "--log",
            "warn",
        ]);
        Serving::start(command)
    };
    let mut server = serve();
    let id = begin(&server.address).await;
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(random.random_range(LIVES))).await;
        // Now and then it is asked to stop: it ends what it is at, and lets go.
        let is_asked = random.random_bool(0.3);
        let ended = if is_asked {
            server.signal("TERM");
            server.wait()
        } else {
            server.kill()
        };
        assert_eq!(ended.code, is_asked.then_some(0), "{ended:?}");
        server = serve();
    }
    let experiment = over(&server.address, &id).await;
    assert_eq!(experiment["status"], "COMPLETED", "{experiment:#}");
    assert_eq!(experiment["counts"]["completed"], ITEMS, "{experiment:#}");
    assert_eq!(experiment["summary"]["scores"][0]["count"], ITEMS, "{experiment:#}");
    assert_eq!(experiment["summary"]["scores"][0]["mean"], 1.0);
    let attempts = assert_traced(&server.address, &id, &experiment).await;
    println!("{engine}: {ITEMS} items, {KILLS} kills, {attempts} runs");
    assert!(attempts > ITEMS, "nothing was cut off");
    server.signal("TERM");
    assert_eq!(server.wait().code, Some(0));
    let output = dendro(folder.path(), &["check", "--data", "db", "--engine", &engine]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("No problems."), "{output:?}");
}

/// Makes the agent, the dataset and the evaluator, and starts the experiment.
async fn begin(server: &str) -> String {
    const BEGIN: &str = "mutation {
      createAgent(input: {name: \"worker\", systemPrompt: \"Work.\", model: {name: \"scripted/worker\"}}) { refusal { message } }
      createDataset(input: {name: \"questions\"}) { dataset { datasetId } }
      createEvaluator(input: {name: \"right\", kind: {exact: {}}}) { evaluator { evaluatorId } refusal { message } }
    }";
    let begun = ask(server, BEGIN, json!({})).await;
    let (dataset, right) =
        (&begun["createDataset"]["dataset"]["datasetId"], &begun["createEvaluator"]["evaluator"]);
    let items: Vec<_> =
        (0..ITEMS).map(|n| json!({ "input": format!("q{n}"), "expected": format!("a{n}") })).collect();
    const ADD: &str =
        "mutation($input: AddDatasetItemsInput!) { addDatasetItems(input: $input) { addedCount } }";
    let added = ask(server, ADD, json!({ "input": { "datasetId": dataset, "items": items } })).await;
    assert_eq!(added["addDatasetItems"]["addedCount"], ITEMS, "{added}");
    const START: &str = "mutation($input: StartExperimentInput!) { startExperiment(input: $input) { experiment { experimentId } refusal { message } } }";
    let input = json!({
        "datasetId": dataset, "agentId": "agents/worker", "evaluators": [right], "parallelism": 4,
    });
    let started = ask(server, START, json!({ "input": input })).await;
    let id = &started["startExperiment"]["experiment"]["experimentId"];
    id.as_str().unwrap_or_else(|| panic!("{started}")).to_owned()
}

/// The experiment, once it is over.
async fn over(server: &str, id: &str) -> Value {
    const EXPERIMENT: &str = "query($id: ID!) { experiment(id: $id) {
      status error counts { completed failed running } summary { scores { name count mean } }
      items(first: 100) { nodes { itemId traceId attempt status outputPreview item { expected } scores { booleanValue } } }
    } }";
    for _ in 0..6_000 {
        let experiment = ask(server, EXPERIMENT, json!({ "id": id })).await["experiment"].clone();
        if experiment["status"] != "RUNNING" {
            return experiment;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("an experiment is never over")
}

/// Of each item one run is finished, which the experiment names; the others were cut off, and nothing goes on. Answers
/// how many there were.
async fn assert_traced(server: &str, id: &str, experiment: &Value) -> usize {
    const TRACES: &str =
        "query { traces(first: 500) { nodes { traceId status metadata finalOutput runningSpanCount } } }";
    let found = ask(server, TRACES, json!({})).await;
    let traces = found["traces"]["nodes"].as_array().unwrap();
    let own: Vec<_> = traces.iter().filter(|trace| trace["metadata"]["experimentId"] == id).collect();
    let mut finished: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for trace in &own {
        assert_ne!(trace["status"], "RUNNING", "{trace}");
        assert_eq!(trace["runningSpanCount"], 0, "{trace}");
        if trace["status"] == "COMPLETED" {
            let item = trace["metadata"]["datasetItemId"].as_str().unwrap();
            finished.entry(item).or_default().push(&trace["traceId"]);
        }
    }
    let items = experiment["items"]["nodes"].as_array().unwrap();
    assert_eq!(items.len(), ITEMS);
    for item in items {
        let runs = &finished[item["itemId"].as_str().unwrap()];
        assert_eq!(runs.as_slice(), [&item["traceId"]], "{item}");
        assert_eq!(item["outputPreview"], item["item"]["expected"]);
        assert_eq!(item["scores"], json!([{ "booleanValue": true }]), "{item}");
    }
    own.len()
}
