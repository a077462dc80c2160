//! A span's content as its kind of operation has it: messages, tools, documents.

use async_graphql::{ID, Object, Union};

use crate::{
    graphql::{
        ids::{self, GlobalId},
        scalar::{BigInt, Document},
    },
    model::{
        Json,
        chat::{self, ChatPart as Part},
        message::MessageRole,
        score::ScoreValue,
    },
    semconv::{Judgement, view},
};

/// Something said in a chat, as the model was sent it or answered it.
pub(super) struct ChatMessage {
    id: ID,
    parts: Vec<ChatPart>,
    message: chat::ChatMessage,
}

impl ChatMessage {
    /// Messages of a span; `list` tells its lists apart.
    pub(super) fn all(of: &GlobalId, list: &str, messages: Vec<chat::ChatMessage>) -> Vec<Self> {
        let message = |(index, message): (usize, chat::ChatMessage)| Self {
            id: ids::part(of, list, index),
            parts: ChatPart::all(of, &format!("{list}.{index}"), &message.parts),
            message,
        };
        messages.into_iter().enumerate().map(message).collect()
    }
}

/// Something said in a chat: to a model, or by it. Whatever form it was sent in, it has this one here.
#[Object]
impl ChatMessage {
    /// Tells the messages of a span apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// Who speaks.
    async fn role(&self) -> MessageRole {
        self.message.role
    }

    /// The speaker's name, where several share a role.
    async fn name(&self) -> Option<&str> {
        self.message.name.as_deref()
    }

    /// The texts in it, joined by line ends; null without any.
    async fn text(&self) -> Option<String> {
        self.message.text()
    }

    /// The reasoning in it, joined by line ends; null without any.
    async fn reasoning(&self) -> Option<String> {
        self.message.reasoning()
    }

    /// All that is said, in order.
    async fn parts(&self) -> &[ChatPart] {
        &self.parts
    }

    /// Why the model stopped here, in the sender's word.
    async fn finish_reason(&self) -> Option<&str> {
        self.message.finish_reason.as_deref()
    }
}

/// A piece of a message.
#[derive(Union)]
pub(super) enum ChatPart {
    /// A text.
    Text(TextPart),
    /// Reasoning.
    Reasoning(ReasoningPart),
    /// A call of a tool.
    ToolCall(ToolCallPart),
    /// What a tool answered.
    ToolResult(ToolResultPart),
    /// An image, a sound or the like.
    Media(MediaPart),
    /// A part of another kind.
    Other(OtherPart),
}

impl ChatPart {
    fn all(of: &GlobalId, message: &str, parts: &[Part]) -> Vec<Self> {
        parts.iter().enumerate().map(|(index, part)| Self::of(ids::part(of, message, index), part)).collect()
    }

    fn of(id: ID, part: &Part) -> Self {
        match part.clone() {
            Part::Text(text) => Self::Text(TextPart { id, text }),
            Part::Reasoning(text) => Self::Reasoning(ReasoningPart { id, text }),
            Part::ToolCall { id: call_id, name, arguments } => {
                Self::ToolCall(ToolCallPart { id, call_id, name, arguments })
            }
            Part::ToolResult { id: call_id, name, result } => {
                Self::ToolResult(ToolResultPart { id, call_id, name, result })
            }
            Part::Media { mime_type, uri, bytes, modality, .. } => {
                Self::Media(MediaPart { id, mime_type, uri, bytes, modality })
            }
            Part::Other(json) => Self::Other(OtherPart { id, json }),
        }
    }
}

/// A text in a message.
pub(super) struct TextPart {
    id: ID,
    text: String,
}

/// A text in a message.
#[Object]
impl TextPart {
    /// Tells the parts of a span's messages apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The text, as it was sent.
    async fn text(&self) -> &str {
        &self.text
    }
}

/// Reasoning in a message.
pub(super) struct ReasoningPart {
    id: ID,
    text: String,
}

/// Reasoning in a message that is not part of the answer.
#[Object]
impl ReasoningPart {
    /// Tells the parts of a span's messages apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The text, as it was sent.
    async fn text(&self) -> &str {
        &self.text
    }
}

/// A call of a tool in a message.
pub(super) struct ToolCallPart {
    id: ID,
    call_id: Option<String>,
    name: String,
    arguments: Json,
}

/// A call of a tool, as the model asked for it.
#[Object]
impl ToolCallPart {
    /// Tells the parts of a span's messages apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The ID by which the result names the call.
    async fn call_id(&self) -> Option<&str> {
        self.call_id.as_deref()
    }

    /// The tool.
    async fn tool_name(&self) -> &str {
        &self.name
    }

    /// What it is to be called with: the JSON that the model wrote, or its text where that was no JSON.
    async fn arguments(&self) -> Document {
        Document(self.arguments.clone())
    }
}

