//! Conversations: begun, read back, and branched.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, ApiError, word};
use crate::model::message::{MessageRole, MessageType};

/// A message of a conversation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Said {
    /// Its id.
    pub message_id: String,
    /// Who said it.
    #[serde(deserialize_with = "word")]
    pub role: MessageRole,
    /// What kind of message it is.
    #[serde(deserialize_with = "word")]
    pub message_type: MessageType,
    /// What was said.
    pub content: Option<String>,
}

#[derive(Deserialize)]
struct History {
    messages: Edges,
}

#[derive(Deserialize)]
struct Edges {
    edges: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    cursor: String,
    node: Said,
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

const HISTORY: &str = "query($id: ID!, $first: Int, $after: String, $roles: [MessageRole!]) {
    conversation(id: $id) {
        messages(first: $first, after: $after, filter: { roles: $roles }, orderBy: NEWEST_FIRST) {
            edges { cursor node { messageId role messageType content } }
        }
    }
}";

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
        let found = self.history(json!({ "id": id, "first": count })).await?;
        Ok(found.map(|edges| edges.into_iter().rev().map(|edge| edge.node).collect()))
    }

    /// What the user said `back` messages of theirs ago, 1 for the last, and the message before it, where there is one.
    pub(in super::super) async fn asked(
        &self,
        id: &str,
        back: usize,
    ) -> Result<Option<(Said, Option<Said>)>, ApiError> {
        let variables = json!({ "id": id, "first": back, "roles": ["USER"] });
        let asked = self.history(variables).await?.unwrap_or_default();
        let Some(Edge { cursor, node }) = asked.into_iter().nth(back - 1) else { return Ok(None) };
        let before =
            self.history(json!({ "id": id, "first": 1, "after": cursor })).await?.unwrap_or_default();
        Ok(Some((node, before.into_iter().next().map(|edge| edge.node))))
    }

    async fn history(&self, variables: Value) -> Result<Option<Vec<Edge>>, ApiError> {
        let found: Option<History> = self.ask("conversation", HISTORY, &variables).await?;
        Ok(found.map(|history| history.messages.edges))
    }

    fn opened(&self, opened: Opened) -> Result<String, ApiError> {
        let id = opened.conversation.map(|conversation| conversation.conversation_id);
        id.ok_or_else(|| self.strange("a conversation was begun and is none".to_owned()))
    }
}
