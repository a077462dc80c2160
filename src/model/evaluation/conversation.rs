//! How one conversation went.

use std::collections::BTreeMap;

use super::{
    digest::{ToolUse, TraceDigest},
    plans::PlanFigures,
    scores::ScoreFigures,
    turns::{self, TurnFigures},
};
use crate::model::{
    analysis::CostCoverage,
    ledger::{NanoUsd, TokenTotals},
    plan::Plan,
    score::Score,
    stats::{Distribution, float, slope},
    trace::{Trace, TraceStatus},
};

/// What an evaluation is made of.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// Conversations: one, and its branches where they count too.
    pub conversations: u64,
    /// Messages, each once.
    pub messages: u64,
    /// Traces with what is kept of their analyses.
    pub traces: Vec<(Trace, TraceDigest)>,
    /// Plans.
    pub plans: Vec<Plan>,
    /// Scores of all of these.
    pub scores: Vec<Score>,
    /// Traces that were left out, at least.
    pub traces_left_out: u64,
    /// Whether anything was left out: traces, branches, plans or scores.
    pub is_partial: bool,
}

/// How a conversation went. Times are in nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationEvaluation {
    /// Conversations: one, and its branches where they count too.
    pub conversations: u64,
    /// Messages.
    pub messages: u64,
    /// Traces by where they stand.
    pub traces: BTreeMap<TraceStatus, u64>,
    /// Traces that were left out, at least.
    pub traces_left_out: u64,
    /// Whether anything was left out.
    pub is_partial: bool,
    /// Whether the times of all traces are known, and not only their order.
    pub is_timed: bool,
    /// The turns, by their starts.
    pub turns: Vec<TurnFigures>,
    /// How long turns took; `None` where none has a known latency.
    pub latency: Option<Distribution>,
    /// Tokens by kind; `None` where none are reported.
    pub tokens: Option<TokenTotals>,
    /// Tokens of the turns that report any.
    pub tokens_per_turn: Option<Distribution>,
    /// Cost, as far as it is known.
    pub cost: Option<NanoUsd>,
    /// How much of it that is.
    pub coverage: CostCoverage,
    /// Cost of the turns that have a known one, in US dollars.
    pub cost_per_turn: Option<Distribution>,
    /// Spans that ended with an error.
    pub errors: u64,
    /// Of the spans that ended, the part that did so with an error; `None` where none ended.
    pub error_rate: Option<f64>,
    /// Of the turns whose traces all ended, the part in which one failed; `None` where none ended.
    pub failure_rate: Option<f64>,
    /// Attempts after first ones that failed.
    pub retries: u64,
    /// Of the turns, the part in which something was tried again; `None` where there are no turns.
    pub retry_rate: Option<f64>,
    /// Of the things that were tried again, the part that came to a good end; `None` where there are none.
    pub recovery_rate: Option<f64>,
    /// Tools, by their names.
    pub tools: BTreeMap<String, ToolUse>,
    /// How far plans came.
    pub plans: PlanFigures,
    /// Scores, by their names.
    pub scores: BTreeMap<String, ScoreFigures>,
    /// How figures change over the turns.
    pub trends: Trends,
}

/// How figures change over the turns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trends {
    /// Of how long they took, in nanoseconds.
    pub latency: Trend,
    /// Of tokens.
    pub tokens: Trend,
    /// Of cost, in US dollars.
    pub cost: Trend,
    /// Of spans that failed.
    pub errors: Trend,
    /// Of the largest input of a model call, in tokens.
    pub context: Trend,
}

/// How a figure changes over the turns.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Trend {
    /// Turns that have the figure.
    pub turns: u64,
    /// By how much it grows from one turn to the next, by the line that fits best; `None` below two turns.
    pub slope: Option<f64>,
}

