//! What a trace's spans add up to: a pure function of their heads.

mod heads;
mod shares;

use std::collections::{HashMap, HashSet};

use bincode::{Decode, Encode};

pub use self::{
    heads::{Roots, TraceHeads},
    shares::{Share, shares, with_below},
};
use super::{
    SpanId, Timestamp,
    component::ComponentRef,
    ledger::{NanoUsd, TokenTotals},
    span::{OperationType, SpanHead, SpanStatus},
    tree::SpanTree,
};

/// What a trace's spans add up to.
///
/// Tokens and cost count where they were spent: a span's own figures count only where no span below
/// it reports any, because agents repeat the sums of what they called. Where several spans name the
/// same answer of a model, they are one call, and one of them counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Summary {
    /// Spans.
    pub span_count: u64,
    /// Of them: not ended.
    pub running_count: u64,
    /// Of them: ended with an error.
    pub error_count: u64,
    /// Calls of language models.
    pub llm_call_count: u64,
    /// Calls of tools.
    pub tool_call_count: u64,
    /// Tokens by kind.
    pub tokens: TokenTotals,
    /// Cost, as far as it is known.
    pub cost: NanoUsd,
    /// Whether any span says what it cost.
    pub cost_known: bool,
    /// The models that were called, sorted; the first [`MAX_MODELS`] of them.
    pub models: Vec<String>,
    /// The component versions behind it, sorted; the first [`MAX_COMPONENTS`] of them.
    pub components: Vec<ComponentRef>,
    /// The first span that names no parent.
    pub root: Option<RootSpan>,
    /// Levels of the tree, counted up to [`MAX_DEPTH`].
    pub depth: u32,
    /// The start of the first span.
    pub first_start: Option<Timestamp>,
    /// The last end of a span.
    pub last_end: Option<Timestamp>,
}

/// The span at the top of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RootSpan {
    /// The span.
    pub id: SpanId,
    /// When it started.
    pub start_time: Timestamp,
    /// What it is called.
    pub name: String,
}

/// Models that a summary names.
pub const MAX_MODELS: usize = 16;

/// Component versions that a summary names, and that the trace can be found by.
pub const MAX_COMPONENTS: usize = 64;

/// Levels that a summary counts: deeper trees are chains that nobody reads by their depth, and
/// without a bound each span of such a chain would cost a walk to its top.
pub const MAX_DEPTH: u32 = 1_024;

impl Summary {
    /// The summary of these spans. No two may have the same id.
    #[must_use]
    pub fn of<'a>(heads: impl IntoIterator<Item = &'a SpanHead>) -> Self {
        let heads: Vec<_> = heads.into_iter().collect();
        let tree = SpanTree::place_refs(&heads, true);
        let repeats = Repeats::among(heads.iter().copied());
        let (mut summary, mut spent) = (Self::default(), Spent::default());
        // Children stand after their parents: from the end, what lies below is known first.
        let mut below = vec![Below::default(); tree.nodes().len()];
        for (place, node) in tree.nodes().iter().enumerate().rev() {
            let Some(head) = heads.get(node.span) else { continue };
            let here = below.get(place).copied().unwrap_or_default();
            let counts = repeats.counts(head);
            summary.add(head);
            if counts {
                spent.add(&Spending::of(head).counted(here));
            }
            summary.depth = summary.depth.max(node.depth.saturating_add(1).min(MAX_DEPTH));
            if let Some(parent) = node.parent.and_then(|parent| below.get_mut(parent)) {
                *parent = parent.with(here.and(head, counts));
            }
        }
        summary.llm_call_count -= repeats.calls;
        summary.set_spent(&spent);
        summary
    }

    /// Adds what a span counts wherever it stands.
    fn add(&mut self, head: &SpanHead) {
        self.span_count += 1;
        self.running_count += u64::from(!head.status.is_final());
        self.error_count += u64::from(head.status == SpanStatus::Error);
        self.llm_call_count += u64::from(head.operation_type == OperationType::LlmCall);
        self.tool_call_count += u64::from(head.operation_type == OperationType::ToolCall);
        self.cost_known |= head.ledger.cost.is_some();
        if let Some(model) = &head.details.model {
            insert_sorted(&mut self.models, model, MAX_MODELS);
        }
        for component in &head.components {
            insert_sorted(&mut self.components, component, MAX_COMPONENTS);
        }
        self.add_root(head);
        self.first_start = Some(self.first_start.map_or(head.start_time, |first| first.min(head.start_time)));
        self.last_end = self.last_end.max(head.end_time);
    }

    fn remove_counts(&mut self, head: &SpanHead) {
        self.span_count -= 1;
        self.running_count -= u64::from(!head.status.is_final());
        self.error_count -= u64::from(head.status == SpanStatus::Error);
        self.llm_call_count -= u64::from(head.operation_type == OperationType::LlmCall);
        self.tool_call_count -= u64::from(head.operation_type == OperationType::ToolCall);
    }

    fn add_root(&mut self, head: &SpanHead) {
        let earlier = |root: &RootSpan| (root.start_time, root.id) < (head.start_time, head.id);
        if head.parent_id.is_none() && !head.announced && !self.root.as_ref().is_some_and(earlier) {
            self.root = Some(RootSpan { id: head.id, start_time: head.start_time, name: head.name.clone() });
        }
    }

    fn set_spent(&mut self, spent: &Spent) {
        let tokens = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        self.tokens = TokenTotals {
            input: tokens(spent.input),
            output: tokens(spent.output),
            cache_read: tokens(spent.cache_read),
            cache_write: tokens(spent.cache_write),
            reasoning: tokens(spent.reasoning),
        };
        let cost = spent.cost.clamp(i64::MIN.into(), i64::MAX.into());
        self.cost = NanoUsd::from_nanos(i64::try_from(cost).unwrap_or(i64::MAX));
    }
}

