//! Agents that this server runs itself: making them, giving them input, stopping them, following what they put out.
//!
//! A run goes on by itself, whoever waits for it. Each leaves a mark in the store for as long as it goes on, so that
//! one that was cut off with its process is ended by the next.

mod ask;
mod begin;
mod call;
mod carry;
mod draft;
mod flags;
mod given;
mod judge;
mod memory;
mod output;
mod parts;
mod prepare;
mod recorder;
mod replay;
mod results;
mod run;
mod runs;
mod search;
mod snapshot;
mod state;
mod steps;
mod substitutes;
mod summarise;
mod talk;
mod task;
mod trial;

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, Stream};

pub use self::{
    carry::EndedRun,
    draft::{BegunDraft, PlanDraft},
    flags::TracingFlags,
    output::{OutputEvent, OutputPart},
    replay::{BegunReplay, Replay, ReplayTools},
    search::SearchConversations,
    steps::{BegunStep, PlanExecution},
    talk::{BegunRun, UserInput},
    trial::{BegunTrial, Trial, TrialAgent},
};
use self::{flags::CurrentFlags, output::Output, parts::Parts, runs::Runs, steps::Carried};
pub(in crate::service) use self::{judge::Judging, recorder::patiently};
use super::{
    Context, ServiceError, ServiceResult,
    components::{Components, RegisteredVersion},
    conversations::Conversations,
    experiments::ExperimentLimits,
    plans::Plans,
    tracing::Tracing,
};
/// What models and tools are, for those who list them.
pub use crate::{
    llm::ProviderInfo,
    tools::{ListedTool, ToolSource, ToolSpec},
};
use crate::{
    llm::{Backoff, Models},
    model::{
        Refusal, TraceId,
        agent::{AgentDefinition, RunFailureKind},
        component::{ComponentType, NewComponentVersion},
        refusal::Entity,
        trace::{Trace, TraceStatus},
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
    /// How large experiments may be.
    pub experiments: ExperimentLimits,
}

impl Default for AgentsConfig {
    fn default() -> Self {
        Self {
            running: 512,
            attempts: 4,
            first_retry_ms: 1_000,
            longest_retry_ms: 60_000,
            tracing: TracingFlags::default(),
            experiments: ExperimentLimits::default(),
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
        let error = self.why_ended(&found).await?;
        output.put(OutputEvent::End { status: found.status, message_id: None, error });
        Ok(output)
    }

    /// Why a run that ended long ago gave no answer, as its trace tells.
    async fn why_ended(&self, trace: &Trace) -> ServiceResult<Option<String>> {
        if trace.status == TraceStatus::Completed {
            return Ok(None);
        }
        let said = self.tracing.choose_heads(trace.id, |_, heads| {
            let tops = heads.iter().filter(|head| head.parent_id.is_none());
            tops.min_by_key(|head| head.start_time).and_then(|top| top.status_message.clone())
        });
        let usual = || format!("the run is {}", trace.status);
        Ok(Some(said.await?.unwrap_or_else(usual)))
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

    /// How agents are run.
    #[must_use]
    pub fn config(&self) -> &AgentsConfig {
        &self.runtime.config
    }

    /// Stops all runs, because the server stops, and waits until they are ended.
    pub async fn stop(&self) {
        self.runs.stop_all(RunFailureKind::Interrupted);
        self.runs.ended().await;
    }
}