impl ConversationEvaluation {
    /// How a conversation went. `timed` says of a trace whether its times are known, and not only its order.
    #[must_use]
    pub fn of(material: &Material, timed: impl Fn(&Trace) -> bool) -> Self {
        let traces = &material.traces;
        let turns = turns::of(traces, &timed);
        let digests = || traces.iter().map(|(_, digest)| digest);
        let sum = |of: fn(&TraceDigest) -> u64| digests().map(of).fold(0, u64::saturating_add);
        let (ended, errors) = (sum(|digest| digest.ended), sum(|digest| digest.failed));
        let over: Vec<_> = over(&turns, traces);
        let retried = turns.iter().filter(|turn| turn.retries > 0).count();
        Self {
            conversations: material.conversations,
            messages: material.messages,
            traces: by_status(traces),
            traces_left_out: material.traces_left_out,
            is_partial: material.is_partial,
            is_timed: traces.iter().all(|(trace, _)| timed(trace)),
            latency: Distribution::of(turns.iter().filter_map(|turn| turn.latency_nanos).map(float)),
            tokens: digests().filter_map(|digest| digest.tokens).reduce(|sum, more| sum.plus(&more)),
            tokens_per_turn: Distribution::of(turns.iter().filter_map(|turn| turn.tokens).map(float)),
            cost: digests().filter_map(|digest| digest.cost).reduce(NanoUsd::plus),
            coverage: coverage(digests()),
            cost_per_turn: Distribution::of(turns.iter().filter_map(|turn| turn.cost).map(NanoUsd::dollars)),
            errors,
            error_rate: part(errors, ended),
            failure_rate: part(over.iter().filter(|turn| turn.is_failed).count() as u64, over.len() as u64),
            retries: sum(|digest| digest.retries),
            retry_rate: part(retried as u64, turns.len() as u64),
            recovery_rate: part(sum(|digest| digest.recovered), sum(|digest| digest.retried)),
            tools: tools(digests()),
            plans: PlanFigures::of(&material.plans),
            scores: ScoreFigures::by_name(&material.scores),
            trends: Trends::of(&turns),
            turns,
        }
    }
}

impl Trends {
    fn of(turns: &[TurnFigures]) -> Self {
        let trend = |figure: &dyn Fn(&TurnFigures) -> Option<f64>| {
            let points: Vec<_> = turns
                .iter()
                .enumerate()
                .filter_map(|(at, turn)| Some((float(at as u64), figure(turn)?)))
                .collect();
            Trend { turns: points.len() as u64, slope: slope(&points) }
        };
        Self {
            latency: trend(&|turn| turn.latency_nanos.map(float)),
            tokens: trend(&|turn| turn.tokens.map(float)),
            cost: trend(&|turn| turn.cost.map(NanoUsd::dollars)),
            errors: trend(&|turn| Some(float(turn.errors))),
            context: trend(&|turn| turn.context.map(float)),
        }
    }
}

fn by_status(traces: &[(Trace, TraceDigest)]) -> BTreeMap<TraceStatus, u64> {
    let mut counts = BTreeMap::new();
    for (trace, _) in traces {
        *counts.entry(trace.status).or_default() += 1;
    }
    counts
}

/// The turns whose traces have all ended.
fn over<'a>(turns: &'a [TurnFigures], traces: &[(Trace, TraceDigest)]) -> Vec<&'a TurnFigures> {
    let running: std::collections::HashSet<_> =
        traces.iter().filter(|(trace, _)| !trace.status.is_final()).map(|(trace, _)| trace.id).collect();
    turns.iter().filter(|turn| !turn.traces.iter().any(|id| running.contains(id))).collect()
}

fn coverage<'a>(digests: impl Iterator<Item = &'a TraceDigest>) -> CostCoverage {
    let (mut known, mut unknown) = (false, false);
    for digest in digests {
        known |= matches!(digest.coverage, CostCoverage::Known | CostCoverage::Partly);
        unknown |= matches!(digest.coverage, CostCoverage::Unknown | CostCoverage::Partly);
    }
    CostCoverage::of(known, unknown)
}

fn tools<'a>(digests: impl Iterator<Item = &'a TraceDigest>) -> BTreeMap<String, ToolUse> {
    let mut tools: BTreeMap<String, ToolUse> = BTreeMap::new();
    for (name, used) in digests.flat_map(|digest| &digest.tools) {
        tools.entry(name.clone()).or_default().add(used);
    }
    tools
}

fn part(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| float(part) / float(whole))
}
