//! What the senders of OpenTelemetry send: always the same for a sender and a number, so that a server that
//! was never killed can be sent it as well. Several traces at a time, children before their parents, starts
//! that are told before their ends, records that come when all is over.

use dendro::model::SpanId;
use opentelemetry_proto::tonic::{
    logs::v1::LogRecord,
    trace::v1::{Span, Status},
};
use prost::Message;
use serde_json::{Value, json};
use uuid::Uuid;

use super::said;
use crate::otlp::samples::{evaluation, int, of_logs, of_spans, span, span_id, text};

/// How many send at a time.
pub const SENDERS: u64 = 4;

/// Turns of a conversation.
pub const TURNS: u64 = 4;

/// Messages that a turn adds; the first one adds the instructions as well.
pub const MESSAGES: u64 = 4;

/// Spans of a request.
const TOGETHER: usize = 9;

/// 2026-01-01T00:00:00Z, in nanoseconds.
const BEGIN: u64 = 1_767_225_600_000_000_000;
const MILLISECOND: u64 = 1_000_000;

/// A request, and the spans that are there once it is answered: by trace and span.
pub struct Report {
    pub path: &'static str,
    pub body: Vec<u8>,
    pub spans: Vec<(Uuid, Uuid)>,
}

/// How a trace tells what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// Each call is given the whole conversation.
    Whole,
    /// Each call is given what is new.
    New,
    /// As [`Self::New`], in records that come when the trace is over.
    Late,
    /// It belongs to no conversation; a call fails, and a parent never comes.
    Alone,
}

/// A trace of a sender: the turn of this number.
#[derive(Debug, Clone, Copy)]
struct Turn {
    sender: u64,
    number: u64,
    telling: Telling,
}

/// What a sender sends at a time: a trace of each kind, and its share of one to which all senders add.
pub fn group(sender: u64, number: u64) -> Vec<Report> {
    let turns = [Telling::Whole, Telling::New, Telling::Late, Telling::Alone];
    let turns = turns.map(|telling| Turn { sender, number, telling });
    let mut spans: Vec<_> = turns.iter().flat_map(|turn| turn.spans()).collect();
    let starts = turns.iter().map(|turn| Span { end_time_unix_nano: 0, ..turn.root() }).collect();
    spans.extend(shared(sender, number));
    spans.sort_by_key(|span| span.end_time_unix_nano);
    let mut reports = vec![Report::of(starts)];
    reports.extend(spans.chunks(TOGETHER).map(|part| Report::of(part.to_vec())));
    let records = turns.iter().flat_map(|turn| turn.records()).collect();
    reports.push(Report { path: "/v1/logs", body: of_logs(records).encode_to_vec(), spans: Vec::new() });
    reports
}

impl Report {
    fn of(spans: Vec<Span>) -> Self {
        let ids = spans.iter().map(|span| (id(&span.trace_id), id(&span.span_id))).collect();
        Self { path: "/v1/traces", body: of_spans(spans).encode_to_vec(), spans: ids }
    }
}

/// An id as the API tells it: shorter ones stand at the end.
fn id(bytes: &[u8]) -> Uuid {
    Uuid::from_u128(bytes.iter().fold(0, |id, byte| id << 8 | u128::from(*byte)))
}

/// Shares of a trace to which every sender adds; the first one adds the root.
fn shared(sender: u64, number: u64) -> Vec<Span> {
    let trace = 0xff << 40 | number << 8;
    let start = BEGIN + number * 10_000 * MILLISECOND;
    let share = |span_number: u64| {
        let mut part = span(trace, span_number, start + span_number * MILLISECOND);
        part.parent_span_id = span_id(1);
        part.attributes = vec![
            text("gen_ai.operation.name", "execute_tool"),
            text("gen_ai.tool.name", "divide"),
            text("gen_ai.tool.call.result", &said::output(spread(&part))),
        ];
        part
    };
    let mut spans: Vec<_> = (0..3).map(|part| share(10 * (sender + 1) + part)).collect();
    if sender == 0 {
        let mut root = span(trace, 1, start);
        root.name = "all together".to_owned();
        root.end_time_unix_nano = start + 5_000 * MILLISECOND;
        spans.push(root);
    }
    spans
}

/// What stands for a span where texts are made.
fn spread(span: &Span) -> SpanId {
    SpanId::from_bytes(*Uuid::new_v5(&id(&span.trace_id), &span.span_id).as_bytes())
}

const ROOT: u64 = 1;
const ASKS: u64 = 2;
const TOOL: u64 = 3;
const LOOKS: u64 = 4;
const JUDGES: u64 = 5;
const ANSWERS: u64 = 6;

impl Turn {
    fn trace(&self) -> u64 {
        self.sender << 40 | self.number << 8 | self.telling as u64
    }

    /// The conversation, and which turn of it this is.
    fn conversation(&self) -> (String, u64) {
        let name = format!("{:?} {} {}", self.telling, self.sender, self.number / TURNS);
        (name, self.number % TURNS)
    }

    /// A span that runs from one moment of the trace to another. Traces of a group run side by side.
    fn span(&self, number: u64, name: &str, (from, to): (u64, u64)) -> Span {
        let moment = |step: u64| {
            BEGIN + (self.number * 10_000 + step * 10 + self.telling as u64 + 4 * self.sender) * MILLISECOND
        };
        let mut span = span(self.trace(), number, moment(from));
        span.name = name.to_owned();
        span.end_time_unix_nano = moment(to);
        span
    }

