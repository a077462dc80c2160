//! Who speaks, from the words that senders use for it.

use crate::model::message::MessageRole;

/// The role that a word names, in any case: `user`, `model`, `MessageRole.USER`.
pub(super) fn of_word(word: &str) -> Option<MessageRole> {
    const WORDS: [(&str, MessageRole); 16] = [
        ("user", MessageRole::User),
        ("assistant", MessageRole::Assistant),
        ("tool", MessageRole::Tool),
        ("system", MessageRole::System),
        ("developer", MessageRole::System),
        ("human", MessageRole::User),
        ("model", MessageRole::Assistant),
        ("ai", MessageRole::Assistant),
        ("bot", MessageRole::Assistant),
        ("chatbot", MessageRole::Assistant),
        ("tool-call", MessageRole::Assistant),
        ("tool_call", MessageRole::Assistant),
        ("function", MessageRole::Tool),
        ("tool-response", MessageRole::Tool),
        ("tool_response", MessageRole::Tool),
        // AutoGen's class of messages that answer calls.
        ("FunctionExecutionResult", MessageRole::Tool),
    ];
    let word = word.trim_ascii();
    // Python writes an enum's member behind its class.
    let word = word.rsplit('.').next().unwrap_or(word);
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, role)| *role)
}

/// The role of a class of messages, or of its short name: `HumanMessage`, `AIMessageChunk`, `ai`.
pub(super) fn of_class(class: &str) -> Option<MessageRole> {
    let class = class.strip_suffix("Chunk").unwrap_or(class);
    of_word(class.strip_suffix("Message").unwrap_or(class))
}
