//! Two hundred traces of fifty spans, always the same: agents that call models and tools, with what makes
//! order matter: starts that are announced, spans that are sent again, records that come apart, broken trees.

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value as Any},
    logs::v1::LogRecord,
    trace::v1::{Span, Status, span},
};

use super::{
    bed::NOW,
    samples::{attribute, evaluation, int, span as plain, span_id, text, trace_id},
};

pub const TRACES: u64 = 200;
pub const SPANS: u64 = 50;

/// What a sender sends.
#[derive(Clone)]
pub enum Item {
    Span(Box<Span>),
    Log(Box<LogRecord>),
}

/// Everything, in the order in which it happens.
pub fn everything() -> Vec<Item> {
    (0..TRACES).flat_map(of_trace).collect()
}

/// An hour before now, a second apart.
fn begin(trace: u64) -> u64 {
    NOW as u64 - 3_600_000_000_000 + trace * 1_000_000_000
}

fn of_trace(trace: u64) -> Vec<Item> {
    let mut items = Vec::new();
    for number in 1..=SPANS {
        let span = span(trace, number);
        let mut push = |span: Span| items.push(Item::Span(Box::new(span)));
        if number % 8 == 0 {
            push(announced(&span));
        }
        if number % 9 == 0 {
            push(Span { end_time_unix_nano: 0, status: None, events: Vec::new(), ..span.clone() });
        }
        if number % 24 == 0 {
            // It ends twice: what ended later holds.
            let end_time_unix_nano = span.end_time_unix_nano - 500;
            push(Span { end_time_unix_nano, name: "the first end".to_owned(), ..span.clone() });
        }
        push(span);
        items.extend(records(trace, number).into_iter().map(|record| Item::Log(Box::new(record))));
    }
    if trace % 10 == 6 {
        // The root never ends.
        for item in &mut items {
            if let Item::Span(span) = item
                && span.span_id == span_id(1)
            {
                span.end_time_unix_nano = 0;
            }
        }
    }
    items
}

fn span(trace: u64, number: u64) -> Span {
    let start = begin(trace) + number * 1_000_000;
    let mut span = plain(trace, number, start);
    span.end_time_unix_nano = start + (2 * SPANS - number) * 1_000_000 + number % 3;
    span.parent_span_id = parent(trace, number).map_or_else(Vec::new, span_id);
    span.attributes = attributes(trace, number);
    if number.is_multiple_of(11) {
        span.status = Some(Status { code: 2, message: "it failed".to_owned() });
        let attributes = vec![text("exception.type", "Refused"), text("exception.message", "it failed")];
        let time_unix_nano = start + 5;
        span.events = vec![span::Event {
            name: "exception".to_owned(),
            time_unix_nano,
            attributes,
            ..span::Event::default()
        }];
    }
    if number.is_multiple_of(13) {
        let trace_id = trace_id((trace + 1) % TRACES);
        span.links = vec![span::Link { trace_id, span_id: span_id(number), ..span::Link::default() }];
    }
    span
}

/// Trees of three branches, some of them broken.
fn parent(trace: u64, number: u64) -> Option<u64> {
    match (trace % 10, number) {
        // A circle of two, with a branch below it.
        (3, 10) => Some(11),
        (3, 11) => Some(10),
        // A span that is its own parent.
        (7, 20) => Some(20),
        // The parent of all lives elsewhere.
        (4, 1) => Some(9_999),
        // Two roots.
        (5, 2) => None,
        (_, 1) => None,
        _ => Some((number + 1) / 3),
    }
}

