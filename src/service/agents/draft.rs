//! Plans that a model writes: asked for as a structure, checked like those that people make, and asked for again with
//! what is wrong until one can be kept. It is kept as it stands then, not begun: a person may look at it first.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use serde::Deserialize;
use serde_json::json;

use super::{
    Agents, EndedRun,
    begin::Ending,
    flags::Keep,
    given::Given,
    recorder::{OpenSpan, Recorder, patiently},
    run::{Answered, At, Run, Spent, failed, outputs, said_by},
    state::InitialState,
    task::Task,
};
use crate::{
    llm::{ModelAnswer, ModelRequest},
    model::{
        ConversationId, Json, PlanId, Refusal, TraceId,
        agent::{RunFailure, RunFailureKind},
        component::VersionSelector,
        message::MessageRole,
        plan::{NewPlan, NewStep},
        refusal::Entity,
        span::{OperationType, SpanBody, SpanChanges, SpanDetails, SpanStatus},
        text::shortened,
        trace::{NewTrace, Trace},
    },
    service::{ServiceError, ServiceResult},
};

/// A plan that an agent's model is to write.
#[derive(Debug, Clone)]
pub struct PlanDraft {
    /// The conversation that it serves. The model is told what was said in it.
    pub conversation_id: ConversationId,
    /// The component of the agent: `agents/support`.
    pub agent_id: String,
    /// Which version of it.
    pub version: VersionSelector,
    /// Values of the instructions' variables, beside those that the agent has.
    pub variables: BTreeMap<String, String>,
    /// What the plan is to reach.
    pub goal: String,
    /// The plan's id, where the caller chooses it.
    pub plan_id: Option<PlanId>,
    /// How often a failed step may be tried again; `None`: three times.
    pub max_retries: Option<u32>,
    /// Minutes from the first step's start until the plan fails.
    pub timeout_minutes: Option<u32>,
}

/// A plan that is being written.
pub struct BegunDraft {
    /// The plan that there is once it is written.
    pub plan_id: PlanId,
    /// The id of the run's trace, by which it is followed and stopped.
    pub trace_id: TraceId,
    /// The run's trace, where it is recorded from the start.
    pub trace: Option<Trace>,
    ending: Ending,
}

impl BegunDraft {
    /// Waits until the plan is written, or failed to be. `None`: its end could not be kept.
    pub async fn ended(self) -> Option<EndedRun> {
        self.ending.wait().await
    }
}

/// What a plan is written for, and how it is kept.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) conversation: ConversationId,
    pub(super) plan: PlanId,
    pub(super) goal: String,
    max_retries: Option<u32>,
    timeout_minutes: Option<u32>,
}

/// How often a model is asked for a plan that can be kept.
const DRAFTS: usize = 4;

/// Bytes of a goal, which a trace's input and a span show.
const GOAL_BYTES: usize = 64 << 10;

/// A plan as a model writes it.
#[derive(Debug, Deserialize)]
struct Written {
    title: String,
    #[serde(default)]
    description: Option<String>,
    steps: Vec<WrittenStep>,
}

#[derive(Debug, Deserialize)]
struct WrittenStep {
    description: String,
    /// Numbers of steps, from 1.
    #[serde(default, alias = "dependsOn")]
    depends_on: Vec<u32>,
}

impl Agents {
    /// Has an agent's model write a plan. Durable when it returns: the run's trace.
    pub async fn draft(&self, draft: PlanDraft) -> ServiceResult<BegunDraft> {
        let PlanDraft { conversation_id, agent_id, version, variables, goal, .. } = draft;
        if goal.trim().is_empty() || goal.len() > GOAL_BYTES {
            return Err(Refusal::invalid("goal", format!("must have 1 to {GOAL_BYTES} bytes")).into());
        }
        if let Some(id) = draft.plan_id
            && self.plans.get_many(&[id]).await?.pop().flatten().is_some()
        {
            return Err(Refusal::already_exists("planId", Entity::Plan, id).into());
        }
        let prepared = self.prepare(&agent_id, &version, variables).await?;
        let (trace_id, plan_id) =
            (self.context.new_id(), draft.plan_id.unwrap_or_else(|| self.context.new_id()));
        let place = self.place(trace_id)?;
        let recording = self.flags.recording(trace_id);
        let new = NewTrace {
            conversation_id: Some(conversation_id),
            start_time: Some(self.context.now()),
            ..prepared.new_trace(trace_id, Some(goal.clone()), &recording)
        };
        let trace = self.start_alone(new.clone(), recording.keep == Keep::All).await?;
        let task = Task::Draft(Draft {
            conversation: conversation_id,
            plan: plan_id,
            goal,
            max_retries: draft.max_retries,
            timeout_minutes: draft.timeout_minutes,
        });
        let run = self.run(prepared, task, &place, Recorder::begin(&self.context, trace_id, recording, new));
        Ok(BegunDraft { plan_id, trace_id, trace, ending: self.set_off(run, place) })
    }
}

