//! An answer as it arrives.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use futures_util::{StreamExt, stream};
use genai::chat::{
    ChatFrameSink, ChatStream, ChatStreamEvent, ContentPart, FrameCtx, RawFrameRef, StreamEnd, Usage,
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{
    calls::Calls,
    failure::{Hidden, failure},
};
use crate::{
    llm::{ModelAnswer, ModelError, ModelErrorKind, ModelEvent, ModelStream, ProviderKind},
    model::{
        Json,
        chat::{ChatMessage, ChatPart},
        ledger::{CountingRule, TokenCounts},
        message::MessageRole,
    },
};

/// The type of the part in which a provider's signature of its reasoning is kept: `{type, signature}`. It
/// stands before what it signs.
pub(super) const SIGNATURE: &str = "thought_signature";

/// Frames in which the answering model and the answer's id are looked for: they stand in the first.
const NAMED_WITHIN: u32 = 8;

/// What was seen of an answer in the form in which it came.
#[derive(Debug, Default)]
struct Seen {
    bytes: usize,
    has_begun: bool,
    /// Whether Ollama said that it is done, which `genai` says also where the connection just ended.
    is_done: bool,
    /// Why Gemini gives no answer, of which `genai` tells only that there is none.
    blocked: Option<String>,
    model: Option<String>,
    response_id: Option<String>,
}

/// Looks on while an answer comes.
#[derive(Debug)]
pub(super) struct Watch {
    kind: ProviderKind,
    seen: Mutex<Seen>,
}

impl Watch {
    pub(super) fn new(kind: ProviderKind) -> Self {
        Self { kind, seen: Mutex::default() }
    }
}

impl ChatFrameSink for Watch {
    fn on_frame(&self, _: &FrameCtx, frame: RawFrameRef<'_>) {
        self.seen.lock().take(self.kind, frame);
    }
}

impl Seen {
    fn take(&mut self, kind: ProviderKind, frame: RawFrameRef<'_>) {
        self.bytes = self.bytes.saturating_add(frame.data.len());
        self.has_begun |= !frame.data.is_empty();
        let is_named = self.model.is_some() && self.response_id.is_some();
        let may_end = kind == ProviderKind::Ollama && frame.data.contains("\"done\"");
        if (is_named || frame.index >= NAMED_WITHIN) && !may_end {
            return;
        }
        let Some(frame) = frame.json() else { return };
        let inner = frame.get("message").filter(|_| kind == ProviderKind::Anthropic).unwrap_or(&frame);
        let text = |names: [&str; 2]| {
            names.iter().find_map(|name| inner.get(name)?.as_str().filter(|text| !text.is_empty()))
        };
        self.model = self.model.take().or_else(|| text(["model", "modelVersion"]).map(str::to_owned));
        self.response_id = self.response_id.take().or_else(|| text(["id", "responseId"]).map(str::to_owned));
        let blocked = frame.pointer("/promptFeedback/blockReason").and_then(Value::as_str);
        self.blocked = self.blocked.take().or_else(|| blocked.map(str::to_owned));
        self.is_done |= may_end && frame.get("done") == Some(&Value::Bool(true));
    }
}

/// Reads an answer until its end or its first failure.
pub(super) struct Answering {
    stream: ChatStream,
    watch: Arc<Watch>,
    hidden: Hidden,
    most_bytes: usize,
    calls: Calls,
    /// What is still to be told.
    ready: VecDeque<ModelEvent>,
    is_over: bool,
}

impl Answering {
    pub(super) fn new(stream: ChatStream, watch: Arc<Watch>, hidden: Hidden, most_bytes: usize) -> Self {
        let (calls, ready) = (Calls::default(), VecDeque::new());
        Self { stream, watch, hidden, most_bytes, calls, ready, is_over: false }
    }

    /// Waits for the first piece, so that whoever asked is told at once of a request that failed whole.
    pub(super) async fn begin(mut self) -> Result<ModelStream, ModelError> {
        let Some(first) = self.next().await else { return Err(self.cut_off()) };
        let first = first?;
        let rest = stream::unfold(self, async |mut answering| {
            let event = answering.next().await?;
            Some((event, answering))
        });
        Ok(stream::iter([Ok(first)]).chain(rest).boxed())
    }

    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            if self.is_over {
                return None;
            }
            let event = self.stream.next().await;
            if self.watch.seen.lock().bytes > self.most_bytes {
                self.is_over = true;
                let message = format!("the answer is longer than {} bytes", self.most_bytes);
                return Some(Err(ModelError::new(ModelErrorKind::Malformed, message)));
            }
            let told = match event {
                Some(Ok(event)) => self.take(event),
                Some(Err(error)) => Err(self.failed(error)),
                None => Err(self.cut_off()),
            };
            if let Err(error) = told {
                self.is_over = true;
                return Some(Err(error));
            }
        }
    }

    fn failed(&self, error: genai::Error) -> ModelError {
        match self.watch.seen.lock().blocked.as_deref() {
            Some(reason) => {
                self.hidden.error(ModelErrorKind::Refused, &format!("the provider gives no answer: {reason}"))
            }
            None => failure(error, &self.hidden),
        }
    }

    fn cut_off(&self) -> ModelError {
        if self.watch.seen.lock().has_begun {
            ModelError::new(ModelErrorKind::CutOff, "the answer ended before its end")
        } else {
            ModelError::new(ModelErrorKind::Malformed, "the provider sent no stream of events")
        }
    }

    fn take(&mut self, event: ChatStreamEvent) -> Result<(), ModelError> {
        match event {
            ChatStreamEvent::Chunk(chunk) if !chunk.content.is_empty() => {
                self.ready.push_back(ModelEvent::Text(chunk.content));
            }
            ChatStreamEvent::ReasoningChunk(chunk) if !chunk.content.is_empty() => {
                self.ready.push_back(ModelEvent::Thinking(chunk.content));
            }
            ChatStreamEvent::ToolCallChunk(chunk) if self.watch.kind == ProviderKind::OpenAi => {
                self.calls.take(chunk.tool_call);
            }
            ChatStreamEvent::End(end) => {
                self.end(end)?;
                self.is_over = true;
            }
            ChatStreamEvent::Start
            | ChatStreamEvent::Heartbeat
            | ChatStreamEvent::Chunk(_)
            | ChatStreamEvent::ReasoningChunk(_)
            | ChatStreamEvent::ThoughtSignatureChunk(_)
            | ChatStreamEvent::ToolCallChunk(_) => {}
        }
        Ok(())
    }

    fn end(&mut self, end: StreamEnd) -> Result<(), ModelError> {
        let finish_reason = end.captured_stop_reason.as_ref().map(|reason| reason.raw().to_owned());
        let (model, response_id) = {
            let mut seen = self.watch.seen.lock();
            let is_whole = match self.watch.kind {
                ProviderKind::Ollama => seen.is_done,
                ProviderKind::Gemini => finish_reason.is_some(),
                _ => true,
            };
            if !is_whole {
                drop(seen);
                return Err(self.cut_off());
            }
            (seen.model.take(), seen.response_id.take())
        };
        let tokens = end.captured_usage.as_ref().map(|usage| counts(self.watch.kind, usage));
        let content = end.captured_content.map(genai::chat::MessageContent::into_parts).unwrap_or_default();
        let mut parts = parts(self.watch.kind, content, end.captured_reasoning_content);
        parts.extend(std::mem::take(&mut self.calls).finish().map(|(id, name, arguments)| {
            ChatPart::ToolCall { id: Some(id), name, arguments: written(&arguments) }
        }));
        let is_call = |part: &&ChatPart| matches!(part, ChatPart::ToolCall { .. });
        self.ready.extend(parts.iter().filter(is_call).cloned().map(ModelEvent::ToolCall));
        if parts.is_empty() {
            parts.push(ChatPart::Text(String::new()));
        }
        self.ready.push_back(ModelEvent::End(ModelAnswer {
            message: ChatMessage { role: MessageRole::Assistant, name: None, parts, finish_reason },
            tokens,
            rule: tokens.as_ref().map_or(CountingRule::Inclusive, CountingRule::shown_by),
            model,
            response_id,
        }));
        Ok(())
    }
}