/// Keeps the smallest `limit` items, each once: the same whatever order they come in.
fn insert_sorted<T: Ord + Clone>(items: &mut Vec<T>, item: &T, limit: usize) {
    if let Err(place) = items.binary_search(item)
        && place < limit
    {
        items.insert(place, item.clone());
        items.truncate(limit);
    }
}

/// Whether spans below a span report tokens or cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Below {
    tokens: bool,
    cost: bool,
}

impl Below {
    /// What the span above knows: this, and the span itself where it counts.
    fn and(self, head: &SpanHead, counts: bool) -> Self {
        Self {
            tokens: self.tokens || (counts && head.ledger.reports_tokens()),
            cost: self.cost || (counts && head.ledger.cost.is_some()),
        }
    }

    const fn with(self, other: Self) -> Self {
        Self { tokens: self.tokens || other.tokens, cost: self.cost || other.cost }
    }
}

/// Spans that repeat a call of a model which another span tells of too, and better.
#[derive(Debug, Default)]
struct Repeats {
    spans: HashSet<SpanId>,
    /// Of them: calls of language models.
    calls: u64,
}

impl Repeats {
    fn among<'a>(heads: impl Iterator<Item = &'a SpanHead>) -> Self {
        // What says most counts; of two that say as much, the inner one, which starts later.
        let rank = |head: &SpanHead| {
            let ledger = &head.ledger;
            let is_call = head.operation_type == OperationType::LlmCall;
            (is_call, ledger.cost.is_some(), ledger.reports_tokens(), head.start_time, head.id)
        };
        let mut best: HashMap<&str, &SpanHead> = HashMap::new();
        let mut repeats = Self::default();
        for head in heads {
            let Some(response) = head.details.response_id.as_deref() else { continue };
            let Some(known) = best.insert(response, head) else { continue };
            let worse = if rank(known) > rank(head) {
                best.insert(response, known);
                head
            } else {
                known
            };
            repeats.spans.insert(worse.id);
            repeats.calls += u64::from(worse.operation_type == OperationType::LlmCall);
        }
        repeats
    }

    fn counts(&self, head: &SpanHead) -> bool {
        !self.spans.contains(&head.id)
    }
}

/// What a span says it spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Spending {
    tokens: TokenTotals,
    cost: NanoUsd,
}

impl Spending {
    fn of(head: &SpanHead) -> Self {
        Self { tokens: head.ledger.totals(), cost: head.ledger.cost.unwrap_or_default() }
    }

    /// The part that counts, given what is reported below.
    fn counted(self, below: Below) -> Self {
        Self {
            tokens: if below.tokens { TokenTotals::default() } else { self.tokens },
            cost: if below.cost { NanoUsd::default() } else { self.cost },
        }
    }
}

/// What all spans spent, in sums that are too wide to overflow: a sum that stops at the largest number
/// could not be taken back.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    input: u128,
    output: u128,
    cache_read: u128,
    cache_write: u128,
    reasoning: u128,
    cost: i128,
}

impl Spent {
    fn add(&mut self, more: &Spending) {
        self.input += u128::from(more.tokens.input);
        self.output += u128::from(more.tokens.output);
        self.cache_read += u128::from(more.tokens.cache_read);
        self.cache_write += u128::from(more.tokens.cache_write);
        self.reasoning += u128::from(more.tokens.reasoning);
        self.cost += i128::from(more.cost.nanos());
    }

    /// Takes back what was added.
    fn remove(&mut self, less: &Spending) {
        self.input -= u128::from(less.tokens.input);
        self.output -= u128::from(less.tokens.output);
        self.cache_read -= u128::from(less.tokens.cache_read);
        self.cache_write -= u128::from(less.tokens.cache_write);
        self.reasoning -= u128::from(less.tokens.reasoning);
        self.cost -= i128::from(less.cost.nanos());
    }
}
