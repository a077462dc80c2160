//! An agent at work: one run after the other, each recorded as a real agent records its own.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use super::{
    Options,
    author::Author,
    cast::{Cast, Stage},
    player::Player,
    span::Outcome,
    step::Script,
    stories,
};
use crate::{
    model::{
        ConversationId, Json,
        clock::{SharedClock, SharedIds},
        conversation::NewConversation,
        message::{MessageRole, NewMessage},
        plan::{NewPlan, NewStep, PlanAction},
        score::{NewScore, ScoreSource, ScoreTarget, ScoreValue},
        trace::{NewTrace, TraceBody, TraceCompletion, TraceStatus},
    },
    service::{ServiceError, ServiceResult, Services},
};

/// Beats of rest between two runs.
const REST: u32 = 6;

/// An agent.
#[derive(Clone)]
pub(super) struct Agent {
    pub services: Services,
    pub clock: SharedClock,
    pub ids: SharedIds,
    pub cast: Arc<Cast>,
    pub options: Options,
    pub stop: watch::Receiver<bool>,
}

impl Agent {
    /// Works until all of its runs are done or the demo is stopped; answers how many were recorded. Of
    /// the runs it takes each so many-th, as there are agents: which runs there are does not depend on
    /// who is faster.
    pub(super) async fn work(self, number: u64) -> ServiceResult<u64> {
        let (mut run, mut recorded) = (number, 0);
        while !*self.stop.borrow() && self.options.runs.is_none_or(|runs| run < runs) {
            match self.run(&mut Author::of(self.options.seed, run)).await {
                Ok(()) => recorded += 1,
                // Others write too: a full queue is no reason to give up.
                Err(ServiceError::Overloaded { retry_after }) => tokio::time::sleep(retry_after).await,
                Err(error) => return Err(error),
            }
            run += self.options.agents.max(1) as u64;
            self.rest().await;
        }
        Ok(recorded)
    }

    async fn rest(&self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(self.options.pace * REST) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn run(&self, author: &mut Author) -> ServiceResult<()> {
        let stage = if author.chance(30) { Stage::Staging } else { Stage::Production };
        let script = stories::write(author, stage);
        let player = self.begin(&script, stage).await?;
        let outcome = player.play(&script.root, None).await?;
        self.end(&player, &script, outcome, author).await
    }

    /// A conversation, the user's message, and the trace that it sets off.
    async fn begin(&self, script: &Script, stage: Stage) -> ServiceResult<Player<'_>> {
        let conversation = self.services.conversations.create(conversation(script)).await?;
        let (turn, trace) = (self.ids.next().into(), self.ids.next().into());
        let message =
            NewMessage { turn_id: Some(turn), ..NewMessage::text(MessageRole::User, &script.input) };
        let new = NewTrace {
            id: Some(trace),
            name: Some(script.title.clone()),
            user_id: Some(script.user.to_owned()),
            body: TraceBody {
                metadata: document(&json!({ "scripted": true, "stage": stage.name() })),
                ..TraceBody::default()
            },
            ..NewTrace::default()
        };
        self.services.conversations.add_message(conversation.id, message, Some(new)).await?;
        let plan = match plan(script, conversation.id) {
            Some(plan) => Some(self.services.plans.create(plan).await?),
            None => None,
        };
        Ok(Player { agent: self, stage, conversation: conversation.id, turn, trace, plan })
    }

    /// The answer, the end of the trace, what the user thinks of it.
    async fn end(
        &self,
        player: &Player<'_>,
        script: &Script,
        outcome: Outcome,
        author: &mut Author,
    ) -> ServiceResult<()> {
        let status = match (outcome, &script.answer) {
            (Outcome::CutOff, _) => TraceStatus::Cancelled,
            (Outcome::Played, None) => TraceStatus::Failed,
            (Outcome::Played, Some(_)) => TraceStatus::Completed,
        };
        let answer = script.answer.clone().filter(|_| outcome == Outcome::Played);
        if let Some(answer) = &answer {
            let thinking = Some(script.thinking.to_owned());
            player.add(NewMessage { thinking, ..player.message(MessageRole::Assistant, answer) }).await?;
        }
        if let (Outcome::CutOff, Some(plan)) = (outcome, &player.plan) {
            self.services.plans.control(plan.id, PlanAction::Cancel).await?;
        }
        let completion = TraceCompletion { status, final_output: answer, end_time: None };
        self.services.tracing.complete_trace(player.trace, completion).await?;
        if outcome == Outcome::Played && author.chance(60) {
            self.services.scores.record(score(player, status, author)).await?;
        }
        Ok(())
    }
}

fn conversation(script: &Script) -> NewConversation {
    NewConversation {
        title: Some(script.title.clone()),
        metadata: document(&json!({ "scripted": true })),
        tags: vec!["demo".to_owned(), "scripted".to_owned()],
        user_id: Some(script.user.to_owned()),
        ..NewConversation::default()
    }
}

/// Each step waits for the one before it.
fn plan(script: &Script, conversation_id: ConversationId) -> Option<NewPlan> {
    let (title, steps) = script.plan.as_ref()?;
    let steps = steps.iter().enumerate().map(|(number, description)| NewStep {
        key: Some(number.to_string()),
        description: (*description).to_owned(),
        dependencies: number.checked_sub(1).map(|before| before.to_string()).into_iter().collect(),
        ..NewStep::default()
    });
    Some(NewPlan {
        id: None,
        conversation_id,
        title: title.clone(),
        description: None,
        context: document(&json!({ "scripted": true })),
        max_retries: None,
        timeout_minutes: Some(60),
        steps: steps.collect(),
    })
}

fn score(player: &Player<'_>, status: TraceStatus, author: &mut Author) -> NewScore {
    let helpful = status == TraceStatus::Completed && author.chance(85);
    NewScore {
        id: None,
        target: ScoreTarget::Trace(player.trace),
        name: "helpful".to_owned(),
        value: ScoreValue::Boolean(helpful),
        comment: Some("scripted".to_owned()),
        source: ScoreSource::Rule,
    }
}

fn document(value: &serde_json::Value) -> Option<Json> {
    Json::from_value(value).ok()
}
