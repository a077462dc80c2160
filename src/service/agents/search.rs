//! The tool that searches what was said in this server's own conversations.
//!
//! The index of texts has what a run said or was set off by, however long ago. Messages of no run are in no index, and a
//! server may keep none: so where it leaves room, the last messages of the last conversations are looked at too.

use std::{cmp::Reverse, collections::BTreeMap};

use futures_util::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    model::{
        ConversationId, Json, MessageId, Timestamp,
        conversation::Conversation,
        message::{Message, MessageType},
        page::PageRequest,
        search::TextKind,
    },
    service::{
        ServiceError, ServiceResult,
        conversations::{ConversationFilter, ConversationOrder, Conversations, HistoryOrder, HistoryRequest},
        search::{Item, Search},
    },
    tools::{Tool, ToolError, ToolErrorKind, ToolSource, ToolSpec},
};

/// Conversations that are looked into, those that were active last.
const CONVERSATIONS: usize = 500;

/// Messages that are looked at in each, the last ones.
const MESSAGES: usize = 200;

/// Conversations whose messages are read at a time.
const AT_ONCE: usize = 50;

/// Messages that are found at most.
const FOUND: usize = 20;

/// Messages that are taken from the index: some of them are what tools answered, or are found by what is not shown.
const INDEXED: usize = 100;

/// Characters of a message that are shown around what was looked for.
const AROUND: usize = 120;

/// Searches conversations.
pub struct SearchConversations {
    conversations: Conversations,
    texts: Search,
}

#[derive(Deserialize)]
struct Arguments {
    query: String,
}

/// What was found, the newest first; each message once.
type Found = BTreeMap<Reverse<(Timestamp, u64, MessageId)>, Value>;

impl SearchConversations {
    /// The tool over these conversations, and the index of what they say.
    #[must_use]
    pub const fn new(conversations: Conversations, texts: Search) -> Self {
        Self { conversations, texts }
    }

    async fn search(&self, query: &str) -> ServiceResult<Vec<Value>> {
        let words: Vec<_> = query.split_whitespace().map(str::to_lowercase).collect();
        let mut found = Found::new();
        self.add_indexed(&words, &mut found).await?;
        if found.len() < FOUND {
            self.add_last(&words, &mut found).await?;
        }
        Ok(found.into_values().take(FOUND).collect())
    }

    /// Adds what the index has.
    async fn add_indexed(&self, words: &[String], found: &mut Found) -> ServiceResult<()> {
        if !self.texts.is_on() {
            return Ok(());
        }
        // A model does not know the index's signs: each word means itself.
        let quoted = words.iter().map(|word| format!("\"{}\"", word.replace(is_quote, " ")));
        let query = quoted.collect::<Vec<_>>().join(" ");
        let asked = match self.texts.asked("query", &query, vec![TextKind::Message]) {
            // Signs alone, or more than the index is asked at a time.
            Err(ServiceError::Refused(_)) => return Ok(()),
            asked => asked?,
        };
        let page = PageRequest { first: INDEXED, after: None };
        let hits = match self.texts.page(&asked, &page, false).await {
            Ok(found) => found.page.items,
            // A damaged index is no reason to find nothing.
            Err(error) => {
                tracing::warn!(%error, "conversations are searched without the index of texts");
                return Ok(());
            }
        };
        let ids: Vec<_> = hits
            .into_iter()
            .filter_map(|(_, hit)| match hit.item {
                Item::Message(id) => Some(id),
                Item::Trace | Item::Span(_) => None,
            })
            .collect();
        let messages: Vec<_> = self.conversations.messages(&ids).await?.into_iter().flatten().collect();
        let ids: Vec<_> = messages.iter().map(|message| message.conversation_id).collect();
        let conversations = self.conversations.get_many(&ids).await?;
        for (message, conversation) in messages.iter().zip(conversations) {
            if let Some(conversation) = conversation {
                add(found, &conversation, message, words);
            }
        }
        Ok(())
    }

    /// Adds what is said at the end of the conversations that were active last.
    async fn add_last(&self, words: &[String], found: &mut Found) -> ServiceResult<()> {
        let request = PageRequest { first: CONVERSATIONS, after: None };
        let filter = ConversationFilter::default();
        let page = self.conversations.list(&filter, ConversationOrder::default(), &request).await?;
        let conversations: Vec<_> = page.items.into_iter().map(|(_, conversation)| conversation).collect();
        for some in conversations.chunks(AT_ONCE) {
            let requests: Vec<_> = some.iter().map(|conversation| last_of(conversation.id)).collect();
            let histories = self.conversations.histories(&requests).await?;
            for (conversation, history) in some.iter().zip(histories) {
                for (_, message) in &history.items {
                    add(found, conversation, message, words);
                }
            }
            if found.len() >= FOUND {
                break;
            }
        }
        Ok(())
    }
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '“' | '”' | '„')
}

/// Adds a message, if it has all of the words.
fn add(found: &mut Found, conversation: &Conversation, message: &Message, words: &[String]) {
    let Some(text) = excerpt(message, words) else { return };
    let shown = json!({
        "conversation": conversation.title.as_deref().unwrap_or("(no title)"),
        "conversation_id": conversation.id.to_string(),
        "when": message.timestamp.to_string(),
        "role": message.role.text(),
        "text": text,
    });
    found.insert(Reverse((message.timestamp, message.ordinal, message.id)), shown);
}

impl Tool for SearchConversations {
    fn spec(&self) -> ToolSpec {
        let parameters = json!({
            "type": "object",
            "properties": {
                "query": { "type": "string", "minLength": 1, "description": "Words that a message is to have, all of them." },
            },
            "required": ["query"],
            "additionalProperties": false,
        });
        ToolSpec {
            name: "search_conversations".to_owned(),
            description:
                "Finds messages of earlier conversations that have all of some words, the newest first."
                    .to_owned(),
            parameters: Json::of(&parameters),
            source: ToolSource::BuiltIn,
        }
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        async move {
            let failed = |message: String| ToolError::new(ToolErrorKind::Failed, message);
            let Arguments { query } =
                serde_json::from_value(arguments).map_err(|error| failed(error.to_string()))?;
            let found = self.search(&query).await.map_err(|error| failed(error.to_string()))?;
            Ok(Json::of(&json!({ "found": found.len(), "messages": found })))
        }
        .boxed()
    }
}

/// The last messages of a conversation.
fn last_of(conversation_id: ConversationId) -> HistoryRequest {
    HistoryRequest {
        conversation_id,
        order: HistoryOrder::NewestFirst,
        page: PageRequest { first: MESSAGES, after: None },
        roles: None,
        from_last_summary: false,
    }
}

/// What a message says around the first of the words, if it has all of them.
fn excerpt(message: &Message, words: &[String]) -> Option<String> {
    let text = message.content.as_ref().filter(|_| {
        // What tools answered may be what was found by a search before.
        matches!(message.message_type, MessageType::Text | MessageType::Summary)
    })?;
    let lower = text.to_lowercase();
    let first = words.first()?;
    if !words.iter().all(|word| lower.contains(word.as_str())) {
        return None;
    }
    let before = lower.split(first.as_str()).next()?.chars().count();
    let shown: String = text.chars().skip(before.saturating_sub(AROUND)).take(AROUND * 3).collect();
    Some(shown)
}
