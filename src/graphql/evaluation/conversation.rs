//! How one conversation went.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::parts::{
    PlanStatusFigures, ScoreFigures, StepStatusFigures, ToolUseFigures, TraceStatusFigures, TrendFigures,
};
use crate::{
    graphql::{
        analysis::{CostCoverage, DistributionFigures, NANOS_A_MILLI, TokenFigures},
        error::Result,
        page, request,
        scalar::{BigInt, DateTime, Given, PlainId, int, millis},
        trace::Trace,
    },
    model::{
        self, TraceId,
        evaluation::{PlanFigures as Plans, Trends, TurnFigures as Turn},
        ledger::NanoUsd,
    },
};

/// How a conversation went.
pub(in crate::graphql) struct ConversationEvaluation(pub Arc<model::evaluation::ConversationEvaluation>);

/// How a conversation went, over its turns: the traces with one turn's ID, or a trace that names none.
#[Object]
impl ConversationEvaluation {
    /// Conversations that count: one, and its branches where they count too.
    async fn conversation_count(&self) -> i32 {
        int(self.0.conversations)
    }

    /// Messages, each once.
    async fn message_count(&self) -> i32 {
        int(self.0.messages)
    }

    /// Turns.
    async fn turn_count(&self) -> i32 {
        int(self.0.turns.len())
    }

    /// Traces by where they stand.
    async fn traces_by_status(&self) -> Vec<TraceStatusFigures> {
        let counts = self.0.traces.iter();
        counts.map(|(status, count)| TraceStatusFigures { status: *status, count: int(*count) }).collect()
    }

    /// Traces that were left out because there are more than are read at once: at least this many, the oldest ones.
    async fn traces_left_out(&self) -> i32 {
        int(self.0.traces_left_out)
    }

    /// Whether anything was left out because there is more than is read at once: traces, branches, plans or scores.
    async fn is_partial(&self) -> bool {
        self.0.is_partial
    }

    /// How long turns took, in milliseconds, over those whose latency is known; null where there are none.
    async fn latency_ms(&self) -> Option<DistributionFigures> {
        self.0.latency.as_ref().map(|spread| DistributionFigures::scaled(spread, NANOS_A_MILLI))
    }

    /// Tokens, each counted where it was spent; null where none are reported.
    async fn tokens(&self) -> Option<TokenFigures> {
        self.0.tokens.map(TokenFigures::from)
    }

    /// Tokens of a turn, over those that report any; null where there are none.
    async fn tokens_per_turn(&self) -> Option<DistributionFigures> {
        self.0.tokens_per_turn.as_ref().map(|spread| DistributionFigures::scaled(spread, 1.0))
    }

    /// Cost in US dollars, as far as it is known; null where nobody says any.
    async fn cost_usd(&self) -> Option<f64> {
        self.0.cost.map(NanoUsd::dollars)
    }

    /// How much of the cost is known.
    async fn cost_coverage(&self) -> CostCoverage {
        self.0.coverage
    }

    /// Cost of a turn in US dollars, over those with a known one; null where there are none.
    async fn cost_usd_per_turn(&self) -> Option<DistributionFigures> {
        self.0.cost_per_turn.as_ref().map(|spread| DistributionFigures::scaled(spread, 1.0))
    }

    /// Spans that ended with an error.
    async fn error_count(&self) -> i32 {
        int(self.0.errors)
    }

    /// Of the spans that ended, the part that did so with an error, 0 to 1; null where none ended.
    async fn error_rate(&self) -> Option<f64> {
        self.0.error_rate
    }

    /// Of the turns that are over, the part in which a trace failed, 0 to 1; null where none is over.
    async fn failure_rate(&self) -> Option<f64> {
        self.0.failure_rate
    }

    /// Attempts after first ones that failed.
    async fn retry_count(&self) -> i32 {
        int(self.0.retries)
    }

    /// Of the turns, the part in which something was tried again, 0 to 1; null where there are none.
    async fn retry_rate(&self) -> Option<f64> {
        self.0.retry_rate
    }

    /// Of the things that were tried again, the part that came to a good end, 0 to 1; null where there are none.
    async fn recovery_rate(&self) -> Option<f64> {
        self.0.recovery_rate
    }