impl Run {
    /// Has the model write a plan, and keeps it.
    pub(super) async fn draft(&self, root: OpenSpan, draft: &Draft) -> Result<Answered, RunFailure> {
        const NAME: &str = "draft plan";
        let InitialState { summary, messages } = self.remember(root).await?.state;
        let system = self.system_of_draft(summary.as_deref());
        let given = Given::of(self, &system, &messages);
        self.record_state(summary.as_deref(), &given).await;
        let details = SpanDetails { plan_id: Some(draft.plan), ..SpanDetails::default() };
        let body = SpanBody { inputs: Some(Json::string(&draft.goal)), ..SpanBody::default() };
        let changes = SpanChanges { details, body, ..SpanChanges::default() };
        let span = self.start_span(Some(root), (OperationType::Planning, NAME), changes).await;
        let mut request = self.request(&system, messages);
        request.tools.clear();
        request.settings.answer_schema = Some(("plan".to_owned(), schema()));
        let written = self.write_plan(span, draft, (request, given)).await;
        let (status, changes) = match &written {
            Ok(text) => (SpanStatus::Ok, outputs(Json::parse(text).ok())),
            Err(failure) => (SpanStatus::Error, failed(&failure.message, failure.kind.text())),
        };
        self.end_span(span, (OperationType::Planning, NAME), status, changes).await;
        Ok(Answered { text: written?, message: None })
    }

    /// Asks until there is a plan that can be kept; answers its text.
    async fn write_plan(
        &self,
        span: OpenSpan,
        draft: &Draft,
        (mut request, mut given): (ModelRequest, Given),
    ) -> Result<String, RunFailure> {
        let mut spent = Spent::default();
        let mut wrong = String::new();
        for _ in 0..DRAFTS {
            let answer = self.ask(&At { parent: span, knows: None }, &request, &given).await?;
            spent.add(self, &answer);
            match self.keep_plan(draft, &answer).await? {
                Ok(text) => return Ok(text),
                Err(why) => wrong = why,
            }
            spent.check(&self.agent.limits)?;
            let told = format!("This plan cannot be kept: {wrong}. Answer with the whole plan, mended.");
            let more = [answer.message, said_by(MessageRole::User, &told)];
            given.add(&more);
            request.messages.extend(more);
        }
        let message = format!("the model wrote no plan that can be kept, in {DRAFTS} attempts: {wrong}");
        Err(RunFailure::new(RunFailureKind::InvalidPlan, message))
    }

    /// Keeps what a model wrote; inside, why it cannot be.
    async fn keep_plan(&self, draft: &Draft, answer: &ModelAnswer) -> ServiceResult<Result<String, String>> {
        let said = answer.message.text().unwrap_or_default();
        let Some(text) = object_in(&said) else {
            return Ok(Err("it is no JSON object".to_owned()));
        };
        let written: Written = match serde_json::from_str(text) {
            Ok(written) => written,
            Err(error) => return Ok(Err(format!("it is not what the schema asks for: {error}"))),
        };
        let new = draft.plan_of(written);
        match patiently(|| self.plans.create(new.clone()).boxed()).await {
            Ok(_) => Ok(Ok(text.to_owned())),
            // What is wrong with the plan is the model's to mend, and nothing else.
            Err(ServiceError::Refused(
                refusal @ (Refusal::Invalid { .. } | Refusal::LimitExceeded { .. }),
            )) => Ok(Err(refusal.to_string())),
            Err(error) => Err(error),
        }
    }

    fn system_of_draft(&self, summary: Option<&str>) -> String {
        let mut system = self.system(summary);
        system.push_str(DRAFTING);
        let tools = self
            .specs
            .iter()
            .map(|spec| format!("\n- {}: {}", spec.name, shortened(&spec.description, DESCRIPTION_BYTES)));
        let tools: String = tools.collect();
        if !tools.is_empty() {
            system.push_str("\nWhoever carries out a step has these tools:");
            system.push_str(&tools);
        }
        system
    }
}

/// Bytes of a tool's description, as a plan's writer is told of it.
const DESCRIPTION_BYTES: usize = 500;

/// What the model is told, behind the agent's own instructions.
const DRAFTING: &str = "\n\nYou write a plan now, and do not carry it out. Each step is carried out by itself: who does \
    it sees the plan's title, the step, and the results of the steps that it depends on, nothing else. So say in each \
    what is to be done and what its result is to be. A step depends on those whose results it needs, and on no others: \
    steps that do not depend on each other are carried out at the same time. Answer with JSON alone: {\"title\": what the \
    plan is for, \"description\": the same at length, \"steps\": [{\"description\": what is to be done, \"depends_on\": \
    [numbers of earlier steps, the first being 1]}]}.";

/// What the model is asked for a goal.
pub(super) fn asked_for(goal: &str) -> String {
    format!("Write a plan for this: {goal}")
}

/// The JSON Schema of a plan, within what all providers take.
fn schema() -> Json {
    let step = json!({
        "type": "object",
        "properties": {
            "description": { "type": "string" },
            "depends_on": { "type": "array", "items": { "type": "integer" } },
        },
        "required": ["description", "depends_on"],
        "additionalProperties": false,
    });
    Json::of(&json!({
        "type": "object",
        "properties": {
            "title": { "type": "string" },
            "description": { "type": "string" },
            "steps": { "type": "array", "items": step },
        },
        "required": ["title", "description", "steps"],
        "additionalProperties": false,
    }))
}

/// The JSON object in an answer: models like to put words or a fence around it.
fn object_in(text: &str) -> Option<&str> {
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    text.get(start..=end)
}

impl Draft {
    fn plan_of(&self, written: Written) -> NewPlan {
        let Written { title, description, steps } = written;
        let steps = steps.into_iter().zip(1_u32..).map(|(step, number)| NewStep {
            id: None,
            key: Some(number.to_string()),
            description: step.description,
            dependencies: step.depends_on.iter().map(u32::to_string).collect(),
        });
        NewPlan {
            id: Some(self.plan),
            conversation_id: self.conversation,
            title,
            description: description.filter(|text| !text.is_empty()).or_else(|| Some(self.goal.clone())),
            context: None,
            max_retries: self.max_retries,
            timeout_minutes: self.timeout_minutes,
            steps: steps.collect(),
        }
    }
}