fn attributes(trace: u64, number: u64) -> Vec<KeyValue> {
    let mut attributes = vec![int("number", i64::try_from(number).unwrap()), text("said by", "the span")];
    let operation = match number {
        1 => "invoke_agent",
        _ if number.is_multiple_of(5) => "chat",
        _ if number % 5 == 1 => "execute_tool",
        _ if number.is_multiple_of(7) => "retrieval",
        _ => "",
    };
    if !operation.is_empty() {
        attributes.push(text("gen_ai.operation.name", operation));
    }
    match operation {
        "invoke_agent" => attributes.push(text("gen_ai.agent.name", "guide")),
        "chat" => {
            let said =
                format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"question {number}"}}]}}]"#);
            attributes.extend([
                text("gen_ai.request.model", ["gpt-4o", "gpt-4o-mini"][usize::try_from(number % 2).unwrap()]),
                text("gen_ai.provider.name", "openai"),
                text("gen_ai.system_instructions", r#"[{"type":"text","content":"Be brief."}]"#),
                text("gen_ai.input.messages", &said),
                int("gen_ai.usage.input_tokens", 100 + i64::try_from(number).unwrap()),
                int("gen_ai.usage.output_tokens", 10),
                int("gen_ai.usage.cache_read.input_tokens", 64),
                // The spans 15 and 20 tell of one call.
                text(
                    "gen_ai.response.id",
                    &format!("answer-{trace}-{}", if number == 20 { 15 } else { number }),
                ),
            ]);
        }
        "execute_tool" => attributes.extend([
            text("gen_ai.tool.name", "weather"),
            text("gen_ai.tool.call.id", &format!("call_{number}")),
            text("gen_ai.tool.call.arguments", r#"{"city":"Vienna"}"#),
        ]),
        _ => {}
    }
    if number.is_multiple_of(17) {
        attributes.push(attribute("gen_ai.usage.cost", Any::DoubleValue(0.25)));
    }
    // The session and the user are told by some spans, and not by one voice.
    if number.is_multiple_of(6) {
        attributes.push(text("user.id", &format!("user-{}", number / 12)));
        if trace.is_multiple_of(4) {
            attributes.push(text("session.id", &format!("session-{trace}-{}", number / 30)));
        }
    }
    attributes
}

/// Logfire's word that a span has started: a span of its own below it.
fn announced(span: &Span) -> Span {
    let parent = if span.parent_span_id.is_empty() { vec![0; 8] } else { span.parent_span_id.clone() };
    let hex: String = parent.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut announced = Span {
        span_id: [0xff; 8].iter().zip(&span.span_id).map(|(a, b)| a ^ b).collect(),
        parent_span_id: span.span_id.clone(),
        end_time_unix_nano: span.start_time_unix_nano,
        status: None,
        events: Vec::new(),
        links: Vec::new(),
        ..span.clone()
    };
    announced
        .attributes
        .extend([text("logfire.span_type", "pending_span"), text("logfire.pending_parent_id", &hex)]);
    announced
}

/// What comes apart from a span, all of it before the span ends.
fn records(trace: u64, number: u64) -> Vec<LogRecord> {
    let time = begin(trace) + number * 1_000_000 + 10;
    let record = |name: &str, time_unix_nano: u64, attributes: Vec<KeyValue>| LogRecord {
        time_unix_nano,
        trace_id: trace_id(trace),
        span_id: span_id(number),
        event_name: name.to_owned(),
        attributes,
        ..LogRecord::default()
    };
    let mut records = Vec::new();
    if number.is_multiple_of(10) {
        let answer = r#"[{"role":"assistant","parts":[{"type":"text","content":"answer"}]}]"#;
        records.push(record(
            "gen_ai.client.inference.operation.details",
            time,
            vec![
                text("gen_ai.operation.name", "chat"),
                text("gen_ai.output.messages", answer),
                text("gen_ai.response.model", "gpt-4o-2024"),
                text("said by", "the record"),
                text("only in", "the record"),
            ],
        ));
    }
    if number.is_multiple_of(15) {
        records.push(evaluation(trace, number, time, 0.5));
        for (step, name) in
            ["gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.choice"].iter().enumerate()
        {
            records.push(record(
                name,
                time + 1 + step as u64,
                vec![text("content", &format!("{name} {step}"))],
            ));
        }
    }
    if trace % 10 == 8 && number == 50 {
        // Of a span that never comes.
        let mut lonely = record("gen_ai.user.message", time, vec![text("content", "is anyone there?")]);
        lonely.span_id = span_id(500);
        records.push(lonely);
    }
    records
}
