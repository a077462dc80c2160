//! The turns of a conversation: what was done for one input.

use std::collections::BTreeMap;

use super::digest::TraceDigest;
use crate::model::{
    Timestamp, TraceId, TurnId,
    ledger::NanoUsd,
    trace::{Trace, TraceStatus},
};

/// What was done for one input: the traces with one turn's id. A trace without one is a turn of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnFigures {
    /// The turn; `None` of a trace that names none.
    pub turn_id: Option<TurnId>,
    /// When its first trace started.
    pub start: Timestamp,
    /// Its traces, by their starts.
    pub traces: Vec<TraceId>,
    /// Nanoseconds in which at least one of them was at work; `None` while one runs, and where only the order
    /// of what happened is known.
    pub latency_nanos: Option<u64>,
    /// Tokens read and written; `None` where none are reported.
    pub tokens: Option<u64>,
    /// Cost, as far as it is known; `None` where none is.
    pub cost: Option<NanoUsd>,
    /// Spans that failed.
    pub errors: u64,
    /// Whether a trace of it failed.
    pub is_failed: bool,
    /// Attempts after first ones that failed.
    pub retries: u64,
    /// The largest input of a model call, in tokens; `None` where none is reported.
    pub context: Option<u64>,
    /// Calls of tools.
    pub tool_calls: u64,
}

/// A trace of a conversation with what is kept of its analysis.
pub(super) type Analysed<'a> = (&'a Trace, &'a TraceDigest);

/// The turns of these traces, by their starts. `timed`: whether the times of a trace are known.
pub(super) fn of(traces: &[(Trace, TraceDigest)], timed: impl Fn(&Trace) -> bool) -> Vec<TurnFigures> {
    let mut turns: BTreeMap<Result<TurnId, TraceId>, Vec<Analysed<'_>>> = BTreeMap::new();
    for (trace, digest) in traces {
        turns.entry(trace.turn_id.ok_or(trace.id)).or_default().push((trace, digest));
    }
    let mut turns: Vec<_> = turns.into_values().filter_map(|traces| turn(traces, &timed)).collect();
    turns.sort_by_key(|turn| (turn.start, turn.traces.first().copied()));
    turns
}

fn turn(mut traces: Vec<Analysed<'_>>, timed: impl Fn(&Trace) -> bool) -> Option<TurnFigures> {
    traces.sort_by_key(|(trace, _)| (trace.start_time, trace.id));
    let (first, _) = traces.first()?;
    let sum = |of: fn(&TraceDigest) -> u64| {
        traces.iter().map(|(_, digest)| of(digest)).fold(0, u64::saturating_add)
    };
    let known = traces.iter().all(|(trace, _)| timed(trace));
    let tokens = traces.iter().filter_map(|(_, digest)| Some(digest.tokens?.total()));
    Some(TurnFigures {
        turn_id: first.turn_id,
        start: first.start_time,
        traces: traces.iter().map(|(trace, _)| trace.id).collect(),
        latency_nanos: if known { latency(&traces) } else { None },
        tokens: tokens.reduce(u64::saturating_add),
        cost: traces.iter().filter_map(|(_, digest)| digest.cost).reduce(NanoUsd::plus),
        errors: sum(|digest| digest.failed),
        is_failed: traces.iter().any(|(trace, _)| trace.status == TraceStatus::Failed),
        retries: sum(|digest| digest.retries),
        context: traces.iter().filter_map(|(_, digest)| digest.context).max(),
        tool_calls: traces
            .iter()
            .map(|(trace, _)| trace.summary.tool_call_count)
            .fold(0, u64::saturating_add),
    })
}

/// The time in which at least one was at work. They stand by their starts.
fn latency(traces: &[Analysed<'_>]) -> Option<u64> {
    let (mut covered, mut reached) = (0_u64, Timestamp::from_nanos(i64::MIN));
    for (trace, _) in traces {
        let end = trace.end_time?;
        covered = covered.saturating_add(end.nanos_since(trace.start_time.max(reached)));
        reached = reached.max(end);
    }
    Some(covered)
}
