//! Somebody who talks to an agent: says something, waits for the answer, goes on. What they do is all that
//! an agent's user can do, through the same use cases.

use std::pin::pin;

use futures_util::StreamExt;

use super::{
    Demo,
    author::Author,
    cast::{self, Stage},
    stories::{Act, Story},
};
use crate::{
    model::{
        ConversationId, MessageId, TraceId,
        component::VersionSelector,
        plan::{NewPlan, NewStep, Plan, PlanAction},
        score::{NewScore, ScoreSource, ScoreTarget, ScoreValue},
        trace::{Trace, TraceStatus},
    },
    service::{
        ServiceError, ServiceResult,
        agents::{EndedRun, OutputEvent, PlanExecution, UserInput},
    },
};

/// Somebody in a conversation.
pub(super) struct Person<'a> {
    demo: &'a Demo,
    author: Author,
    agent: &'static str,
    stage: Stage,
    conversation: ConversationId,
    title: String,
    user: &'static str,
    /// What was said last, and behind which answer.
    last: Option<(String, Option<MessageId>)>,
    /// The last answer.
    answer: Option<MessageId>,
}

/// Has a conversation from its beginning to its end, or until the demo is stopped.
pub(super) async fn live(demo: &Demo, story: Story, mut author: Author) -> ServiceResult<()> {
    let stage = if author.chance(35) { Stage::Staging } else { Stage::Production };
    let Story { agent, title, user, acts } = story;
    let conversation = demo.services.conversations.create(demo.conversation(&title, user)).await?;
    let mut person = Person {
        demo,
        author,
        agent,
        stage,
        conversation: conversation.id,
        title,
        user,
        last: None,
        answer: None,
    };
    for act in acts {
        if demo.is_stopped() {
            break;
        }
        person.act(act).await?;
        let beats = person.author.between(2, 8);
        demo.rest(beats).await;
    }
    Ok(())
}

