//! The component versions behind a run: the agent's own, and those of its prompt, its model with settings, and its
//! tools, which are registered when they are first used.

use std::{collections::BTreeMap, num::NonZeroUsize};

use lru::LruCache;
use parking_lot::Mutex;
use serde_json::Value;

use super::substitutes::Substitutes;
use crate::{
    llm::ResolvedName,
    model::{
        Json,
        agent::{AgentDefinition, AgentModel},
        component::{ComponentRef, ComponentType, NewComponentVersion, VersionHash},
    },
    service::{ServiceResult, components::Components},
    tools::{ToolSpec, Tools},
};

/// Who registers the versions.
const REGISTRAR: &str = "agent";

/// Contents whose versions are known: 100 bytes each.
const KNOWN: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// Registers what runs use, once each.
pub(super) struct Parts {
    components: Components,
    known: Mutex<LruCache<ComponentRef, ()>>,
}

/// The versions behind the calls of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct RunParts {
    /// The prompt, the model with its settings, and the tools that it is told of.
    pub(super) model: Vec<ComponentRef>,
    /// Each tool's own, by its name.
    pub(super) tools: BTreeMap<String, ComponentRef>,
}

impl Parts {
    pub(super) fn new(components: Components) -> Self {
        Self { components, known: Mutex::new(LruCache::new(KNOWN)) }
    }

    /// The versions of what an agent runs with, and what stands in for parts of it; those that are new are registered,
    /// in one commit.
    pub(super) async fn of(
        &self,
        agent: &AgentDefinition,
        model: &ResolvedName,
        tools: &[ToolSpec],
        substitutes: &Substitutes,
    ) -> ServiceResult<RunParts> {
        // An agent without instructions has no prompt that could be a version.
        let has_prompt = !agent.system_prompt.trim().is_empty();
        let prompt = has_prompt
            .then(|| part(ComponentType::Prompt, &agent.name, Json::string(&agent.system_prompt)))
            .map(|prompt| (substitutes.prompt(), prompt));
        let settings = part(ComponentType::ModelConfig, &model.model, settings(&agent.model, model));
        let of_tools = tools.iter().map(|tool| {
            let new = part(ComponentType::Tool, &tool.name, Tools::definition(tool));
            (substitutes.tool(&tool.name), new)
        });
        let all = prompt.into_iter().chain([(substitutes.model(), settings)]).chain(of_tools);
        let mut references = Vec::with_capacity(tools.len() + 2);
        let mut own = Vec::new();
        for (substitute, new) in all {
            if let Some(reference) = substitute {
                references.push(reference.clone());
                continue;
            }
            let version_hash = VersionHash::of(&new.definition)?;
            let reference = ComponentRef { component_id: new.component_id.clone(), version_hash };
            references.push(reference.clone());
            own.push((reference, new));
        }
        self.register(own).await?;
        let of_tools = references.iter().skip(1 + usize::from(has_prompt));
        let tools =
            tools.iter().zip(of_tools).map(|(tool, reference)| (tool.name.clone(), reference.clone()));
        Ok(RunParts { tools: tools.collect(), model: references })
    }

    /// Registers what is not known to be.
    async fn register(&self, parts: Vec<(ComponentRef, NewComponentVersion)>) -> ServiceResult<()> {
        let new: Vec<_> = {
            let mut known = self.known.lock();
            let new = parts.into_iter().filter(|(reference, _)| known.get(reference).is_none());
            new.map(|(_, new)| new).collect()
        };
        if new.is_empty() {
            return Ok(());
        }
        for registered in self.components.register_all(new).await? {
            let version = registered?.version;
            let reference =
                ComponentRef { component_id: version.component_id, version_hash: version.version_hash };
            self.known.lock().put(reference, ());
        }
        Ok(())
    }
}

fn part(component_type: ComponentType, name: &str, definition: Json) -> NewComponentVersion {
    let folder = match component_type {
        ComponentType::Prompt => "prompts",
        ComponentType::ModelConfig => "models",
        _ => "tools",
    };
    NewComponentVersion {
        component_id: format!("{folder}/{name}"),
        component_type,
        version_name: None,
        definition,
        created_by: Some(REGISTRAR.to_owned()),
        description: None,
        tags: Vec::new(),
        state: None,
    }
}

fn settings(agent: &AgentModel, ResolvedName { provider, model }: &ResolvedName) -> Json {
    let mut settings = serde_json::to_value(agent).unwrap_or_default();
    if let Value::Object(members) = &mut settings {
        members.remove("name");
        members.insert("model".to_owned(), model.as_str().into());
        members.insert("provider".to_owned(), provider.as_str().into());
    }
    Json::of(&settings)
}
