//! GraphQL's time for a trace of 50 to 33,000 spans, in its three forms, beside the time that it takes
//! to scan the same bytes and write them as JSON with `serde_json`.
//!
//! `cargo bench --bench graphql -- --engine sled --spans 50,500,5000,33000`

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::cast_precision_loss, missing_docs)]

mod support;

use std::{collections::HashMap, sync::LazyLock, time::Instant};

use async_graphql::Request;
use clap::Parser;
use dendro::{
    engine::EngineKind,
    graphql::{self, DendroSchema, page::PageLimits, request, text},
    model::{
        SpanId, TraceId,
        ledger::NanoUsd,
        span::{SpanBody, SpanHead},
        trace::{NewTrace, TraceCompletion, TraceStatus},
    },
    service::{
        Context, Services,
        tracing::{SpanWrite, Tracing},
    },
    store::spans::BodyRequest,
};
use serde::Serialize;
use serde_json::value::RawValue;
use support::{
    open,
    workload::{LEVELS, Workload},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    /// The engine: sled, fjall or memory.
    #[arg(long, default_value = "sled")]
    engine: EngineKind,
    /// Spans of the trace; a run for each number.
    #[arg(long, value_delimiter = ',', default_value = "50,500,5000,33000")]
    spans: Vec<usize>,
    /// Times that each is measured; the median counts.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    #[arg(long, hide = true)]
    bench: bool,
}

/// A head with the twelve fields that the queries ask for.
#[derive(Serialize)]
struct Head<'a> {
    span_id: String,
    parent_id: Option<String>,
    operation_type: &'a str,
    name: &'a str,
    start_time: String,
    end_time: Option<String>,
    duration_ms: Option<f64>,
    status: &'a str,
    model: Option<&'a str>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cost_usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<&'a RawValue>,
}

impl<'a> Head<'a> {
    fn of(head: &'a SpanHead, body: Option<&'a SpanBody>) -> Self {
        let raw = |pick: fn(&SpanBody) -> &Option<dendro::model::Json>| {
            body.and_then(|body| pick(body).as_ref()).map(|json| serde_json::from_str(json.text()).unwrap())
        };
        Self {
            span_id: head.id.to_string(),
            parent_id: head.parent_id.map(|id| id.to_string()),
            operation_type: head.operation_type.text(),
            name: &head.name,
            start_time: head.start_time.to_string(),
            end_time: head.end_time.map(|end| end.to_string()),
            duration_ms: head.duration_nanos().map(|nanos| nanos as f64 / 1e6),
            status: head.status.text(),
            model: head.details.model.as_deref(),
            input_tokens: head.ledger.tokens.input,
            output_tokens: head.ledger.tokens.output,
            cost_usd: head.ledger.cost.map(NanoUsd::dollars),
            inputs: raw(|body| &body.inputs),
            outputs: raw(|body| &body.outputs),
            attributes: raw(|body| &body.attributes),
        }
    }
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let dir = tempfile::tempdir().unwrap();
    let (_engine, context) = open(arguments.engine, dir.path()).await;
    println!("| spans | what | ms | times scan and serialise | bytes |");
    println!("|---|---|---|---|---|");
    for spans in &arguments.spans {
        let id = record(&context, *spans).await;
        let rounds = arguments.rounds;
        let (plain, bytes) = median(rounds, || scan_and_serialise(&context, id, false)).await;
        row(*spans, "scan and serialise, no bodies", plain, plain, bytes);
        let (service, _) = median(rounds, || placed(&context, id)).await;
        row(*spans, "service: scan and place", service, plain, 0);
        let (full, bytes) = median(rounds, || scan_and_serialise(&context, id, true)).await;
        row(*spans, "scan and serialise, with bodies", full, full, bytes);
        for (what, selection, beside) in forms(*spans, plain, full) {
            assert_whole(&execute(&context, id, selection.clone()).await, *spans);
            let run = async || execute(&context, id, selection.clone()).await.len();
            let (taken, bytes) = median(rounds, run).await;
            row(*spans, what, taken, beside, bytes);
        }
    }
}

const FIELDS: &str =
    "spanId parentId operationType name startTime endTime durationMs status inputTokens outputTokens costUsd
    ... on LlmCallSpan { model }";

