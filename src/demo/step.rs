//! The script of a run: what happens, in which order, inside what.

use serde_json::{Value, json};

use super::{author::Author, cast::Part};
use crate::model::{
    ledger::{NanoUsd, TokenCounts},
    span::{OperationType, SpanDetails},
};

/// A run from the user's words to the answer.
#[derive(Debug)]
pub(super) struct Script {
    /// The conversation's title.
    pub title: String,
    /// Who asks.
    pub user: &'static str,
    /// What is asked.
    pub input: String,
    /// What is answered; `None` where the run fails.
    pub answer: Option<String>,
    /// What the agent thinks before it answers.
    pub thinking: &'static str,
    /// What the agent is to do, step by step: where it plans.
    pub plan: Option<(String, Vec<&'static str>)>,
    /// The agent at work.
    pub root: Step,
}

/// Something that happens: a span.
#[derive(Debug)]
pub(super) struct Step {
    pub operation: OperationType,
    pub name: String,
    pub details: SpanDetails,
    pub inputs: Value,
    pub outputs: Value,
    pub tokens: Option<TokenCounts>,
    pub cost: Option<NanoUsd>,
    /// The components behind it.
    pub parts: Vec<Part>,
    /// How long it lasts by itself, in beats of the pace.
    pub beats: u64,
    /// Why it ends in an error, if it does.
    pub failure: Option<&'static str>,
    /// The step of the plan that is done in it.
    pub planned: Option<usize>,
    /// Tools that it asks for, in the conversation: id, name, arguments.
    pub asks: Vec<(String, String, Value)>,
    /// Whether the conversation is told what it answers.
    pub told: bool,
    /// What happens in it.
    pub inner: Vec<Step>,
    /// Whether that happens all at once, not one after the other.
    pub at_once: bool,
}

/// What the scripted models cost, in billionths of a dollar a token: as a middling model of the day.
const INPUT_PRICE: u64 = 2_500;
const OUTPUT_PRICE: u64 = 10_000;

/// Who runs the models: nobody.
const PROVIDER: &str = "scripted";

impl Step {
    pub(super) fn new(operation: OperationType, name: impl Into<String>) -> Self {
        Self {
            operation,
            name: name.into(),
            details: SpanDetails::default(),
            inputs: Value::Null,
            outputs: Value::Null,
            tokens: None,
            cost: None,
            parts: Vec::new(),
            beats: 1,
            failure: None,
            planned: None,
            asks: Vec::new(),
            told: false,
            inner: Vec::new(),
            at_once: false,
        }
    }

    /// An agent.
    pub(super) fn agent(name: &'static str, part: Part, inner: Vec<Step>) -> Self {
        let details = SpanDetails { agent_name: Some(name.to_owned()), ..SpanDetails::default() };
        Self { details, parts: vec![part], inner, ..Self::new(OperationType::Agent, name) }
    }

    /// A call of a scripted model.
    pub(super) fn model_call(
        author: &mut Author,
        model: &'static str,
        part: Part,
        asked: impl Into<Value>,
        answered: impl Into<Value>,
    ) -> Self {
        let (read, written) = (author.between(600, 4_800), author.between(40, 620));
        let cached = if author.chance(60) { read * 3 / 4 } else { 0 };
        let reasoning = if author.chance(30) { written / 2 } else { 0 };
        let cost = (read - cached) * INPUT_PRICE + cached * INPUT_PRICE / 2 + written * OUTPUT_PRICE;
        Self {
            details: SpanDetails {
                model: Some(model.to_owned()),
                provider: Some(PROVIDER.to_owned()),
                finish_reason: Some("stop".to_owned()),
                ..SpanDetails::default()
            },
            inputs: json!({ "messages": [{ "role": "user", "content": asked.into() }] }),
            outputs: json!({ "role": "assistant", "content": answered.into() }),
            tokens: Some(TokenCounts {
                input: Some(read),
                output: Some(written),
                cache_read: Some(cached),
                reasoning: Some(reasoning),
                ..TokenCounts::default()
            }),
            cost: i64::try_from(cost).ok().map(NanoUsd::from_nanos),
            parts: vec![part, Part::Model],
            beats: author.between(2, 5),
            ..Self::new(OperationType::LlmCall, format!("chat {model}"))
        }
    }

    /// A call of a tool.
    pub(super) fn tool(author: &mut Author, name: &'static str, arguments: Value, result: Value) -> Self {
        Self {
            details: SpanDetails {
                tool_name: Some(name.to_owned()),
                tool_call_id: Some(author.call_id()),
                ..SpanDetails::default()
            },
            inputs: arguments,
            outputs: result,
            parts: vec![Part::Tool(name)],
            beats: author.between(1, 4),
            ..Self::new(OperationType::ToolCall, name)
        }
    }

    /// A search: the question is embedded, documents are found and put in order.
    pub(super) fn retrieval(author: &mut Author, index: &'static str, query: &str, found: &[&str]) -> Self {
        let documents: Vec<_> = found.iter().map(|title| json!({ "title": title })).collect();
        let embed = Self {
            tokens: Some(TokenCounts { input: Some(author.between(8, 30)), ..TokenCounts::default() }),
            outputs: json!({ "dimensions": 1_024 }),
            ..Self::new(OperationType::Embedding, "embed query")
        };
        let rerank = Self {
            inputs: json!({ "candidates": found.len() * 4 }),
            outputs: json!({ "kept": found.len() }),
            ..Self::new(OperationType::Rerank, "rerank")
        };
        Self {
            details: SpanDetails {
                document_count: u32::try_from(found.len()).ok(),
                ..SpanDetails::default()
            },
            inputs: json!({ "query": query }),
            outputs: json!({ "documents": documents }),
            parts: vec![Part::Retriever],
            inner: vec![embed, rerank],
            ..Self::new(OperationType::Retrieval, format!("search {index}"))
        }
    }

    /// A check that lets the run go on.
    pub(super) fn guardrail(name: &'static str, judged: &str) -> Self {
        Self {
            inputs: json!({ "text": judged }),
            outputs: json!({ "passed": true }),
            ..Self::new(OperationType::Guardrail, name)
        }
    }

    /// A read or write of memory.
    pub(super) fn memory(name: &'static str, content: Value) -> Self {
        Self { outputs: content, ..Self::new(OperationType::Memory, name) }
    }

    /// A step of the plan.
    pub(super) fn of_plan(step: usize, name: &'static str, inner: Vec<Step>) -> Self {
        Self { planned: Some(step), inner, ..Self::new(OperationType::PlanStep, name) }
    }

    /// The same, failing.
    pub(super) fn failing(mut self, why: &'static str) -> Self {
        self.failure = Some(why);
        self.outputs = Value::Null;
        self
    }

    /// The same with what happens inside, one after the other.
    pub(super) fn with(mut self, inner: Vec<Step>) -> Self {
        self.inner = inner;
        self
    }

    /// A model call that asks for these tools, which then run at once, below it.
    pub(super) fn asking(mut self, mut tools: Vec<Step>) -> Self {
        for tool in &mut tools {
            tool.told = true;
        }
        self.details.finish_reason = Some("tool_calls".to_owned());
        let asked = tools.iter().filter_map(|tool| {
            Some((tool.details.tool_call_id.clone()?, tool.name.clone(), tool.inputs.clone()))
        });
        self.asks = asked.collect();
        self.inner = tools;
        self.at_once = true;
        self
    }

    /// The same, not told in the conversation: what a sub-agent does is its own affair.
    pub(super) fn untold(mut self) -> Self {
        self.asks.clear();
        for tool in &mut self.inner {
            tool.told = false;
        }
        self
    }
}
