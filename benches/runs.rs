//! Runs of agents: what recording them costs, and how many can go on at once.
//!
//! `cargo bench --bench runs -- overhead --engine fjall,sled,memory`
//! `cargo bench --bench runs -- crowd --spawn target/release/dendro --engine fjall`

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use dendro::{
    engine::EngineKind,
    llm::{Models, Scripted},
    model::{
        ConversationId, Json,
        agent::{AgentDefinition, AgentLimits, AgentModel},
        component::VersionSelector,
        conversation::NewConversation,
        span::{OperationType, SpanStatus},
    },
    service::{
        Services,
        agents::{
            AgentsConfig, NewAgent, OutputEvent, Runtime, ToolSource, ToolSpec, TracingFlags, UserInput,
        },
    },
    tools::{Tool, ToolError, Tools, ToolsConfig},
};
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all},
};
use reqwest::Client;
use serde_json::{Value, json};
use support::{
    memory_mib, open,
    server::{Spawned, cpu_seconds},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// The same run with and without being recorded, in this process.
    Overhead {
        #[arg(long, value_delimiter = ',', default_value = "fjall,sled,memory")]
        engine: Vec<EngineKind>,
        /// Runs of each kind, in turns.
        #[arg(long, default_value_t = 200)]
        runs: usize,
        /// Answers of the model in a run that ask for two tools each.
        #[arg(long, default_value_t = 20)]
        steps: usize,
    },
    /// Conversations at once with a server, each followed by two subscribers.
    Crowd {
        #[arg(long)]
        spawn: PathBuf,
        #[arg(long, value_delimiter = ',', default_value = "fjall,sled")]
        engine: Vec<EngineKind>,
        #[arg(long, default_value_t = 200)]
        conversations: usize,
        /// Turns of each.
        #[arg(long, default_value_t = 3)]
        turns: usize,
    },
}

const DIR: &str = "target/bench-data/runs";

#[tokio::main]
async fn main() {
    match Arguments::parse().command {
        Command::Overhead { engine, runs, steps } => {
            println!(
                "| engine | spans a run | ms a run, not recorded | recorded | µs a span, on the agent's path | until its trace has ended | of CPU, all threads |"
            );
            println!("|---|---|---|---|---|---|---|");
            for engine in engine {
                overhead(engine, runs, steps).await;
            }
        }
        Command::Crowd { spawn, engine, conversations, turns } => {
            println!(
                "| engine | conversations | runs | s in all | a run, ms: median / p99 / longest | first text, ms: median / p99 / longest | CPU, ms a run | memory idle, peak, MB |"
            );
            println!("|---|---|---|---|---|---|---|---|");
            for engine in engine {
                crowd(&spawn, engine, conversations, turns).await;
            }
        }
    }
    let _ = fs::remove_dir_all(DIR);
}

/// A tool that answers at once.
struct Instantly;

impl Tool for Instantly {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "look_up".to_owned(),
            description: "Looks something up.".to_owned(),
            parameters: Json::of(&json!({ "type": "object" })),
            source: ToolSource::BuiltIn,
        }
    }

    fn call(&self, _: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        async { Ok(Json::of(&json!({ "found": 3, "text": "A few words about what was found." }))) }.boxed()
    }
}

async fn overhead(engine: EngineKind, runs: usize, steps: usize) {
    let dir = Path::new(DIR).join(engine.to_string());
    let _ = fs::remove_dir_all(&dir);
    let (_engine, context) = open(engine, &dir).await;
    let script = format!(
        "scripts:
  work:
    turns:
{}
    otherwise: {{ text: 'That is all that was found about it, in a sentence or two.' }}",
        (0..steps)
            .map(|step| format!(
                "      - when: {{ step: {step} }}
        tool_calls:
          - {{ name: look_up, arguments: {{ query: 'what there is about {step}' }} }}
          - {{ name: look_up, arguments: {{ query: 'and what else about {step}' }} }}
"
            ))
            .collect::<String>()
    );
    let runtime = Runtime {
        models: Models::default().with("scripted", Arc::new(Scripted::parse(&script).unwrap())),
        tools: Tools::empty(&ToolsConfig::default()).with(Arc::new(Instantly)),
        config: AgentsConfig::default(),
    };
    let services = Services::with(context, runtime);
    let definition = AgentDefinition {
        name: "worker".to_owned(),
        system_prompt: "You look things up.".to_owned(),
        variables: Default::default(),
        model: AgentModel { name: "scripted/work".to_owned(), ..AgentModel::default() },
        tools: vec!["look_up".to_owned()],
        limits: AgentLimits { steps: 1_000, history_tokens: 1_000_000, ..AgentLimits::default() },
    };
    let new = NewAgent { definition, version_name: None, description: None, created_by: None };
    services.agents.create(new).await.unwrap();
    // Warm: versions registered, caches filled.
    for _ in 0..20 {
        timed(&services, true).await;
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        without.push(timed(&services, false).await);
        with.push(timed(&services, true).await);
    }
    let spans = with[0].spans;
    let path = |runs: &[Timed]| median(&sorted(runs.iter().map(|run| run.path)));
    // Each run beside the one before it, so that what slows the machine for a while slows both.
    let a_span = |of: fn(&Timed) -> f64| {
        let pairs = with.iter().zip(&without);
        let apart = sorted(pairs.map(|(with, without)| (of(with) - of(without)) * 1e6 / spans as f64));
        format!("{:.0} ({:.0} to {:.0})", median(&apart), quantile(&apart, 0.25), quantile(&apart, 0.75))
    };
    println!(
        "| {engine} | {spans} | {:.2} | {:.2} | {} | {} | {} |",
        path(&without) * 1e3,
        path(&with) * 1e3,
        a_span(|run| run.path),
        a_span(|run| run.end),
        a_span(|run| run.cpu),
    );
}

