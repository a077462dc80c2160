//! Language models: what they are asked, what they answer piece by piece, and how they fail.
//!
//! [`Model`] is the seam: behind it stand the providers (`provider`) and the scripted model (`scripted`).
//! [`Models`] finds the model that a name means. This module knows nothing of agents, traces or the store.

pub mod config;
mod models;
mod provider;
pub mod retry;
mod scripted;

use std::{fmt, time::Duration};

use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::model::{
    Json,
    chat::{ChatMessage, ChatPart},
    ledger::{CountingRule, TokenCounts},
};

pub use self::{
    config::{ModelsConfig, ProviderConfig, ProviderKind},
    models::{Models, ProviderInfo, ResolvedName},
    retry::Backoff,
    scripted::{ScriptError, Scripted},
};

/// What a model is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// The model's name at its provider: `gpt-4o-mini`.
    pub model: String,
    /// The instructions.
    pub system: Option<String>,
    /// What was said so far, the oldest first.
    pub messages: Vec<ChatMessage>,
    /// The tools that it may ask for.
    pub tools: Vec<ToolDefinition>,
    /// How it is to answer.
    pub settings: ModelSettings,
}

/// How a model is to answer. What is `None` is the provider's to choose.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelSettings {
    /// The sampling temperature, from 0 to 2.
    pub temperature: Option<f64>,
    /// The share of likely tokens that are chosen from, above 0 and up to 1.
    pub top_p: Option<f64>,
    /// Tokens of an answer at most.
    pub max_tokens: Option<u32>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// The seed of the sampling, where the provider takes one.
    pub seed: Option<u64>,
    /// How much it is to reason: `low`, `medium`, `high`, or what the provider calls it.
    pub reasoning_effort: Option<String>,
    /// The JSON Schema that the answer is to fulfil, with its name.
    pub answer_schema: Option<(String, Json)>,
}

/// A tool, as a model is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolDefinition {
    /// The name by which it is asked for.
    pub name: String,
    /// What it does, for the model to read.
    pub description: String,
    /// The JSON Schema of its arguments: an object.
    pub parameters: Json,
}

/// A piece of an answer, as it arrives.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelEvent {
    /// More of the text.
    Text(String),
    /// More of the reasoning.
    Thinking(String),
    /// A call of a tool, once it is complete.
    ToolCall(ChatPart),
    /// The whole answer. Nothing follows.
    End(ModelAnswer),
}

/// A model's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAnswer {
    /// What it says, of role `ASSISTANT`: reasoning, text, calls of tools, and why it stopped.
    pub message: ChatMessage,
    /// The tokens used, where the provider tells.
    pub tokens: Option<TokenCounts>,
    /// What the counts include.
    pub rule: CountingRule,
    /// The model that answered, where the provider tells: `gpt-4o-mini-2024-07-18`.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub response_id: Option<String>,
}

/// Why a model gave no answer, or no whole one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct ModelError {
    /// What kind of failure it is.
    pub kind: ModelErrorKind,
    /// What happened, for people to read; no key or other secret is in it.
    pub message: String,
    /// How long the provider asks to wait before the next attempt.
    pub retry_after: Option<Duration>,
}

/// Kinds of failures; in scripts they are written `rate_limited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelErrorKind {
    /// No provider has this name, or no script this model.
    UnknownModel,
    /// There is no key for the provider, or it does not take it.
    Unauthorized,
    /// The provider refuses the request as it is: trying again changes nothing.
    Refused,
    /// Too many requests.
    RateLimited,
    /// The provider fails, or cannot be reached.
    Unavailable,
    /// Nothing came for too long.
    TimedOut,
    /// The answer ended in its middle.
    CutOff,
    /// The provider answered what is no answer.
    Malformed,
}

impl ModelErrorKind {
    /// Whether another attempt can succeed.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Unavailable | Self::TimedOut | Self::CutOff | Self::Malformed
        )
    }
}

impl fmt::Display for ModelErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownModel => "unknown model",
            Self::Unauthorized => "unauthorized",
            Self::Refused => "refused",
            Self::RateLimited => "too many requests",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed out",
            Self::CutOff => "cut off",
            Self::Malformed => "malformed answer",
        })
    }
}

impl ModelError {
    /// A failure.
    pub fn new(kind: ModelErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }
}

/// An answer on its way.
pub type ModelStream = BoxStream<'static, Result<ModelEvent, ModelError>>;

/// Something that answers as a language model does.
pub trait Model: Send + Sync + 'static {
    /// Asks once; nothing is tried again here. The stream ends with [`ModelEvent::End`] or with a failure.
    /// Dropping it ends the request.
    fn ask(&self, request: ModelRequest) -> BoxFuture<'_, Result<ModelStream, ModelError>>;

    /// What a model of this name says that it is, before it has answered.
    fn shown(&self, name: &str) -> String {
        name.to_owned()
    }
}
