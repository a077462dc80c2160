//! Spans as instrumented agents send them over OTLP, about 5.5 kB each: model calls, tools, retrievers,
//! chains and agents with texts, tokens, models, users and errors, in OpenTelemetry's attributes and in
//! OpenInference's. The same numbers give the same spans.

use std::ops::Range;

use bytes::Bytes;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event},
};
use prost::Message;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::{phrases::Phrases, workload::LEVELS};

/// Traces that one sender has under way at a time.
pub const AT_ONCE: u64 = 4;

/// 2025-06-01T00:00:00Z, in nanoseconds: behind every clock. Traces start eight seconds apart.
const BEGIN: u64 = 1_748_736_000_000_000_000;
const APART: u64 = 8_000_000_000;

/// Turns of a conversation: each is a trace.
const TURNS: u64 = 5;

const MODELS: &[&str] = &["gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-pro"];
const TOOLS: &[&str] = &["search_web", "run_sql", "read_file", "send_email", "get_weather", "python"];
const AGENTS: &[&str] = &["planner", "researcher", "support_agent", "coder"];

/// Makes spans of agents.
pub struct Agents {
    phrases: Phrases,
    /// What each agent is told to be.
    instructions: Vec<String>,
}

/// Requests that were encoded, and how many spans they have.
#[derive(Default)]
pub struct Requests {
    pub bodies: Vec<Bytes>,
    pub spans: usize,
}

impl Default for Agents {
    fn default() -> Self {
        let (phrases, mut rng) = (Phrases::new(4_000, 20_000), StdRng::seed_from_u64(1));
        let instructions = AGENTS.iter().map(|_| phrases.text(&mut rng, 400)).collect();
        Self { phrases, instructions }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Llm,
    Tool,
    Retriever,
    Chain,
    Agent,
}

/// Where a span stands in its trace.
struct Place {
    kind: Kind,
    above: usize,
    begin: u64,
    end: u64,
}

impl Agents {
    /// Whole traces, several at a time, in requests of `batch` spans in the order in which they end.
    pub fn requests(&self, traces: Range<u64>, spans: usize, batch: usize) -> Requests {
        let mut requests = Requests::default();
        let numbers: Vec<_> = traces.collect();
        for together in numbers.chunks(AT_ONCE as usize) {
            let mut spans: Vec<_> = together.iter().flat_map(|trace| self.trace(*trace, spans)).collect();
            spans.sort_by_key(|span| span.end_time_unix_nano);
            requests.spans += spans.len();
            requests.bodies.extend(spans.chunks(batch).map(|part| encode(part.to_vec())));
        }
        requests
    }

    /// The spans of a trace in the order in which they end: children before their parents.
    pub fn trace(&self, number: u64, count: usize) -> Vec<Span> {
        let mut rng = StdRng::seed_from_u64(number);
        let places = places(&mut rng, BEGIN + number * APART, count);
        let ids: Vec<[u8; 8]> = places.iter().map(|_| rng.random()).collect();
        let mut spans: Vec<_> = places
            .iter()
            .enumerate()
            .map(|(index, place)| Span {
                trace_id: trace_id(number).to_vec(),
                span_id: ids[index].to_vec(),
                parent_span_id: if index == 0 { Vec::new() } else { ids[place.above].to_vec() },
                start_time_unix_nano: place.begin,
                end_time_unix_nano: place.end,
                ..self.span(&mut rng, place, number)
            })
            .collect();
        spans.sort_by_key(|span| span.end_time_unix_nano);
        spans
    }

