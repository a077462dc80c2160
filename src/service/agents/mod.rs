//! Agents that this server runs itself: making them, giving them input, stopping them, following what they put out.
//!
//! A run goes on by itself, whoever waits for it. Each leaves a mark in the store for as long as it goes on, so that
//! one that was cut off with its process is ended by the next.

mod ask;
mod call;
mod carry;
mod flags;
mod memory;
mod output;
mod parts;
mod recorder;
mod run;
mod runs;
mod search;
mod snapshot;
mod state;
mod steps;
mod talk;
mod task;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{FutureExt, Stream};

pub use self::{
    carry::EndedRun,
    flags::TracingFlags,
    output::{OutputEvent, OutputPart},
    search::SearchConversations,
    steps::{BegunStep, PlanExecution},
    talk::{BegunRun, UserInput},
};
use self::{
    flags::{CurrentFlags, Recording},
    output::Output,
    parts::{Parts, RunParts},
    recorder::{Recorder, patiently},
    run::Run,
    runs::{NoPlace, Place, Runs},
    steps::Carried,
    task::Task,
};
use super::{
    Context, ServiceError, ServiceResult,
    components::{Components, RegisteredVersion},
    conversations::Conversations,
    plans::Plans,
    tracing::Tracing,
};
/// What models and tools are, for those who list them.
pub use crate::{
    llm::ProviderInfo,
    tools::{ListedTool, ToolSource, ToolSpec},
};
use crate::{
    llm::{Backoff, Model, Models, ResolvedName},
    model::{
        Json, Refusal, TraceId,
        agent::{AgentDefinition, RunFailureKind},
        component::{ComponentRef, ComponentType, NewComponentVersion, VersionSelector},
        refusal::Entity,
        trace::{NewTrace, Trace, TraceBody, TraceStatus},
    },
    store::{key::Key, keyspace::Table},
    tools::{Tools, ToolsConfig},
};

/// How agents are run.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentsConfig {
    /// Runs that may go on at the same time: each holds the history that its model is given, and a stream.
    pub running: usize,
    /// How often a model is asked for one answer, where it fails in passing.
    pub attempts: u32,
    /// Milliseconds until it is asked again; twice as many after each attempt.
    pub first_retry_ms: u64,
    /// Milliseconds until it is asked again at most. Where a provider asks for more, the run fails.
    pub longest_retry_ms: u64,
    /// What of runs is recorded.
    pub tracing: TracingFlags,
}

impl Default for AgentsConfig {
    fn default() -> Self {
        Self {
            running: 512,
            attempts: 4,
            first_retry_ms: 1_000,
            longest_retry_ms: 60_000,
            tracing: TracingFlags::default(),
        }
    }
}

impl AgentsConfig {
    fn backoff(&self) -> Backoff {
        Backoff {
            attempts: self.attempts,
            first: Duration::from_millis(self.first_retry_ms),
            most: Duration::from_millis(self.longest_retry_ms),
            ..Backoff::default()
        }
    }
}

/// What agents are run with.
#[derive(Clone)]
pub struct Runtime {
    /// The models that can be asked.
    pub models: Models,
    /// The tools that can be called.
    pub tools: Tools,
    /// How agents are run.
    pub config: AgentsConfig,
}

impl Default for Runtime {
    /// No models and no tools.
    fn default() -> Self {
        let tools = Tools::empty(&ToolsConfig::default());
        Self { models: Models::default(), tools, config: AgentsConfig::default() }
    }
}

/// Use cases of agents. Cheap to clone.
#[derive(Clone)]
pub struct Agents {
    context: Context,
    conversations: Conversations,
    tracing: Tracing,
    components: Components,
    plans: Plans,
    runtime: Arc<Runtime>,
    flags: Arc<CurrentFlags>,
    parts: Arc<Parts>,
    runs: Arc<Runs>,
    carried: Arc<Carried>,
}

/// An agent that is to be made, or a new version of one.
#[derive(Debug, Clone)]
pub struct NewAgent {
    /// What it is.
    pub definition: AgentDefinition,
    /// What people call the version.
    pub version_name: Option<String>,
    /// What changed, in words.
    pub description: Option<String>,
    /// Who makes it.
    pub created_by: Option<String>,
}

/// What a run needs, before it begins.
struct Prepared {
    agent: AgentDefinition,
    version: ComponentRef,
    definition: Json,
    instructions: String,
    model: Arc<dyn Model>,
    name: ResolvedName,
    specs: Vec<ToolSpec>,
    parts: RunParts,
}