impl Person<'_> {
    async fn act(&mut self, act: Act) -> ServiceResult<()> {
        match act {
            Act::Say(text) => self.say(text, None).await,
            Act::SayAndStop(text, tool) => self.say(text, Some(tool)).await,
            Act::Compare => self.compare().await,
            Act::Plan(title, steps) => self.plan(title, steps).await,
        }
    }

    async fn say(&mut self, text: String, stop_at: Option<&str>) -> ServiceResult<()> {
        let ended = self.run(self.conversation, self.stage, &text, stop_at).await?;
        self.last = Some((text, self.answer));
        self.answer = ended.and_then(|ended| ended.answer).map(|answer| answer.id);
        Ok(())
    }

    /// The last thing again, to the other version. Of the first thing that was said there is nothing to
    /// branch from: then it is said in a conversation of its own.
    async fn compare(&mut self) -> ServiceResult<()> {
        let Some((text, behind)) = self.last.clone() else { return Ok(()) };
        let (conversations, other) = (&self.demo.services.conversations, self.stage.other());
        let title = format!("{} ({})", self.title, other.label());
        let again = match behind {
            Some(behind) => conversations.branch(self.conversation, behind, Some(title)).await?,
            None => conversations.create(self.demo.conversation(&title, self.user)).await?,
        };
        self.run(again.id, other, &text, None).await?;
        Ok(())
    }

    /// Has a run from its beginning to its end. It is stopped where the demo is, or once it calls the tool
    /// `stop_at`.
    async fn run(
        &mut self,
        conversation_id: ConversationId,
        stage: Stage,
        text: &str,
        stop_at: Option<&str>,
    ) -> ServiceResult<Option<EndedRun>> {
        let agents = &self.demo.services.agents;
        let begun = agents.begin(UserInput {
            conversation_id,
            agent_id: cast::component(self.agent),
            version: VersionSelector::Label(stage.label().to_owned()),
            content: text.to_owned(),
            variables: [].into(),
            trace_id: None,
        });
        let begun = begun.await?;
        let trace = begun.trace_id;
        let mut ended = pin!(begun.ended());
        let ended = tokio::select! {
            ended = &mut ended => ended,
            () = self.demo.stopped() => {
                agents.cancel(trace).await?;
                ended.await
            }
            called = self.called(trace, stop_at) => {
                called?;
                self.demo.rest(6).await;
                agents.cancel(trace).await?;
                ended.await
            }
        };
        // What is not recorded cannot be judged.
        if let Some(trace) = ended.as_ref().and_then(|ended| ended.trace.as_ref()) {
            self.judge(trace, stage).await?;
        }
        Ok(ended)
    }

    /// Waits until a run calls a tool; for ever where none is asked for.
    async fn called(&self, trace: TraceId, tool: Option<&str>) -> ServiceResult<()> {
        if let Some(tool) = tool {
            let mut output = pin!(self.demo.services.agents.output(trace, 0).await?);
            while let Some(part) = output.next().await {
                let is_call =
                    |event: &OutputEvent| matches!(event, OutputEvent::ToolCall { name, .. } if name == tool);
                if part.events.iter().any(is_call) {
                    return Ok(());
                }
            }
        }
        std::future::pending().await
    }

    /// Says what they think of a run, more often than not.
    async fn judge(&mut self, trace: &Trace, stage: Stage) -> ServiceResult<()> {
        if trace.status == TraceStatus::Cancelled || !self.author.chance(60) {
            return Ok(());
        }
        let pleased = if stage == Stage::Staging { 92 } else { 80 };
        let is_helpful = self.author.chance(pleased) && trace.status == TraceStatus::Completed;
        let score = NewScore {
            id: None,
            target: ScoreTarget::Trace(trace.id),
            name: "helpful".to_owned(),
            value: ScoreValue::Boolean(is_helpful),
            comment: Some("scripted".to_owned()),
            source: ScoreSource::Rule,
            evaluator: None,
            judged_in: None,
            judged_revision: None,
        };
        self.demo.services.scores.record(score).await?;
        Ok(())
    }

    /// Has a plan carried out to its end. It is given up where the demo is stopped.
    async fn plan(&mut self, title: String, steps: Vec<(String, Vec<usize>)>) -> ServiceResult<()> {
        let services = &self.demo.services;
        let steps = steps.into_iter().enumerate().map(|(number, (description, after))| NewStep {
            id: None,
            key: Some(number.to_string()),
            description,
            dependencies: after.iter().map(usize::to_string).collect(),
        });
        let plan = NewPlan {
            id: None,
            conversation_id: self.conversation,
            title,
            description: None,
            context: Some(self.demo.label()),
            max_retries: Some(2),
            timeout_minutes: Some(60),
            steps: steps.collect(),
        };
        let id = services.plans.create(plan).await?.id;
        let execution = PlanExecution {
            plan_id: id,
            agent_id: cast::component(self.agent),
            version: VersionSelector::Label(self.stage.label().to_owned()),
            variables: [].into(),
        };
        services.agents.execute_plan(execution).await?;
        let mut changes = pin!(services.plans.plan_live(id, None).await?);
        loop {
            tokio::select! {
                change = changes.next() => match change.transpose()? {
                    Some(change) if !change.plan.status.is_final() => {}
                    _ => return Ok(()),
                },
                () = self.demo.stopped() => break,
            }
        }
        match services.plans.control(id, PlanAction::Cancel).await {
            Ok(plan) => self.stop_attempts(&plan).await,
            // It came to its end just now.
            Err(ServiceError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits until the runs of a plan that was given up are over.
    async fn stop_attempts(&self, plan: &Plan) -> ServiceResult<()> {
        let attempts = plan.steps.iter().flat_map(|step| &step.attempts);
        for (trace, _) in attempts.filter_map(|attempt| attempt.span) {
            self.demo.services.agents.cancel(trace).await?;
        }
        Ok(())
    }
}
