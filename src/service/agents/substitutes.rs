//! Other versions of an agent's parts, in place of its own: another prompt, another model, other descriptions of tools.
//! The rest of the agent stays, so that what comes out differently does so because of them.

use serde::Deserialize;
use serde_json::Value;

use super::Agents;
use crate::{
    model::{
        Json, Refusal,
        agent::{AgentDefinition, AgentModel},
        component::{ComponentRef, ComponentType, ComponentVersion},
        refusal::Entity,
    },
    service::ServiceResult,
    tools::ToolSpec,
};

/// Versions that stand in for parts of an agent.
#[derive(Debug, Default)]
pub(super) struct Substitutes {
    prompt: Option<(ComponentRef, String)>,
    model: Option<(Option<ComponentRef>, AgentModel)>,
    tools: Vec<(ComponentRef, ToolDefinition)>,
}

/// The content of a tool's version.
#[derive(Debug, Deserialize)]
struct ToolDefinition {
    name: String,
    #[serde(default)]
    description: String,
    parameters: Value,
}

/// The content of a version of a model's settings, whoever registered it: what of it is known.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelDefinition {
    model: String,
    provider: Option<String>,
    temperature: Option<f64>,
    #[serde(alias = "top_p")]
    top_p: Option<f64>,
    #[serde(alias = "max_tokens")]
    max_tokens: Option<u32>,
    #[serde(default)]
    stop: Vec<String>,
    seed: Option<u64>,
    #[serde(alias = "reasoning_effort")]
    reasoning_effort: Option<String>,
}

impl Substitutes {
    pub(super) const fn is_empty(&self) -> bool {
        self.prompt.is_none() && self.model.is_none() && self.tools.is_empty()
    }

    /// The versions that stand in.
    pub(super) fn references(&self) -> Vec<ComponentRef> {
        let prompt = self.prompt.iter().map(|(reference, _)| reference);
        let model = self.model.iter().filter_map(|(reference, _)| reference.as_ref());
        let tools = self.tools.iter().map(|(reference, _)| reference);
        prompt.chain(model).chain(tools).cloned().collect()
    }

    /// The version of the prompt, where one stands in.
    pub(super) fn prompt(&self) -> Option<&ComponentRef> {
        self.prompt.as_ref().map(|(reference, _)| reference)
    }

    /// The version of the model's settings, where one stands in.
    pub(super) fn model(&self) -> Option<&ComponentRef> {
        self.model.as_ref().and_then(|(reference, _)| reference.as_ref())
    }

    /// The version of a tool, where one stands in.
    pub(super) fn tool(&self, name: &str) -> Option<&ComponentRef> {
        self.tools.iter().find(|(_, tool)| tool.name == name).map(|(reference, _)| reference)
    }

    pub(super) fn put_into(&self, agent: &mut AgentDefinition) {
        if let Some((_, prompt)) = &self.prompt {
            agent.system_prompt.clone_from(prompt);
        }
        if let Some((_, model)) = &self.model {
            agent.model.clone_from(model);
        }
    }

    pub(super) fn put_into_tools(&self, specs: &mut [ToolSpec]) -> Result<(), Refusal> {
        for (reference, tool) in &self.tools {
            let spec = specs.iter_mut().find(|spec| spec.name == tool.name).ok_or_else(|| {
                let message = format!(
                    "`{}` is of the tool `{}`, which the agent does not have",
                    reference.component_id, tool.name
                );
                Refusal::invalid("components", message)
            })?;
            spec.description.clone_from(&tool.description);
            spec.parameters = Json::of(&tool.parameters);
        }
        Ok(())
    }

    /// Another model, with the settings that the agent has.
    pub(super) fn set_model_name(&mut self, agent: &AgentDefinition, name: String) {
        let model = self.model.take().map_or_else(|| agent.model.clone(), |(_, model)| model);
        self.model = Some((None, AgentModel { name, ..model }));
    }

    fn add(&mut self, version: &ComponentVersion, known: impl Fn(&str) -> bool) -> Result<(), String> {
        let reference =
            ComponentRef { component_id: version.component_id.clone(), version_hash: version.version_hash };
        match version.component_type {
            ComponentType::Prompt => {
                let text = prompt_of(&version.definition).ok_or("has no text that could be a prompt")?;
                self.prompt = Some((reference, text));
            }
            ComponentType::ModelConfig => {
                let read = version.definition.read::<ModelDefinition>();
                let read = read.map_err(|error| format!("has no settings of a model: {error}"))?;
                self.model = Some((Some(reference), read.into_model(known)));
            }
            ComponentType::Tool => {
                let read = version.definition.read();
                let read = read.map_err(|error| format!("has no definition of a tool: {error}"))?;
                self.tools.push((reference, read));
            }
            ComponentType::Agent => return Err("is an agent: say `agentId` and its version".to_owned()),
            other => return Err(format!("is a {other}: no part of an agent")),
        }
        Ok(())
    }
}

impl ModelDefinition {
    fn into_model(self, known: impl Fn(&str) -> bool) -> AgentModel {
        let name = match self.provider.filter(|provider| known(provider)) {
            Some(provider) => format!("{provider}/{}", self.model),
            None => self.model,
        };
        AgentModel {
            name,
            temperature: self.temperature,
            top_p: self.top_p,
            max_tokens: self.max_tokens,
            stop: self.stop,
            seed: self.seed,
            reasoning_effort: self.reasoning_effort,
        }
    }
}

/// The text of a prompt, as this server or another system registered it.
fn prompt_of(definition: &Json) -> Option<String> {
    let text = |json: &str| serde_json::from_str::<String>(json).ok();
    text(definition.text())
        .or_else(|| ["template", "text", "content"].iter().find_map(|name| text(definition.member(name)?)))
}

impl Agents {
    /// The parts that these versions are of.
    pub(super) async fn substitutes(&self, references: &[ComponentRef]) -> ServiceResult<Substitutes> {
        let mut substitutes = Substitutes::default();
        let found = self.components.versions(references).await?;
        for (index, (reference, found)) in references.iter().zip(found).enumerate() {
            let field = format!("components.{index}");
            let missing = || {
                let id = format!("{}@{}", reference.component_id, reference.version_hash);
                Refusal::not_found(&field, Entity::ComponentVersion, id)
            };
            let version = found.ok_or_else(missing)?;
            let known = |provider: &str| self.runtime.models.knows(provider);
            let wrong = |message| Refusal::invalid(&field, format!("`{}` {message}", reference.component_id));
            substitutes.add(&version, known).map_err(wrong)?;
        }
        Ok(substitutes)
    }
}
