//! What clients write to agents.

use std::collections::BTreeMap;

use async_graphql::{ID, InputObject};

use crate::{
    graphql::{
        ids,
        scalar::{Given, OptionalGiven},
    },
    model::{
        Json, Refusal,
        agent::{AgentDefinition, AgentLimits, AgentModel},
        component::{VersionHash, VersionSelector},
    },
    service::agents::{NewAgent, UserInput},
};

/// An agent, or a new version of one.
#[derive(InputObject)]
pub(super) struct CreateAgentInput {
    /// What people call it: its component is `agents/` and this name.
    name: String,
    /// Its instructions: a template, in which `{{name}}` stands for the value of a variable.
    system_prompt: String,
    /// Values of variables where a run gives none: an object of texts.
    variables: Option<Given<Json>>,
    /// The model that it asks, and how.
    model: AgentModelInput,
    /// The names of the tools that it may call.
    tools: Option<Vec<String>>,
    /// How far a run may go.
    limits: Option<AgentLimitsInput>,
    /// What people call the version: `v12 shorter`.
    version_name: Option<String>,
    /// What changed, in words.
    description: Option<String>,
    /// Who makes it.
    created_by: Option<String>,
}

/// The model that an agent asks, and how. What is left out is the provider's to choose.
#[derive(InputObject)]
pub(in crate::graphql) struct AgentModelInput {
    /// The provider and its model: `openai/gpt-4o-mini`.
    name: String,
    /// The sampling temperature, from 0 to 2.
    temperature: Option<Given<f64>>,
    /// The share of likely tokens that are chosen from, above 0 and up to 1.
    top_p: Option<Given<f64>>,
    /// Tokens of one answer at most.
    max_tokens: Option<Given<u32>>,
    /// Texts at which an answer ends.
    stop: Option<Vec<String>>,
    /// The seed of the sampling, where the provider takes one.
    seed: Option<Given<u64>>,
    /// How much it is to reason: `low`, `medium`, `high`, or what the provider calls it.
    reasoning_effort: Option<String>,
}

/// How far a run may go. What goes further ends, and says why.
#[derive(InputObject, Default)]
struct AgentLimitsInput {
    /// Answers of the model, those that ask for tools included; 16, where nothing is said.
    steps: Option<Given<u32>>,
    /// Tokens read and written by the model, all calls together.
    tokens: Option<Given<u64>>,
    /// US dollars, all calls together, where the price is known.
    cost_usd: Option<Given<f64>>,
    /// Seconds from start to end; 600, where nothing is said.
    seconds: Option<Given<u64>>,
    /// Tokens of the conversation's history that the model is given; older turns are summarised. 16000, where
    /// nothing is said.
    history_tokens: Option<Given<u64>>,
}

/// Something said to an agent.
#[derive(InputObject)]
pub(super) struct ProcessUserInputInput {
    /// The conversation in which it is said: its global ID or UUID.
    conversation_id: ID,
    /// The agent: its component's global ID, or its own: `agents/support`.
    agent_id: ID,
    /// The hash that names the version of the agent; without it and `label` it is the one registered last.
    version_hash: Option<String>,
    /// A label that points at the version: `production`.
    label: Option<String>,
    /// What is said.
    content: String,
    /// Values of the instructions' variables, beside those that the agent has: an object of texts.
    variables: Option<Given<Json>>,
    /// The ID of the run's trace, where the client chooses it: a UUID. A second run with it is refused.
    trace_id: Option<ID>,
    /// Whether to answer when the run is over; else at once, with its trace to follow.
    #[graphql(default = true)]
    pub(super) wait: bool,
}

impl CreateAgentInput {
    pub(super) fn into_model(self) -> Result<NewAgent, Refusal> {
        let definition = AgentDefinition {
            name: self.name,
            system_prompt: self.system_prompt,
            variables: texts(self.variables)?,
            model: self.model.into_model().map_err(|refusal| refusal.below("model"))?,
            tools: self.tools.unwrap_or_default(),
            limits: self
                .limits
                .unwrap_or_default()
                .into_model()
                .map_err(|refusal| refusal.below("limits"))?,
        };
        let Self { version_name, description, created_by, .. } = self;
        Ok(NewAgent { definition, version_name, description, created_by })
    }
}

impl AgentModelInput {
    pub(in crate::graphql) fn into_model(self) -> Result<AgentModel, Refusal> {
        Ok(AgentModel {
            name: self.name,
            temperature: self.temperature.read("temperature")?,
            top_p: self.top_p.read("topP")?,
            max_tokens: self.max_tokens.read("maxTokens")?,
            stop: self.stop.unwrap_or_default(),
            seed: self.seed.read("seed")?,
            reasoning_effort: self.reasoning_effort,
        })
    }
}

impl AgentLimitsInput {
    fn into_model(self) -> Result<AgentLimits, Refusal> {
        let usual = AgentLimits::default();
        Ok(AgentLimits {
            steps: self.steps.read("steps")?.unwrap_or(usual.steps),
            tokens: self.tokens.read("tokens")?,
            cost_usd: self.cost_usd.read("costUsd")?,
            seconds: self.seconds.read("seconds")?.unwrap_or(usual.seconds),
            history_tokens: self.history_tokens.read("historyTokens")?.unwrap_or(usual.history_tokens),
        })
    }
}

impl ProcessUserInputInput {
    pub(super) fn into_model(self) -> Result<UserInput, Refusal> {
        Ok(UserInput {
            conversation_id: ids::read("conversationId", &self.conversation_id)?,
            agent_id: ids::read_component("agentId", &self.agent_id)?,
            version: version(self.version_hash, self.label)?,
            content: self.content,
            variables: texts(self.variables)?,
            trace_id: ids::read_optional("traceId", self.trace_id.as_ref())?,
        })
    }
}

/// Which version of an agent, or of an evaluator.
pub(in crate::graphql) fn version(
    hash: Option<String>,
    label: Option<String>,
) -> Result<VersionSelector, Refusal> {
    match (hash, label) {
        (Some(_), Some(_)) => {
            Err(Refusal::invalid("label", "a version is named by `versionHash` or by `label`, not by both"))
        }
        (Some(hash), None) => Ok(VersionSelector::Hash(VersionHash::parse("versionHash", &hash)?)),
        (None, Some(label)) => Ok(VersionSelector::Label(label)),
        (None, None) => Ok(VersionSelector::Newest),
    }
}

/// Values of variables by their names.
pub(in crate::graphql) fn texts(given: Option<Given<Json>>) -> Result<BTreeMap<String, String>, Refusal> {
    let Some(json) = given.read("variables")? else { return Ok(BTreeMap::new()) };
    json.read().map_err(|_| Refusal::invalid("variables", "must be an object whose values are texts"))
}
