//! The plainest reading of what a trace is after some writes: maps, and no cleverness.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use dendro::{
    model::{
        Json, Refusal, SpanId, Timestamp,
        component::{ComponentRef, VersionHash},
        ledger::{NanoUsd, TokenCounts},
        span::{
            NewSpan, OperationType, SpanAction, SpanBody, SpanChanges, SpanCompletion, SpanEvent, SpanHead,
            SpanLink, SpanOp, SpanStatus,
        },
        trace::TraceStatus,
    },
    service::ServiceError,
};
use proptest::prelude::*;

use crate::support::spans::{span_id, trace_id};

/// What a write says, in small numbers.
#[derive(Debug, Clone)]
pub struct Said {
    pub name: Option<u8>,
    pub tokens: Option<u64>,
    pub cost: Option<i64>,
    pub model: Option<u8>,
    pub component: Option<u8>,
    pub inputs: Option<Text>,
    pub outputs: Option<Text>,
    pub attributes: BTreeMap<u8, u8>,
    pub events: u8,
    pub links: u8,
}

/// A text that is short, or so long that it fills a block of bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    letter: u8,
    long: bool,
}

/// One write to one span.
#[derive(Clone)]
pub struct Op {
    pub span: u64,
    pub kind: Kind,
    pub said: Said,
}

#[derive(Debug, Clone)]
pub enum Kind {
    Create(Born),
    Record(Born),
    Update,
    Complete { status: SpanStatus, end: Option<i64> },
}

/// What only a new span says.
#[derive(Debug, Clone)]
pub struct Born {
    pub parent: Option<u64>,
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub status: Option<SpanStatus>,
}

/// How a write went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Written,
    Invalid,
    NotFound,
    AlreadyExists,
    Illegal,
    Limit,
}

impl Outcome {
    pub fn of<T>(result: &Result<T, ServiceError>) -> Self {
        match result {
            Ok(_) => Self::Written,
            Err(ServiceError::Refused(refusal)) => match refusal {
                Refusal::Invalid { .. } => Self::Invalid,
                Refusal::NotFound { .. } => Self::NotFound,
                Refusal::AlreadyExists { .. } => Self::AlreadyExists,
                Refusal::IllegalTransition { .. } => Self::Illegal,
                Refusal::LimitExceeded { .. } => Self::Limit,
            },
            Err(error) => panic!("{error}"),
        }
    }
}

/// A span as the model has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MSpan {
    pub name: String,
    pub parent: Option<u64>,
    pub start: i64,
    pub end: Option<i64>,
    pub status: SpanStatus,
    pub tokens: Option<u64>,
    pub cost: Option<i64>,
    pub model: Option<String>,
    pub components: BTreeSet<u8>,
    pub inputs: Option<String>,
    pub outputs: Option<String>,
    pub attributes: BTreeMap<String, u8>,
    pub events: Vec<String>,
    pub links: usize,
}

/// A trace as the model has it.
#[derive(Debug, Clone, Default)]
pub struct MTrace {
    pub ended: Option<TraceStatus>,
    pub spans: BTreeMap<u64, MSpan>,
}

/// The spans that the model's traces may have.
pub const MAX_SPANS: usize = 9;

/// On one line, and only what is said: a failed property prints many of them.
impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Said { name, tokens, cost, model, component, inputs, outputs, attributes, events, links } =
            &self.said;
        let mut text = format!("span {}: {:?}", self.span, self.kind);
        let mut say = |field: &str, value: Option<String>| {
            if let Some(value) = value {
                text += &format!(", {field} {value}");
            }
        };
        say("name", name.map(|name| name.to_string()));
        say("tokens", tokens.map(|tokens| tokens.to_string()));
        say("cost", cost.map(|cost| cost.to_string()));
        say("model", model.map(|model| model.to_string()));
        say("component", component.map(|component| component.to_string()));
        say("inputs", inputs.map(|inputs| format!("{inputs:?}")));
        say("outputs", outputs.map(|outputs| format!("{outputs:?}")));
        say("attributes", (!attributes.is_empty()).then(|| format!("{attributes:?}")));
        say("events", (*events > 0).then(|| events.to_string()));
        say("links", (*links > 0).then(|| links.to_string()));
        f.write_str(&text)
    }
}

impl Text {
    fn json(self) -> Json {
        let count = if self.long { 150 << 10 } else { 3 };
        Json::string(&char::from(b'a' + self.letter % 26).to_string().repeat(count))
    }
}

/// A text as a failed assertion can show it.
fn shown(json: Option<&Json>) -> Option<String> {
    json.map(|json| format!("{} × {}", json.text().len(), &json.text()[..2]))
}