struct Timed {
    /// Seconds until the agent was done.
    path: f64,
    /// Seconds until its run had ended: everything is written.
    end: f64,
    /// Seconds of CPU of the whole process.
    cpu: f64,
    spans: usize,
}

async fn timed(services: &Services, recorded: bool) -> Timed {
    let change = |flags: &mut TracingFlags| flags.enabled = recorded;
    services.agents.change_tracing_flags(change).await.unwrap();
    let new = NewConversation::default();
    let conversation: ConversationId = services.conversations.create(new).await.unwrap().id;
    let input = UserInput {
        conversation_id: conversation,
        agent_id: "agents/worker".to_owned(),
        version: VersionSelector::Newest,
        content: "What is there?".to_owned(),
        variables: Default::default(),
        trace_id: None,
    };
    let (began, cpu) = (Instant::now(), cpu_nanos());
    let run = services.agents.begin(input).await.unwrap();
    let mut output = Box::pin(services.agents.output(run.trace_id, 0).await.unwrap());
    let (mut path, mut spans) = (0.0, 0);
    while let Some(part) = output.next().await {
        for event in part.events {
            let OutputEvent::Span { operation_type, status, .. } = event else { continue };
            spans += usize::from(status == SpanStatus::Running);
            if operation_type == OperationType::Agent && status == SpanStatus::Ok {
                path = began.elapsed().as_secs_f64();
            }
        }
    }
    let ended = run.ended().await.unwrap();
    assert!(ended.failure.is_none(), "{:?}", ended.failure);
    assert_eq!(ended.trace.is_some(), recorded);
    let end = began.elapsed().as_secs_f64();
    Timed { path, end, cpu: cpu_nanos().saturating_sub(cpu) as f64 / 1e9, spans }
}

/// CPU that all threads of this process have used.
fn cpu_nanos() -> u64 {
    let stat = |task: fs::DirEntry| fs::read_to_string(task.path().join("schedstat")).ok();
    let nanos = |text: String| text.split(' ').next().and_then(|first| first.parse::<u64>().ok());
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks.flatten().filter_map(stat).filter_map(nanos).sum()
}

fn median(sorted: &[f64]) -> f64 {
    quantile(sorted, 0.5)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// What the model of a crowd says: a tool, then forty words, one every 20 ms.
const CROWD: &str = "
scripts:
  crowd:
    turns:
      - when: { step: 0 }
        thinking: One moment, I have to look at the clock and think about what that means for the question.
        tool_calls: [{ name: current_time }, { name: calculator, arguments: { expression: '6 * 7' } }]
        delay_ms: 100
        piece_delay_ms: 20
      - when: { step: 1 }
        text: >-
          That is forty-two, and the time is what the clock says it is, which is all that can be said about it in so
          many words without going on for ever about what clocks are and what they are not, or are they?
        delay_ms: 100
        piece_delay_ms: 20
";

async fn crowd(program: &Path, engine: EngineKind, conversations: usize, turns: usize) {
    let dir = Path::new(DIR).join(engine.to_string());
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("scripts.yaml"), CROWD).unwrap();
    let config = dir.join("dendro.toml");
    let script = fs::canonicalize(dir.join("scripts.yaml")).unwrap();
    fs::write(
        &config,
        format!(
            "[models.providers.scripted]\nkind = \"scripted\"\nscript = {:?}\n",
            script.to_str().unwrap()
        ),
    )
    .unwrap();
    let server =
        Spawned::start_with(program, engine, &dir.join("data"), &["--config", config.to_str().unwrap()]);
    let id = server.id();
    let client = Client::builder().build().unwrap();
    let api = Arc::new(Api { client, url: server.url.clone() });
    let made = api
        .ask(
            "mutation { createAgent(input: {
              name: \"crowd\", systemPrompt: \"Answer.\", model: {name: \"scripted/crowd\"}, tools: [\"current_time\", \"calculator\"]
            }) { refusal { message } } }",
            json!({}),
        )
        .await;
    assert!(made["createAgent"]["refusal"].is_null(), "{made}");
    let memory = |field: &str| memory_mib(&id.to_string(), field) * 1.048_576;
    let (idle, cpu, began) = (memory("VmRSS:"), cpu_seconds(id), Instant::now());
    let talks: Vec<_> = (0..conversations).map(|_| tokio::spawn(talk(Arc::clone(&api), turns))).collect();
    let mut runs = Vec::new();
    for talk in join_all(talks).await {
        runs.extend(talk.unwrap());
    }
    let (seconds, cpu, peak) = (began.elapsed().as_secs_f64(), cpu_seconds(id) - cpu, memory("VmHWM:"));
    let three = |values: Vec<f64>| {
        let ms = |share| quantile(&values, share) * 1e3;
        format!("{:.0} / {:.0} / {:.0}", ms(0.5), ms(0.99), ms(1.0))
    };
    println!(
        "| {engine} | {conversations} | {} | {seconds:.1} | {} | {} | {:.1} | {idle:.0}, {peak:.0} |",
        runs.len(),
        three(sorted(runs.iter().map(|run| run.whole))),
        three(sorted(runs.iter().map(|run| run.first_text))),
        cpu * 1e3 / runs.len() as f64,
    );
    server.stop();
}

