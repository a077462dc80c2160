//! What an evaluation keeps of the analysis of a trace, so that its spans need not stay in memory.

use crate::model::{
    analysis::{CostCoverage, RetryOutcome, TraceAnalysis},
    ledger::{NanoUsd, TokenTotals},
    stats::float,
};

/// What an evaluation keeps of the analysis of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceDigest {
    /// Spans that have ended.
    pub ended: u64,
    /// Of them: with an error.
    pub failed: u64,
    /// Attempts after first ones that failed.
    pub retries: u64,
    /// Things that were tried again.
    pub retried: u64,
    /// Of them: whose last attempt ended well.
    pub recovered: u64,
    /// Its tools.
    pub tools: Vec<(String, ToolUse)>,
    /// The largest input of a model call, in tokens; `None` where none is reported.
    pub context: Option<u64>,
    /// Tokens by kind; `None` where none are reported.
    pub tokens: Option<TokenTotals>,
    /// Cost, as far as it is known.
    pub cost: Option<NanoUsd>,
    /// How much of it that is.
    pub coverage: CostCoverage,
}

/// How a tool was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ToolUse {
    /// Calls.
    pub calls: u64,
    /// Of them: ended well.
    pub succeeded: u64,
    /// Of them: ended with an error.
    pub failed: u64,
    /// The time that they took together, in nanoseconds.
    pub nanos: u64,
}

impl ToolUse {
    /// The part of the calls that ended well or with an error that ended well; `None` where there are none.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        let ended = self.succeeded.saturating_add(self.failed);
        (ended > 0).then(|| float(self.succeeded) / float(ended))
    }

    pub(super) fn add(&mut self, more: &Self) {
        self.calls = self.calls.saturating_add(more.calls);
        self.succeeded = self.succeeded.saturating_add(more.succeeded);
        self.failed = self.failed.saturating_add(more.failed);
        self.nanos = self.nanos.saturating_add(more.nanos);
    }
}

impl TraceDigest {
    /// What is kept of an analysis.
    #[must_use]
    pub fn of(analysis: &TraceAnalysis) -> Self {
        let totals = &analysis.totals;
        let attempts = analysis.retries.iter().map(|retry| retry.attempts.len().saturating_sub(1) as u64);
        let recovered = |outcome| outcome == RetryOutcome::Recovered;
        let tool = |(name, group): &(String, crate::model::analysis::Group)| {
            let tool = ToolUse {
                calls: group.count,
                succeeded: group.succeeded,
                failed: group.failed,
                nanos: group.total_nanos,
            };
            (name.clone(), tool)
        };
        Self {
            ended: totals.spans.saturating_sub(totals.running),
            failed: totals.failed,
            retries: attempts.sum(),
            retried: analysis.retries.len() as u64,
            recovered: analysis.retries.iter().filter(|retry| recovered(retry.outcome)).count() as u64,
            tools: analysis.tools.iter().map(tool).collect(),
            context: analysis.context.largest,
            tokens: totals.tokens,
            cost: totals.cost,
            coverage: totals.coverage,
        }
    }
}
