//! One run of an agent: asks the model (`ask`), calls the tools that it asks for (`call`), and goes on until there is
//! an answer or a reason to stop. Everything is recorded as it happens.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};

use super::{
    draft,
    given::Given,
    memory::{self, Memory},
    output::{Output, OutputEvent},
    parts::RunParts,
    recorder::{OpenSpan, Recorder, patiently},
    snapshot::Snapshot,
    state::InitialState,
    task::Task,
};
use crate::{
    llm::{Backoff, Model, ModelAnswer},
    model::{
        Json, TraceId,
        agent::{AgentDefinition, AgentLimits, RunFailure, RunFailureKind},
        chat::{ChatMessage, ChatPart},
        component::ComponentRef,
        ledger::{Ledger, NanoUsd},
        message::{Message, MessageRole, NewMessage},
        prices::PricedCall,
        span::{OperationType, SpanBody, SpanChanges, SpanDetails, SpanStatus},
        text::shortened,
        trace::TraceBody,
    },
    service::{Context, ServiceError, ServiceResult, conversations::Conversations, plans::Plans},
    tools::{ToolSpec, Tools},
};

impl From<ServiceError> for RunFailure {
    fn from(error: ServiceError) -> Self {
        Self::new(RunFailureKind::Internal, error.to_string())
    }
}

/// What a run is given.
pub(super) struct Run {
    pub(super) context: Context,
    pub(super) conversations: Conversations,
    pub(super) plans: Plans,
    pub(super) tools: Tools,
    pub(super) model: Arc<dyn Model>,
    pub(super) provider: String,
    pub(super) model_name: String,
    pub(super) backoff: Backoff,
    pub(super) agent: AgentDefinition,
    pub(super) versions: Vec<ComponentRef>,
    pub(super) parts: RunParts,
    pub(super) specs: Vec<ToolSpec>,
    pub(super) instructions: String,
    pub(super) task: Task,
    pub(super) trace: TraceId,
    pub(super) recorder: Arc<Recorder>,
    pub(super) output: Arc<Output>,
}

/// What a run has used so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    pub(super) tokens: u64,
    pub(super) nanos: i64,
}

/// Where in a run something is done.
pub(super) struct At {
    /// The span above it.
    pub(super) parent: OpenSpan,
    /// What the agent knows, where that is to be recorded.
    pub(super) knows: Option<Snapshot>,
}

/// The answer of a run.
pub(super) struct Answered {
    /// What it says.
    pub(super) text: String,
    /// The message with it, in a conversation.
    pub(super) message: Option<Message>,
}

