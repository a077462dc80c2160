//! Chat messages, in every form that agents and their instrumentations send, read into one shape.
//!
//! [`read_messages`] is given the JSON that stands in an attribute, an event or a body, and answers what
//! was said. It never fails: what it does not know it leaves out, or keeps as [`ChatPart::Other`] where it
//! stands inside a message. It knows nothing of spans, attributes or conversations.
//!
//! | form | told by | read in |
//! |---|---|---|
//! | OpenTelemetry | `[{role, parts: [{type: text, tool_call, tool_call_response, …}]}]`, or the parts alone | `message`, `part` |
//! | `OpenAI` chat | `[{role, content, tool_calls}]`, `{messages}`, `{choices: [{message}]}` | `message`, `wrapper` |
//! | `OpenAI` Responses | `{instructions, input}`, `{output: [{type: message, function_call, …}]}` | `wrapper`, `part` |
//! | Anthropic | `{system, messages}`, blocks `tool_use` and `tool_result`, `{role, content, stop_reason}` | `wrapper`, `part` |
//! | Gemini | `{systemInstruction, contents: [{role, parts}]}`, `{candidates: [{content}]}` | `wrapper`, `part` |
//! | Vercel AI SDK | parts `tool-call` and `tool-result`, `{system, prompt}`, `[{toolCallId, toolName, args}]` | `wrapper`, `part` |
//! | `LangChain` | `{lc, id, kwargs}`, `{type: human, content}`, `{generations}`, `[["human", "…"]]` | `document`, `role` |
//! | `OpenInference` | `[{message: {role, contents: [{message_content}], tool_calls: [{tool_call}]}}]` | `wrapper`, `part` |
//! | `OpenLLMetry` | `[{role, content, tool_calls: [{id, name, arguments}]}]`, where `content` may hold parts as JSON in a text | `message` |
//! | Bedrock, strands | `[{role, content: [{text}, {toolUse}, {toolResult}]}]`, `{output: {message}}` | `part` |
//! | JSON in a text | a text that holds one of these, written as JSON once or twice over | `document` |
//!
//! What comes out does not depend on the form:
//!
//! - A tool's result stands in a message of its own, of role `TOOL`, whoever was named as its sender:
//!   Anthropic, Gemini and Bedrock send results as the user's, several in one message. Only results
//!   inside an assistant's message stay there, because the provider ran those tools.
//! - What a tool says as plain text is a result too.
//! - Calls, reasoning and results that come without a message around them become one: consecutive ones
//!   of the assistant are one message, with the text that they go with.
//! - Reasoning comes before the text, calls of tools come after it, where the form keeps them apart.
//! - Messages that say nothing are left out; so is reasoning that is encrypted or redacted.

mod call;
mod data;
mod document;
mod fields;
mod fingerprint;
mod gather;
mod lenient;
mod media;
mod message;
mod part;
mod result;
mod role;
#[cfg(test)]
mod tests;
mod wrapper;
mod write;

use serde_json::Value;

pub use self::write::{message_to_json, to_json};
use self::{document::Place, gather::Gather};
use crate::model::{Json, message::MessageRole};

/// Something said in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: MessageRole,
    /// The speaker's name, where several share a role. A tool's name stands with its result.
    pub name: Option<String>,
    /// What is said, in order; never empty.
    pub parts: Vec<ChatPart>,
    /// Why the model stopped here, in the sender's word.
    pub finish_reason: Option<String>,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatPart {
    /// A text, as it was sent.
    Text(String),
    /// Reasoning that is not part of the answer.
    Reasoning(String),
    /// A call of a tool.
    ToolCall {
        /// The id by which the result names it.
        id: Option<String>,
        /// The tool; empty where none was named.
        name: String,
        /// The JSON that the model wrote, or its text as a JSON string where that was no JSON. `{}` where
        /// there are none.
        arguments: Json,
    },
    /// What a tool answered.
    ToolResult {
        /// The id of the call.
        id: Option<String>,
        /// The tool.
        name: Option<String>,
        /// The answer: a JSON string where it was a text, JSON where it was that, `null` where there is
        /// none. Data in it is measured and left out, as in [`ChatPart::Media`].
        result: Json,
    },
    /// An image, a sound, a video or a file. Data that was sent inline is measured, never kept.
    Media {
        /// Its media type: `image/png`.
        mime_type: Option<String>,
        /// Where it is: an address, or the id of a file.
        uri: Option<String>,
        /// How many bytes of data came inline.
        bytes: Option<u64>,
        /// A hash of the data that came inline: what tells two images of one length apart.
        digest: Option<[u8; 16]>,
        /// `image`, `audio`, `video` or `document`, or the sender's word.
        modality: Option<String>,
    },
    /// A part of a kind that is not known, as it was sent but for data.
    Other(Json),
}

/// Reads the messages in `document`, whatever form they have. What names no speaker, or one that is not
/// known, is said by `default_role`. Empty where nothing is said.
///
/// An object without a role is a message only if it has a `content`, a `text` or calls of tools, and
/// inside of a text not even then: JSON that a model writes as its answer stays the text that it is.
#[must_use]
pub fn read_messages(document: &Json, default_role: MessageRole) -> Vec<ChatMessage> {
    // A number that no double holds cannot be read; a document with one says nothing here.
    lenient::parse(document.text()).map_or_else(Vec::new, |value| read_value(value, default_role))
}

/// As [`read_messages`], of a value that was read already.
#[must_use]
pub fn read_value(value: Value, default_role: MessageRole) -> Vec<ChatMessage> {
    let mut gather = Gather::default();
    document::read(value, Place::new(default_role), &mut gather);
    gather.finish()
}

impl ChatMessage {
    /// The texts, joined by line ends; `None` without any.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        joined(self.parts.iter().filter_map(|part| match part {
            ChatPart::Text(text) => Some(text.as_str()),
            _ => None,
        }))
    }

    /// The reasoning, joined by line ends; `None` without any.
    #[must_use]
    pub fn reasoning(&self) -> Option<String> {
        joined(self.parts.iter().filter_map(|part| match part {
            ChatPart::Reasoning(text) => Some(text.as_str()),
            _ => None,
        }))
    }

    /// The calls of tools: the id, the tool and the arguments of each.
    pub fn tool_calls(&self) -> impl Iterator<Item = (Option<&str>, &str, &Json)> {
        self.parts.iter().filter_map(|part| match part {
            ChatPart::ToolCall { id, name, arguments } => Some((id.as_deref(), name.as_str(), arguments)),
            _ => None,
        })
    }

    /// The results of tools: the call's id, the tool and the result of each.
    pub fn tool_results(&self) -> impl Iterator<Item = (Option<&str>, Option<&str>, &Json)> {
        self.parts.iter().filter_map(|part| match part {
            ChatPart::ToolResult { id, name, result } => Some((id.as_deref(), name.as_deref(), result)),
            _ => None,
        })
    }

    /// A hash of what is said and by which role: the same for the same message, in whatever form it was
    /// sent, and when it is sent again as history.
    ///
    /// It does not see names, the ids of calls, reasons to stop, reasoning (histories often drop it),
    /// white space at the ends, how the text is cut into parts, or the order of text, calls and media
    /// among each other. Arguments and results are compared as JSON values, numbers by their value.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        fingerprint::of(self)
    }
}

fn joined<'a>(mut texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut all = texts.next()?.to_owned();
    for text in texts {
        all.push('\n');
        all.push_str(text);
    }
    Some(all)
}