impl Said {
    pub fn changes(&self) -> SpanChanges {
        let member = |(key, value): (&u8, &u8)| (format!("k{key}"), *value);
        let members: BTreeMap<String, u8> = self.attributes.iter().map(member).collect();
        let event = |index| SpanEvent {
            name: format!("e{}.{index}", self.name.unwrap_or(0)),
            time: Timestamp::from_nanos(0),
            attributes: None,
        };
        let body = SpanBody {
            inputs: self.inputs.map(Text::json),
            outputs: self.outputs.map(Text::json),
            attributes: (!members.is_empty()).then(|| Json::from_value(&members).unwrap()),
            events: (0..self.events).map(event).collect(),
            links: (0..self.links)
                .map(|_| SpanLink { trace_id: trace_id(9), span_id: None, attributes: None })
                .collect(),
            ..SpanBody::default()
        };
        let mut changes = SpanChanges {
            name: self.name.map(|name| format!("n{name}")),
            tokens: self.tokens.map(|input| TokenCounts { input: Some(input), ..TokenCounts::default() }),
            cost: self.cost.map(NanoUsd::from_nanos),
            components: self.component.map(component).into_iter().collect(),
            body,
            ..SpanChanges::default()
        };
        changes.details.model = self.model.map(|model| format!("m{model}"));
        changes
    }

    fn apply(&self, span: &mut MSpan) {
        span.tokens = self.tokens.or(span.tokens);
        span.cost = self.cost.or(span.cost);
        span.model = self.model.map(|model| format!("m{model}")).or(span.model.take());
        span.components.extend(self.component);
        span.inputs = shown(self.inputs.map(Text::json).as_ref()).or(span.inputs.take());
        span.outputs = shown(self.outputs.map(Text::json).as_ref()).or(span.outputs.take());
        span.attributes.extend(self.attributes.iter().map(|(key, value)| (format!("k{key}"), *value)));
        span.events.extend((0..self.events).map(|index| format!("e{}.{index}", self.name.unwrap_or(0))));
        span.links += usize::from(self.links);
    }
}

fn component(number: u8) -> ComponentRef {
    ComponentRef { component_id: format!("c{number}"), version_hash: VersionHash::from_bytes([number; 32]) }
}

impl Op {
    pub fn write(&self) -> SpanOp {
        let id = span_id(self.span);
        let new = |born: &Born| {
            Box::new(NewSpan {
                id,
                parent_id: born.parent.map(span_id),
                operation_type: OperationType::LlmCall,
                // A name of nothing is refused.
                name: self.said.name.map(|name| format!("n{name}")).unwrap_or_default(),
                start_time: born.start.map(Timestamp::from_nanos),
                end_time: born.end.map(Timestamp::from_nanos),
                status: born.status,
                changes: SpanChanges { name: None, ..self.said.changes() },
            })
        };
        let action = match &self.kind {
            Kind::Create(born) => SpanAction::Create(new(born)),
            Kind::Record(born) => SpanAction::Record(new(born)),
            Kind::Update => SpanAction::Update(Box::new(self.said.changes())),
            Kind::Complete { status, end } => SpanAction::Complete(Box::new(SpanCompletion {
                status: *status,
                end_time: end.map(Timestamp::from_nanos),
                changes: self.said.changes(),
            })),
        };
        SpanOp { id, action }
    }
}

impl MTrace {
    /// What the write comes to at the moment `now`.
    pub fn apply(&mut self, op: &Op, now: i64) -> Outcome {
        let known = self.spans.get(&op.span);
        match &op.kind {
            Kind::Create(_) | Kind::Record(_) if op.said.name.is_none() => Outcome::Invalid,
            Kind::Create(_) | Kind::Record(_) if known.is_none() && self.spans.len() >= MAX_SPANS => {
                Outcome::Limit
            }
            Kind::Create(_) if known.is_some() => Outcome::AlreadyExists,
            Kind::Create(born) | Kind::Record(born) => match born.span(op, now) {
                None => Outcome::Invalid,
                Some(span) => self.put(op, span),
            },
            Kind::Update | Kind::Complete { .. } => match known.cloned() {
                None if self.spans.len() >= MAX_SPANS => Outcome::Limit,
                None => Outcome::NotFound,
                Some(span) if span.status != SpanStatus::Running => Outcome::Illegal,
                Some(mut span) => {
                    if let Some(name) = op.said.name {
                        span.name = format!("n{name}");
                    }
                    if let Kind::Complete { status, end } = op.kind {
                        let end = end.unwrap_or(now.max(span.start));
                        if status == SpanStatus::Running || end < span.start {
                            return Outcome::Invalid;
                        }
                        (span.status, span.end) = (status, Some(end));
                    }
                    self.put(op, span)
                }
            },
        }
    }

    fn put(&mut self, op: &Op, mut span: MSpan) -> Outcome {
        op.said.apply(&mut span);
        self.spans.insert(op.span, span);
        Outcome::Written
    }
}

