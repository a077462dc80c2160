//! What runs are for.

use crate::model::{ConversationId, MessageId, PlanId, SpanId, StepId, TurnId};

/// What a run is for.
#[derive(Debug, Clone)]
pub(super) enum Task {
    /// To answer in a conversation, where everything is said.
    Talk {
        conversation: ConversationId,
        turn: TurnId,
        /// The message that is to be answered.
        asked: MessageId,
    },
    /// To carry out a step of a plan. Nothing of it is said in a conversation; what comes of it is the step's result.
    Step {
        plan: PlanId,
        step: StepId,
        /// What the step is called.
        name: String,
        /// The span that the attempt runs in.
        span: SpanId,
        /// What the agent is told.
        told: String,
    },
}
