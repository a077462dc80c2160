//! What the attributes of spans mean: the conventions that agents are instrumented by, as tables.
//!
//! Each convention is a module whose `FIELDS` reads like its table: a field of ours, and the names under
//! which the convention sends it, the best first. [`CONVENTIONS`] is the order in which they are asked:
//! of several names that a span has for one field, the first in this order holds. What no table names
//! means nothing here and stays on the span, as everything does.
//!
//! Pure: it knows the model and how JSON is written, and nothing of protocols, services or the store. It
//! is used where spans come in ([`Told::of`]) and where a span's content is shown ([`view`]).

mod answer;
mod attributes;
mod claude_code;
mod content;
mod flat;
mod judgement;
mod langfuse;
mod logfire;
mod lookup;
mod messages;
mod openinference;
mod operation;
mod otel;
mod settings;
mod told;
mod traceloop;
mod usage;
mod vendors;
mod vercel;
mod versions;
pub mod view;

pub use self::{
    attributes::{Attributes, Value},
    judgement::{EVALUATION_EVENT, Judged, Judgement},
    messages::{BODY, DETAILS},
    told::{Pending, Said, Told, WireSpan},
    versions::{Version, VersionSource, of_event as version_of_event},
};

/// A field of ours, and the names under which a convention sends it, the best first.
type Fields = &'static [(Field, &'static [&'static str])];

/// Lists that a convention sends flattened: `llm.input_messages.0.message.role`. A field of ours, and
/// what the names begin with.
type Lists = &'static [(Field, &'static str)];

/// A convention.
struct Convention {
    /// Its fields.
    fields: Fields,
    /// Its flattened lists.
    lists: Lists,
}

/// All conventions, in the order in which they are asked.
const CONVENTIONS: &[Convention] = &[
    Convention { fields: otel::FIELDS, lists: &[] },
    Convention { fields: vercel::FIELDS, lists: &[] },
    Convention { fields: traceloop::FIELDS, lists: traceloop::LISTS },
    Convention { fields: langfuse::FIELDS, lists: &[] },
    Convention { fields: logfire::FIELDS, lists: &[] },
    Convention { fields: vendors::FIELDS, lists: &[] },
    Convention { fields: claude_code::FIELDS, lists: &[] },
    Convention { fields: openinference::FIELDS, lists: openinference::LISTS },
];

/// What an attribute can tell of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Field {
    /// What kind of operation it is, by a word of the convention: see [`operation`].
    Operation,
    /// Who runs the model.
    Provider,
    /// The model that answered.
    Model,
    /// The model that was asked for.
    RequestModel,
    /// The provider's id of the answer.
    ResponseId,
    /// Why the model stopped: a word, or a list of words.
    FinishReason,
    /// Time to the first token, in seconds.
    FirstTokenSeconds,
    /// Time to the first token, in milliseconds.
    FirstTokenMillis,
    /// When the first token came: a date.
    FirstTokenDate,
    /// The instructions that stand before the messages.
    SystemInstructions,
    /// Messages that the model was given.
    InputMessages,
    /// Messages that the model answered.
    OutputMessages,
    /// The text of the answer, where it comes alone.
    OutputText,
    /// The reasoning before the answer, where it comes alone.
    OutputReasoning,
    /// The tool calls of the answer, where they come alone.
    OutputToolCalls,
    /// What went in, of whatever operation.
    Input,
    /// What came out, of whatever operation.
    Output,
    /// The tool.
    ToolName,
    /// The model's id of the tool call.
    ToolCallId,
    /// What kind of tool it is.
    ToolType,
    /// What the tool does.
    ToolDescription,
    /// What the tool was called with.
    ToolArguments,
    /// What the tool answered.
    ToolResult,
    /// What the tool was pointed at: of what it was called with, the part that is sent.
    ToolTarget,
    /// The tools that the model could call.
    ToolDefinitions,
    /// The agent.
    AgentName,
    /// The agent's id.
    AgentId,
    /// The agent's version.
    AgentVersion,
    /// What the agent does.
    AgentDescription,
    /// Tokens read.
    InputTokens,
    /// Tokens written.
    OutputTokens,
    /// Tokens in all.
    TotalTokens,
    /// Tokens read from a cache.
    CacheReadTokens,
    /// Tokens written to a cache.
    CacheWriteTokens,
    /// Tokens spent on reasoning.
    ReasoningTokens,
    /// Tokens by kind, as an object.
    UsageDetails,
    /// What it cost, in US dollars.
    Cost,
    /// What the input cost, in US dollars.
    InputCost,
    /// What the output cost, in US dollars.
    OutputCost,
    /// Costs by kind, as an object.
    CostDetails,
    /// The conversation, by the application's own id.
    Conversation,
    /// The session, by the application's own id.
    Session,
    /// The user.
    User,
    /// What the whole trace is called.
    TraceName,
    /// The prompt's name.
    PromptName,
    /// The prompt's version, as its owner counts.
    PromptVersion,
    /// The prompt before its variables were filled in.
    PromptTemplate,
    /// The model's settings, as an object.
    Settings,
    /// One of the model's settings.
    Setting,
    /// What was searched for.
    Query,
    /// Documents that were found.
    Documents,
    /// Documents before they were put into a new order.
    RerankInput,
    /// What embeddings were computed of.
    EmbeddingTexts,
    /// The length of the embeddings.
    EmbeddingDimensions,
    /// Judgements of the span.
    Evaluations,
    /// Judgements of its trace.
    TraceEvaluations,
    /// Judgements of its session.
    SessionEvaluations,
    /// How bad it is: a level of a log.
    Level,
    /// What went wrong, in a word.
    ErrorType,
    /// What went wrong, in a sentence.
    ErrorMessage,
    /// Says that the span has started and not ended.
    PendingMark,
    /// The parent of a span that has started and not ended.
    PendingParent,
}

impl Field {
    /// The field that stands last: their number is one more.
    const LAST: Self = Self::PendingParent;
}

/// The judgement that the attributes of an event are, if they are one.
#[must_use]
pub fn judgement(attributes: &Attributes<'_>, time: Option<crate::model::Timestamp>) -> Option<Judgement> {
    judgement::of_attributes(attributes, time)
}

/// The text of an attribute.
#[must_use]
pub fn text(attributes: &Attributes<'_>, name: &str) -> Option<String> {
    attributes.get(name)?.words()
}