/// What a tool answered, in a message.
pub(super) struct ToolResultPart {
    id: ID,
    call_id: Option<String>,
    name: Option<String>,
    result: Json,
}

/// What a tool answered, as the model was told it.
#[Object]
impl ToolResultPart {
    /// Tells the parts of a span's messages apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The ID of the call that it answers.
    async fn call_id(&self) -> Option<&str> {
        self.call_id.as_deref()
    }

    /// The tool.
    async fn tool_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The answer.
    async fn result(&self) -> Document {
        Document(self.result.clone())
    }
}

/// An image, a sound or the like in a message.
pub(super) struct MediaPart {
    id: ID,
    mime_type: Option<String>,
    uri: Option<String>,
    bytes: Option<u64>,
    modality: Option<String>,
}

/// An image, a sound, a video or a file in a message. What was sent inline is measured here; the whole is
/// in the span's `attributes`.
#[Object]
impl MediaPart {
    /// Tells the parts of a span's messages apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// Its media type: `image/png`.
    async fn mime_type(&self) -> Option<&str> {
        self.mime_type.as_deref()
    }

    /// Where it is: an address, or the ID of a file.
    async fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }

    /// How many bytes of data came inline.
    async fn bytes(&self) -> Option<BigInt> {
        self.bytes.map(BigInt)
    }

    /// `image`, `audio`, `video` or `document`, or the sender's word.
    async fn modality(&self) -> Option<&str> {
        self.modality.as_deref()
    }
}

/// A part of a message of a kind that is not known.
pub(super) struct OtherPart {
    id: ID,
    json: Json,
}

/// A part of a message of a kind that is not known here.
#[Object]
impl OtherPart {
    /// Tells the parts of a span's messages apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The part, as it was sent.
    async fn json(&self) -> Document {
        Document(self.json.clone())
    }
}

/// A tool that a model could call.
pub(super) struct ToolDefinition {
    id: ID,
    tool: view::ToolDefinition,
}

impl ToolDefinition {
    pub(super) fn all(of: &GlobalId, tools: Vec<view::ToolDefinition>) -> Vec<Self> {
        let tool = |(index, tool)| Self { id: ids::part(of, "tool", index), tool };
        tools.into_iter().enumerate().map(tool).collect()
    }
}

/// A tool that a model could call.
#[Object]
impl ToolDefinition {
    /// Tells the tools of a span apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.tool.name
    }

    /// What it does.
    async fn description(&self) -> Option<&str> {
        self.tool.description.as_deref()
    }

    /// What it takes: a JSON Schema.
    async fn parameters(&self) -> Option<Document> {
        Some(Document(Json::of(self.tool.parameters.as_ref()?)))
    }
}

/// A document that was found.
pub(super) struct RetrievedDocument {
    id: ID,
    document: view::Document,
}

impl RetrievedDocument {
    /// Documents of a span; `list` tells its lists apart.
    pub(super) fn all(of: &GlobalId, list: &str, documents: Vec<view::Document>) -> Vec<Self> {
        let document = |(index, document)| Self { id: ids::part(of, list, index), document };
        documents.into_iter().enumerate().map(document).collect()
    }
}

/// A document that was found, or put into a new order.
#[Object]
impl RetrievedDocument {
    /// Tells the documents of a span apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The document's own ID.
    async fn document_id(&self) -> Option<&str> {
        self.document.id.as_deref()
    }

    /// Its text.
    async fn content(&self) -> Option<&str> {
        self.document.content.as_deref()
    }

    /// How well it fits, as the one who found it counts.
    async fn score(&self) -> Option<f64> {
        self.document.score
    }

    /// What else is known of it: an object.
    async fn metadata(&self) -> Option<Document> {
        self.document.metadata.clone().map(Document)
    }
}

/// A judgement that came with a span.
pub(super) struct SpanEvaluation {
    id: ID,
    judgement: Judgement,
}

impl SpanEvaluation {
    pub(super) fn all(of: &GlobalId, judgements: Vec<Judgement>) -> Vec<Self> {
        let evaluation = |(index, judgement)| Self { id: ids::part(of, "evaluation", index), judgement };
        judgements.into_iter().enumerate().map(evaluation).collect()
    }
}

/// A judgement that came with a span, of itself or of what it belongs to. It is recorded as a score too.
#[Object]
impl SpanEvaluation {
    /// Tells the evaluations of a span apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// What is judged.
    async fn name(&self) -> &str {
        &self.judgement.name
    }

    /// The judgement as a number.
    async fn number(&self) -> Option<f64> {
        match self.judgement.value {
            ScoreValue::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The judgement as a word, where it is no number.
    async fn category(&self) -> Option<&str> {
        match &self.judgement.value {
            ScoreValue::Category(category) => Some(category),
            _ => None,
        }
    }

    /// Why; where there is a number and a word, the word stands first.
    async fn comment(&self) -> Option<&str> {
        self.judgement.comment.as_deref()
    }
}
