//! OTLP from the sender's side: what a server takes a second, what that costs it, how soon spans can be
//! read, and how fast whole traces and the list of traces come back.
//!
//! `cargo bench --bench otlp -- --spawn target/release/dendro --engine sled,fjall`
//! `cargo bench --bench otlp -- --url http://127.0.0.1:4000`

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod support;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::{ArgGroup, Parser};
use dendro::engine::EngineKind;
use reqwest::{Client, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};
use support::{
    agents::{self, AT_ONCE, Agents, Requests},
    disk_bytes, memory_mib,
    server::{Spawned, at_rest, cpu_seconds},
};
use tokio::task::JoinSet;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(group(ArgGroup::new("server").required(true)))]
struct Arguments {
    /// A server that runs. Spans that it has already are not new to it: it should be empty, or have
    /// other ones.
    #[arg(long, group = "server")]
    url: Option<String>,
    /// The program of a server to start, on an empty database.
    #[arg(long, group = "server")]
    spawn: Option<PathBuf>,
    /// The engines of servers that are started; a run for each.
    #[arg(long, value_delimiter = ',', default_value = "sled")]
    engine: Vec<EngineKind>,
    /// How many send at a time.
    #[arg(long, default_value_t = 4)]
    senders: u64,
    /// Spans that are sent, or some more: until the last traces are whole.
    #[arg(long, default_value_t = 60_000)]
    spans: usize,
    #[arg(long, default_value_t = 50)]
    spans_per_trace: usize,
    /// Spans of a request.
    #[arg(long, default_value_t = 25)]
    batch: usize,
    /// Sizes of traces that are read whole.
    #[arg(long, value_delimiter = ',', default_value = "50,500,5000")]
    read: Vec<usize>,
    /// Where the databases are made; they are removed after each run.
    #[arg(long, default_value = "target/bench-data")]
    dir: PathBuf,
    #[arg(long, hide = true)]
    bench: bool,
}

/// Everything that is sent, made before the clock starts.
struct Load {
    /// For each sender.
    senders: Vec<Requests>,
    /// Traces of one request, to be read as soon as they can be.
    live: Vec<(Uuid, Bytes)>,
    /// Spans of a request.
    batch: usize,
    /// Traces that are read whole: their size and their requests.
    whole: Vec<(Uuid, usize, Vec<Bytes>)>,
    /// All spans of these.
    spans: usize,
}

/// How often spans are sent to be read at once, and the list is read.
const TIMES: usize = 40;

/// Lines of the table: what was measured, and the figure.
type Figures = Vec<(String, String)>;

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let load = make(&arguments);
    let mut columns: Vec<(String, Figures)> = Vec::new();
    if let Some(url) = &arguments.url {
        columns.push((url.clone(), run(&load, url.trim_end_matches('/'), None).await));
    } else if let Some(program) = &arguments.spawn {
        for engine in &arguments.engine {
            columns.push((engine.to_string(), spawned(&load, program, *engine, &arguments.dir).await));
        }
    }
    let heads: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
    println!("| OTLP/HTTP, {} senders | {} |", arguments.senders, heads.join(" | "));
    println!("|---|{}", "---|".repeat(columns.len()));
    let lines = columns.first().map_or(0, |(_, figures)| figures.len());
    for line in 0..lines {
        let figures: Vec<_> = columns.iter().map(|(_, figures)| figures[line].1.as_str()).collect();
        println!("| {} | {} |", columns[0].1[line].0, figures.join(" | "));
    }
}