    /// A span without its place.
    fn span(&self, rng: &mut StdRng, place: &Place, number: u64) -> Span {
        let session = format!("conv-{:08}", number / (AT_ONCE * TURNS) * AT_ONCE + number % AT_ONCE);
        let mut attributes = vec![
            text("openinference.span.kind", &format!("{:?}", place.kind).to_uppercase()),
            text("session.id", &session),
            text("gen_ai.conversation.id", &session),
            text("user.id", &format!("user-{}", number % 500)),
        ];
        let (name, given, told) = match place.kind {
            Kind::Llm => self.call(rng, &mut attributes),
            Kind::Tool => self.tool(rng, &mut attributes),
            Kind::Retriever => self.retriever(rng),
            Kind::Chain | Kind::Agent => self.task(rng, place.kind, &mut attributes),
        };
        attributes.extend([
            text("input.value", &given.to_string()),
            text("input.mime_type", "application/json"),
            text("output.value", &told.to_string()),
            text("output.mime_type", "application/json"),
        ]);
        let kind = if place.kind == Kind::Llm { 3 } else { 1 };
        let span = Span { name, kind, attributes, status: Some(status(1, "")), ..Span::default() };
        let fails = matches!(place.kind, Kind::Llm | Kind::Tool) && rng.random_bool(0.03);
        if fails { self.failed(rng, span, place.end) } else { span }
    }

    fn call(&self, rng: &mut StdRng, attributes: &mut Vec<KeyValue>) -> (String, Value, Value) {
        let model = one_of(rng, MODELS);
        let (asked, said) = (rng.random_range(200..6_000), rng.random_range(20..900));
        let instructions = &self.instructions[rng.random_range(0..self.instructions.len())];
        let (prompt, reply) = (self.text(rng), self.text(rng));
        let turns = [("system", instructions), ("user", &prompt)];
        let parts =
            |role: &str, said: &str| json!({ "role": role, "parts": [{ "type": "text", "content": said }] });
        let given: Vec<_> = turns.iter().map(|(role, said)| parts(role, said)).collect();
        let plain = |role: &str, said: &str| json!({ "role": role, "content": said });
        attributes.extend([
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", model),
            text("gen_ai.response.model", model),
            attribute("gen_ai.request.temperature", Any::DoubleValue(0.2)),
            int("gen_ai.usage.input_tokens", asked),
            int("gen_ai.usage.output_tokens", said),
            texts("gen_ai.response.finish_reasons", &["stop"]),
            text("llm.model_name", model),
            int("llm.token_count.prompt", asked),
            int("llm.token_count.completion", said),
            int("llm.token_count.total", asked + said),
            text("gen_ai.input.messages", &json!(given).to_string()),
            text("gen_ai.output.messages", &json!([parts("assistant", &reply)]).to_string()),
        ]);
        let given: Vec<_> = turns.iter().map(|(role, said)| plain(role, said)).collect();
        let told = json!({ "choices": [{ "message": plain("assistant", &reply) }] });
        (format!("chat {model}"), json!({ "messages": given }), told)
    }

    fn tool(&self, rng: &mut StdRng, attributes: &mut Vec<KeyValue>) -> (String, Value, Value) {
        let tool = one_of(rng, TOOLS);
        attributes.extend([
            text("gen_ai.operation.name", "execute_tool"),
            text("gen_ai.tool.name", tool),
            text("gen_ai.tool.call.id", &format!("call_{:016x}", rng.random::<u64>())),
            text("tool.name", tool),
        ]);
        let given = json!({ "query": self.text(rng), "limit": rng.random_range(1..50) });
        (format!("execute_tool {tool}"), given, json!({ "result": self.text(rng) }))
    }

    fn retriever(&self, rng: &mut StdRng) -> (String, Value, Value) {
        let third = size(rng) / 3;
        let documents: Vec<_> = (0..3)
            .map(|_| {
                let content = self.phrases.text(rng, third);
                json!({ "id": format!("doc-{}", rng.random_range(1..10_000)), "content": content })
            })
            .collect();
        ("retrieve".to_owned(), json!({ "query": self.text(rng) }), json!({ "documents": documents }))
    }

    fn task(&self, rng: &mut StdRng, kind: Kind, attributes: &mut Vec<KeyValue>) -> (String, Value, Value) {
        let mut name = "step".to_owned();
        if kind == Kind::Agent {
            let agent = one_of(rng, AGENTS);
            attributes.push(text("gen_ai.operation.name", "invoke_agent"));
            attributes.push(text("gen_ai.agent.name", agent));
            name = format!("invoke_agent {agent}");
        }
        (name, json!({ "task": self.text(rng) }), json!({ "answer": self.text(rng) }))
    }