impl Prepared {
    /// The trace of a run with it.
    fn new_trace(&self, id: TraceId, user_input: Option<String>, recording: &Recording) -> NewTrace {
        let mut body =
            TraceBody { user_input, system_config: Some(self.definition.clone()), ..TraceBody::default() };
        recording.flags.clean_body(&mut body);
        NewTrace { id: Some(id), name: Some(self.agent.name.clone()), body, ..NewTrace::default() }
    }
}

impl Agents {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context, runtime: Runtime) -> Self {
        let components = Components::new(context.clone());
        Self {
            conversations: Conversations::new(context.clone()),
            tracing: Tracing::new(context.clone()),
            plans: Plans::new(context.clone()),
            carried: Arc::default(),
            parts: Arc::new(Parts::new(components.clone())),
            components,
            runs: Runs::new(runtime.config.running),
            flags: Arc::new(CurrentFlags::new(&runtime.config.tracing)),
            runtime: Arc::new(runtime),
            context,
        }
    }

    /// The tools that can be called.
    #[must_use]
    pub fn tools(&self) -> &Tools {
        &self.runtime.tools
    }

    /// Says whether a tool may be called, until the server stops.
    #[expect(clippy::unused_async, reason = "use cases are asked so")]
    pub async fn set_tool_enabled(&self, name: &str, enabled: bool) -> ServiceResult<ListedTool> {
        let unknown = |message: String| Refusal::invalid("name", message);
        let tools = &self.runtime.tools;
        tools.set_enabled(name, enabled).map_err(|error| unknown(error.message))?;
        let found = tools.list().into_iter().find(|tool| tool.spec.name == name);
        Ok(found.ok_or_else(|| unknown(format!("there is no tool `{name}`")))?)
    }

    /// The models that can be asked.
    #[must_use]
    pub fn models(&self) -> &Models {
        &self.runtime.models
    }

    /// What of runs is recorded.
    #[must_use]
    pub fn tracing_flags(&self) -> TracingFlags {
        self.flags.flags()
    }

    /// Changes what of runs is recorded, from the next run on and until the server stops.
    #[expect(clippy::unused_async, reason = "use cases are asked so")]
    pub async fn change_tracing_flags(
        &self,
        change: impl FnOnce(&mut TracingFlags),
    ) -> ServiceResult<TracingFlags> {
        Ok(self.flags.change(change)?)
    }

    /// Makes an agent, or a version of one that is there. Its model and its tools must be known.
    pub async fn create(&self, new: NewAgent) -> ServiceResult<RegisteredVersion> {
        let NewAgent { definition, version_name, description, created_by } = new;
        definition.check(&self.context.limits)?;
        self.model_of(&definition).map_err(|refusal| refusal.below("model"))?;
        self.specs_of(&definition)?;
        let version = NewComponentVersion {
            component_id: definition.component_id(),
            component_type: ComponentType::Agent,
            version_name,
            definition: definition.to_json()?,
            created_by,
            description,
            tags: Vec::new(),
            state: None,
        };
        self.components.register(version).await
    }

    /// Stops a run. It ends as cancelled, with all that it did so far. Answers its trace, where it is recorded.
    pub async fn cancel(&self, trace: TraceId) -> ServiceResult<Option<Trace>> {
        let output = self.runs.output(trace);
        if let Some(output) = &output
            && self.runs.stop(trace, RunFailureKind::Cancelled)
        {
            output.ended().await;
        }
        let found = self.tracing.traces(&[trace]).await?.pop().flatten();
        if found.is_none() && output.is_some() {
            return Ok(None);
        }
        let found = found.ok_or_else(|| Refusal::not_found("traceId", Entity::Trace, trace))?;
        if found.status == TraceStatus::Running {
            let message = "no agent of this server runs it; `completeTrace` ends it";
            return Err(Refusal::invalid("traceId", message).into());
        }
        Ok(Some(found))
    }

    /// What a run puts out, from a number on, until it is over. Of one that ended long ago only the end.
    pub async fn output(
        &self,
        trace: TraceId,
        from: u64,
    ) -> ServiceResult<impl Stream<Item = OutputPart> + Send + use<>> {
        let output = match self.runs.output(trace) {
            Some(output) => output,
            None => self.output_of_ended(trace).await?,
        };
        Ok(output.follow(from))
    }

    async fn output_of_ended(&self, trace: TraceId) -> ServiceResult<Arc<Output>> {
        let found = self.tracing.traces(&[trace]).await?.pop().flatten();
        let found = found.ok_or_else(|| Refusal::not_found("traceId", Entity::Trace, trace))?;
        if found.status == TraceStatus::Running {
            let message = "no agent of this server runs it; follow it with `traceSpans`";
            return Err(Refusal::invalid("traceId", message).into());
        }
        let output = Output::of_ended();
        output.put(OutputEvent::End { status: found.status, message_id: None, error: None });
        Ok(output)
    }

    /// Removes a mark.
    async fn unmark<K: Key + Clone + Send + Sync, R>(
        &self,
        marks: Table<K, R>,
        key: &K,
    ) -> ServiceResult<()> {
        let unmark = || {
            let unmarked = self.context.store.transact::<_, ServiceError, _>(move |tx| {
                Box::pin(async move {
                    tx.delete(marks, key);
                    Ok(())
                })
            });
            unmarked.boxed()
        };
        patiently(unmark).await
    }

    /// Stops all runs, because the server stops, and waits until they are ended.
    pub async fn stop(&self) {
        self.runs.stop_all(RunFailureKind::Interrupted);
        self.runs.ended().await;
    }

    /// What a run of an agent needs, before it begins.
    async fn prepare(
        &self,
        agent_id: &str,
        version: &VersionSelector,
        variables: &BTreeMap<String, String>,
    ) -> ServiceResult<Prepared> {
        let version = self.components.resolve(agent_id, version).await?;
        if version.component_type != ComponentType::Agent {
            return Err(Refusal::invalid("agentId", format!("`{agent_id}` is no agent")).into());
        }
        let agent = AgentDefinition::read(&version.definition)?;
        let instructions = agent.instructions(variables)?;
        let (model, name) = self.model_of(&agent).map_err(|refusal| refusal.below("agentId"))?;
        let specs = self.specs_of(&agent)?;
        let parts = self.parts.of(&agent, &name.provider, &name.model, &specs).await?;
        let (component_id, version_hash) = (version.component_id, version.version_hash);
        Ok(Prepared {
            agent,
            version: ComponentRef { component_id, version_hash },
            definition: version.definition,
            instructions,
            model,
            name,
            specs,
            parts,
        })
    }

    /// A place for a run, if there is one.
    fn place(&self, trace: TraceId) -> ServiceResult<Place> {
        self.runs.begin(trace).map_err(|none| match none {
            NoPlace::Full => ServiceError::Overloaded { retry_after: Duration::from_secs(1) },
            NoPlace::Taken => Refusal::already_exists("traceId", Entity::Trace, trace).into(),
        })
    }

    /// A run that is to be carried out.
    fn run(&self, prepared: Prepared, task: Task, place: &Place, recorder: Arc<Recorder>) -> Run {
        let Prepared { agent, version, definition: _, instructions, model, name, specs, parts } = prepared;
        Run {
            context: self.context.clone(),
            conversations: self.conversations.clone(),
            tools: self.runtime.tools.clone(),
            model,
            provider: name.provider,
            model_name: name.model,
            backoff: self.runtime.config.backoff(),
            agent,
            version,
            parts,
            specs,
            instructions,
            task,
            trace: place.trace(),
            recorder,
            output: Arc::clone(&place.output),
        }
    }

    /// The model of an agent.
    fn model_of(&self, agent: &AgentDefinition) -> Result<(Arc<dyn Model>, ResolvedName), Refusal> {
        let resolved = self.runtime.models.resolve(&agent.model.name);
        resolved.map_err(|error| Refusal::invalid("name", error.message))
    }

    /// The tools of an agent.
    fn specs_of(&self, agent: &AgentDefinition) -> Result<Vec<ToolSpec>, Refusal> {
        let listed = self.runtime.tools.list();
        let one = |(index, name): (usize, &String)| {
            let unknown = || {
                let names: Vec<_> = listed.iter().map(|tool| tool.spec.name.as_str()).collect();
                Refusal::invalid(
                    format!("tools.{index}"),
                    format!("there is no tool `{name}`; there are: {}", names.join(", ")),
                )
            };
            let found = listed.iter().find(|tool| tool.spec.name == *name);
            found.map(|tool| tool.spec.clone()).ok_or_else(unknown)
        };
        agent.tools.iter().enumerate().map(one).collect()
    }
}
