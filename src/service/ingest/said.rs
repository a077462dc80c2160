//! What was said in the calls that came last, in memory: the messages of a conversation are made of it when
//! its trace is over, mostly moments later. It is only a cache: what is not here is read from the spans.

use lru::LruCache;
use parking_lot::Mutex;

use crate::{
    model::{
        SpanId, TraceId,
        chat::{ChatMessage, ChatPart},
    },
    semconv::Said,
};

/// Bytes of texts that are held.
const MOST_BYTES: usize = 16 << 20;

/// What was said in a call.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    /// The span's hash as it was received: it may come again and say something else.
    pub(super) fingerprint: u64,
    /// The conversation that the span names, by the application's own id.
    pub(super) conversation: String,
    /// What was said.
    pub(super) said: Said,
}

/// What was said in the calls that came last.
pub(super) struct SaidCache(Mutex<Calls>);

struct Calls {
    by_span: LruCache<(TraceId, SpanId), Heard>,
    bytes: usize,
}

impl Default for SaidCache {
    fn default() -> Self {
        Self(Mutex::new(Calls { by_span: LruCache::unbounded(), bytes: 0 }))
    }
}

impl SaidCache {
    /// Holds what was said in a call, and lets go what is longest held where it is too much.
    pub(super) fn put(&self, trace: TraceId, span: SpanId, heard: Heard) {
        let mut calls = self.0.lock();
        calls.bytes += heard.size();
        if let Some((_, old)) = calls.by_span.push((trace, span), heard) {
            calls.bytes -= old.size();
        }
        while calls.bytes > MOST_BYTES
            && let Some((_, oldest)) = calls.by_span.pop_lru()
        {
            calls.bytes -= oldest.size();
        }
    }

    /// Takes out what was said in a call, if it is of the span with this hash.
    pub(super) fn take(&self, trace: TraceId, span: SpanId, fingerprint: u64) -> Option<Heard> {
        let mut calls = self.0.lock();
        let heard = calls.by_span.pop(&(trace, span))?;
        calls.bytes -= heard.size();
        (heard.fingerprint == fingerprint).then_some(heard)
    }
}

impl Heard {
    /// About how many bytes it takes.
    fn size(&self) -> usize {
        let part = |part: &ChatPart| {
            size_of::<ChatPart>()
                + match part {
                    ChatPart::Text(text) | ChatPart::Reasoning(text) => text.len(),
                    ChatPart::ToolCall { name, arguments, .. } => name.len() + arguments.text().len(),
                    ChatPart::ToolResult { result, .. } => result.text().len(),
                    ChatPart::Other(json) => json.text().len(),
                    ChatPart::Media { .. } => 0,
                }
        };
        let message =
            |message: &ChatMessage| size_of::<ChatMessage>() + message.parts.iter().map(part).sum::<usize>();
        let Said { given, answered } = &self.said;
        size_of::<Self>() + given.iter().chain(answered).map(message).sum::<usize>()
    }
}
