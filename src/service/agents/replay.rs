//! Running a recorded run again: from the state that it began with, with the same or other versions, in a new trace that
//! says whose run it is again. What its tools answered can be used again, so that only what changed is new.
//!
//! Runs that other systems reported can be replayed too, with an agent of this server: what the first call of their
//! model was given is the state that they began with.

use std::collections::BTreeMap;

use super::{
    Agents, EndedRun, begin::Ending, flags::Keep, prepare::ChosenAgent, recorder::Recorder,
    results::RecordedResults, state::InitialState, task::Task,
};
use crate::{
    model::{
        Refusal, TraceId,
        agent::AgentDefinition,
        chat,
        component::{ComponentRef, VersionSelector},
        message::MessageRole,
        refusal::Entity,
        span::{OperationType, SpanHead},
        trace::{NewTrace, Trace, TraceBody, TraceStatus},
    },
    service::ServiceResult,
};

/// A run that is to be made again.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Its trace.
    pub trace_id: TraceId,
    /// The agent and which version of it; `None`: as it ran.
    pub agent: Option<(String, VersionSelector)>,
    /// Versions of a prompt, a model's settings or tools, in place of the agent's own.
    pub components: Vec<ComponentRef>,
    /// Another model, with the same settings: `openai/gpt-4o-mini`.
    pub model: Option<String>,
    /// Values of the instructions' variables, in place of those that it had.
    pub variables: BTreeMap<String, String>,
    /// What tools answer.
    pub tools: ReplayTools,
    /// The id of the new trace, where the caller chooses it.
    pub new_trace_id: Option<TraceId>,
}

/// What tools answer in a run that is made again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReplayTools {
    /// What they answered then, where they are asked the same; else they are called.
    #[default]
    RecordedElseCall,
    /// What they answered then; asked anything else they fail, and are not called.
    RecordedOnly,
    /// They are called.
    Call,
}

/// A run that is made again, and has begun.
pub struct BegunReplay {
    /// The id of the new trace.
    pub trace_id: TraceId,
    /// The new trace.
    pub trace: Option<Trace>,
    ending: Ending,
}

impl BegunReplay {
    /// Waits until the run is over. `None`: its end could not be kept.
    pub async fn ended(self) -> Option<EndedRun> {
        self.ending.wait().await
    }
}

/// A run as it was recorded.
struct Original {
    trace: Trace,
    body: TraceBody,
    state: InitialState,
    /// The versions that it ran with.
    versions: Vec<ComponentRef>,
    /// `None`: they are not to be used.
    results: Option<RecordedResults>,
}

/// Calls of tools whose results are read at most: those that were made first.
const MOST_RESULTS: usize = 2_000;