    /// Tools by how often they were called, most often first.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn tools(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Tools at most.", default_with = "page::default_first()")] first: Option<Given<i32>>,
    ) -> Result<Vec<ToolUseFigures>> {
        let mut tools: Vec<_> = self.0.tools.iter().collect();
        // Stable: of two as often, the order of their names stays.
        tools.sort_by_key(|(_, used)| std::cmp::Reverse(used.calls));
        let tools = tools.into_iter().take(most(ctx, first)?);
        Ok(tools.map(|(name, used)| ToolUseFigures::of(name, used, self.0.is_timed)).collect())
    }

    /// How far plans came.
    async fn plans(&self) -> PlanFigures {
        PlanFigures::from(&self.0.plans)
    }

    /// Scores of the conversation, its messages, its traces and their spans, by their names.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn scores(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Names at most.", default_with = "page::default_first()")] first: Option<Given<i32>>,
    ) -> Result<Vec<ScoreFigures>> {
        let scores = self.0.scores.iter().take(most(ctx, first)?);
        Ok(scores.map(|(name, scores)| ScoreFigures::of(name, scores)).collect())
    }

    /// How figures change over the turns.
    async fn trends(&self) -> TurnTrendFigures {
        TurnTrendFigures::from(&self.0.trends)
    }

    /// The turns, by their starts.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn turns(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Turns at most.", default_with = "page::default_first()")] first: Option<Given<i32>>,
    ) -> Result<Vec<TurnFigures>> {
        let turns = self.0.turns.iter().take(most(ctx, first)?);
        Ok(turns.cloned().map(TurnFigures).collect())
    }
}

fn most(ctx: &Context<'_>, first: Option<Given<i32>>) -> Result<usize> {
    Ok(page::request(first, None, request::of(ctx)?.limits.most)?.first)
}

/// What was done for one input.
struct TurnFigures(Turn);

/// What was done for one input: the traces with one turn's ID. A trace without one is a turn of its own.
#[Object]
impl TurnFigures {
    /// The turn; null of a trace that names none.
    async fn turn_id(&self) -> Option<PlainId> {
        self.0.turn_id.map(|id| PlainId(id.uuid()))
    }

    /// When its first trace started.
    async fn start_time(&self) -> DateTime {
        DateTime(self.0.start)
    }

    /// How many traces it has.
    async fn trace_count(&self) -> i32 {
        int(self.0.traces.len())
    }

    /// Its first trace.
    async fn first_trace(&self, ctx: &Context<'_>) -> Result<Option<Trace>> {
        let first: Option<TraceId> = self.0.traces.first().copied();
        match first {
            Some(id) => Trace::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// Milliseconds in which at least one of its traces was at work; null while one runs, and where only the order of
    /// what happened is known.
    async fn latency_ms(&self) -> Option<f64> {
        self.0.latency_nanos.map(millis)
    }

    /// Tokens read and written; null where none are reported.
    async fn total_tokens(&self) -> Option<BigInt> {
        self.0.tokens.map(BigInt)
    }

    /// Cost in US dollars, as far as it is known; null where nobody says any.
    async fn cost_usd(&self) -> Option<f64> {
        self.0.cost.map(NanoUsd::dollars)
    }

    /// The largest input of a call of a language model, in tokens; null where none is reported.
    async fn context_tokens(&self) -> Option<BigInt> {
        self.0.context.map(BigInt)
    }

    /// Calls of tools.
    async fn tool_call_count(&self) -> i32 {
        int(self.0.tool_calls)
    }

    /// Spans that ended with an error.
    async fn error_count(&self) -> i32 {
        int(self.0.errors)
    }

    /// Attempts after first ones that failed.
    async fn retry_count(&self) -> i32 {
        int(self.0.retries)
    }

    /// Whether a trace of it failed.
    async fn is_failed(&self) -> bool {
        self.0.is_failed
    }
}

/// How far plans came.
#[derive(SimpleObject)]
struct PlanFigures {
    /// Plans.
    count: i32,
    /// How many stand where.
    by_status: Vec<PlanStatusFigures>,
    /// Of the plans that came to an end, the part that was completed, 0 to 1; null where none came to one.
    completion_rate: Option<f64>,
    /// Steps of all plans.
    step_count: i32,
    /// How many steps stand where.
    steps_by_status: Vec<StepStatusFigures>,
    /// Of all steps, the part that is completed, 0 to 1; skipped ones are not. Null where there are none.
    step_completion_rate: Option<f64>,
}

impl From<&Plans> for PlanFigures {
    fn from(plans: &Plans) -> Self {
        let plan = |(status, count): (&_, &u64)| PlanStatusFigures { status: *status, count: int(*count) };
        let step = |(status, count): (&_, &u64)| StepStatusFigures { status: *status, count: int(*count) };
        Self {
            count: int(plans.plans),
            by_status: plans.by_status.iter().map(plan).collect(),
            completion_rate: plans.completion_rate(),
            step_count: int(plans.steps),
            steps_by_status: plans.steps_by_status.iter().map(step).collect(),
            step_completion_rate: plans.step_completion_rate(),
        }
    }
}

/// How figures change over the turns.
#[derive(SimpleObject)]
struct TurnTrendFigures {
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
