//! What a run needs before it begins: the agent as it is to run, its model, its tools, and the versions of them all.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Agents, flags::Recording, parts::RunParts, recorder::Recorder, run::Run, runs::Place,
    substitutes::Substitutes, task::Task,
};
use crate::{
    llm::{Model, ResolvedName},
    model::{
        Json, Refusal, TraceId,
        agent::{AgentDefinition, template},
        component::{ComponentRef, ComponentType, VersionSelector},
        trace::{NewTrace, TraceBody},
    },
    service::ServiceResult,
    tools::ToolSpec,
};

/// An agent that is to run.
pub(super) struct ChosenAgent {
    pub(super) definition: AgentDefinition,
    /// The versions that it is made from: its own, or what stands in for parts of it.
    pub(super) versions: Vec<ComponentRef>,
}

/// What a run needs, before it begins.
pub(super) struct Prepared {
    /// The agent, with the values of this run.
    pub(super) agent: AgentDefinition,
    versions: Vec<ComponentRef>,
    /// What it is, with and without the values that it was given.
    definition: Json,
    definition_alone: Json,
    /// Its instructions, with the values of this run.
    pub(super) instructions: String,
    model: Arc<dyn Model>,
    name: ResolvedName,
    specs: Vec<ToolSpec>,
    /// The versions behind its calls.
    pub(super) parts: RunParts,
}

impl Prepared {
    /// The trace of a run with it.
    pub(super) fn new_trace(
        &self,
        id: TraceId,
        user_input: Option<String>,
        recording: &Recording,
    ) -> NewTrace {
        let captured = recording.flags.captures_inputs();
        let definition = if captured { &self.definition } else { &self.definition_alone };
        let mut body =
            TraceBody { user_input, system_config: Some(definition.clone()), ..TraceBody::default() };
        recording.flags.clean_body(&mut body);
        NewTrace { id: Some(id), name: Some(self.agent.name.clone()), body, ..NewTrace::default() }
    }
}

impl Agents {
    /// The agent of a component.
    pub(super) async fn choose(
        &self,
        agent_id: &str,
        version: &VersionSelector,
    ) -> ServiceResult<(AgentDefinition, ComponentRef)> {
        let version = self.components.resolve(agent_id, version).await?;
        if version.component_type != ComponentType::Agent {
            return Err(Refusal::invalid("agentId", format!("`{agent_id}` is no agent")).into());
        }
        let (component_id, version_hash) = (version.component_id, version.version_hash);
        Ok((AgentDefinition::read(&version.definition)?, ComponentRef { component_id, version_hash }))
    }

    /// What a run of an agent needs.
    pub(super) async fn prepare(
        &self,
        agent_id: &str,
        version: &VersionSelector,
        variables: BTreeMap<String, String>,
    ) -> ServiceResult<Prepared> {
        let (definition, version) = self.choose(agent_id, version).await?;
        let chosen = ChosenAgent { definition, versions: vec![version] };
        self.prepare_chosen(chosen, variables, &Substitutes::default()).await
    }

    /// What a run of an agent needs, with other versions of its parts.
    pub(super) async fn prepare_chosen(
        &self,
        chosen: ChosenAgent,
        variables: BTreeMap<String, String>,
        substitutes: &Substitutes,
    ) -> ServiceResult<Prepared> {
        let ChosenAgent { definition: mut agent, versions } = chosen;
        substitutes.put_into(&mut agent);
        let definition_alone = agent.to_json()?;
        let used = template::variables(&agent.system_prompt);
        let given = variables.into_iter().filter(|(name, _)| used.contains(&name.as_str()));
        agent.variables.extend(given.collect::<Vec<_>>());
        let instructions = agent.instructions(&BTreeMap::new())?;
        let (model, name) = self.model_of(&agent).map_err(|refusal| refusal.below("agentId"))?;
        let mut specs = self.specs_of(&agent)?;
        substitutes.put_into_tools(&mut specs)?;
        let parts = self.parts.of(&agent, &name, &specs, substitutes).await?;
        let definition = agent.to_json()?;
        let versions = if substitutes.is_empty() { versions } else { substitutes.references() };
        Ok(Prepared {
            agent,
            versions,
            definition,
            definition_alone,
            instructions,
            model,
            name,
            specs,
            parts,
        })
    }

    /// A run that is to be carried out.
    pub(super) fn run(&self, prepared: Prepared, task: Task, place: &Place, recorder: Arc<Recorder>) -> Run {
        let Prepared { agent, versions, instructions, model, name, specs, parts, .. } = prepared;
        Run {
            context: self.context.clone(),
            conversations: self.conversations.clone(),
            plans: self.plans.clone(),
            tools: self.runtime.tools.clone(),
            model,
            provider: name.provider,
            model_name: name.model,
            backoff: self.runtime.config.backoff(),
            agent,
            versions,
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
    pub(super) fn model_of(
        &self,
        agent: &AgentDefinition,
    ) -> Result<(Arc<dyn Model>, ResolvedName), Refusal> {
        let resolved = self.runtime.models.resolve(&agent.model.name);
        resolved.map_err(|error| Refusal::invalid("name", error.message))
    }

    /// The tools of an agent.
    pub(super) fn specs_of(&self, agent: &AgentDefinition) -> Result<Vec<ToolSpec>, Refusal> {
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