impl Agents {
    /// Makes a recorded run again. It is recorded whole, whatever the sample ratio is. Durable when it returns: the
    /// trace.
    pub async fn replay(&self, replay: Replay) -> ServiceResult<BegunReplay> {
        let trace_id = replay.new_trace_id.unwrap_or_else(|| self.context.new_id());
        let mut recording = self.flags.recording(trace_id);
        if recording.keep == Keep::Nothing {
            let message =
                "nothing is recorded of runs (`tracingSettings`), so nothing would be left of this one";
            return Err(Refusal::invalid("traceId", message).into());
        }
        recording.keep = Keep::All;
        let original = self.original(replay.trace_id, replay.tools).await?;
        let recorded = original.body.system_config.as_ref();
        let recorded = recorded.and_then(|config| config.read::<AgentDefinition>().ok());
        let mut variables = recorded.as_ref().map(|agent| agent.variables.clone()).unwrap_or_default();
        variables.extend(replay.variables);
        let chosen = match (&replay.agent, recorded) {
            (Some((agent, version)), _) => {
                let (definition, version) = self.choose(agent, version).await?;
                ChosenAgent { definition, versions: vec![version] }
            }
            (None, Some(recorded)) => {
                // The version itself is exact; what the trace keeps of it may be redacted.
                let id = recorded.component_id();
                let own = original.versions.iter().find(|version| version.component_id == id);
                let definition = match own.map(|version| VersionSelector::Hash(version.version_hash)) {
                    Some(version) => self.choose(&id, &version).await?.0,
                    None => recorded,
                };
                ChosenAgent { definition, versions: original.versions }
            }
            (None, None) => {
                let message = "no agent of this server ran it; say which is to";
                return Err(Refusal::invalid("agentId", message).into());
            }
        };
        let mut substitutes = self.substitutes(&replay.components).await?;
        if let Some(model) = replay.model {
            substitutes.set_model_name(&chosen.definition, model);
        }
        let prepared = self.prepare_chosen(chosen, variables, &substitutes).await?;
        let place = self.place(trace_id)?;
        let asked = original.state.messages.iter().rev().find(|message| message.role == MessageRole::User);
        let user_input = original.body.user_input.or_else(|| asked?.text());
        let new = NewTrace {
            start_time: Some(self.context.now()),
            replay_of: Some(original.trace.id),
            user_id: original.trace.user_id,
            session_id: original.trace.session_id,
            ..prepared.new_trace(trace_id, user_input, &recording)
        };
        let trace = self.start_alone(new.clone(), true).await?;
        let task = Task::Alone { state: original.state, results: original.results };
        let run = self.run(prepared, task, &place, Recorder::begin(&self.context, trace_id, recording, new));
        Ok(BegunReplay { trace_id, trace, ending: self.set_off(run, place) })
    }

    /// Reads a run that is to be made again.
    async fn original(&self, id: TraceId, tools: ReplayTools) -> ServiceResult<Original> {
        let trace = self.tracing.traces(&[id]).await?.pop().flatten();
        let trace = trace.ok_or_else(|| Refusal::not_found("traceId", Entity::Trace, id))?;
        if trace.status == TraceStatus::Running {
            return Err(
                Refusal::invalid("traceId", "the run goes on; it can be replayed once it is over").into()
            );
        }
        let body = self.tracing.trace_bodies(&[id]).await?.pop().flatten().unwrap_or_default();
        let mut heads = self.tracing.heads(id).await?;
        heads.sort_by_key(|head| (head.start_time, head.id));
        let agents = heads.iter().filter(|head| head.operation_type == OperationType::Agent);
        let versions = agents.map(|head| head.components.clone()).next().unwrap_or_default();
        let state = match body.initial_conversation_state.as_ref().and_then(InitialState::read) {
            Some(state) => Some(state),
            None => self.first_given(id, &heads).await?,
        };
        let state = state.ok_or_else(|| {
            let message = "it is not recorded what the run began with: what its model was first given";
            Refusal::invalid("traceId", message)
        })?;
        let results = match tools {
            ReplayTools::Call => None,
            ReplayTools::RecordedElseCall | ReplayTools::RecordedOnly => {
                let calls = heads.iter().filter(|head| head.operation_type == OperationType::ToolCall);
                let calls: Vec<_> = calls.take(MOST_RESULTS).collect();
                let bodies = self.tracing.bodies_of(id, &calls).await?;
                Some(RecordedResults::of(id, &calls, &bodies, tools == ReplayTools::RecordedOnly))
            }
        };
        Ok(Original { trace, body, state, versions, results })
    }

    /// What the first call of a model was given, but for the instructions.
    async fn first_given(&self, id: TraceId, heads: &[SpanHead]) -> ServiceResult<Option<InitialState>> {
        let first = heads.iter().find(|head| head.operation_type == OperationType::LlmCall);
        let Some(first) = first else { return Ok(None) };
        let body = self.tracing.bodies_of(id, &[first]).await?.remove(&first.id);
        let Some(inputs) = body.and_then(|body| body.read_inputs()) else { return Ok(None) };
        let mut messages = chat::read_messages(&inputs, MessageRole::User);
        messages.retain(|message| message.role != MessageRole::System);
        Ok((!messages.is_empty()).then_some(InitialState { summary: None, messages }))
    }
}