struct Followed {
    /// Seconds from saying something to the first text of the answer.
    first_text: f64,
    /// Seconds from saying something to the end of the run.
    whole: f64,
}

/// Talks a few turns, with what the agent puts out and its spans followed each time.
async fn talk(api: Arc<Api>, turns: usize) -> Vec<Followed> {
    let made =
        api.ask("mutation { createConversation(input: {}) { conversation { conversationId } } }", json!({}));
    let conversation = made.await["createConversation"]["conversation"]["conversationId"].clone();
    let mut runs = Vec::new();
    for _ in 0..turns {
        let began = Instant::now();
        let said = api
            .ask(
                "mutation($id: ID!) { processUserInput(input: {
                  conversationId: $id, agentId: \"agents/crowd\", content: \"What is it?\", wait: false
                }) { traceId refusal { message } } }",
                json!({ "id": conversation }),
            )
            .await;
        let trace = said["processUserInput"]["traceId"].clone();
        assert!(trace.is_string(), "{said}");
        let first_text = std::sync::Mutex::new(None);
        let output = api.follow(
            "subscription($id: ID!) { agentOutput(traceId: $id) { gap events { __typename ... on AgentEnd { status } } } }",
            &trace,
            |part| {
                let events = part["agentOutput"]["events"].as_array().unwrap();
                assert_eq!(part["agentOutput"]["gap"], false);
                if events.iter().any(|event| event["__typename"] == "AgentTextDelta") {
                    first_text.lock().unwrap().get_or_insert(began.elapsed().as_secs_f64());
                }
                events.iter().any(|event| event["status"] == "COMPLETED")
            },
        );
        let spans = api.follow(
            "subscription($id: ID!) { traceSpans(traceId: $id) { trace { status } spans { name status } } }",
            &trace,
            |part| part["traceSpans"]["trace"]["status"] == "COMPLETED",
        );
        tokio::join!(output, spans);
        let first_text = first_text.lock().unwrap().unwrap();
        runs.push(Followed { first_text, whole: began.elapsed().as_secs_f64() });
    }
    runs
}

struct Api {
    client: Client,
    url: String,
}

impl Api {
    async fn ask(&self, query: &str, variables: Value) -> Value {
        let request = self.client.post(format!("{}/graphql", self.url));
        let answer = request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].clone()
    }

    /// Follows a subscription until `is_last` says that it is over.
    async fn follow(&self, query: &str, trace: &Value, is_last: impl Fn(&Value) -> bool) {
        let request = self.client.post(format!("{}/graphql/stream", self.url));
        let request = request.header("accept", "text/event-stream");
        let body = json!({ "query": query, "variables": { "id": trace } });
        let mut answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        let mut left = String::new();
        let limit = Duration::from_secs(120);
        while let Some(more) = tokio::time::timeout(limit, answer.chunk()).await.unwrap().unwrap() {
            left.push_str(std::str::from_utf8(&more).unwrap());
            while let Some((event, rest)) = left.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let done = data.is_some_and(|data| {
                    let part: Value = serde_json::from_str(data).unwrap_or_default();
                    assert!(part["errors"].is_null(), "{part}");
                    part["data"].is_object() && is_last(&part["data"])
                });
                left = rest.to_owned();
                if done {
                    return;
                }
            }
        }
        panic!("the stream ended before the run");
    }
}
