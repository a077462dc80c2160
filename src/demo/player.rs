//! Plays one run and records it while it plays.

use std::time::Duration;

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use serde_json::Value;
use tokio::time::sleep;

use super::{
    agent::Agent,
    cast::Stage,
    span::{self, Outcome},
    step::Step,
};
use crate::{
    model::{
        ConversationId, Json, SpanId, TraceId, TurnId,
        message::{MessageRole, NewMessage, NewToolCall},
        plan::{Plan, StepAction},
        span::{OperationType, SpanOp},
    },
    service::{ServiceResult, tracing::SpanWrite},
};

/// What plays a run.
pub(super) struct Player<'a> {
    pub agent: &'a Agent,
    pub stage: Stage,
    pub conversation: ConversationId,
    pub turn: TurnId,
    pub trace: TraceId,
    pub plan: Option<Plan>,
}

impl Player<'_> {
    /// Plays a step with all that happens in it.
    pub(super) fn play<'s>(
        &'s self,
        step: &'s Step,
        parent: Option<SpanId>,
    ) -> BoxFuture<'s, ServiceResult<Outcome>> {
        async move {
            let id = self.agent.ids.next().into();
            let parts = step.parts.iter().filter_map(|part| self.agent.cast.version(*part, self.stage));
            self.write(span::begin(step, id, parent, parts.collect())).await?;
            self.plan(step, StepAction::Start { span: Some((self.trace, id)) }).await?;
            let mut outcome = self.last(step, id).await?;
            if outcome == Outcome::Played {
                self.tell_asked(step).await?;
                outcome = self.play_inner(step, id).await?;
            }
            self.write(span::end(step, id, outcome)).await?;
            if outcome == Outcome::Played {
                self.tell_result(step).await?;
            }
            self.plan(step, ending(step, outcome)).await?;
            Ok(outcome)
        }
        .boxed()
    }

    async fn play_inner(&self, step: &Step, id: SpanId) -> ServiceResult<Outcome> {
        if step.at_once {
            let outcomes = join_all(step.inner.iter().map(|inner| self.play(inner, Some(id)))).await;
            let outcomes = outcomes.into_iter().collect::<ServiceResult<Vec<_>>>()?;
            let cut_off = outcomes.contains(&Outcome::CutOff);
            return Ok(if cut_off { Outcome::CutOff } else { Outcome::Played });
        }
        for inner in &step.inner {
            if self.play(inner, Some(id)).await? == Outcome::CutOff {
                return Ok(Outcome::CutOff);
            }
        }
        Ok(Outcome::Played)
    }

    /// Lets the time of the step itself pass. A model's answer begins before it ends.
    async fn last(&self, step: &Step, id: SpanId) -> ServiceResult<Outcome> {
        let beats = u32::try_from(step.beats).unwrap_or(1);
        let time = self.agent.options.pace * beats;
        if step.operation != OperationType::LlmCall {
            return Ok(self.wait(time).await);
        }
        let first = time / 3;
        if self.wait(first).await == Outcome::CutOff {
            return Ok(Outcome::CutOff);
        }
        let nanos = u64::try_from(first.as_nanos()).unwrap_or(u64::MAX);
        self.write(span::first_token(id, self.agent.clock.now(), nanos)).await?;
        Ok(self.wait(time.saturating_sub(first)).await)
    }

    /// Waits, unless the demo is stopped.
    async fn wait(&self, time: Duration) -> Outcome {
        let mut stop = self.agent.stop.clone();
        tokio::select! {
            () = sleep(time) => Outcome::Played,
            _ = stop.wait_for(|stop| *stop) => Outcome::CutOff,
        }
    }

    async fn write(&self, op: SpanOp) -> ServiceResult<()> {
        self.agent.services.tracing.write_span(SpanWrite { trace_id: self.trace, op }).await?;
        Ok(())
    }

    /// Moves the plan's step that this step carries out, if it is one.
    async fn plan(&self, step: &Step, action: StepAction) -> ServiceResult<()> {
        let planned = step.planned.and_then(|number| Some((self.plan.as_ref()?, number)));
        if let Some((plan, number)) = planned
            && let Some(planned) = plan.steps.get(number)
        {
            self.agent.services.plans.advance(plan.id, planned.id, action).await?;
        }
        Ok(())
    }

    /// Says in the conversation which tools are asked for.
    async fn tell_asked(&self, step: &Step) -> ServiceResult<()> {
        if step.asks.is_empty() {
            return Ok(());
        }
        let calls = step.asks.iter().map(|(id, name, arguments)| NewToolCall {
            id: None,
            call_id: Some(id.clone()),
            name: name.clone(),
            arguments: Json::from_value(arguments).unwrap_or_default(),
        });
        let message = NewMessage {
            content: None,
            tool_calls: calls.collect(),
            model_name: step.details.model.clone(),
            ..self.message(MessageRole::Assistant, "")
        };
        self.add(message).await
    }

    /// Says in the conversation what a tool answered.
    async fn tell_result(&self, step: &Step) -> ServiceResult<()> {
        if !step.told {
            return Ok(());
        }
        let content = match (step.failure, &step.outputs) {
            (Some(why), _) => format!("Error: {why}"),
            (None, Value::String(text)) => text.clone(),
            (None, outputs) => outputs.to_string(),
        };
        let tool_call_id = step.details.tool_call_id.clone();
        self.add(NewMessage { tool_call_id, ..self.message(MessageRole::Tool, content) }).await
    }

    /// A message of this run.
    pub(super) fn message(&self, role: MessageRole, content: impl Into<String>) -> NewMessage {
        NewMessage { turn_id: Some(self.turn), trace_id: Some(self.trace), ..NewMessage::text(role, content) }
    }

    /// Adds a message to the conversation.
    pub(super) async fn add(&self, message: NewMessage) -> ServiceResult<()> {
        self.agent.services.conversations.add_message(self.conversation, message, None).await?;
        Ok(())
    }
}

fn ending(step: &Step, outcome: Outcome) -> StepAction {
    match (outcome, step.failure) {
        (Outcome::CutOff, _) => StepAction::Interrupt,
        (Outcome::Played, Some(why)) => StepAction::Fail { error: why.to_owned() },
        (Outcome::Played, None) => StepAction::Complete { result: None },
    }
}