    fn failed(&self, rng: &mut StdRng, mut span: Span, time_unix_nano: u64) -> Span {
        span.attributes.push(text("error.type", "TimeoutError"));
        let attributes = vec![
            text("exception.type", "TimeoutError"),
            text("exception.message", "upstream timed out"),
            text("exception.stacktrace", &self.phrases.text(rng, 600)),
        ];
        let name = "exception".to_owned();
        span.events = vec![Event { name, time_unix_nano, attributes, ..Event::default() }];
        Span { status: Some(status(2, "upstream timed out")), ..span }
    }

    fn text(&self, rng: &mut StdRng) -> String {
        let size = size(rng);
        self.phrases.text(rng, size)
    }
}

/// The id of a trace.
pub fn trace_id(number: u64) -> [u8; 16] {
    let spread = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (u128::from(spread) << 64 | u128::from(number)).to_be_bytes()
}

/// The body of a request.
pub fn encode(spans: Vec<Span>) -> Bytes {
    let of_resource = [
        ("service.name", "bench-agent"),
        ("service.version", "1.4.2"),
        ("telemetry.sdk.language", "python"),
        ("deployment.environment.name", "bench"),
    ];
    let attributes = of_resource.iter().map(|(name, value)| text(name, value)).collect();
    let scope = InstrumentationScope {
        name: "bench.instrumentation".to_owned(),
        version: "0.9".to_owned(),
        ..InstrumentationScope::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    };
    request.encode_to_vec().into()
}

/// Bytes of a text: most are short.
fn size(rng: &mut StdRng) -> usize {
    if rng.random_bool(0.75) { rng.random_range(200..900) } else { rng.random_range(2_000..7_000) }
}

/// A tree of an agent's work, and when each of it begins and ends: one after the other, depth first.
fn places(rng: &mut StdRng, start: u64, count: usize) -> Vec<Place> {
    let mut places = vec![Place { kind: Kind::Agent, above: 0, begin: start, end: start }];
    let mut below = vec![Vec::new()];
    let mut open = vec![0];
    for index in 1..count {
        let kind = match rng.random_range(0..100) {
            0..42 => Kind::Llm,
            42..72 => Kind::Tool,
            72..82 => Kind::Retriever,
            82..93 => Kind::Chain,
            _ => Kind::Agent,
        };
        if open.len() == LEVELS - 1 {
            open.truncate(rng.random_range(1..LEVELS - 1));
        }
        let above = open[open.len() - rng.random_range(1..=open.len().min(3))];
        if matches!(kind, Kind::Chain | Kind::Agent) {
            open.push(index);
        }
        places.push(Place { kind, above, begin: 0, end: 0 });
        below.push(Vec::new());
        below[above].push(index);
    }
    let (mut clock, mut stack) = (start, vec![(0, 0)]);
    while let Some((index, done)) = stack.pop() {
        if let Some(next) = below[index].get(done) {
            stack.push((index, done + 1));
            clock += rng.random_range(50_000..2_000_000);
            places[*next].begin = clock;
            stack.push((*next, 0));
        } else {
            let busy = if places[index].kind == Kind::Llm { 900..4_000 } else { 5..300 };
            clock += rng.random_range(busy) * 1_000_000 / (count as u64 / 50).max(1);
            places[index].end = clock;
        }
    }
    places
}

fn status(code: i32, message: &str) -> Status {
    Status { code, message: message.to_owned() }
}

fn one_of<'a>(rng: &mut StdRng, names: &[&'a str]) -> &'a str {
    names[rng.random_range(0..names.len())]
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.to_owned()))
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Any::IntValue(value))
}

fn texts(key: &str, values: &[&str]) -> KeyValue {
    let value = |value: &&str| AnyValue { value: Some(Any::StringValue((*value).to_owned())) };
    attribute(key, Any::ArrayValue(ArrayValue { values: values.iter().map(value).collect() }))
}
