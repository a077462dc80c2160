//! Conversations, and how a branch shares its history with the conversation it left.

use bincode::{Decode, Encode};

use super::{ConversationId, Json, MessageId, Refusal, Timestamp, limits::RecordLimits};

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
    /// How many conversations branch off this one directly.
    pub branch_count: u64,
    /// Counts the commits that changed the conversation or its messages.
    pub revision: u64,
    /// The ordinal of its first own message: the number of messages it shares with its ancestors.
    pub first_ordinal: u64,
    /// The ordinal that its next message gets: the length of its whole history.
    pub next_ordinal: u64,
}

impl Conversation {
    /// A conversation that begins. `new` must have passed [`NewConversation::check`].
    #[must_use]
    pub fn begin(id: ConversationId, new: NewConversation, now: Timestamp) -> Self {
        let created_at = new.created_at.unwrap_or(now);
        Self {
            id,
            title: new.title,
            created_at,
            updated_at: created_at,
            last_activity_at: created_at,
            model_name: new.model_name,
            system_prompt: new.system_prompt,
            temperature: new.temperature.unwrap_or(DEFAULT_TEMPERATURE),
            max_tokens: new.max_tokens,
            metadata: new.metadata.unwrap_or_default(),
            tags: distinct(new.tags),
            user_id: new.user_id,
            parent_conversation_id: None,
            branched_from_message_id: None,
            branch_count: 0,
            revision: 1,
            first_ordinal: 0,
            next_ordinal: 0,
        }
    }

    /// The conversation with the patch applied, which must have passed [`ConversationPatch::check`].
    #[must_use]
    pub fn patched(&self, patch: ConversationPatch, now: Timestamp) -> Self {
        let own = self.clone();
        let mut patched = Self {
            title: patch.title.unwrap_or(own.title),
            model_name: patch.model_name.unwrap_or(own.model_name),
            system_prompt: patch.system_prompt.unwrap_or(own.system_prompt),
            temperature: patch.temperature.unwrap_or(own.temperature),
            max_tokens: patch.max_tokens.unwrap_or(own.max_tokens),
            metadata: patch.metadata.unwrap_or(own.metadata),
            tags: patch.tags.map_or(own.tags, distinct),
            user_id: patch.user_id.unwrap_or(own.user_id),
            ..*self
        };
        if patched != *self {
            patched.updated_at = now;
            patched.touch(now);
        }
        patched
    }

    /// A branch that leaves this conversation after the message at `ordinal`, with its settings.
    #[must_use]
    pub fn branch(&self, id: ConversationId, from: (MessageId, u64), now: Timestamp) -> Self {
        let (message, ordinal) = from;
        let length = ordinal.saturating_add(1);
        Self {
            id,
            created_at: now,
            updated_at: now,
            last_activity_at: now,
            parent_conversation_id: Some(self.id),
            branched_from_message_id: Some(message),
            branch_count: 0,
            revision: 1,
            first_ordinal: length,
            next_ordinal: length,
            ..self.clone()
        }
    }

    /// Notes that something happened in it: a new revision, active at `moment`.
    pub fn touch(&mut self, moment: Timestamp) {
        self.revision += 1;
        self.last_activity_at = self.last_activity_at.max(moment);
    }

    /// Messages in its history, those before the fork included.
    #[must_use]
    pub fn message_count(&self) -> u64 {
        self.next_ordinal
    }
}

/// Each word once, in the order of its first mention.
fn distinct(words: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    words.into_iter().filter(|word| seen.insert(word.clone())).collect()
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

/// What a conversation's history is made of: its own messages and those it shares with its ancestors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The conversation's own stretch.
    own: Segment,
    /// Those of its ancestors, nearest first. They follow each other without a gap, back to ordinal 0.
    shared: Vec<Segment>,
}

impl History {
    /// The history of a conversation with this lineage.
    #[must_use]
    pub fn of(conversation: &Conversation, lineage: Lineage) -> Self {
        let own = Segment {
            conversation_id: conversation.id,
            start: conversation.first_ordinal,
            end: conversation.next_ordinal,
        };
        Self { own, shared: lineage.segments }
    }

    /// The conversation whose history it is.
    #[must_use]
    pub fn conversation_id(&self) -> ConversationId {
        self.own.conversation_id
    }

    /// The lineage of a branch that leaves the history after the message at `ordinal`.
    ///
    /// What lies wholly past the fork gives nothing and is left out, so a lineage never grows longer than
    /// the number of conversations whose messages are really shared.
    #[must_use]
    pub fn branch(&self, ordinal: u64) -> Lineage {
        let mut segments = self.cover(0, ordinal.saturating_add(1));
        segments.reverse();
        Lineage { segments }
    }

    /// The stretches that are not empty, nearest first.
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        let all = std::iter::once(self.own).chain(self.shared.iter().copied());
        all.filter(|segment| segment.start < segment.end)
    }

    /// Whether the message at this ordinal of this conversation is part of the history.
    #[must_use]
    pub fn holds(&self, conversation_id: ConversationId, ordinal: u64) -> bool {
        let part = self.segments().find(|segment| segment.conversation_id == conversation_id);
        part.is_some_and(|segment| (segment.start..segment.end).contains(&ordinal))
    }

    /// The stretches that hold the ordinals from `start` up to, not including, `end`, oldest first.
    #[must_use]
    pub fn cover(&self, start: u64, end: u64) -> Vec<Segment> {
        let mut covered: Vec<_> = self
            .segments()
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

impl NewConversation {
    /// Checks every field.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        let settings = Settings {
            title: self.title.as_deref(),
            model_name: self.model_name.as_deref(),
            system_prompt: self.system_prompt.as_deref(),
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            metadata: self.metadata.as_ref(),
            tags: &self.tags,
            user_id: self.user_id.as_deref(),
        };
        settings.check(limits)
    }
}

impl ConversationPatch {
    /// Checks every field that it changes.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        let settings = Settings {
            title: self.title.as_ref().and_then(Option::as_deref),
            model_name: self.model_name.as_ref().and_then(Option::as_deref),
            system_prompt: self.system_prompt.as_ref().and_then(Option::as_deref),
            temperature: self.temperature,
            max_tokens: self.max_tokens.flatten(),
            metadata: self.metadata.as_ref(),
            tags: self.tags.as_deref().unwrap_or_default(),
            user_id: self.user_id.as_ref().and_then(Option::as_deref),
        };
        settings.check(limits)
    }
}

/// The fields that a caller sets, as they are given; `None`: nothing to check.
struct Settings<'a> {
    title: Option<&'a str>,
    model_name: Option<&'a str>,
    system_prompt: Option<&'a str>,
    temperature: Option<f64>,
    max_tokens: Option<u32>,
    metadata: Option<&'a Json>,
    tags: &'a [String],
    user_id: Option<&'a str>,
}

impl Settings<'_> {
    fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.short_text("title", self.title)?;
        limits.optional_name("modelName", self.model_name)?;
        limits.text("systemPrompt", self.system_prompt)?;
        self.temperature.map_or(Ok(0.0), checked_temperature)?;
        if self.max_tokens == Some(0) {
            return Err(Refusal::invalid("maxTokens", "must be at least 1"));
        }
        limits.object("metadata", self.metadata)?;
        limits.names("tags", self.tags)?;
        limits.optional_name("userId", self.user_id)
    }
}
