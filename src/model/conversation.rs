//! Conversations, and how a branch shares its history with the conversation it left.

use bincode::{Decode, Encode};

use super::{ConversationId, Json, MessageId, Refusal, Timestamp};

/// What is said between a user and an agent.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Conversation {
    /// The id.
    pub id: ConversationId,
    /// What people call it.
    pub title: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When one of its own fields last changed.
    pub updated_at: Timestamp,
    /// When something last happened in it: a message, a trace, a change.
    pub last_activity_at: Timestamp,
    /// The model it is held with, by default.
    pub model_name: Option<String>,
    /// The instructions it begins with.
    pub system_prompt: Option<String>,
    /// The sampling temperature, 0 to 2.
    pub temperature: f64,
    /// Tokens that an answer may have at most.
    pub max_tokens: Option<u32>,
    /// Whatever the application keeps with it: a JSON object.
    pub metadata: Json,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Who talks with the agent.
    pub user_id: Option<String>,
    /// The conversation that this one branched off.
    pub parent_conversation_id: Option<ConversationId>,
    /// The last message that this branch shares with its parent.
    pub branched_from_message_id: Option<MessageId>,
    /// Counts the commits that changed the conversation or its messages.
    pub revision: u64,
    /// The ordinal of its first own message: the number of messages it shares with its ancestors.
    pub first_ordinal: u64,
    /// The ordinal that its next message gets: the length of its whole history.
    pub next_ordinal: u64,
}

impl Conversation {
    /// Messages in its history, those before the fork included.
    #[must_use]
    pub fn message_count(&self) -> u64 {
        self.next_ordinal
    }
}

/// The sampling temperature of a conversation that names none.
pub const DEFAULT_TEMPERATURE: f64 = 0.7;

/// The ancestors of a branch, nearest first: whose messages its history is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Lineage {
    /// Each ancestor with the messages that it gives.
    pub segments: Vec<Segment>,
}

/// A stretch of a history that lies in one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Segment {
    /// The conversation that holds the messages.
    pub conversation_id: ConversationId,
    /// The ordinal of the first.
    pub start: u64,
    /// The ordinal after the last.
    pub end: u64,
}

impl Lineage {
    /// The lineage of a branch that leaves `parent` (whose own lineage this is) after `ordinal`.
    ///
    /// Ancestors that lie wholly past the fork give nothing and are left out, so the lineage never
    /// grows longer than the number of conversations whose messages are really shared.
    #[must_use]
    pub fn branch(&self, parent: &Conversation, ordinal: u64) -> Self {
        let end = ordinal.saturating_add(1);
        let own = Segment {
            conversation_id: parent.id,
            start: parent.first_ordinal,
            end: end.min(parent.next_ordinal),
        };
        let shared = self.segments.iter().map(|segment| Segment { end: segment.end.min(end), ..*segment });
        let segments =
            std::iter::once(own).chain(shared).filter(|segment| segment.start < segment.end).collect();
        Self { segments }
    }

    /// The stretches that hold the ordinals from `start` up to, not including, `end`, oldest first.
    #[must_use]
    pub fn cover(&self, own: Segment, start: u64, end: u64) -> Vec<Segment> {
        let mut covered: Vec<_> = std::iter::once(own)
            .chain(self.segments.iter().copied())
            .map(|segment| Segment { start: segment.start.max(start), end: segment.end.min(end), ..segment })
            .filter(|segment| segment.start < segment.end)
            .collect();
        covered.reverse();
        covered
    }
}

/// What is asked of a new conversation.
#[derive(Debug, Clone, Default)]
pub struct NewConversation {
    /// The id, where the caller chooses it.
    pub id: Option<ConversationId>,
    /// See [`Conversation::title`].
    pub title: Option<String>,
    /// See [`Conversation::model_name`].
    pub model_name: Option<String>,
    /// See [`Conversation::system_prompt`].
    pub system_prompt: Option<String>,
    /// See [`Conversation::temperature`].
    pub temperature: Option<f64>,
    /// See [`Conversation::max_tokens`].
    pub max_tokens: Option<u32>,
    /// See [`Conversation::metadata`].
    pub metadata: Option<Json>,
    /// See [`Conversation::tags`].
    pub tags: Vec<String>,
    /// See [`Conversation::user_id`].
    pub user_id: Option<String>,
    /// When it began, where that was not now.
    pub created_at: Option<Timestamp>,
}

/// A change of a conversation. `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Debug, Clone, Default)]
#[expect(clippy::option_option, reason = "leaving and clearing are different wishes")]
pub struct ConversationPatch {
    /// See [`Conversation::title`].
    pub title: Option<Option<String>>,
    /// See [`Conversation::model_name`].
    pub model_name: Option<Option<String>>,
    /// See [`Conversation::system_prompt`].
    pub system_prompt: Option<Option<String>>,
    /// See [`Conversation::temperature`].
    pub temperature: Option<f64>,
    /// See [`Conversation::max_tokens`].
    pub max_tokens: Option<Option<u32>>,
    /// See [`Conversation::metadata`].
    pub metadata: Option<Json>,
    /// See [`Conversation::tags`].
    pub tags: Option<Vec<String>>,
    /// See [`Conversation::user_id`].
    pub user_id: Option<Option<String>>,
}

/// A sampling temperature, if it is one.
pub fn checked_temperature(value: f64) -> Result<f64, Refusal> {
    if (0.0..=2.0).contains(&value) {
        Ok(value)
    } else {
        Err(Refusal::invalid("temperature", format!("{value} is not between 0 and 2")))
    }
}

/// Metadata, which must be an object, so that a member can be added later.
pub fn checked_object(field: &str, json: Json) -> Result<Json, Refusal> {
    if json.is_object() { Ok(json) } else { Err(Refusal::invalid(field, "must be a JSON object")) }
}
