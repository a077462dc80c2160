//! A server is killed while agents carry out plans. Each plan comes to its end after all, no step is tried more often
//! than it may be, and the trace of each attempt is there and over.
//!
//! `DENDRO_SEED` chooses other plans and other moments to kill.

use std::{collections::BTreeSet, env, fs, process::Command, time::Duration};

use dendro::engine::EngineKind;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::told::ask;
use crate::cli::{Serving, dendro};

const PLANS: usize = 10;
const STEPS: usize = 20;

/// Attempts that a step may have: as many as there may be kills, and one that lives.
const RETRIES: usize = 12;

/// Times that the server is killed, or asked to stop.
const KILLS: usize = 8;

/// How long a server lives, in milliseconds.
const LIVES: std::ops::Range<u64> = 20..500;

const SCRIPT: &str = "
scripts:
  worker:
    turns:
      - when: { user_matches: 'Your step: shaky (\\w+)', offered: calculator }
        tool_calls: [{ name: calculator, arguments: { expression: 1 + 1 } }]
        delay_ms: 120
    otherwise:
      text: Done.
      delay_ms: 200
      piece_delay_ms: 5
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_come_to_their_end_on_sled() {
    killed(EngineKind::Sled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_come_to_their_end_on_fjall() {
    killed(EngineKind::Fjall).await;
}

async fn killed(engine: EngineKind) {
    let seed = env::var("DENDRO_SEED").map_or(1, |text| text.parse().unwrap());
    let mut random = StdRng::seed_from_u64(seed);
    let place = Place::new(engine);
    let mut server = place.serve();
    let plans = begin(&server.address, &mut random).await;
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(random.random_range(LIVES))).await;
        // Now and then it is asked to stop: it ends what it is at, and lets go.
        let is_asked = random.random_bool(0.25);
        let ended = if is_asked {
            server.signal("TERM");
            server.wait()
        } else {
            server.kill()
        };
        assert_eq!(ended.code, is_asked.then_some(0), "{ended:?}");
        server = place.serve();
    }
    let mut attempts = 0;
    for id in &plans {
        let plan = over(&server.address, id).await;
        assert_eq!(plan["status"], "COMPLETED", "{plan:#}");
        for step in plan["steps"].as_array().unwrap() {
            let tried = step["attempts"].as_array().unwrap();
            attempts += tried.len();
            assert!((1..=RETRIES + 1).contains(&tried.len()), "{step:#}");
            let completed = tried.iter().filter(|attempt| attempt["status"] == "COMPLETED").count();
            assert_eq!(completed, 1, "a step is done once: {step:#}");
            for attempt in tried {
                assert_traced(&server.address, id, step, attempt).await;
            }
        }
    }
    println!("{engine}: {PLANS} plans of {STEPS} steps, {KILLS} kills, {attempts} attempts");
    assert!(attempts > PLANS * STEPS, "nothing was cut off");
    server.signal("TERM");
    assert_eq!(server.wait().code, Some(0));
    place.check();
}

/// The trace of an attempt is there, says what became of it, and nothing in it goes on.
async fn assert_traced(server: &str, plan: &str, step: &Value, attempt: &Value) {
    const TRACE: &str = "query($id: ID!) { trace(id: $id) { status spans(first: 20) { nodes {
      spanId status ... on PlanStepSpan { planId stepId }
    } } } }";
    let (trace, span) = (&attempt["traceId"], &attempt["spanId"]);
    let found = ask(server, TRACE, json!({ "id": trace })).await["trace"].clone();
    let expected = if attempt["status"] == "COMPLETED" { "COMPLETED" } else { "FAILED" };
    assert_eq!(found["status"], expected, "{attempt:#}");
    let spans = found["spans"]["nodes"].as_array().unwrap();
    assert!(spans.iter().all(|span| span["status"] != "RUNNING"), "{found:#}");
    // An attempt may be cut off before its first span is written.
    if let Some(root) = spans.first() {
        assert_eq!(
            (&root["spanId"], &root["planId"], &root["stepId"]),
            (span, &json!(plan), &step["stepId"])
        );
    }
}

/// Makes the agent and the plans, and has all of them carried out. Answers the plans.
async fn begin(server: &str, random: &mut StdRng) -> BTreeSet<String> {
    const BEGIN: &str = "mutation { createAgent(input: {name: \"worker\", systemPrompt: \"Work.\", model: {name: \"scripted/worker\"}, tools: [\"calculator\"]}) { refusal { message } }
      createConversation(input: {}) { conversation { conversationId } } }";
    let begun = ask(server, BEGIN, json!({})).await;
    assert!(begun["createAgent"]["refusal"].is_null(), "{begun}");
    let conversation = &begun["createConversation"]["conversation"]["conversationId"];
    let mut plans = BTreeSet::new();
    for _ in 0..PLANS {
        const PLAN: &str = "mutation($input: CreatePlanInput!) { createPlan(input: $input) { plan { planId } refusal { message } } }";
        let steps: Vec<_> = (0..STEPS)
            .map(|step| {
                let before: BTreeSet<_> = (0..random.random_range(0..3))
                    .filter(|_| step > 0)
                    .map(|_| random.random_range(0..step.max(1)).to_string())
                    .collect();
                let shaky = if random.random_bool(0.3) { "shaky" } else { "plain" };
                json!({ "key": step.to_string(), "description": format!("{shaky} s{step}"), "dependencies": before })
            })
            .collect();
        let input =
            json!({ "conversationId": conversation, "title": "Work", "steps": steps, "maxRetries": RETRIES });
        let made = ask(server, PLAN, json!({ "input": input })).await;
        let id = made["createPlan"]["plan"]["planId"].as_str().unwrap_or_else(|| panic!("{made}"));
        plans.insert(id.to_owned());
    }
    const EXECUTE: &str = "mutation($plan: ID!) { executePlan(input: {planId: $plan, agentId: \"agents/worker\"}) { refusal { message } } }";
    for plan in &plans {
        let executed = ask(server, EXECUTE, json!({ "plan": plan })).await;
        assert!(executed["executePlan"]["refusal"].is_null(), "{executed}");
    }
    plans
}

/// The plan, once it is over.
async fn over(server: &str, id: &str) -> Value {
    const PLAN: &str = "query($plan: ID!) { plan(id: $plan) { status steps { stepId status attempts { status spanId traceId } } } }";
    for _ in 0..6_000 {
        let plan = ask(server, PLAN, json!({ "plan": id })).await["plan"].clone();
        if plan["status"] != "RUNNING" && plan["status"] != "PENDING" {
            return plan;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a plan is never over")
}

struct Place {
    engine: String,
    folder: TempDir,
}

impl Place {
    fn new(engine: EngineKind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("worker.yaml"), SCRIPT).unwrap();
        let config =
            "[models.providers.scripted]\nscript = \"worker.yaml\"\n\n[agents]\nfirst_retry_ms = 1\n";
        fs::write(folder.path().join("dendro.toml"), config).unwrap();
        Self { engine: engine.to_string(), folder }
    }

    fn command(&self, command: &str) -> Command {
        dendro(self.folder.path(), &[command, "--data", "db", "--engine", &self.engine])
    }

    fn serve(&self) -> Serving {
        let mut command = self.command("serve");
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
    }

    /// Asserts that everything agrees with everything.
    fn check(&self) {
        let output = self.command("check").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("No problems."), "{output:?}");
    }
}