/// The forms in which GraphQL gives a whole trace, each with what it is measured beside.
fn forms(spans: usize, plain: f64, full: f64) -> Vec<(&'static str, String, f64)> {
    let nested = (1..LEVELS).fold(String::new(), |below, _| format!("children {{ {FIELDS} {below} }}"));
    let list = |more: &str| format!("spans(first: {spans}) {{ nodes {{ {FIELDS} {more} }} }}");
    let columns =
        "spanIds parents operationTypes names nameIndexes startOffsetsMs durationsMs statuses depths
        totalTokens costsUsd placements";
    vec![
        ("GraphQL: flat list", list(""), plain),
        ("GraphQL: nested children", format!("rootSpans {{ {FIELDS} {nested} }}"), plain),
        ("GraphQL: skeleton", format!("skeleton {{ {columns} }}"), plain),
        ("GraphQL: flat list with bodies", list("inputs outputs attributes"), full),
    ]
}

/// Executes a query of a trace and writes its answer, in a task as a transport does.
async fn execute(context: &Context, id: TraceId, selection: String) -> Vec<u8> {
    let services = Services::new(context.clone());
    let run = async move {
        let query = format!("{{ trace(id: \"{id}\") {{ {selection} }} }}");
        let request = request::prepare(Request::new(query), &services, &PageLimits::default());
        let response = SCHEMA.execute(request).await;
        assert!(response.is_ok(), "{:?}", response.errors);
        let mut out = Vec::new();
        text::write(&response.data, &mut out);
        out
    };
    tokio::spawn(run).await.unwrap()
}

/// Asserts that an answer has all spans: what leaves some out is not the same work.
fn assert_whole(answer: &[u8], spans: usize) {
    let answer = std::str::from_utf8(answer).unwrap();
    let told = answer.matches("\"spanId\"").count();
    assert!(told == spans || answer.contains("\"spanIds\""), "{told} of {spans} spans");
}

static SCHEMA: LazyLock<DendroSchema> = LazyLock::new(graphql::schema);

fn row(spans: usize, what: &str, ms: f64, beside: f64, bytes: usize) {
    println!("| {spans} | {what} | {ms:.2} | {:.2} | {bytes} |", ms / beside);
}

/// A complete trace of this many spans, its blocks merged.
async fn record(context: &Context, spans: usize) -> TraceId {
    let tracing = Tracing::new(context.clone());
    let mut workload = Workload::new(spans as u64);
    let trace_id = workload.trace_id();
    tracing.start_trace(NewTrace { id: Some(trace_id), ..NewTrace::default() }).await.unwrap();
    for ops in workload.spans(spans).chunks(25) {
        let writes = ops.iter().map(|op| SpanWrite { trace_id, op: op.clone() }).collect();
        tracing.write_spans(writes).await.into_iter().for_each(|outcome| drop(outcome.unwrap()));
    }
    let completion = TraceCompletion { status: TraceStatus::Completed, final_output: None, end_time: None };
    tracing.complete_trace(trace_id, completion).await.unwrap();
    trace_id
}

async fn median<F: Future<Output = usize>>(rounds: usize, run: impl Fn() -> F) -> (f64, usize) {
    let mut times = Vec::new();
    let mut bytes = 0;
    for _ in 0..rounds {
        let started = Instant::now();
        bytes = run().await;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    (times.get(rounds / 2).copied().unwrap_or_default(), bytes)
}

async fn scan_and_serialise(context: &Context, id: TraceId, with_bodies: bool) -> usize {
    let spans = context.store.trace_spans(&[id]).await.unwrap().pop().flatten().unwrap();
    let bodies: HashMap<(TraceId, SpanId), SpanBody> = if with_bodies {
        let wanted = spans.heads.iter().map(|head| (head.id, head.part_blocks())).collect();
        context.store.span_bodies(&[BodyRequest { trace_id: id, spans: wanted }], usize::MAX).await.unwrap()
    } else {
        HashMap::new()
    };
    let heads: Vec<_> = spans.heads.iter().map(|head| Head::of(head, bodies.get(&(id, head.id)))).collect();
    serde_json::to_vec(&heads).unwrap().len()
}

async fn placed(context: &Context, id: TraceId) -> usize {
    let spans = Tracing::new(context.clone()).spans(&[id]).await.unwrap();
    spans.len()
}
