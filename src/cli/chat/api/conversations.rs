//! Conversations: begun, read back, and branched.

use serde::Deserialize;
use serde_json::json;

use super::{Api, ApiError, word};
use crate::model::message::{MessageRole, MessageType};

/// A message of a conversation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Said {
    /// Who said it.
    #[serde(deserialize_with = "word")]
    pub role: MessageRole,
    /// What kind of message it is.
    #[serde(deserialize_with = "word")]
    pub message_type: MessageType,
    /// What was said.
    pub content: Option<String>,
}

/// A message that the user may go back to.
#[derive(Debug)]
pub(in super::super) struct Asked {
    /// What was asked.
    pub content: String,
    /// The message before it, where there is one.
    pub before: Option<String>,
}

#[derive(Deserialize)]
struct History<T> {
    messages: Page<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    nodes: Vec<T>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

/// Of a message, whose it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    message_id: String,
    #[serde(deserialize_with = "word")]
    role: MessageRole,
}

/// Of a message, what it says.
#[derive(Deserialize)]
struct Words {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Opened {
    conversation: Option<Opening>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Opening {
    conversation_id: String,
}

/// Messages that are looked through at once for those of the user, and how often at most: a turn has few.
const MARKS: usize = 200;
const PAGES: usize = 50;

impl Api {
    /// Begins a conversation, and answers its id.
    pub(in super::super) async fn create_conversation(&self, title: &str) -> Result<String, ApiError> {
        const CREATE: &str = "mutation($title: String) { createConversation(input: { title: $title }) {
            conversation { conversationId } refusal { message }
        } }";
        let opened: Opened = self.tell("createConversation", CREATE, &json!({ "title": title })).await?;
        self.opened(opened)
    }

    /// Branches a conversation behind a message, and answers the branch's id.
    pub(in super::super) async fn branch(&self, id: &str, message: &str) -> Result<String, ApiError> {
        const BRANCH: &str = "mutation($id: ID!, $message: ID!) {
            branchConversation(input: { conversationId: $id, messageId: $message }) {
                conversation { conversationId } refusal { message }
            }
        }";
        let variables = json!({ "id": id, "message": message });
        let opened: Opened = self.tell("branchConversation", BRANCH, &variables).await?;
        self.opened(opened)
    }

    /// What was said last in a conversation, the oldest of it first; `None`: there is no such conversation.
    pub(in super::super) async fn said_last(
        &self,
        id: &str,
        count: usize,
    ) -> Result<Option<Vec<Said>>, ApiError> {
        const LAST: &str = "query($id: ID!, $first: Int) { conversation(id: $id) {
            messages(first: $first, orderBy: NEWEST_FIRST) {
                nodes { role messageType content } pageInfo { hasNextPage endCursor }
            }
        } }";
        let variables = json!({ "id": id, "first": count });
        let found: Option<History<Said>> = self.ask("conversation", LAST, &variables).await?;
        Ok(found.map(|history| history.messages.nodes.into_iter().rev().collect()))
    }

    /// What the user asked so many messages of theirs ago, 1 for the last.
    pub(in super::super) async fn asked(&self, id: &str, back: usize) -> Result<Option<Asked>, ApiError> {
        const CONTENT: &str = "query($id: ID!) { message(id: $id) { content } }";
        let Some((asked, before)) = self.find_asked(id, back).await? else { return Ok(None) };
        let words: Option<Words> = self.ask("message", CONTENT, &json!({ "id": asked })).await?;
        let content = words.and_then(|words| words.content).unwrap_or_default();
        Ok(Some(Asked { content, before }))
    }

    /// The user's message and the one before it. What they say is not read on the way: it may be long.
    async fn find_asked(&self, id: &str, back: usize) -> Result<Option<(String, Option<String>)>, ApiError> {
        const MARKED: &str = "query($id: ID!, $first: Int, $after: String) { conversation(id: $id) {
            messages(first: $first, after: $after, orderBy: NEWEST_FIRST) {
                nodes { messageId role } pageInfo { hasNextPage endCursor }
            }
        } }";
        let (mut asked, mut left, mut after) = (None, back, None);
        for _ in 0..PAGES {
            let variables = json!({ "id": id, "first": MARKS, "after": after });
            let found: Option<History<Mark>> = self.ask("conversation", MARKED, &variables).await?;
            let Some(History { messages: Page { nodes, page_info } }) = found else { return Ok(None) };
            for Mark { message_id, role } in nodes {
                if let Some(asked) = asked {
                    return Ok(Some((asked, Some(message_id))));
                }
                left -= usize::from(role == MessageRole::User);
                if left == 0 {
                    asked = Some(message_id);
                }
            }
            if !page_info.has_next_page {
                break;
            }
            after = page_info.end_cursor;
        }
        Ok(asked.map(|asked| (asked, None)))
    }

    fn opened(&self, opened: Opened) -> Result<String, ApiError> {
        let id = opened.conversation.map(|conversation| conversation.conversation_id);
        id.ok_or_else(|| self.strange("a conversation was begun and is none".to_owned()))
    }
}
