//! Items of datasets: what an agent is given, and what it should come to.

use bincode::{Decode, Encode};

use super::ContentHash;
use crate::model::{
    ConversationId, DatasetId, DatasetItemId, Json, MessageId, Refusal, SpanId, Timestamp, TraceId,
    chat::{self, ChatMessage, ChatPart},
    limits::RecordLimits,
    message::MessageRole,
};

/// An item as it is, or was, from one version on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DatasetItem {
    /// The id, the same in all versions.
    pub id: DatasetItemId,
    /// Where in the dataset it stands so.
    pub state: ItemState,
    /// The first version that does not have it so any more; `None`: the newest version has it.
    pub until: Option<u64>,
    /// What it says.
    pub content: ItemContent,
    /// A hash of that.
    pub hash: ContentHash,
    /// What it was made from.
    pub source: Option<ItemSource>,
    /// When it was first added.
    pub created_at: Timestamp,
}

/// An item as it stands from one version on: what tells it from other items, and from itself before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct ItemState {
    /// The dataset.
    pub dataset_id: DatasetId,
    /// Counts the items of the dataset in the order they were added, from 0.
    pub place: u64,
    /// The first version that has it so.
    pub since: u64,
}

/// What an item says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ItemContent {
    /// What the agent is given: a text, or a list of messages, or what it is given as the text of its JSON.
    pub input: Json,
    /// What the agent should answer.
    pub expected: Option<Json>,
    /// Whatever is kept with it: an object.
    pub metadata: Json,
}

/// What an item was made from. It may be gone since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum ItemSource {
    /// A trace.
    Trace(TraceId),
    /// A span of a trace.
    Span(TraceId, SpanId),
    /// A message of a conversation.
    Message(ConversationId, MessageId),
}

/// An item that is to be added.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// The id, where the caller chooses it.
    pub id: Option<DatasetItemId>,
    /// What it says.
    pub content: ItemContent,
    /// What it is made from.
    pub source: Option<ItemSource>,
}

/// A change of what an item says: what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of ItemContent")]
pub struct ItemPatch {
    pub input: Option<Json>,
    pub expected: Option<Option<Json>>,
    pub metadata: Option<Json>,
}

impl DatasetItem {
    /// Whether a version has it so.
    #[must_use]
    pub fn is_in(&self, version: u64) -> bool {
        self.state.since <= version && self.until.is_none_or(|until| version < until)
    }
}

impl ItemContent {
    /// A content of a text and perhaps another.
    #[must_use]
    pub fn texts(input: &str, expected: Option<&str>) -> Self {
        let expected = expected.map(Json::string);
        Self { input: Json::string(input), expected, metadata: Json::empty_object() }
    }

    /// Checks every field.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        let bytes = [Some(&self.input), self.expected.as_ref(), Some(&self.metadata)];
        let bytes: usize = bytes.into_iter().flatten().map(|json| json.text().len()).sum();
        if bytes > limits.dataset_item_bytes {
            let message = format!("the item has {bytes} bytes, {} are allowed", limits.dataset_item_bytes);
            return Err(Refusal::limit("input", message));
        }
        limits.object("metadata", Some(&self.metadata))?;
        self.check_input()
    }

    fn check_input(&self) -> Result<(), Refusal> {
        const FIX: &str = "give a text, or a list of messages with `role` and `content`";
        let wrong = |why: &str| Err(Refusal::invalid("input", format!("{why}; {FIX}")));
        match self.input.text().as_bytes().first() {
            Some(b'"') if self.text().is_none_or(|text| text.trim().is_empty()) => wrong("is blank"),
            Some(b'n') | None => wrong("is missing"),
            Some(b'[') => {
                let members = self.input.read::<Vec<&serde_json::value::RawValue>>().unwrap_or_default();
                let is_message = |member: &&serde_json::value::RawValue| {
                    Json::parse(member.get()).is_ok_and(|json| json.member("role").is_some())
                };
                if members.iter().all(is_message) && !self.messages().is_empty() {
                    return Ok(());
                }
                wrong("is a list of something else than messages")
            }
            _ => Ok(()),
        }
    }

    fn text(&self) -> Option<String> {
        self.input.read().ok()
    }

    /// What a model is given for it. What the system says in it is left out, as the agent's own instructions stand in
    /// that place.
    #[must_use]
    pub fn messages(&self) -> Vec<ChatMessage> {
        if self.input.text().starts_with('[') {
            let mut messages = chat::read_messages(&self.input, MessageRole::User);
            messages.retain(|message| message.role != MessageRole::System);
            return messages;
        }
        let text = self.text().unwrap_or_else(|| self.input.text().to_owned());
        let parts = vec![ChatPart::Text(text)];
        vec![ChatMessage { role: MessageRole::User, name: None, parts, finish_reason: None }]
    }

    /// What the user asks in it.
    #[must_use]
    pub fn asked(&self) -> Option<String> {
        let messages = self.messages();
        messages.iter().rev().find(|message| message.role == MessageRole::User)?.text()
    }

    /// The content with the patch applied.
    #[must_use]
    pub fn patched(&self, patch: ItemPatch) -> Self {
        Self {
            input: patch.input.unwrap_or_else(|| self.input.clone()),
            expected: patch.expected.unwrap_or_else(|| self.expected.clone()),
            metadata: patch.metadata.unwrap_or_else(|| self.metadata.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(input: &str) -> ItemContent {
        ItemContent { input: Json::parse(input).unwrap(), expected: None, metadata: Json::empty_object() }
    }

    #[test]
    fn an_input_is_a_text_or_messages_or_json() {
        let asked = |input: &str| content(input).asked().unwrap();
        assert_eq!(asked("\"Where?\""), "Where?");
        assert_eq!(asked("{\"city\":\"Ulm\"}"), "{\"city\":\"Ulm\"}");
        let talk = r#"[{"role":"system","content":"Be kind."},{"role":"user","content":"Hi"},
            {"role":"assistant","content":"Hello"},{"role":"user","content":"Where?"}]"#;
        assert_eq!(asked(talk), "Where?");
        assert_eq!(content(talk).messages().len(), 3);
    }

    #[test]
    fn an_item_without_an_input_is_refused() {
        let limits = RecordLimits::default();
        for bad in [
            "null",
            "\"\"",
            "\" \\n\"",
            "[]",
            "[1]",
            "[{\"a\":1}]",
            "[{\"role\":\"system\",\"content\":\"x\"}]",
        ] {
            let refusal = content(bad).check(&limits).unwrap_err();
            assert_eq!(refusal.field(), Some("input"), "{bad}");
        }
        let tight = RecordLimits { dataset_item_bytes: 8, ..limits };
        assert!(content("\"1234567\"").check(&tight).is_err());
        assert!(content("\"1234\"").check(&tight).is_ok());
    }
}
