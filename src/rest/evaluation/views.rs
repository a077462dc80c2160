//! How the evaluation of a conversation is shown.

use std::cmp::Reverse;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::parts::{PlanFigures, ScoreFigures, ToolUseFigures, TraceStatusFigures, TrendFigures};
use crate::{
    model::{
        TraceId,
        evaluation::{self, Trends},
        ledger::NanoUsd,
    },
    rest::{
        figures::{DistributionFigures, NANOS_A_MILLI, TokenFigures},
        scalar::{Moment, millis},
        words,
    },
};

/// How a conversation went, over its turns: the traces with one turn's ID, or a trace that names none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ConversationEvaluation {
    /// Conversations that count: one, and its branches where they count too.
    conversation_count: u64,
    /// Messages, each once.
    message_count: u64,
    /// Turns.
    turn_count: u64,
    /// Traces by where they stand.
    traces_by_status: Vec<TraceStatusFigures>,
    /// Traces that were left out because there are more than are read at once: at least this many, the oldest ones.
    traces_left_out: u64,
    /// Whether anything was left out because there is more than is read at once: traces, branches, plans or scores.
    is_partial: bool,
    /// How long turns took, in milliseconds, over those whose latency is known; null where there are none.
    latency_ms: Option<DistributionFigures>,
    /// Tokens, each counted where it was spent; null where none are reported.
    tokens: Option<TokenFigures>,
    /// Tokens of a turn, over those that report any; null where there are none.
    tokens_per_turn: Option<DistributionFigures>,
    /// Cost in US dollars, as far as it is known; null where nobody says any.
    cost_usd: Option<f64>,
    /// How much of the cost is known.
    cost_coverage: words::CostCoverage,
    /// Cost of a turn in US dollars, over those with a known one; null where there are none.
    cost_usd_per_turn: Option<DistributionFigures>,
    /// Spans that ended with an error.
    error_count: u64,
    /// Of the spans that ended, the part that did so with an error, 0 to 1; null where none ended.
    error_rate: Option<f64>,
    /// Of the turns that are over, the part in which a trace failed, 0 to 1; null where none is over.
    failure_rate: Option<f64>,
    /// Attempts after first ones that failed.
    retry_count: u64,
    /// Of the turns, the part in which something was tried again, 0 to 1; null where there are none.
    retry_rate: Option<f64>,
    /// Of the things that were tried again, the part that came to a good end, 0 to 1; null where there are none.
    recovery_rate: Option<f64>,
    /// Tools by how often they were called, most often first.
    tools: Vec<ToolUseFigures>,
    /// How far plans came.
    plans: PlanFigures,
    /// Scores of the conversation, its messages, its traces and their spans, by their names.
    scores: Vec<ScoreFigures>,
    /// How figures change over the turns.
    trends: TurnTrendFigures,
    /// The turns, by their starts.
    turns: Vec<TurnFigures>,
}

impl ConversationEvaluation {
    /// The evaluation, with no more than `most` entries of each list of figures.
    pub(super) fn of(found: &evaluation::ConversationEvaluation, most: usize) -> Self {
        let spread = |spread: &Option<_>, scale| {
            spread.as_ref().map(|spread| DistributionFigures::scaled(spread, scale))
        };
        let mut tools: Vec<_> = found.tools.iter().collect();
        // Stable: of two as often, the order of their names stays.
        tools.sort_by_key(|(_, used)| Reverse(used.calls));
        let timed = found.latency.is_some();
        Self {
            conversation_count: found.conversations,
            message_count: found.messages,
            turn_count: found.turns.len() as u64,
            traces_by_status: found.traces.iter().map(Into::into).collect(),
            traces_left_out: found.traces_left_out,
            is_partial: found.is_partial,
            latency_ms: spread(&found.latency, NANOS_A_MILLI),
            tokens: found.tokens.map(Into::into),
            tokens_per_turn: spread(&found.tokens_per_turn, 1.0),
            cost_usd: found.cost.map(NanoUsd::dollars),
            cost_coverage: found.coverage.into(),
            cost_usd_per_turn: spread(&found.cost_per_turn, 1.0),
            error_count: found.errors,
            error_rate: found.error_rate,
            failure_rate: found.failure_rate,
            retry_count: found.retries,
            retry_rate: found.retry_rate,
            recovery_rate: found.recovery_rate,
            tools: tools
                .into_iter()
                .take(most)
                .map(|(name, used)| ToolUseFigures::of(name, used, timed))
                .collect(),
            plans: (&found.plans).into(),
            scores: found
                .scores
                .iter()
                .take(most)
                .map(|(name, scores)| ScoreFigures::of(name, scores))
                .collect(),
            trends: (&found.trends).into(),
            turns: found.turns.iter().take(most).map(Into::into).collect(),
        }
    }
}

/// What was done for one input: the traces with one turn's ID. A trace without one is a turn of its own.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct TurnFigures {
    /// The turn; null of a trace that names none.
    turn_id: Option<Uuid>,
    /// When its first trace started.
    start_time: Moment,
    /// Its traces.
    trace_ids: Vec<Uuid>,
    /// Milliseconds in which at least one of its traces was at work; null while one runs, and where only the order of
    /// what happened is known.
    latency_ms: Option<f64>,
    /// Tokens read and written; null where none are reported.
    total_tokens: Option<u64>,
    /// Cost in US dollars, as far as it is known; null where nobody says any.
    cost_usd: Option<f64>,
    /// The largest input of a call of a language model, in tokens; null where none is reported.
    context_tokens: Option<u64>,
    /// Calls of tools.
    tool_call_count: u64,
    /// Spans that ended with an error.
    error_count: u64,
    /// Attempts after first ones that failed.
    retry_count: u64,
    /// Whether a trace of it failed.
    is_failed: bool,
}

impl From<&evaluation::TurnFigures> for TurnFigures {
    fn from(turn: &evaluation::TurnFigures) -> Self {
        Self {
            turn_id: turn.turn_id.map(|id| id.uuid()),
            start_time: turn.start.into(),
            trace_ids: turn.traces.iter().map(TraceId::uuid).collect(),
            latency_ms: turn.latency_nanos.map(millis),
            total_tokens: turn.tokens,
            cost_usd: turn.cost.map(NanoUsd::dollars),
            context_tokens: turn.context,
            tool_call_count: turn.tool_calls,
            error_count: turn.errors,
            retry_count: turn.retries,
            is_failed: turn.is_failed,
        }
    }
}

/// How figures change over the turns.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct TurnTrendFigures {
    /// Of how long they took, in milliseconds.
    latency_ms: TrendFigures,
    /// Of tokens.
    tokens: TrendFigures,
    /// Of cost, in US dollars.
    cost_usd: TrendFigures,
    /// Of spans that ended with an error.
    errors: TrendFigures,
    /// Of the largest input of a call of a language model, in tokens.
    context_tokens: TrendFigures,
}

impl From<&Trends> for TurnTrendFigures {
    fn from(trends: &Trends) -> Self {
        Self {
            latency_ms: TrendFigures::scaled(&trends.latency, NANOS_A_MILLI),
            tokens: TrendFigures::scaled(&trends.tokens, 1.0),
            cost_usd: TrendFigures::scaled(&trends.cost, 1.0),
            errors: TrendFigures::scaled(&trends.errors, 1.0),
            context_tokens: TrendFigures::scaled(&trends.context, 1.0),
        }
    }
}