    fn root(&self) -> Span {
        let mut root = self.span(ROOT, "invoke_agent guide", (0, 9));
        root.attributes =
            vec![text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "guide")];
        if self.telling != Telling::Alone {
            let user = format!("user {}", self.sender);
            root.attributes.push(text("gen_ai.conversation.id", &self.conversation().0));
            root.attributes.push(text("user.id", &user));
        }
        root
    }

    fn spans(&self) -> Vec<Span> {
        let (mut tool, mut looks) =
            (self.span(TOOL, "execute_tool weather", (3, 6)), self.span(LOOKS, "retrieve", (4, 5)));
        tool.parent_span_id = span_id(ROOT);
        tool.attributes = vec![
            text("gen_ai.operation.name", "execute_tool"),
            text("gen_ai.tool.name", "weather"),
            text("gen_ai.tool.call.id", &format!("call {}", self.number)),
            text("gen_ai.tool.call.arguments", &json!({ "city": "Vienna" }).to_string()),
            text("gen_ai.tool.call.result", "cloudy"),
        ];
        looks.parent_span_id = span_id(if self.telling == Telling::Alone { 99 } else { TOOL });
        looks.attributes = vec![
            text("openinference.span.kind", "RETRIEVER"),
            text("input.value", "weather in Vienna"),
            // Some are larger than one value of an engine.
            text("retrieval.documents.0.document.content", &said::input(spread(&looks))),
        ];
        let calls = [(ASKS, ROOT, (1, 2)), (JUDGES, TOOL, (5, 6)), (ANSWERS, ROOT, (7, 8))];
        let calls = calls.map(|(number, parent, time)| self.call(number, parent, time));
        [vec![tool, looks, self.root()], calls.to_vec()].concat()
    }

    fn call(&self, number: u64, parent: u64, time: (u64, u64)) -> Span {
        let mut call = self.span(number, "chat gpt-4o", time);
        call.parent_span_id = span_id(parent);
        let tool = json!([{ "type": "function", "name": "weather", "parameters": { "type": "object" } }]);
        let instructions = json!([{ "type": "text", "content": self.instructions() }]);
        let tokens = i64::try_from(100 + 10 * self.number + number).unwrap();
        call.attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", "gpt-4o"),
            text("gen_ai.agent.name", "guide"),
            int("gen_ai.request.max_tokens", i64::try_from(self.sender).unwrap() + 100),
            int("gen_ai.usage.input_tokens", tokens),
            int("gen_ai.usage.output_tokens", 10),
            text("gen_ai.system_instructions", &instructions.to_string()),
            text("gen_ai.tool.definitions", &tool.to_string()),
            text("gen_ai.response.id", &format!("response {} {number}", self.trace())),
        ];
        if self.telling != Telling::Late {
            let [given, answer] = self.messages(number);
            call.attributes.push(text("gen_ai.input.messages", &given.to_string()));
            call.attributes.push(text("gen_ai.output.messages", &answer.to_string()));
        }
        if self.telling == Telling::Alone && number == ANSWERS {
            call.status = Some(Status { code: 2, message: "it took too long".to_owned() });
        }
        call
    }

    /// Each of the three comes with many calls: the versions of a prompt.
    fn instructions(&self) -> String {
        format!("You tell the weather, in the manner number {}.", self.number % 3)
    }

    /// What a call was given and what it answered.
    fn messages(&self, call: u64) -> [Value; 2] {
        let turn = self.conversation().1;
        let [question, asks, result, answer] = self.said(turn);
        let before = if self.telling == Telling::Whole { 0..turn } else { 0..0 };
        let mut given: Vec<_> = before.flat_map(|turn| self.said(turn)).collect();
        match call {
            ASKS => given.push(question),
            JUDGES => {
                let asked = json!({ "type": "text", "content": "Is it so?" });
                let told = json!({ "type": "text", "content": "It is." });
                let message = |role: &str, part| json!([{ "role": role, "parts": [part] }]);
                return [message("user", asked), message("assistant", told)];
            }
            _ if self.telling == Telling::Whole => given.extend([question, asks.clone(), result]),
            _ => given.push(result),
        }
        [json!(given), json!([if call == ASKS { asks } else { answer }])]
    }

    /// The messages of a turn of the conversation.
    fn said(&self, turn: u64) -> [Value; MESSAGES as usize] {
        let own = self.conversation().0;
        let call = format!("call {}", self.number / TURNS * TURNS + turn);
        let message = |role: &str, part: Value| json!({ "role": role, "parts": [part] });
        let text = |text: String| json!({ "type": "text", "content": text });
        let asks =
            json!({ "type": "tool_call", "id": call, "name": "weather", "arguments": { "turn": turn } });
        let result = json!({ "type": "tool_call_response", "id": call, "response": "cloudy" });
        [
            message("user", text(format!("Question {turn} of {own}: what will the weather be?"))),
            message("assistant", asks),
            message("tool", result),
            message("assistant", text(format!("Answer {turn} of {own}: cloudy, with some sun."))),
        ]
    }

    /// What comes when the trace is over.
    fn records(&self) -> Vec<LogRecord> {
        let root = self.root();
        let time = root.end_time_unix_nano;
        if self.telling != Telling::Late {
            return vec![evaluation(self.trace(), ROOT, time, 0.5)];
        }
        let record = |call: u64| {
            let [given, answer] = self.messages(call);
            let mut record = evaluation(self.trace(), call, time + call, 0.0);
            record.event_name = "gen_ai.client.inference.operation.details".to_owned();
            record.attributes = vec![
                text("gen_ai.input.messages", &given.to_string()),
                text("gen_ai.output.messages", &answer.to_string()),
            ];
            record
        };
        vec![record(ASKS), record(ANSWERS)]
    }
}