/// The parts of the whole answer: reasoning, text, calls. Reasoning stands apart where it was not signed.
/// A signature stands before what it signs: of Gemini's, those of calls are told with their calls.
fn parts(kind: ProviderKind, content: Vec<ContentPart>, reasoning: Option<String>) -> Vec<ChatPart> {
    let is_signed = content.iter().any(|part| matches!(part, ContentPart::ReasoningContent(_)));
    let reasoning = reasoning.filter(|text| !is_signed && !text.is_empty()).map(ChatPart::Reasoning);
    let mut parts: Vec<_> = reasoning.into_iter().collect();
    let of_calls: Vec<_> = content
        .iter()
        .filter_map(|part| part.as_tool_call()?.thought_signatures.clone())
        .filter(|_| kind == ProviderKind::Gemini)
        .flatten()
        .collect();
    let mut ids = HashSet::new();
    for part in content {
        match part {
            ContentPart::Text(text) if !text.is_empty() => parts.push(ChatPart::Text(text)),
            ContentPart::ReasoningContent(text) => parts.push(ChatPart::Reasoning(text)),
            ContentPart::ThoughtSignature(signature) if !of_calls.contains(&signature) => {
                parts.push(signed(&signature));
            }
            ContentPart::ToolCall(call) => {
                let own = call.thought_signatures.iter().flatten();
                parts.extend(own.filter(|own| of_calls.contains(own)).map(|own| signed(own)));
                let arguments = match call.fn_arguments {
                    Value::Null => Json::empty_object(),
                    Value::String(text) => written(&text),
                    value => written(&value.to_string()),
                };
                // Where a provider gives none, `genai` makes ids that may come twice.
                let mut id = call.call_id;
                while !ids.insert(id.clone()) {
                    id = format!("{id}#{}", ids.len());
                }
                parts.push(ChatPart::ToolCall { id: Some(id), name: call.fn_name, arguments });
            }
            ContentPart::Custom(custom) => {
                parts.extend(Json::parse(&custom.data.to_string()).ok().map(ChatPart::Other));
            }
            ContentPart::Text(_)
            | ContentPart::ThoughtSignature(_)
            | ContentPart::Binary(_)
            | ContentPart::ToolResponse(_) => {}
        }
    }
    parts
}

