//! A transcript as it was read: one shape for all forms, before anything is made of it.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::place::Place;
use crate::model::{ConversationId, Json, Timestamp, ledger::TokenCounts, message::MessageRole};

/// The forms of transcripts that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Messages as the `OpenAI` chat API takes and gives them.
    OpenAi,
    /// Messages of a role, a content and a time.
    Simple,
    /// Runs that tau-bench recorded.
    TauBench,
}

impl Format {
    /// The name on the command line, in metadata and as a tag.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Simple => "simple",
            Self::TauBench => "tau-bench",
        }
    }
}

/// A conversation as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// Where it begins.
    pub place: Place,
    /// Its id: a function of its content.
    pub id: ConversationId,
    /// The form it came in.
    pub format: Format,
    /// What it is called.
    pub title: Option<String>,
    /// The model that it names.
    pub model: Option<String>,
    /// The sampling temperature that it names.
    pub temperature: Option<f64>,
    /// Tokens that an answer may have at most.
    pub max_tokens: Option<u32>,
    /// Who talks with the agent.
    pub user_id: Option<String>,
    /// Words to find it by, beside those that every import gives.
    pub tags: Vec<String>,
    /// When it began, where it says so.
    pub created_at: Option<Timestamp>,
    /// The tools that were offered.
    pub tools: Vec<ToolDefinition>,
    /// How the run was judged.
    pub reward: Option<f64>,
    /// What else the record says, as it says it.
    pub rest: Map<String, Value>,
    /// Its messages.
    pub messages: Vec<Entry>,
    /// Messages that were left out because they are damaged.
    pub skipped_messages: u64,
}

/// A tool that was offered to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDefinition {
    /// Its name.
    pub name: String,
    /// Its definition as the model saw it.
    pub definition: Json,
}

/// A message as a transcript has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place among the messages of its transcript, from 0, damaged ones counted.
    pub index: usize,
    /// Who speaks.
    pub role: MessageRole,
    /// What is said.
    pub content: Option<String>,
    /// The reasoning behind it.
    pub thinking: Option<String>,
    /// When it was said.
    pub timestamp: Option<Timestamp>,
    /// The model that wrote it.
    pub model: Option<String>,
    /// The tokens that writing it took.
    pub tokens: Option<TokenCounts>,
    /// The calls that it makes.
    pub calls: Vec<Call>,
    /// For the result of a call: which.
    pub answers: Option<Answers>,
    /// Whether it is the result of a call that failed.
    pub failed: bool,
    /// What else the message says, as it says it.
    pub rest: Map<String, Value>,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its id, unique in its transcript.
    pub id: String,
    /// The id in the file, where that one was not unique.
    pub original_id: Option<String>,
    /// The tool.
    pub name: String,
    /// What it was called with.
    pub arguments: Json,
}

/// Which call a message answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    /// The one with this id.
    Id(String),
    /// The last one of this function that waits: how it was before calls had ids.
    Function(String),
}

impl Transcript {
    /// An id of something in this transcript: the same whenever it is read.
    #[must_use]
    pub fn id_of(&self, what: &str, number: usize) -> Uuid {
        Uuid::new_v5(&self.id.uuid(), format!("{what}:{number}").as_bytes())
    }
}
