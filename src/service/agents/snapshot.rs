//! What an agent knows at a moment of its run, beside what its model is given: recorded with the spans where the flags
//! say so.

use serde_json::{Value, json};

use super::{
    draft::Draft,
    run::{Run, Spent},
    task::Task,
};
use crate::model::{Json, ledger::NanoUsd, span::SpanBody};

/// What an agent knows at a moment.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    memory: Json,
    conversation: Json,
}

impl Snapshot {
    /// What is known at a step: the summary of what came before, and so many messages.
    pub(super) fn of(
        run: &Run,
        step: u32,
        (summary, messages): (Option<&str>, usize),
        spent: &Spent,
    ) -> Self {
        let limits = serde_json::to_value(&run.agent.limits).unwrap_or_default();
        let memory = json!({
            "step": step,
            "summary": summary,
            "messages": messages,
            "used": { "tokens": spent.tokens, "costUsd": NanoUsd::from_nanos(spent.nanos).dollars() },
            "limits": limits,
        });
        Self { memory: Json::of(&memory), conversation: Json::of(&context_of(&run.task)) }
    }

    /// Puts it into a span.
    pub(super) fn put(self, body: &mut SpanBody) {
        body.memory_snapshot = Some(self.memory);
        body.conversation_context = Some(self.conversation);
    }
}

fn context_of(task: &Task) -> Value {
    match task {
        Task::Talk { conversation, turn, asked } => json!({
            "conversationId": conversation.to_string(),
            "turnId": turn.to_string(),
            "messageId": asked.to_string(),
        }),
        Task::Step { plan, step, .. } => json!({ "planId": plan.to_string(), "stepId": step.to_string() }),
        Task::Draft(Draft { conversation, plan, .. }) => {
            json!({ "conversationId": conversation.to_string(), "planId": plan.to_string() })
        }
        Task::Judge(_) | Task::Alone { .. } => json!({}),
    }
}