fn signed(signature: &str) -> ChatPart {
    let document = json!({"type": SIGNATURE, "signature": signature}).to_string();
    ChatPart::Other(Json::parse(&document).unwrap_or_default())
}

/// The arguments of a call as the model wrote them, or their text where that is no JSON.
fn written(text: &str) -> Json {
    match text.trim() {
        "" | "null" => Json::empty_object(),
        trimmed => Json::parse(trimmed).unwrap_or_else(|_| Json::string(text)),
    }
}

/// The tokens by kind. `genai` counts all of them into the input and the output, whoever tells them:
/// Anthropic's cached tokens and Gemini's thoughts are added. What servers tell that speak as `OpenAI` does is
/// left as it is, so the counts themselves must show what they include.
fn counts(kind: ProviderKind, usage: &Usage) -> TokenCounts {
    let count = |count: Option<i32>| count.and_then(|count| u64::try_from(count).ok());
    let input = usage.prompt_tokens_details.as_ref();
    let output = usage.completion_tokens_details.as_ref();
    TokenCounts {
        input: count(usage.prompt_tokens),
        output: count(usage.completion_tokens),
        cache_read: count(input.and_then(|details| details.cached_tokens)),
        cache_write: count(input.and_then(|details| details.cache_creation_tokens)),
        reasoning: count(output.and_then(|details| details.reasoning_tokens)),
        // Of the others the total is a sum that `genai` made.
        total: count(usage.total_tokens)
            .filter(|_| matches!(kind, ProviderKind::OpenAi | ProviderKind::Gemini)),
    }
}
