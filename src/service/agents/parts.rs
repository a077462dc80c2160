//! The component versions behind a run: the agent's own, and those of its prompt, its model with settings, and its
//! tools, which are registered when they are first used.

use std::{collections::BTreeMap, num::NonZeroUsize};

use lru::LruCache;
use parking_lot::Mutex;
use serde_json::Value;

use crate::{
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

    /// The versions of what an agent runs with; those that are new are registered, in one commit.
    pub(super) async fn of(
        &self,
        agent: &AgentDefinition,
        provider: &str,
        model: &str,
        tools: &[ToolSpec],
    ) -> ServiceResult<RunParts> {
        let prompt = part(ComponentType::Prompt, &agent.name, Json::string(&agent.system_prompt));
        let settings = part(ComponentType::ModelConfig, model, settings(&agent.model, provider, model));
        let of_tools =
            tools.iter().map(|tool| part(ComponentType::Tool, &tool.name, Tools::definition(tool)));
        let all: Vec<_> = [prompt, settings].into_iter().chain(of_tools).collect();
        let mut references = Vec::with_capacity(all.len());
        for new in &all {
            let version_hash = VersionHash::of(&new.definition)?;
            references.push(ComponentRef { component_id: new.component_id.clone(), version_hash });
        }
        let new = {
            let mut known = self.known.lock();
            let new =
                all.into_iter().zip(&references).filter(|(_, reference)| known.get(*reference).is_none());
            new.map(|(new, _)| new).collect::<Vec<_>>()
        };
        if !new.is_empty() {
            for registered in self.components.register_all(new).await? {
                let version = registered?.version;
                let reference =
                    ComponentRef { component_id: version.component_id, version_hash: version.version_hash };
                self.known.lock().put(reference, ());
            }
        }
        let of_tools = references.iter().skip(2);
        let tools =
            tools.iter().zip(of_tools).map(|(tool, reference)| (tool.name.clone(), reference.clone()));
        Ok(RunParts { tools: tools.collect(), model: references })
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

fn settings(agent: &AgentModel, provider: &str, model: &str) -> Json {
    let mut settings = serde_json::to_value(agent).unwrap_or_default();
    if let Value::Object(members) = &mut settings {
        members.remove("name");
        members.insert("model".to_owned(), model.into());
        members.insert("provider".to_owned(), provider.into());
    }
    Json::of(&settings)
}
