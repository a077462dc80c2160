//! A turn as the events of an answer.

use xxhash_rust::xxh3::Xxh3;

use super::{
    choose::Scene,
    file::{Arguments, Fail, Turn},
    template::fill_tree,
};
use crate::{
    llm::{ModelAnswer, ModelError, ModelEvent, ModelRequest},
    model::{
        Json,
        chat::{ChatMessage, ChatPart},
        ledger::CountingRule,
        message::MessageRole,
    },
};

/// Bytes that count as one token where a script does not say how many there are.
const TOKEN_BYTES: usize = 4;

/// The events of a turn: pieces word by word, the calls, the end; or pieces and then the failure.
pub(super) fn events(
    turn: &Turn,
    scene: &Scene<'_>,
    request: &ModelRequest,
    fail: Option<&Fail>,
) -> Vec<Result<ModelEvent, ModelError>> {
    let thinking = turn.thinking.as_ref().map(|thinking| thinking.fill(scene));
    let text = turn.text.as_ref().map(|text| text.fill(scene));
    let calls: Vec<_> = calls(turn, scene);
    let words = |text: &Option<String>, event: fn(String) -> ModelEvent| {
        let text = text.as_deref().unwrap_or_default();
        text.split_inclusive(char::is_whitespace).map(|word| event(word.to_owned())).collect::<Vec<_>>()
    };
    let pieces = words(&thinking, ModelEvent::Thinking)
        .into_iter()
        .chain(words(&text, ModelEvent::Text))
        .chain(calls.iter().cloned().map(ModelEvent::ToolCall));
    if let Some(fail) = fail {
        return pieces.take(fail.after_pieces).map(Ok).chain([Err(fail.error())]).collect();
    }
    let pieces: Vec<_> = pieces.collect();
    let reason = if calls.is_empty() { "stop" } else { "tool_calls" };
    let finish_reason = Some(turn.finish_reason.clone().unwrap_or_else(|| reason.to_owned()));
    let mut parts: Vec<_> =
        thinking.filter(|text| !text.is_empty()).map(ChatPart::Reasoning).into_iter().collect();
    parts.extend(text.filter(|text| !text.is_empty()).map(ChatPart::Text));
    parts.extend(calls);
    if parts.is_empty() {
        parts.push(ChatPart::Text(String::new()));
    }
    let message = ChatMessage { role: MessageRole::Assistant, name: None, parts, finish_reason };
    let written = tokens(bytes(&message.parts));
    let end = ModelEvent::End(ModelAnswer {
        tokens: Some(turn.tokens.counts(read(request), written)),
        rule: CountingRule::Inclusive,
        model: Some(shown(&request.model)),
        response_id: None,
        message,
    });
    pieces.into_iter().chain([end]).map(Ok).collect()
}

/// What a script is called where it answers: whoever reads it sees what it is.
pub(super) fn shown(script: &str) -> String {
    format!("scripted/{script}")
}

/// The calls of a turn. An id that is not given is made of how many answers there were, so that it is the
/// same in a replay and no other in its conversation has it.
fn calls(turn: &Turn, scene: &Scene<'_>) -> Vec<ChatPart> {
    let call = |(at, call): (usize, &super::file::Call)| {
        let arguments = match &call.arguments {
            Arguments::Tree(tree) => Json::from_value(&fill_tree(tree, scene)).unwrap_or_default(),
            Arguments::Written(text) => {
                let text = text.fill(scene);
                Json::parse(&text).unwrap_or_else(|_| Json::string(&text))
            }
        };
        ChatPart::ToolCall {
            id: Some(call.id.clone().unwrap_or_else(|| format!("call_{}_{}", scene.answers + 1, at + 1))),
            name: call.name.fill(scene),
            arguments,
        }
    };
    turn.tool_calls.iter().enumerate().map(call).collect()
}

/// The tokens that a request is estimated to have.
fn read(request: &ModelRequest) -> u64 {
    let system = request.system.as_deref().map_or(0, str::len);
    let said: usize = request.messages.iter().map(|message| bytes(&message.parts)).sum();
    let tools = request.tools.iter();
    let tools: usize =
        tools.map(|tool| tool.name.len() + tool.description.len() + tool.parameters.text().len()).sum();
    tokens(system + said + tools)
}

fn bytes(parts: &[ChatPart]) -> usize {
    let part = |part: &ChatPart| match part {
        ChatPart::Text(text) | ChatPart::Reasoning(text) => text.len(),
        ChatPart::ToolCall { name, arguments, .. } => name.len() + arguments.text().len(),
        ChatPart::ToolResult { result, .. } => result.text().len(),
        ChatPart::Media { .. } => 0,
        ChatPart::Other(document) => document.text().len(),
    };
    parts.iter().map(part).sum()
}

const fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(TOKEN_BYTES) as u64
}

/// A hash of a request: the same when it is tried again.
pub(super) fn fingerprint(request: &ModelRequest) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(format!("{:?}", (&request.model, &request.system, &request.messages)).as_bytes());
    hash.digest()
}