fn make(arguments: &Arguments) -> Load {
    let began = Instant::now();
    let Arguments { senders, spans, spans_per_trace, batch, .. } = *arguments;
    let groups = (spans as u64).div_ceil(AT_ONCE * spans_per_trace as u64).div_ceil(senders);
    let agents = Agents::default();
    let of_sender = |sender: u64| {
        let first = sender * groups * AT_ONCE;
        agents.requests(first..first + groups * AT_ONCE, spans_per_trace, batch)
    };
    let senders: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..senders).map(|sender| scope.spawn(move || of_sender(sender))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut numbers = senders.len() as u64 * groups * AT_ONCE..;
    let mut next =
        || numbers.next().map(|number| (number, Uuid::from_bytes(agents::trace_id(number)))).unwrap();
    let live = (0..TIMES).map(|_| {
        let (number, id) = next();
        (id, agents::encode(agents.trace(number, batch)))
    });
    let live: Vec<_> = live.collect();
    let whole = arguments.read.iter().map(|size| {
        let (number, id) = next();
        let requests =
            agents.trace(number, *size).chunks(batch).map(|part| agents::encode(part.to_vec())).collect();
        (id, *size, requests)
    });
    let whole: Vec<_> = whole.collect();
    let sent: usize = senders.iter().map(|requests| requests.spans).sum();
    let bytes: usize = senders.iter().flat_map(|requests| &requests.bodies).map(Bytes::len).sum();
    eprintln!("made {sent} spans of {} bytes in {:.1} s", bytes / sent, began.elapsed().as_secs_f64());
    let spans = sent + TIMES * batch + arguments.read.iter().sum::<usize>();
    Load { senders, live, batch, whole, spans }
}

/// Measures a server that is started on an empty database and stopped again.
async fn spawned(load: &Load, program: &Path, engine: EngineKind, dir: &Path) -> Figures {
    let data = dir.join(format!("otlp-{engine}"));
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(dir).unwrap();
    let server = Spawned::start(program, engine, &data);
    let mut figures = run(load, &server.url, Some(server.id())).await;
    server.stop();
    let mut on_disk = "–".to_owned();
    if engine != EngineKind::Memory {
        on_disk = format!("{:.0} bytes", disk_bytes(&data) as f64 / load.spans as f64);
        std::fs::remove_dir_all(&data).unwrap();
    }
    figures.push(("on disk a span, after a stop".to_owned(), on_disk));
    figures
}

async fn run(load: &Load, url: &str, process: Option<u32>) -> Figures {
    let mut figures = Figures::new();
    let mut tell = |what: &str, figure: String| figures.push((what.to_owned(), figure));
    let memory = |field| process.map_or(0.0, |process| memory_mib(&process.to_string(), field));
    if let Some(process) = process {
        at_rest(process).await;
    }
    let (idle, cpu) = (memory("VmRSS:"), process.map_or(0.0, cpu_seconds));

    let began = Instant::now();
    let mut times = ingest(load, url).await;
    let seconds = began.elapsed().as_secs_f64();
    let spans: usize = load.senders.iter().map(|requests| requests.spans).sum();
    tell("spans acknowledged a second", format!("{:.0}", spans as f64 / seconds));
    tell("a request, p50 / p95 / max", Spread::of(&mut times).to_string());
    if let Some(process) = process {
        at_rest(process).await;
        let used = (cpu_seconds(process) - cpu) * 1e6 / spans as f64;
        tell("the server's CPU a span, until it rests", format!("{used:.0} µs"));
    }
    let writing = memory("VmHWM:");

    let client = Client::new();
    let mut times = list(&client, url).await;
    tell("list of the newest 50 traces, p50 / p95 / max", Spread::of(&mut times).to_string());
    let mut times = live(load, &client, url).await;
    tell(
        "from sending a request to reading its last span, p50 / p95 / max",
        Spread::of(&mut times).to_string(),
    );
    for (id, size, requests) in &load.whole {
        for body in requests {
            send(&client, url, body).await;
        }
        let (mut times, bytes) = whole(&client, url, *id, *size).await;
        let spread = format!("{} ({:.1} MB)", Spread::of(&mut times), bytes as f64 / 1e6);
        tell(&format!("a trace of {size} spans with every attribute, p50 / p95 / max"), spread);
    }
    if process.is_some() {
        let (peak, now) = (memory("VmHWM:"), memory("VmRSS:"));
        let told = format!("{idle:.0} / {writing:.0} / {peak:.0} / {now:.0} MiB");
        tell("memory: at first / most, writing / most, reading too / at last", told);
    }
    figures
}

/// Sends everything, and answers how long each request took until it was acknowledged.
async fn ingest(load: &Load, url: &str) -> Vec<Duration> {
    let url: Arc<str> = url.into();
    let mut senders = JoinSet::new();
    for requests in &load.senders {
        let (url, bodies) = (Arc::clone(&url), requests.bodies.clone());
        senders.spawn(async move {
            let (client, mut times) = (Client::new(), Vec::new());
            for body in &bodies {
                let began = Instant::now();
                send(&client, &url, body).await;
                times.push(began.elapsed());
            }
            times
        });
    }
    senders.join_all().await.concat()
}