impl Run {
    /// Runs the agent. The caller ends what is open where this is dropped.
    pub(super) fn drive(&self) -> BoxFuture<'_, Result<Answered, RunFailure>> {
        self.driven().boxed()
    }

    async fn driven(&self) -> Result<Answered, RunFailure> {
        let above = self.begin_step().await;
        let root = self.begin_root(above.as_ref().map(|(span, _)| *span)).await;
        let limit = Duration::from_secs(self.agent.limits.seconds);
        let driven = tokio::time::timeout(limit, self.work(root)).await;
        let outcome = driven.unwrap_or_else(|_| {
            let message = format!("the run took longer than {} s", self.agent.limits.seconds);
            Err(RunFailure::new(RunFailureKind::TimeLimit, message))
        });
        let (status, changes) = match &outcome {
            Ok(answer) => (SpanStatus::Ok, outputs(Some(Json::string(&answer.text)))),
            Err(failure) => (SpanStatus::Error, failed(&failure.message, failure.kind.text())),
        };
        self.end_span(root, (self.task.operation(), &self.agent.name), status, changes.clone()).await;
        if let Some((span, name)) = above {
            self.end_span(span, (OperationType::PlanStep, name), status, changes).await;
        }
        outcome
    }

    /// The span of the plan's step, where it is one.
    async fn begin_step(&self) -> Option<(OpenSpan, &str)> {
        let Task::Step { plan, step, name, span, told } = &self.task else { return None };
        let details = SpanDetails { plan_id: Some(*plan), step_id: Some(*step), ..SpanDetails::default() };
        let body = SpanBody { inputs: Some(Json::string(told)), ..SpanBody::default() };
        let changes = SpanChanges { details, body, ..SpanChanges::default() };
        let span = OpenSpan { id: *span };
        self.recorder.start_as(span, None, OperationType::PlanStep, name.clone(), changes).await;
        self.tell(span, None, (OperationType::PlanStep, name), SpanStatus::Running);
        Some((span, name))
    }

    async fn begin_root(&self, above: Option<OpenSpan>) -> OpenSpan {
        let operation = self.task.operation();
        let agent_name = (operation == OperationType::Agent).then(|| self.agent.name.clone());
        let details = SpanDetails { agent_name, ..SpanDetails::default() };
        let changes = SpanChanges { details, components: self.versions.clone(), ..SpanChanges::default() };
        self.start_span(above, (operation, &self.agent.name), changes).await
    }

    async fn work(&self, root: OpenSpan) -> Result<Answered, RunFailure> {
        match &self.task {
            Task::Draft(draft) => self.draft(root, draft).await,
            Task::Judge(form) => self.judge(root, form).await,
            Task::Talk { .. } | Task::Step { .. } | Task::Alone { .. } => self.steps(root).await,
        }
    }

    /// What the model is told beside the messages.
    pub(super) fn system(&self, summary: Option<&str>) -> String {
        match summary {
            Some(summary) => format!("{}\n\nEarlier in this conversation:\n{summary}", self.instructions),
            None => self.instructions.clone(),
        }
    }

    async fn steps(&self, root: OpenSpan) -> Result<Answered, RunFailure> {
        let memory = self.remember(root).await?;
        let Memory { state: InitialState { summary, mut messages }, older, unsummarised, .. } = memory;
        let system = self.system(summary.as_deref());
        let mut given = Given::of(self, &system, &messages);
        self.record_state(summary.as_deref(), &given).await;
        let mut spent = Spent::default();
        for step in 0..self.agent.limits.steps {
            let knows = self.recorder.takes_snapshots();
            let knows = knows.then(|| Snapshot::of(self, step, (summary.as_deref(), messages.len()), &spent));
            let at = At { parent: root, knows };
            let answer = self.ask(&at, &self.request(&system, messages.clone()), &given).await?;
            spent.add(self, &answer);
            let calls: Vec<_> = self.calls_of(&answer);
            if calls.is_empty() {
                let answered = self.answer(&answer).await?;
                if unsummarised > self.agent.limits.history_tokens {
                    let before = summary.as_deref();
                    self.summarise(root, (before, &older, &messages, &answered.text)).await;
                }
                return Ok(answered);
            }
            spent.check(&self.agent.limits)?;
            let more = self.call_tools(&at, &answer, calls).await?;
            given.add(&more);
            messages.extend(more);
        }
        let message = format!("the model asked for tools in each of {} steps", self.agent.limits.steps);
        Err(RunFailure::new(RunFailureKind::StepLimit, message))
    }

    /// Reads what the model is given of the conversation.
    pub(super) async fn remember(&self, root: OpenSpan) -> Result<Memory, RunFailure> {
        const NAME: &str = "load history";
        let (conversation, asked) = match &self.task {
            Task::Talk { conversation, .. } => (*conversation, None),
            Task::Draft(draft) => (draft.conversation, Some(draft::asked_for(&draft.goal))),
            Task::Alone { state, .. } => return Ok(Memory { state: state.clone(), ..Memory::default() }),
            // It is shown what it judges, and knows nothing else.
            Task::Judge(_) => return Ok(Memory::default()),
            Task::Step { told, .. } => {
                let messages = vec![said_by(MessageRole::User, told)];
                let state = InitialState { summary: None, messages };
                return Ok(Memory { state, ..Memory::default() });
            }
        };
        let span = self.start_span(Some(root), (OperationType::Memory, NAME), SpanChanges::default()).await;
        let budget = self.agent.limits.history_tokens;
        let mut memory = memory::read(&self.conversations, conversation, budget).await?;
        memory.state.messages.extend(asked.map(|asked| said_by(MessageRole::User, &asked)));
        let found = serde_json::json!({
            "messages": memory.state.messages.len(), "tokens": memory.tokens,
            "summary": memory.state.summary.is_some(), "olderLeftOut": memory.is_cut,
        });
        let changes = outputs(Some(Json::of(&found)));
        self.end_span(span, (OperationType::Memory, NAME), SpanStatus::Ok, changes).await;
        Ok(memory)
    }

    /// Keeps with the trace what the model is given, so that the run can be made again.
    pub(super) async fn record_state(&self, summary: Option<&str>, given: &Given) {
        if let Some(messages) = given.without_system() {
            let initial_conversation_state = InitialState::written(summary, &messages);
            self.recorder.state(TraceBody { initial_conversation_state, ..TraceBody::default() }).await;
        }
    }

    /// Puts the answer into the conversation.
    async fn answer(&self, answer: &ModelAnswer) -> Result<Answered, RunFailure> {
        let Some(text) = answer.message.text().filter(|text| !text.trim().is_empty()) else {
            let reason = answer.message.finish_reason.as_deref().unwrap_or("nothing that it says");
            let message = format!("the model answered nothing; it stopped because of: {reason}");
            return Err(RunFailure::new(RunFailureKind::ModelFailed, message));
        };
        let message = NewMessage { content: Some(text.clone()), ..self.said(MessageRole::Assistant, answer) };
        let message = self.add(vec![message]).await?.pop();
        Ok(Answered { text, message })
    }

    /// A message of this run.
    pub(super) fn said(&self, role: MessageRole, answer: &ModelAnswer) -> NewMessage {
        NewMessage {
            content: None,
            thinking: answer.message.reasoning(),
            model_name: Some(answer.model.clone().unwrap_or_else(|| self.model.shown(&self.model_name))),
            token_count: answer.tokens.and_then(|tokens| tokens.output),
            ..self.of_run(NewMessage::text(role, ""))
        }
    }

    pub(super) fn of_run(&self, message: NewMessage) -> NewMessage {
        let (turn_id, parent_message_id) = match &self.task {
            Task::Talk { turn, asked, .. } => (Some(*turn), Some(*asked)),
            Task::Step { .. } | Task::Draft(_) | Task::Judge(_) | Task::Alone { .. } => (None, None),
        };
        NewMessage { turn_id, parent_message_id, trace_id: Some(self.trace), ..message }
    }

    /// Says something in the conversation, where there is one.
    pub(super) async fn add(&self, messages: Vec<NewMessage>) -> ServiceResult<Vec<Message>> {
        let Task::Talk { conversation, .. } = self.task else { return Ok(Vec::new()) };
        let add = || self.conversations.add_messages(conversation, messages.clone()).boxed();
        patiently(add).await
    }

    pub(super) async fn start_span(
        &self,
        parent: Option<OpenSpan>,
        (operation_type, name): (OperationType, &str),
        changes: SpanChanges,
    ) -> OpenSpan {
        let span = self.recorder.start(parent, operation_type, name, changes).await;
        self.tell(span, parent, (operation_type, name), SpanStatus::Running);
        span
    }

    pub(super) async fn end_span(
        &self,
        span: OpenSpan,
        (operation_type, name): (OperationType, &str),
        status: SpanStatus,
        changes: SpanChanges,
    ) {
        self.recorder.end(span, status, changes).await;
        self.tell(span, None, (operation_type, name), status);
    }

    fn tell(
        &self,
        span: OpenSpan,
        parent: Option<OpenSpan>,
        (operation_type, name): (OperationType, &str),
        status: SpanStatus,
    ) {
        self.output.put(OutputEvent::Span {
            id: span.id,
            parent_id: parent.map(|parent| parent.id),
            operation_type,
            name: name.to_owned(),
            status,
        });
    }
}

