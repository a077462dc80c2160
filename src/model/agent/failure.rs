//! Why a run of an agent gave no answer.

use crate::model::words::words;

words! {
    /// Why a run gave no answer.
    RunFailureKind {
        /// The model failed, and further attempts did not help.
        ModelFailed = 1 "MODEL_FAILED",
        /// The model asked for tools more often than the agent may.
        StepLimit = 2 "STEP_LIMIT",
        /// It used more tokens than it may.
        TokenLimit = 3 "TOKEN_LIMIT",
        /// It cost more than it may.
        CostLimit = 4 "COST_LIMIT",
        /// It took longer than it may.
        TimeLimit = 5 "TIME_LIMIT",
        /// It was stopped.
        Cancelled = 6 "CANCELLED",
        /// The server stopped while it went on.
        Interrupted = 7 "INTERRUPTED",
        /// The model wrote no plan that can be kept.
        InvalidPlan = 9 "INVALID_PLAN",
        /// The model that judges gave no verdict that can be used.
        InvalidVerdict = 10 "INVALID_VERDICT",
        /// Something failed that has nothing to do with the model or a tool.
        Internal = 8 "INTERNAL",
    }
}

/// Why a run gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFailure {
    /// What kind of reason it is.
    pub kind: RunFailureKind,
    /// What happened, for people to read.
    pub message: String,
}

impl RunFailure {
    /// A reason.
    pub fn new(kind: RunFailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
