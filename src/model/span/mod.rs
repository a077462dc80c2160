//! Spans: one operation inside a trace, as a small head and a large body.

mod body;
mod change;
mod receive;

use bincode::{Decode, Encode};

pub use self::{
    body::{SpanBody, SpanEvent, SpanLink},
    change::{Effect, NewSpan, SpanAction, SpanChanges, SpanCompletion, SpanOp, WriteRules},
    receive::{ReceivedSpan, SpanPart},
};
use super::{PlanId, SpanId, StepId, Timestamp, component::ComponentRef, ledger::Ledger, words::words};

words! {
    /// What kind of operation a span is.
    OperationType {
        /// A call of a language model.
        LlmCall = 1 "LLM_CALL",
        /// A call of a tool.
        ToolCall = 2 "TOOL_CALL",
        /// A search for documents.
        Retrieval = 3 "RETRIEVAL",
        /// An agent at work.
        Agent = 4 "AGENT",
        /// A step of a plan.
        PlanStep = 5 "PLAN_STEP",
        /// A read or write of memory.
        Memory = 6 "MEMORY",
        /// A computation of embeddings.
        Embedding = 7 "EMBEDDING",
        /// A new order of documents.
        Rerank = 8 "RERANK",
        /// A check that may stop the agent.
        Guardrail = 9 "GUARDRAIL",
        /// A judgement.
        Evaluation = 10 "EVALUATION",
        /// The making of a plan.
        Planning = 11 "PLANNING",
        /// A fixed sequence of operations.
        Chain = 12 "CHAIN",
        /// Anything else.
        Custom = 13 "CUSTOM",
    }
}

words! {
    /// Where a span stands.
    SpanStatus {
        /// The operation goes on.
        Running = 1 "RUNNING",
        /// It ended well.
        Ok = 2 "OK",
        /// It ended with an error.
        Error = 3 "ERROR",
        /// It was stopped.
        Cancelled = 4 "CANCELLED",
    }
}

impl SpanStatus {
    /// Whether the operation is over.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Running)
    }
}

/// A span's small fields: what a tree, a list or a summary needs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SpanHead {
    /// The id, unique in its trace.
    pub id: SpanId,
    /// The span that caused it. It may come later, or never.
    pub parent_id: Option<SpanId>,
    /// What kind of operation it is.
    pub operation_type: OperationType,
    /// What the operation is called.
    pub name: String,
    /// When it started.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// Where it stands.
    pub status: SpanStatus,
    /// Why it stands there, in short.
    pub status_message: Option<String>,
    /// What its kind of operation adds.
    pub details: SpanDetails,
    /// What it used and cost.
    pub ledger: Ledger,
    /// The component versions behind it.
    pub components: Vec<ComponentRef>,
    /// How many events its body holds.
    pub event_count: u32,
    /// How many links its body holds.
    pub link_count: u32,
    /// The trace's revision that last changed it.
    pub revision: u64,
    /// Where the store keeps the parts of its body, oldest first: see `store::spans`.
    pub body_blocks: Vec<u64>,
    /// What came apart from it, and stays when it comes again.
    pub attached: Attached,
    /// Whether only parts of it have come and not the span itself: what it says is what they say.
    pub announced: bool,
    /// Tells whether the same span has come again: a hash of it as it was received. 0: it was not.
    pub fingerprint: u64,
}

/// The parts of a span's body that came apart from it, as records of a log do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Attached {
    /// Where the store keeps them, oldest first.
    pub blocks: Vec<u64>,
    /// A hash of each, by which one that comes again is known.
    pub fingerprints: Vec<u64>,
    /// How many events they hold.
    pub event_count: u32,
}

impl SpanHead {
    /// How long it took, in nanoseconds, once it has ended.
    #[must_use]
    pub fn duration_nanos(&self) -> Option<u64> {
        self.end_time.map(|end| end.nanos_since(self.start_time))
    }

    /// Where the store keeps all parts of its body.
    #[must_use]
    pub fn part_blocks(&self) -> PartBlocks {
        PartBlocks { own: self.body_blocks.clone(), attached: self.attached.blocks.clone() }
    }
}

/// Where the store keeps the parts of a span's body, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartBlocks {
    /// The span's own.
    pub own: Vec<u64>,
    /// Those that came apart from it.
    pub attached: Vec<u64>,
}

impl PartBlocks {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.own.is_empty() && self.attached.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.own.iter().chain(&self.attached).copied()
    }
}

/// Small fields that only some kinds of operation have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct SpanDetails {
    /// The model that answered.
    pub model: Option<String>,
    /// Who runs the model.
    pub provider: Option<String>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// Nanoseconds until the first token.
    pub time_to_first_token_nanos: Option<u64>,
    /// The tool.
    pub tool_name: Option<String>,
    /// The model's id of the tool call.
    pub tool_call_id: Option<String>,
    /// The agent.
    pub agent_name: Option<String>,
    /// The plan of the step.
    pub plan_id: Option<PlanId>,
    /// The step.
    pub step_id: Option<StepId>,
    /// How many documents were found.
    pub document_count: Option<u32>,
    /// The provider's id of the model's answer: two spans with the same one are of the same call.
    pub response_id: Option<String>,
}

impl SpanDetails {
    /// Takes over what `newer` knows.
    pub fn merge(&mut self, newer: Self) {
        // Taken apart without `..`, so that a new field cannot be forgotten here.
        let Self {
            model,
            provider,
            finish_reason,
            time_to_first_token_nanos,
            tool_name,
            tool_call_id,
            agent_name,
            plan_id,
            step_id,
            document_count,
            response_id,
        } = newer;
        take(&mut self.model, model);
        take(&mut self.provider, provider);
        take(&mut self.finish_reason, finish_reason);
        take(&mut self.time_to_first_token_nanos, time_to_first_token_nanos);
        take(&mut self.tool_name, tool_name);
        take(&mut self.tool_call_id, tool_call_id);
        take(&mut self.agent_name, agent_name);
        take(&mut self.plan_id, plan_id);
        take(&mut self.step_id, step_id);
        take(&mut self.document_count, document_count);
        take(&mut self.response_id, response_id);
    }
}

/// Replaces `old` where there is something newer.
pub(crate) fn take<T>(old: &mut Option<T>, newer: Option<T>) {
    if newer.is_some() {
        *old = newer;
    }
}
