//! The tool that searches what was said in this server's own conversations.

use futures_util::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    model::{
        ConversationId, Json,
        message::{Message, MessageType},
        page::PageRequest,
    },
    service::{
        ServiceResult,
        conversations::{ConversationFilter, ConversationOrder, Conversations, HistoryOrder, HistoryRequest},
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

/// Characters of a message that are shown around what was looked for.
const AROUND: usize = 120;

/// Searches conversations.
pub struct SearchConversations {
    conversations: Conversations,
}

#[derive(Deserialize)]
struct Arguments {
    query: String,
}

impl SearchConversations {
    /// The tool over these conversations.
    #[must_use]
    pub const fn new(conversations: Conversations) -> Self {
        Self { conversations }
    }

    async fn search(&self, query: &str) -> ServiceResult<Vec<Value>> {
        let words: Vec<_> = query.split_whitespace().map(str::to_lowercase).collect();
        let request = PageRequest { first: CONVERSATIONS, after: None };
        let filter = ConversationFilter::default();
        let page = self.conversations.list(&filter, ConversationOrder::default(), &request).await?;
        let conversations: Vec<_> = page.items.into_iter().map(|(_, conversation)| conversation).collect();
        let mut found = Vec::new();
        for some in conversations.chunks(AT_ONCE) {
            let requests: Vec<_> = some.iter().map(|conversation| last_of(conversation.id)).collect();
            let histories = self.conversations.histories(&requests).await?;
            for (conversation, history) in some.iter().zip(histories) {
                let messages = history.items.into_iter().map(|(_, message)| message);
                let hits = messages.filter_map(|message| Some((excerpt(&message, &words)?, message)));
                found.extend(hits.map(|(excerpt, message)| {
                    json!({
                        "conversation": conversation.title.as_deref().unwrap_or("(no title)"),
                        "conversation_id": conversation.id.to_string(),
                        "when": message.timestamp.to_string(),
                        "role": message.role.text(),
                        "text": excerpt,
                    })
                }));
            }
            if found.len() >= FOUND {
                break;
            }
        }
        found.truncate(FOUND);
        Ok(found)
    }
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
