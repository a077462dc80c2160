//! Puts messages together from what is read one after the other.
//!
//! Some forms send whole messages, others items that only together make one: `OpenAI`'s Responses send
//! reasoning, text and each call apart. The last message stays open for what belongs to it.

use super::{ChatMessage, ChatPart};
use crate::model::{Json, message::MessageRole};

/// Messages that have been read, the last of them still open.
#[derive(Default)]
pub(super) struct Gather {
    done: Vec<ChatMessage>,
    open: Option<Open>,
}

struct Open {
    message: ChatMessage,
    /// It came as a message, not as parts without one: only calls may still belong to it.
    whole: bool,
}

impl Open {
    fn takes(&self, role: MessageRole, parts: &[ChatPart]) -> bool {
        let is_call =
            |part: &ChatPart| matches!(part, ChatPart::ToolCall { .. } | ChatPart::ToolResult { .. });
        self.message.role == role
            && (!self.whole || (role == MessageRole::Assistant && parts.iter().all(is_call)))
    }

    /// Reasoning that waits for the message that it led to.
    fn is_reasoning(&self) -> bool {
        !self.whole && self.message.parts.iter().all(|part| matches!(part, ChatPart::Reasoning(_)))
    }
}

impl Gather {
    /// Adds a message that came as one.
    pub fn message(&mut self, mut message: ChatMessage) {
        let before = self.open.take_if(|open| message.role == MessageRole::Assistant && open.is_reasoning());
        if let Some(Open { message: before, .. }) = before {
            let said = std::mem::replace(&mut message.parts, before.parts);
            message.parts.extend(said);
        }
        self.close();
        self.open = Some(Open { message, whole: true });
    }

    /// Adds parts that came without a message around them.
    pub fn parts(&mut self, parts: Vec<ChatPart>, default_role: MessageRole) {
        let Some(first) = parts.first() else { return };
        let role = natural_role(first).unwrap_or(default_role);
        if let Some(open) = self.open.as_mut().filter(|open| open.takes(role, &parts)) {
            open.message.parts.extend(parts);
            return;
        }
        self.close();
        let message = ChatMessage { role, name: None, parts, finish_reason: None };
        self.open = Some(Open { message, whole: false });
    }

    /// Adds messages that were read elsewhere.
    pub fn messages(&mut self, messages: Vec<ChatMessage>) {
        self.close();
        self.done.extend(messages);
    }

    /// How many messages are done. Nothing that follows belongs to any of them.
    pub fn mark(&mut self) -> usize {
        self.close();
        self.done.len()
    }

    /// Says why the model stopped, where the last message since `mark` does not say so itself.
    pub fn finished(&mut self, reason: Option<String>, mark: usize) {
        self.close();
        if let Some(last) = self.done.get_mut(mark..).and_then(<[_]>::last_mut)
            && last.role == MessageRole::Assistant
            && last.finish_reason.is_none()
        {
            last.finish_reason = reason;
        }
    }

    /// All messages that say something.
    pub fn finish(mut self) -> Vec<ChatMessage> {
        self.close();
        self.done
    }

    /// Ends the open message: nothing that follows belongs to it.
    pub fn close(&mut self) {
        let Some(Open { mut message, .. }) = self.open.take() else { return };
        if message.role == MessageRole::Tool {
            texts_to_result(&mut message);
        }
        let results = message.parts.iter().filter(|part| is_result(part)).count();
        if message.role == MessageRole::Assistant || results == 0 {
            self.push(message);
        } else if message.parts.len() == results && results == 1 {
            self.push(ChatMessage { role: MessageRole::Tool, ..message });
        } else {
            self.push_apart(message);
        }
    }

    fn push(&mut self, message: ChatMessage) {
        if message.parts.iter().any(says_something) {
            self.done.push(message);
        }
    }

    /// Pushes each result as a message of its own, and what stands between them as the sender's. What
    /// stands behind a result in a tool's own message belongs to that result.
    fn push_apart(&mut self, message: ChatMessage) {
        let ChatMessage { role, name, parts, finish_reason } = message;
        let message = |role| ChatMessage {
            role,
            name: name.clone(),
            parts: Vec::new(),
            finish_reason: finish_reason.clone(),
        };
        let mut now = message(role);
        for part in parts {
            let of = if is_result(&part) { MessageRole::Tool } else { role };
            let begins = !now.parts.is_empty() && (is_result(&part) || of != now.role);
            if begins {
                self.push(std::mem::replace(&mut now, message(of)));
            }
            now.role = of;
            now.parts.push(part);
        }
        self.push(now);
    }
}

/// Who says such a part, where nobody is named.
pub(super) fn natural_role(part: &ChatPart) -> Option<MessageRole> {
    match part {
        ChatPart::ToolCall { .. } | ChatPart::Reasoning(_) => Some(MessageRole::Assistant),
        ChatPart::ToolResult { .. } => Some(MessageRole::Tool),
        ChatPart::Text(_) | ChatPart::Media { .. } | ChatPart::Other(_) => None,
    }
}

/// What a tool says is its result, where no part says so.
fn texts_to_result(message: &mut ChatMessage) {
    if message.parts.iter().any(is_result) {
        return;
    }
    if let Some(text) = message.text() {
        message.parts.retain(|part| !matches!(part, ChatPart::Text(_)));
        let result =
            ChatPart::ToolResult { id: None, name: message.name.take(), result: Json::string(&text) };
        message.parts.insert(0, result);
    }
}

fn is_result(part: &ChatPart) -> bool {
    matches!(part, ChatPart::ToolResult { .. })
}

fn says_something(part: &ChatPart) -> bool {
    match part {
        ChatPart::Text(text) | ChatPart::Reasoning(text) => !text.trim().is_empty(),
        _ => true,
    }
}
