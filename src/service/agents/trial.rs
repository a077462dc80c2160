//! Trying an agent out: a run for itself, over messages that are given, in a trace of its own. Experiments make one of
//! each item of a dataset.

use std::collections::BTreeMap;

use super::{
    Agents, EndedRun, begin::Ending, flags::Keep, prepare::ChosenAgent, prepare::Prepared,
    recorder::Recorder, state::InitialState, task::Task,
};
use crate::{
    model::{
        Json, Refusal, TraceId,
        agent::RunFailureKind,
        chat::ChatMessage,
        component::{ComponentRef, VersionSelector},
        message::MessageRole,
        trace::NewTrace,
    },
    service::ServiceResult,
};

/// An agent that is tried out: an exact version, with what stands in for parts of it.
#[derive(Debug, Clone)]
pub struct TrialAgent {
    /// The version of the agent.
    pub agent: ComponentRef,
    /// Versions of a prompt, a model's settings or tools, in place of the agent's own.
    pub components: Vec<ComponentRef>,
    /// Another model, with the same settings: `openai/gpt-4o-mini`.
    pub model: Option<String>,
    /// Values of the instructions' variables, beside those that the agent has.
    pub variables: BTreeMap<String, String>,
}

/// A run that is to be made.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Who runs.
    pub agent: TrialAgent,
    /// What the agent is given, but for its instructions. Not empty.
    pub messages: Vec<ChatMessage>,
    /// The id of its trace.
    pub trace_id: TraceId,
    /// What the trace says that it is for: an object.
    pub metadata: Json,
}

/// A run that has begun.
pub struct BegunTrial {
    ending: Ending,
}

impl BegunTrial {
    /// Waits until the run is over. `None`: its end could not be kept.
    pub async fn ended(self) -> Option<EndedRun> {
        self.ending.wait().await
    }
}

impl Agents {
    /// The exact version of an agent that is to be tried out.
    pub async fn trial_version(&self, agent: &str, version: &VersionSelector) -> ServiceResult<ComponentRef> {
        Ok(self.choose(agent, version).await?.1)
    }

    /// Refuses an agent that cannot be tried out: its model, its tools, what stands in for parts of it, or values of
    /// variables are missing, or nothing would be recorded.
    pub async fn check_trial(&self, agent: &TrialAgent) -> ServiceResult<()> {
        if !self.tracing_flags().enabled {
            return Err(not_recorded().into());
        }
        self.prepare_trial(agent).await.map(drop)
    }

    /// Begins a run. It is recorded whole, whatever the sample ratio is. Durable when it returns: the trace.
    pub async fn begin_trial(&self, trial: Trial) -> ServiceResult<BegunTrial> {
        let Trial { agent, messages, trace_id, metadata } = trial;
        let mut recording = self.flags.recording(trace_id);
        if recording.keep == Keep::Nothing {
            return Err(not_recorded().into());
        }
        recording.keep = Keep::All;
        let prepared = self.prepare_trial(&agent).await?;
        let place = self.place(trace_id)?;
        let asked = messages.iter().rev().find(|message| message.role == MessageRole::User);
        let mut new = NewTrace {
            start_time: Some(self.context.now()),
            ..prepared.new_trace(trace_id, asked.and_then(ChatMessage::text), &recording)
        };
        new.body.metadata = Some(metadata);
        self.start_alone(new.clone(), true).await?;
        let task = Task::Alone { state: InitialState { summary: None, messages }, results: None };
        let run = self.run(prepared, task, &place, Recorder::begin(&self.context, trace_id, recording, new));
        Ok(BegunTrial { ending: self.set_off(run, place) })
    }

    /// Stops a run. It ends as cancelled.
    pub fn stop_trial(&self, trace: TraceId) {
        self.runs.stop(trace, RunFailureKind::Cancelled);
    }

    /// Whether no further run may begin, because the server stops.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.runs.is_closed()
    }

    /// Waits until no further run may begin.
    pub async fn closed(&self) {
        self.runs.closed().await;
    }

    async fn prepare_trial(&self, agent: &TrialAgent) -> ServiceResult<Prepared> {
        let TrialAgent { agent, components, model, variables } = agent;
        let version = VersionSelector::Hash(agent.version_hash);
        let (definition, version) = self.choose(&agent.component_id, &version).await?;
        let chosen = ChosenAgent { definition, versions: vec![version] };
        let mut substitutes = self.substitutes(components).await?;
        if let Some(model) = model {
            substitutes.set_model_name(&chosen.definition, model.clone());
        }
        self.prepare_chosen(chosen, variables.clone(), &substitutes).await
    }
}

fn not_recorded() -> Refusal {
    let message = "nothing is recorded of runs (`tracingSettings`), so nothing would be left of them";
    Refusal::invalid("agentId", message)
}
