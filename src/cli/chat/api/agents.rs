//! Agents, the models that they may ask, and the tools that they may call.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, ApiError};
use crate::model::agent::AgentDefinition;

/// An agent that can be run.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Agent {
    /// Its component: `agents/guide`.
    pub id: String,
    /// The model that it asks: `openai/gpt-4o-mini`.
    pub model: String,
}

/// A provider of models.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Provider {
    /// What stands before the `/` of a model's name.
    pub name: String,
    /// Where it is; `None`: its answers stand in a file.
    pub url: Option<String>,
    usable: bool,
    /// Its models, where they are known.
    pub models: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    component_id: String,
    definition: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    newest_version: Option<Version>,
}

#[derive(Deserialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

#[derive(Deserialize)]
struct Tool {
    name: String,
    enabled: bool,
}

#[derive(Deserialize)]
struct Made {
    version: Option<Version>,
}

impl Version {
    /// The agent that it is. Other systems report agents too, which cannot be run here.
    fn agent(self) -> Option<Agent> {
        let definition: AgentDefinition = serde_json::from_value(self.definition).ok()?;
        Some(Agent { id: self.component_id, model: definition.model.name })
    }
}

impl Api {
    /// The agents that can be run, by their names; the first hundred.
    pub(in super::super) async fn agents(&self) -> Result<Vec<Agent>, ApiError> {
        const AGENTS: &str = "{ components(first: 100, filter: { componentType: AGENT }) {
            nodes { newestVersion { componentId definition } }
        } }";
        let found: Nodes<Component> = self.ask("components", AGENTS, &Value::Null).await?;
        let versions = found.nodes.into_iter().filter_map(|component| component.newest_version);
        Ok(versions.filter_map(Version::agent).collect())
    }

    /// The agent with this id, in the version that a label points at.
    pub(in super::super) async fn agent(
        &self,
        id: &str,
        label: Option<&str>,
    ) -> Result<Option<Agent>, ApiError> {
        const AGENT: &str = "query($id: ID!, $label: String) {
            componentVersion(componentId: $id, label: $label) { componentId definition }
        }";
        let variables = json!({ "id": id, "label": label });
        let found: Option<Version> = self.ask("componentVersion", AGENT, &variables).await?;
        Ok(found.and_then(Version::agent))
    }

    /// The providers that can be asked.
    pub(in super::super) async fn providers(&self) -> Result<Vec<Provider>, ApiError> {
        const PROVIDERS: &str = "{ modelProviders { name url usable models } }";
        let mut providers: Vec<Provider> = self.ask("modelProviders", PROVIDERS, &Value::Null).await?;
        providers.retain(|provider| provider.usable);
        Ok(providers)
    }

    /// The names of the tools that may be called.
    pub(in super::super) async fn tools(&self) -> Result<Vec<String>, ApiError> {
        const TOOLS: &str = "{ tools { name enabled } }";
        let tools: Vec<Tool> = self.ask("tools", TOOLS, &Value::Null).await?;
        Ok(tools.into_iter().filter(|tool| tool.enabled).map(|tool| tool.name).collect())
    }

    /// Makes an agent, or the next version of the one with this name.
    pub(in super::super) async fn create_agent(
        &self,
        name: &str,
        model: &str,
        system: &str,
        tools: &[String],
    ) -> Result<Agent, ApiError> {
        const CREATE: &str = "mutation($input: CreateAgentInput!) {
            createAgent(input: $input) { version { componentId definition } refusal { message } }
        }";
        let input = json!({
            "name": name, "systemPrompt": system, "model": { "name": model }, "tools": tools,
        });
        let made: Made = self.tell("createAgent", CREATE, &json!({ "input": input })).await?;
        let agent = made.version.and_then(Version::agent);
        agent.ok_or_else(|| self.strange("an agent was made and is none".to_owned()))
    }
}