impl Born {
    fn span(&self, op: &Op, now: i64) -> Option<MSpan> {
        let start = self.start.or(self.end).unwrap_or(now);
        let status = self.status.unwrap_or(match self.end {
            Some(_) => SpanStatus::Ok,
            None => SpanStatus::Running,
        });
        if self.end.is_some_and(|end| end < start || status == SpanStatus::Running) {
            return None;
        }
        let ended = (status != SpanStatus::Running).then_some(now.max(start));
        Some(MSpan {
            name: format!("n{}", op.said.name?),
            parent: self.parent,
            start,
            end: self.end.or(ended),
            status,
            tokens: None,
            cost: None,
            model: None,
            components: BTreeSet::new(),
            inputs: None,
            outputs: None,
            attributes: BTreeMap::new(),
            events: Vec::new(),
            links: 0,
        })
    }
}

fn number(id: SpanId) -> u64 {
    u64::try_from(u128::from_be_bytes(*id.bytes())).unwrap()
}

impl MSpan {
    /// A stored span in the model's words.
    pub fn of(head: &SpanHead, body: Option<&SpanBody>) -> Self {
        let nothing = SpanBody::default();
        let body = body.unwrap_or(&nothing);
        assert_eq!(head.event_count as usize, body.events.len(), "the head counts the events of its body");
        assert_eq!(head.link_count as usize, body.links.len(), "the head counts the links of its body");
        Self {
            name: head.name.clone(),
            parent: head.parent_id.map(number),
            start: head.start_time.nanos(),
            end: head.end_time.map(Timestamp::nanos),
            status: head.status,
            tokens: head.ledger.tokens.input,
            cost: head.ledger.cost.map(NanoUsd::nanos),
            model: head.details.model.clone(),
            components: head.components.iter().map(|used| used.version_hash.bytes()[0]).collect(),
            inputs: shown(body.inputs.as_ref()),
            outputs: shown(body.outputs.as_ref()),
            attributes: body.attributes.as_ref().map(|json| json.read().unwrap()).unwrap_or_default(),
            events: body.events.iter().map(|event| event.name.clone()).collect(),
            links: body.links.len(),
        }
    }

    /// The span without what its body holds.
    pub fn without_body(mut self) -> Self {
        (self.inputs, self.outputs) = (None, None);
        self.attributes.clear();
        self.events.clear();
        self.links = 0;
        self
    }
}

pub fn op() -> impl Strategy<Value = Op> {
    (0..12_u64, kind(), said()).prop_map(|(span, kind, said)| Op { span, kind, said })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => born().prop_map(Kind::Create),
        3 => born().prop_map(Kind::Record),
        3 => Just(Kind::Update),
        2 => (status(), prop::option::of(0..20_i64)).prop_map(|(status, end)| Kind::Complete { status, end }),
    ]
}

fn status() -> impl Strategy<Value = SpanStatus> {
    use SpanStatus::{Cancelled, Error, Ok, Running};
    prop_oneof![1 => Just(Running), 3 => Just(Ok), 2 => Just(Error), 1 => Just(Cancelled)]
}

fn born() -> impl Strategy<Value = Born> {
    let status = prop::option::weighted(0.2, status());
    (prop::option::of(0..14_u64), prop::option::of(0..20_i64), prop::option::weighted(0.3, 0..20_i64), status)
        .prop_map(|(parent, start, end, status)| Born { parent, start, end, status })
}

fn said() -> impl Strategy<Value = Said> {
    let tokens = prop_oneof![9 => 0..100_u64, 1 => Just(u64::MAX), 1 => Just(u64::MAX / 2)];
    let cost = prop_oneof![9 => 0..100_i64, 1 => Just(i64::MAX), 1 => Just(i64::MAX / 2)];
    (
        prop::option::weighted(0.9, 0..5_u8),
        prop::option::weighted(0.3, tokens),
        prop::option::weighted(0.3, cost),
        prop::option::weighted(0.3, 0..20_u8),
        prop::option::weighted(0.3, 0..5_u8),
        prop::option::weighted(0.4, text()),
        prop::option::weighted(0.4, text()),
        prop::collection::btree_map(0..3_u8, 0..9_u8, 0..3),
        prop_oneof![3 => Just(0), 1 => 1..3_u8],
        prop_oneof![5 => Just(0), 1 => 1..3_u8],
    )
        .prop_map(
            |(name, tokens, cost, model, component, inputs, outputs, attributes, events, links)| Said {
                name,
                tokens,
                cost,
                model,
                component,
                inputs,
                outputs,
                attributes,
                events,
                links,
            },
        )
}

fn text() -> impl Strategy<Value = Text> {
    (any::<u8>(), prop::bool::weighted(0.05)).prop_map(|(letter, long)| Text { letter, long })
}