impl Spent {
    pub(super) fn add(&mut self, run: &Run, answer: &ModelAnswer) {
        let Some(tokens) = answer.tokens else { return };
        let ledger = Ledger { tokens, rule: Some(answer.rule), ..Ledger::default() };
        let totals = ledger.totals();
        self.tokens = self.tokens.saturating_add(totals.input).saturating_add(totals.output);
        let model = answer.model.as_deref().unwrap_or(&run.model_name);
        let call = PricedCall { model, provider: Some(&run.provider), at: run.context.now(), tokens: totals };
        if let Some(cost) = run.context.prices.cost(&call) {
            self.nanos = self.nanos.saturating_add(cost.nanos());
        }
    }

    pub(super) fn check(&self, limits: &AgentLimits) -> Result<(), RunFailure> {
        if let Some(most) = limits.tokens.filter(|most| self.tokens >= *most) {
            let message = format!("the run used {} tokens, and may use {most}", self.tokens);
            return Err(RunFailure::new(RunFailureKind::TokenLimit, message));
        }
        let cost = NanoUsd::from_nanos(self.nanos).dollars();
        if let Some(most) = limits.cost_usd.filter(|most| cost >= *most) {
            let message = format!("the run cost ${cost:.6}, and may cost ${most}");
            return Err(RunFailure::new(RunFailureKind::CostLimit, message));
        }
        Ok(())
    }
}

/// A message that only says something.
pub(super) fn said_by(role: MessageRole, text: &str) -> ChatMessage {
    ChatMessage { role, name: None, parts: vec![ChatPart::Text(text.to_owned())], finish_reason: None }
}

pub(super) fn outputs(outputs: Option<Json>) -> SpanChanges {
    SpanChanges { body: SpanBody { outputs, ..SpanBody::default() }, ..SpanChanges::default() }
}

pub(super) fn failed(message: &str, kind: &str) -> SpanChanges {
    let details = serde_json::json!({ "type": kind, "message": message });
    SpanChanges {
        status_message: Some(shortened(message, STATUS_BYTES)),
        body: SpanBody { error_details: Some(Json::of(&details)), ..SpanBody::default() },
        ..SpanChanges::default()
    }
}

/// Bytes of a failure that stand in a span's head.
const STATUS_BYTES: usize = 1_000;