/// Sends a request as exporters do: again, when it is told to come back.
async fn send(client: &Client, url: &str, body: &Bytes) {
    loop {
        let request = client.post(format!("{url}/v1/traces")).header(CONTENT_TYPE, "application/x-protobuf");
        let response = request.body(body.clone()).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let told = response.bytes().await.unwrap();
        if status == StatusCode::OK {
            assert!(told.is_empty(), "not all spans were taken: {}", String::from_utf8_lossy(&told));
            return;
        }
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{}", String::from_utf8_lossy(&told));
        let after = headers.get("retry-after").and_then(|after| after.to_str().ok()?.parse().ok());
        tokio::time::sleep(Duration::from_secs_f64(after.unwrap_or(0.1))).await;
    }
}

/// The time from sending a trace until its last span is read.
async fn live(load: &Load, client: &Client, url: &str) -> Vec<Duration> {
    let query = "query($id: ID!) { trace(id: $id) { skeleton { spanIds } } }";
    let mut times = Vec::new();
    for (id, body) in &load.live {
        let began = Instant::now();
        send(client, url, body).await;
        let answer = ask(client, url, query, json!({ "id": id })).await;
        times.push(began.elapsed());
        let data = data(&answer);
        assert_eq!(data["trace"]["skeleton"]["spanIds"].as_array().unwrap().len(), load.batch);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times
}

async fn list(client: &Client, url: &str) -> Vec<Duration> {
    let query = "{ traces(first: 50) { nodes {
        traceId name status startTime durationMs spanCount errorCount totalTokens totalCostUsd models } } }";
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        let answer = ask(client, url, query, json!({})).await;
        times.push(began.elapsed());
        assert!(!data(&answer)["traces"]["nodes"].as_array().unwrap().is_empty());
    }
    times
}

/// The time to read a trace with everything that was sent of it, and the bytes of the answer.
async fn whole(client: &Client, url: &str, id: Uuid, size: usize) -> (Vec<Duration>, usize) {
    let query = "query($id: ID!, $spans: Int!) { trace(id: $id) { spans(first: $spans) { nodes {
        spanId parentSpanId name operationType status statusMessage startTime endTime attributes
        events { name time attributes } } } } }";
    let (mut times, mut bytes) = (Vec::new(), 0);
    for round in 0..(TIMES * 50 / size).clamp(5, TIMES) {
        let began = Instant::now();
        let answer = ask(client, url, query, json!({ "id": id, "spans": size })).await;
        times.push(began.elapsed());
        bytes = answer.len();
        if round == 0 {
            let data = data(&answer);
            let spans = data["trace"]["spans"]["nodes"].as_array().unwrap();
            assert!(
                spans.len() == size && spans.iter().all(|span| span["attributes"]["input.value"].is_string())
            );
        }
    }
    (times, bytes)
}

/// An answer of the API as it came: reading it is not the server's work.
async fn ask(client: &Client, url: &str, query: &str, variables: Value) -> Bytes {
    let request = client.post(format!("{url}/graphql"));
    let response = request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap();
    response.bytes().await.unwrap()
}

fn data(answer: &[u8]) -> Value {
    let mut answer: Value = serde_json::from_slice(answer).unwrap();
    assert!(answer.get("errors").is_none(), "{:#}", answer["errors"]);
    answer["data"].take()
}

/// How times are spread.
struct Spread {
    middle: Duration,
    most: Duration,
    longest: Duration,
}

impl Spread {
    fn of(times: &mut [Duration]) -> Self {
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        Self { middle: at(0.5), most: at(0.95), longest: at(1.0) }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [middle, most, longest] = [self.middle, self.most, self.longest].map(|time| {
            let millis = time.as_secs_f64() * 1e3;
            if millis < 10.0 { format!("{millis:.1}") } else { format!("{millis:.0}") }
        });
        write!(f, "{middle} / {most} / {longest} ms")
    }
}
