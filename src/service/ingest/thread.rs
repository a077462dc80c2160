//! Which calls of a trace are what its agent said to its user.
//!
//! A run calls models for many ends: sub-agents, judges, tools that ask a model. What belongs to the
//! conversation are the calls that stand highest: below the fewest agents, and below no tool.

use std::collections::{HashMap, HashSet};

use crate::model::{
    SpanId,
    span::{OperationType, SpanHead},
    trace::Trace,
};

/// Levels that are walked up from a call: deeper ones are no main thread.
const MOST_LEVELS: usize = 256;

/// The calls of the main thread, in the order they started, and the span at the top, if it speaks.
pub(super) fn speakers(trace: &Trace, heads: &[&SpanHead]) -> (Vec<SpanHead>, Vec<SpanHead>) {
    let root = trace.summary.root.as_ref().map(|root| root.id);
    let root = heads.iter().filter(|head| root == Some(head.id) && speaks_as(head.operation_type));
    (main_calls(heads), root.map(|head| SpanHead::clone(head)).collect())
}

fn main_calls(heads: &[&SpanHead]) -> Vec<SpanHead> {
    let by_id: HashMap<SpanId, &SpanHead> = heads.iter().map(|head| (head.id, *head)).collect();
    let calls: Vec<_> = heads.iter().copied().filter(|head| is_call(head)).collect();
    // Of two spans of one call the inner one says more.
    let outer: HashSet<SpanId> =
        calls.iter().flat_map(|call| ancestors(call, &by_id)).map(|head| head.id).collect();
    let mut ranked: Vec<_> = calls
        .into_iter()
        .filter(|call| !outer.contains(&call.id))
        .filter_map(|call| Some((agents_above(call, &by_id)?, call)))
        .collect();
    let fewest = ranked.iter().map(|(agents, _)| *agents).min();
    ranked.retain(|(agents, _)| Some(*agents) == fewest);
    let mut calls: Vec<_> = ranked.into_iter().map(|(_, call)| call).collect();
    calls.sort_by_key(|call| (call.start_time, call.id));
    let mut answers = HashSet::new();
    calls.retain(|call| call.details.response_id.as_ref().is_none_or(|answer| answers.insert(answer)));
    calls.into_iter().cloned().collect()
}

/// Whether what goes into an operation and comes out of it is said between a user and an agent.
pub(super) const fn speaks_as(operation: OperationType) -> bool {
    matches!(
        operation,
        OperationType::LlmCall | OperationType::Agent | OperationType::Chain | OperationType::Custom
    )
}

fn is_call(head: &SpanHead) -> bool {
    head.operation_type == OperationType::LlmCall && head.status.is_final() && !head.announced
}

/// The spans above, the nearest first. They end where one is not here, and in a circle.
fn ancestors<'a, 'b>(
    head: &SpanHead,
    by_id: &'b HashMap<SpanId, &'a SpanHead>,
) -> impl Iterator<Item = &'a SpanHead> + use<'a, 'b> {
    let above = move |head: &SpanHead| head.parent_id.and_then(|id| by_id.get(&id).copied());
    std::iter::successors(above(head), move |head| above(head)).take(MOST_LEVELS)
}

/// How many agents stand above a call; `None`: it is not something that the agent says.
fn agents_above(call: &SpanHead, by_id: &HashMap<SpanId, &SpanHead>) -> Option<usize> {
    let mut agents = 0;
    for head in ancestors(call, by_id) {
        match head.operation_type {
            OperationType::Agent => agents += 1,
            OperationType::LlmCall
            | OperationType::Chain
            | OperationType::PlanStep
            | OperationType::Planning
            | OperationType::Custom => {}
            _ => return None,
        }
    }
    Some(agents)
}
