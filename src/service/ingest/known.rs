//! What a conversation has already, as far as new messages are compared with it; and that of the conversations that
//! grew last, in memory. It is only a cache: what is not here, or has changed since, is read from the messages.

use std::collections::HashSet;

use lru::LruCache;
use parking_lot::Mutex;

use super::align::{History, Said};
use crate::model::{
    ConversationId, Json, MessageId, SpanId,
    chat::{ChatMessage, ChatPart},
    conversation::Conversation,
    message::{Message, MessageRole},
};

/// Messages of all conversations that are held, a few hundred bytes each.
const MOST_HELD: usize = 32_768;

/// Messages that are held of one: it is read anew when it has more, and then from its last ones.
const MOST_OF_ONE: usize = 4_096;

/// What a conversation has.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What was said in it.
    pub history: History,
    /// The messages that are there: what is said again of the same call is not added again.
    pub there: HashSet<MessageId>,
    /// Whether it has instructions.
    pub instructed: bool,
    /// Ids of tool calls that were made, and of those that were answered.
    pub made: HashSet<String>,
    /// See `made`.
    pub answered: HashSet<String>,
}

impl Known {
    /// A conversation with these messages, the oldest first.
    pub(super) fn of(messages: Vec<Message>) -> Self {
        let mut known = Self::default();
        for message in messages {
            known.there.insert(message.id);
            known.made.extend(message.tool_calls.iter().map(|call| call.call_id.clone()));
            known.answered.extend(message.tool_call_id.clone());
            if message.role == MessageRole::System {
                known.instructed = true;
            } else {
                let fingerprint = Kept::of(&message).unwrap_or_else(|| as_sent(&message).fingerprint());
                known.history.push(Said { fingerprint, trace_id: message.trace_id });
            }
        }
        known
    }
}

/// What is kept with a message: the span that it came with, and what tells it from others. A picture, say,
/// is words in a message, by which it could not be known again.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kept {
    span_id: String,
    fingerprint: String,
}

impl Kept {
    pub(super) fn json(span: SpanId, fingerprint: [u8; 16]) -> Option<Json> {
        let fingerprint = format!("{:032x}", u128::from_be_bytes(fingerprint));
        Json::from_value(&Self { span_id: span.to_string(), fingerprint }).ok()
    }

    fn of(message: &Message) -> Option<[u8; 16]> {
        let kept: Self = message.metadata.read().ok()?;
        u128::from_str_radix(&kept.fingerprint, 16).ok().map(u128::to_be_bytes)
    }
}

/// A stored message as a call would send it again.
fn as_sent(message: &Message) -> ChatMessage {
    let mut parts = Vec::new();
    let content = message.content.clone().unwrap_or_default();
    if message.role == MessageRole::Tool {
        let result = Json::parse(&content).unwrap_or_else(|_| Json::string(&content));
        parts.push(ChatPart::ToolResult { id: message.tool_call_id.clone(), name: None, result });
    } else if !content.is_empty() {
        parts.push(ChatPart::Text(content));
    }
    parts.extend(message.tool_calls.iter().map(|call| ChatPart::ToolCall {
        id: Some(call.call_id.clone()),
        name: call.name.clone(),
        arguments: call.arguments.clone(),
    }));
    ChatMessage { role: message.role, name: None, parts, finish_reason: None }
}

/// A state of a conversation: every change of it, or of its messages, makes another revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    revision: u64,
    next_ordinal: u64,
}

impl At {
    /// The state that a conversation is in. `None`: it goes on from another one, in which what both have may change.
    pub(super) fn of(conversation: &Conversation) -> Option<Self> {
        let Conversation { revision, next_ordinal, first_ordinal, .. } = *conversation;
        (first_ordinal == 0).then_some(Self { revision, next_ordinal })
    }

    /// The state behind this one, with messages that were added to it; `None`: something else happened in between.
    pub(super) fn with(self, added: &[Message]) -> Option<Self> {
        let first = added.first()?;
        let follows = first.revision == self.revision + 1 && first.ordinal == self.next_ordinal;
        let next_ordinal = self.next_ordinal + added.len() as u64;
        follows.then_some(Self { revision: first.revision, next_ordinal })
    }
}

/// What the conversations have that grew last.
pub(super) struct KnownCache(Mutex<Held>);

struct Held {
    by_conversation: LruCache<ConversationId, (At, Known)>,
    messages: usize,
}

impl Default for KnownCache {
    fn default() -> Self {
        Self(Mutex::new(Held { by_conversation: LruCache::unbounded(), messages: 0 }))
    }
}

impl KnownCache {
    /// Takes out what a conversation has, if it is still in this state.
    pub(super) fn take(&self, id: ConversationId, at: At) -> Option<Known> {
        let mut held = self.0.lock();
        let (then, known) = held.by_conversation.pop(&id)?;
        held.messages -= known.there.len();
        (then == at).then_some(known)
    }

    /// Holds what a conversation has, and lets go what is longest held where it is too much.
    pub(super) fn put(&self, id: ConversationId, at: At, known: Known) {
        if known.there.len() > MOST_OF_ONE {
            return;
        }
        let mut held = self.0.lock();
        held.messages += known.there.len();
        if let Some((_, (_, old))) = held.by_conversation.push(id, (at, known)) {
            held.messages -= old.there.len();
        }
        while held.messages > MOST_HELD
            && let Some((_, (_, oldest))) = held.by_conversation.pop_lru()
        {
            held.messages -= oldest.there.len();
        }
    }
}
