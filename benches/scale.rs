//! What questions cost in a small database and in a large one: the same questions of a server over each, in turns. The
//! ratio is the figure.
//!
//! `cargo bench --bench scale -- --spawn target/release/dendro --engine fjall --spans 10000,1000000`

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs
)]

mod support;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::Parser;
use dendro::engine::EngineKind;
use reqwest::{Client, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};
use support::{
    agents::{Agents, encode, trace_id},
    disk_bytes, memory_mib,
    server::{Spawned, at_rest},
};

#[derive(Parser)]
struct Arguments {
    /// The engine: sled or fjall.
    #[arg(long, default_value = "fjall")]
    engine: EngineKind,
    /// The server.
    #[arg(long, default_value = "target/release/dendro")]
    spawn: PathBuf,
    /// Spans of each database; the questions are asked of each.
    #[arg(long, value_delimiter = ',', default_value = "10000,1000000")]
    spans: Vec<u64>,
    /// How often each question is asked; the median is told.
    #[arg(long, default_value_t = 31)]
    rounds: usize,
    /// Where the databases are made.
    #[arg(long, default_value = "target/bench-data")]
    dir: PathBuf,
    #[arg(long, hide = true)]
    bench: bool,
}

const SPANS_PER_TRACE: u64 = 50;
const BATCH: usize = 25;
const SENDERS: u64 = 4;

/// The trace that is analysed: its number, which no other has because theirs are even, and its spans.
const LARGE: (u64, usize) = (131_777, 5_000);

/// Numbers of traces in 30 days: they start eight seconds apart.
const MONTH: u64 = 30 * 24 * 3_600 / 8;

/// 2025-06-01, when the first trace starts.
const FROM: &str = "2025-06-01T00:00:00Z";
const UNTIL: &str = "2025-07-01T00:00:00Z";

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let client = Client::new();
    let mut filled = Vec::new();
    for spans in &arguments.spans {
        filled.push(Filled::begin(&arguments, &client, *spans).await);
    }
    let mut asked = Vec::new();
    for database in &filled {
        asked.push(questions(&client, &database.server.url).await);
    }
    let sizes: Vec<_> = arguments.spans.iter().map(|spans| format!("{spans} spans")).collect();
    println!("| {} | {} | ratio |", arguments.engine, sizes.join(" | "));
    println!("|---|{}---|", "---|".repeat(sizes.len()));
    for (row, (question, ..)) in asked[0].iter().enumerate() {
        // In turns, because a machine is not as fast at every minute.
        let mut times = vec![Vec::with_capacity(arguments.rounds); filled.len()];
        for _ in 0..arguments.rounds {
            for (place, database) in filled.iter().enumerate() {
                let (_, document, variables) = &asked[place][row];
                let began = Instant::now();
                ask(&client, &database.server.url, document, variables.clone()).await;
                times[place].push(began.elapsed());
            }
        }
        let medians: Vec<_> = times.into_iter().map(median).collect();
        let shown: Vec<_> =
            medians.iter().map(|time| format!("{:.1} ms", time.as_secs_f64() * 1e3)).collect();
        let ratio = medians.last().unwrap().as_secs_f64() / medians[0].as_secs_f64();
        println!("| {question} | {} | {ratio:.1} |", shown.join(" | "));
    }
    filled.into_iter().for_each(Filled::end);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A database of some size, and a server over it.
struct Filled {
    server: Spawned,
    data: PathBuf,
}

