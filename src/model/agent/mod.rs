//! Agents: what they are told, which model they ask, which tools they may call, and how far they may go.
//!
//! An agent is a component; its definition is the content of a version, so every run says exactly what it
//! ran with.

mod failure;
pub mod template;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::failure::{RunFailure, RunFailureKind};
use super::{Json, Refusal, conversation::checked_temperature, limits::RecordLimits};

/// What an agent is: the content of a version of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentDefinition {
    /// What people call it.
    pub name: String,
    /// Its instructions: a template with `{{variables}}`; see [`template`].
    pub system_prompt: String,
    /// Values of variables where a run gives none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// The model it asks, and how.
    pub model: AgentModel,
    /// The names of the tools that it may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// How far a run may go.
    #[serde(default)]
    pub limits: AgentLimits,
}

/// The model that an agent asks, and how. What is `None` is the provider's to choose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentModel {
    /// The provider and its model: `openai/gpt-4o-mini`.
    pub name: String,
    /// The sampling temperature, from 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The share of likely tokens that are chosen from, above 0 and up to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Tokens of one answer at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Texts at which an answer ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// The seed of the sampling, where the provider takes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How much it is to reason: `low`, `medium`, `high`, or what the provider calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<String>,
}

/// How far a run of an agent may go. What goes further ends, and says why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AgentLimits {
    /// Calls of the model that are answered: a run that loops ends here.
    pub steps: u32,
    /// Tokens read and written by the model, all calls together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// US dollars, all calls together, where the price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Seconds from start to end.
    pub seconds: u64,
    /// Tokens of the conversation's history that the model is given; older turns are summarised.
    pub history_tokens: u64,
}

impl Default for AgentLimits {
    fn default() -> Self {
        Self { steps: 16, tokens: None, cost_usd: None, seconds: 600, history_tokens: 16_000 }
    }
}

/// Steps that an agent may be given at most: more of them is a loop.
const MOST_STEPS: u32 = 1_000;

/// Seconds that an agent may be given at most: a day.
const MOST_SECONDS: u64 = 86_400;

impl AgentDefinition {
    /// Reads the content of a version.
    ///
    /// # Errors
    /// When it is no agent's, as that of an agent which another system reported.
    pub fn read(definition: &Json) -> Result<Self, Refusal> {
        let fault = |error: serde_json::Error| {
            let message =
                format!("the version is not one that can be run: {error}; make one with `createAgent`");
            Refusal::invalid("agentId", message)
        };
        definition.read().map_err(fault)
    }

    /// The content of a version.
    pub fn to_json(&self) -> Result<Json, Refusal> {
        Json::from_value(self).map_err(|error| Refusal::invalid("definition", error.to_string()))
    }

    /// The id of its component.
    #[must_use]
    pub fn component_id(&self) -> String {
        format!("agents/{}", self.name)
    }

    /// Checks every field.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.name("name", &self.name)?;
        limits.text("systemPrompt", Some(&self.system_prompt))?;
        limits.count("variables", self.variables.len(), limits.list_items)?;
        for (name, value) in &self.variables {
            limits.name("variables", name)?;
            limits.text(&format!("variables.{name}"), Some(value))?;
        }
        limits.names("tools", &self.tools)?;
        self.model.check(limits).map_err(|refusal| refusal.below("model"))?;
        self.limits.check().map_err(|refusal| refusal.below("limits"))
    }

    /// Its instructions with the values of this run.
    pub fn instructions(&self, given: &BTreeMap<String, String>) -> Result<String, Refusal> {
        let mut values = self.variables.clone();
        values.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
        template::filled(&self.system_prompt, "variables", &values)
    }
}

impl AgentModel {
    /// Checks every field.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.name("name", &self.name)?;
        self.temperature.map_or(Ok(0.0), checked_temperature)?;
        if let Some(share) = self.top_p
            && !(share > 0.0 && share <= 1.0)
        {
            return Err(Refusal::invalid("topP", format!("{share} is not above 0 and at most 1")));
        }
        if self.max_tokens == Some(0) {
            return Err(Refusal::invalid("maxTokens", "must be at least 1"));
        }
        limits.count("stop", self.stop.len(), limits.list_items)?;
        limits.optional_name("reasoningEffort", self.reasoning_effort.as_deref())
    }
}

impl AgentLimits {
    fn check(&self) -> Result<(), Refusal> {
        let between = |field: &str, value: u64, most: u64| {
            if (1..=most).contains(&value) {
                Ok(())
            } else {
                Err(Refusal::invalid(field, format!("{value} is not from 1 to {most}")))
            }
        };
        between("steps", self.steps.into(), MOST_STEPS.into())?;
        between("seconds", self.seconds, MOST_SECONDS)?;
        between("historyTokens", self.history_tokens, u64::from(u32::MAX))?;
        self.tokens.map_or(Ok(()), |tokens| between("tokens", tokens, u64::MAX))?;
        match self.cost_usd {
            Some(cost) if !(cost.is_finite() && cost > 0.0) => {
                Err(Refusal::invalid("costUsd", format!("{cost} is not an amount of dollars above 0")))
            }
            _ => Ok(()),
        }
    }
}
