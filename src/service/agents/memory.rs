//! What a model is given of a conversation: its last messages, as many as fit, and the summary of what came before.

use std::collections::HashMap;

use super::state::InitialState;
use crate::{
    model::{
        ConversationId, Json,
        chat::{ChatMessage, ChatPart},
        message::{Message, MessageRole, MessageType},
        page::PageRequest,
    },
    service::{
        ServiceResult,
        conversations::{Conversations, HistoryOrder, HistoryRequest},
    },
};

/// Messages that are read at a time.
const PAGE: usize = 200;

/// Messages that are looked at, at most, however short they are.
const MOST: usize = 4_000;

/// What is remembered of a conversation.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Memory {
    /// The last messages, and the summary of what came before.
    pub(super) state: InitialState,
    /// About how many tokens the messages have.
    pub(super) tokens: u64,
    /// Messages between the two, which do not fit: who summarises has to know them. About as many as fit, at most.
    pub(super) older: Vec<ChatMessage>,
    /// Tokens since the last summary, or since the beginning.
    pub(super) unsummarised: u64,
    /// Whether older messages are not among them.
    pub(super) is_cut: bool,
}

/// Reads what fits into so many tokens.
pub(super) async fn read(
    conversations: &Conversations,
    id: ConversationId,
    budget: u64,
) -> ServiceResult<Memory> {
    let mut memory = Memory::default();
    let (mut newest_first, mut after, mut is_full) = (Vec::new(), None, false);
    let mut older_first = Vec::new();
    while newest_first.len() < MOST {
        let request = HistoryRequest {
            conversation_id: id,
            order: HistoryOrder::NewestFirst,
            page: PageRequest { first: PAGE, after },
            roles: None,
            from_last_summary: false,
        };
        let Some(page) = conversations.histories(&[request]).await?.pop() else { break };
        for (_, message) in page.items {
            if message.message_type == MessageType::Summary {
                memory.state.summary = memory.state.summary.or(message.content);
                continue;
            }
            let tokens = tokens_of(&message);
            if memory.state.summary.is_none() {
                memory.unsummarised = memory.unsummarised.saturating_add(tokens);
            }
            is_full |= memory.tokens.saturating_add(tokens) > budget && !newest_first.is_empty();
            if !is_full {
                memory.tokens = memory.tokens.saturating_add(tokens);
                newest_first.push(message);
            } else if memory.state.summary.is_none() {
                older_first.push(message);
            }
        }
        // Behind what fits only the summary is looked for, and not far.
        if !page.has_next || (is_full && (memory.state.summary.is_some() || memory.unsummarised > budget * 2))
        {
            is_full |= page.has_next;
            break;
        }
        after = page.end.map(|end| end.encode());
    }
    newest_first.reverse();
    older_first.reverse();
    memory.is_cut = is_full;
    // Where they begin in the middle, what answers something before belongs to what is older.
    let begins = |message: &Message| !is_full || message.role == MessageRole::User;
    let begin = newest_first.iter().position(begins).unwrap_or(newest_first.len());
    if memory.state.summary.is_none() || !older_first.is_empty() {
        older_first.extend(newest_first.iter().take(begin).cloned());
    }
    memory.older = as_chat(&older_first);
    memory.state.messages = as_chat(newest_first.get(begin..).unwrap_or_default());
    Ok(memory)
}

/// Messages as a model takes them.
fn as_chat(messages: &[Message]) -> Vec<ChatMessage> {
    let mut tools: HashMap<&str, &str> = HashMap::new();
    let mut open: Vec<(&str, &str)> = Vec::new();
    let mut chat = Vec::new();
    for message in messages {
        if message.role != MessageRole::Tool {
            chat.extend(open.drain(..).map(|(id, name)| tool_result(id, name, Json::string(UNANSWERED))));
        }
        for call in &message.tool_calls {
            tools.insert(&call.call_id, &call.name);
            open.push((&call.call_id, &call.name));
        }
        if message.role == MessageRole::Tool {
            let Some(id) = message.tool_call_id.as_deref() else { continue };
            let Some(name) = tools.get(id) else { continue };
            open.retain(|(open, _)| *open != id);
            let result = Json::string(message.content.as_deref().unwrap_or_default());
            chat.push(tool_result(id, name, result));
            continue;
        }
        let parts = parts_of(message);
        if !parts.is_empty() {
            chat.push(ChatMessage { role: message.role, name: None, parts, finish_reason: None });
        }
    }
    chat.extend(open.into_iter().map(|(id, name)| tool_result(id, name, Json::string(UNANSWERED))));
    chat
}

/// What a model is told of a call that a run left without a result.
const UNANSWERED: &str = "There is no result: the run ended before.";

fn parts_of(message: &Message) -> Vec<ChatPart> {
    // A failure was told to the user, and is nothing that the model said.
    let said = message.content.as_ref().filter(|_| message.message_type != MessageType::Error);
    let text = said.filter(|text| !text.is_empty()).map(|text| ChatPart::Text(text.clone()));
    let calls = message.tool_calls.iter().map(|call| ChatPart::ToolCall {
        id: Some(call.call_id.clone()),
        name: call.name.clone(),
        arguments: call.arguments.clone(),
    });
    text.into_iter().chain(calls).collect()
}

/// A tool's result as a message.
pub(super) fn tool_result(id: &str, name: &str, result: Json) -> ChatMessage {
    let part = ChatPart::ToolResult { id: Some(id.to_owned()), name: Some(name.to_owned()), result };
    ChatMessage { role: MessageRole::Tool, name: None, parts: vec![part], finish_reason: None }
}

/// About how many tokens a message has: as was said, or one for every four bytes.
fn tokens_of(message: &Message) -> u64 {
    let said = message.token_count.filter(|_| message.role == MessageRole::Assistant);
    let texts = message.content.as_ref().map_or(0, String::len)
        + message.tool_calls.iter().map(|call| call.name.len() + call.arguments.text().len()).sum::<usize>();
    said.unwrap_or(0).max(texts as u64 / 4 + 4)
}