impl Filled {
    async fn begin(arguments: &Arguments, client: &Client, spans: u64) -> Self {
        let data = arguments.dir.join(format!("scale-{}-{spans}", arguments.engine));
        let _ = std::fs::remove_dir_all(&data);
        let server = Spawned::start(&arguments.spawn, arguments.engine, &data);
        let traces = spans / SPANS_PER_TRACE;
        let began = Instant::now();
        fill(client, &server.url, traces).await;
        let sent = began.elapsed();
        let counted = format!(
            "{{ timeSeries(input: {{from: \"2025-01-01T00:00:00Z\", until: \"{UNTIL}\", bucket: DAY}}) {{ groups {{ total {{ traces {{ count }} }} }} }} }}"
        );
        loop {
            let data = ask(client, &server.url, &counted, json!({})).await;
            let count =
                data["timeSeries"]["groups"][0]["total"]["traces"]["count"].as_str().map(str::parse::<u64>);
            // And the large one.
            if count.is_some_and(|count| count.unwrap() > traces) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let followed = began.elapsed();
        // The index of texts comes behind it.
        let unsearched = "{ search(text: \"no-such-text\") { unsearchedTraceCount } }";
        while ask(client, &server.url, unsearched, json!({})).await["search"]["unsearchedTraceCount"]
            != json!(0)
        {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        at_rest(server.id()).await;
        let of = server.id().to_string();
        eprintln!(
            "{spans} spans: sent in {:.1} s, counted after {:.1} s, texts found after {:.1} s; {:.0} MiB at the peak \
             ({:.0} MiB without pages of files now), {:.0} bytes a span on disk",
            sent.as_secs_f64(),
            followed.as_secs_f64(),
            began.elapsed().as_secs_f64(),
            memory_mib(&of, "VmHWM:"),
            memory_mib(&of, "RssAnon:"),
            disk_bytes(&data) as f64 / spans as f64
        );
        Self { server, data }
    }

    fn end(self) {
        self.server.stop();
        std::fs::remove_dir_all(&self.data).unwrap();
    }
}

/// Traces spread over a month, and a large one.
async fn fill(client: &Client, url: &str, traces: u64) {
    let (agents, next) = (Arc::new(Agents::default()), Arc::new(AtomicU64::new(0)));
    let senders = (0..SENDERS).map(|_| {
        let (agents, next, client, url) =
            (Arc::clone(&agents), Arc::clone(&next), client.clone(), url.to_owned());
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= traces {
                    break;
                }
                let spans = agents.trace(number * (MONTH / traces).max(1), SPANS_PER_TRACE as usize);
                for part in spans.chunks(BATCH) {
                    send(&client, &url, &encode(part.to_vec())).await;
                }
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    for part in agents.trace(LARGE.0, LARGE.1).chunks(500) {
        send(client, url, &encode(part.to_vec())).await;
    }
}

async fn send(client: &Client, url: &str, body: &Bytes) {
    loop {
        let request = client.post(format!("{url}/v1/traces")).header(CONTENT_TYPE, "application/x-protobuf");
        let status = request.body(body.clone()).send().await.unwrap().status();
        if status == StatusCode::OK {
            return;
        }
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn ask(client: &Client, url: &str, document: &str, variables: Value) -> Value {
    let body = json!({"query": document, "variables": variables}).to_string();
    let request = client.post(format!("{url}/graphql")).header(CONTENT_TYPE, "application/json").body(body);
    let text = request.send().await.unwrap().text().await.unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert!(answer["errors"].is_null(), "{document}: {answer:#}");
    answer["data"].clone()
}

async fn questions(client: &Client, url: &str) -> Vec<(&'static str, String, Value)> {
    let traces = |arguments: &str| {
        format!(
            "{{ queryTraces({arguments}) {{ nodes {{ traceId name status totalCostUsd }} pageInfo {{ hasNextPage }} }} }}"
        )
    };
    let versions =
        "{ components(first: 50) { nodes { componentId versions(first: 2) { nodes { versionHash } } } } }";
    let found = ask(client, url, versions, json!({})).await;
    let two = found["components"]["nodes"].as_array().unwrap().iter().find_map(|component| {
        let hash = |index: usize| component["versions"]["nodes"][index]["versionHash"].as_str();
        Some(json!({"c": component["componentId"], "a": hash(0)?, "b": hash(1)?}))
    });
    let id = uuid::Uuid::from_bytes(trace_id(LARGE.0)).to_string();
    let measure = "count failureRate totalTokens totalCostUsd durationMs { p50 p95 }";
    vec![
        (
            "analysis of a trace of 5,000 spans",
            "query($id: ID!) { trace(id: $id) { analysis { durationMs operations { operationType } criticalPath { durationMs }
              concurrency { peak average } slowestSpans(first: 10) { span { name } } costliestSpans(first: 10) { span { name } }
              failures(first: 10) { span { name } } retryTotals { attemptCount } } } }"
                .to_owned(),
            json!({"id": id}),
        ),
        ("the newest failed tool calls of one tool", traces("where: {span: {tools: [\"run_sql\"], statuses: [ERROR]}}, first: 10"), json!({})),
        ("a user's traces, the costliest first", traces("where: {userIds: [\"user-20\"]}, orderBy: {field: COST}, first: 5"), json!({})),
        ("the slowest traces of a model", traces("where: {models: [\"gpt-4o\"]}, orderBy: {field: DURATION}"), json!({})),
        ("the newest traces by an attribute", traces("where: {span: {attribute: {key: \"error.type\", is: \"TimeoutError\"}}, startTime: {from: \"2025-06-25T00:00:00Z\"}}, first: 10"), json!({})),
        (
            "full text, first page",
            "{ search(text: \"\\\"upstream timed out\\\"\", in: [ERROR], first: 10) { nodes { trace { traceId } } } }".to_owned(),
            json!({}),
        ),
        ("a text and a condition", traces("where: {text: {query: \"upstream timed\"}, models: [\"gpt-4o\"], startTime: {from: \"2025-06-28T00:00:00Z\"}}, first: 10"), json!({})),
        (
            "a chart of 30 days by model",
            format!("{{ timeSeries(input: {{from: \"{FROM}\", until: \"{UNTIL}\", bucket: DAY, groupBy: MODEL}}) {{ groups {{ value points {{ start spans {{ {measure} }} }} }} }} }}"),
            json!({}),
        ),
        (
            "a chart of 30 days by the hour",
            format!("{{ timeSeries(input: {{from: \"{FROM}\", until: \"{UNTIL}\", bucket: HOUR}}) {{ groups {{ points {{ start traces {{ {measure} }} }} }} }} }}"),
            json!({}),
        ),
        (
            "two versions compared",
            "query($c: ID!, $a: String!, $b: String!) { compareVersions(a: {componentId: $c, versionHash: $a}, b: {componentId: $c, versionHash: $b}) {
              differences { figure a { count value } b { count value } difference low high outcome } } }"
                .to_owned(),
            two.expect("a component with two versions"),
        ),
    ]
}
