//! What runs are for.

use super::{draft::Draft, results::RecordedResults, state::InitialState};
use crate::model::{
    ConversationId, MessageId, PlanId, SpanId, StepId, TurnId, evaluator::JudgeAnswer, span::OperationType,
};

/// What a run is for.
#[derive(Debug)]
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
    /// To write a plan. What was said in its conversation is known; nothing is said there.
    Draft(Draft),
    /// To judge what an agent did, with a verdict of this form. Nothing of it is said in a conversation.
    Judge(JudgeAnswer),
    /// For itself: a recorded run that is made again, or an agent that is tried out. Nothing of it is said in a
    /// conversation.
    Alone {
        /// What it begins with.
        state: InitialState,
        /// What tools answered in the recorded run, where that is to be used again.
        results: Option<RecordedResults>,
    },
}

impl Task {
    /// What kind of operation the run as a whole is.
    pub(super) const fn operation(&self) -> OperationType {
        match self {
            Self::Judge(_) => OperationType::Evaluation,
            Self::Talk { .. } | Self::Step { .. } | Self::Draft(_) | Self::Alone { .. } => {
                OperationType::Agent
            }
        }
    }
}
