//! What a run puts out, as one ordered sequence that can be followed, and gone on with where one was.
//!
//! Pieces are kept in memory while the run goes on, the last few hundred thousand bytes of them, and for a while after
//! it ended. They tell what happens at the moment: everything that lasts is in the trace and the conversation.
//! So who asks for a piece that is not kept any more begins anew, with how things stand.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{Stream, stream};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::model::{
    Json, MessageId, SpanId,
    span::{OperationType, SpanStatus},
    trace::TraceStatus,
};

/// A piece of a run's output.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputEvent {
    /// More of the answer's text.
    Text(String),
    /// More of the reasoning.
    Thinking(String),
    /// The model asks for a tool.
    ToolCall {
        /// The model's id of the call.
        call_id: String,
        /// The tool.
        name: String,
        /// What it is called with.
        arguments: Json,
    },
    /// A tool answered.
    ToolResult {
        /// The model's id of the call.
        call_id: String,
        /// What it answered, or how it failed.
        result: Json,
        /// Whether it failed.
        failed: bool,
    },
    /// A span began, or ended.
    Span {
        /// The span.
        id: SpanId,
        /// The span above it.
        parent_id: Option<SpanId>,
        /// What kind of operation it is.
        operation_type: OperationType,
        /// What the operation is called.
        name: String,
        /// Where it stands.
        status: SpanStatus,
    },
    /// An attempt failed and is made again: what was put out of it since the last span began is void.
    Retry {
        /// Why it failed.
        message: String,
    },
    /// The run is over. Nothing follows.
    End {
        /// How it ended.
        status: TraceStatus,
        /// The message with the answer, or with why there is none.
        message_id: Option<MessageId>,
        /// Why it ended, where it did not end well.
        error: Option<String>,
    },
}

impl OutputEvent {
    fn bytes(&self) -> usize {
        64 + match self {
            Self::Text(text) | Self::Thinking(text) | Self::Retry { message: text } => text.len(),
            Self::ToolCall { arguments: json, .. } | Self::ToolResult { result: json, .. } => {
                json.text().len()
            }
            Self::Span { name, .. } => name.len(),
            Self::End { error, .. } => error.as_ref().map_or(0, String::len),
        }
    }
}

/// Bytes of pieces that are kept of a run.
const KEPT_BYTES: usize = 512 << 10;

/// Bytes up to which pieces of text that nobody has taken yet become one.
const PIECE_BYTES: usize = 4 << 10;

/// The output of one run.
pub(super) struct Output {
    kept: Mutex<Kept>,
    /// The number behind the newest piece.
    end: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    events: VecDeque<OutputEvent>,
    /// The number of the first that is kept.
    first: u64,
    bytes: usize,
    /// The number behind the last that somebody was given: those do not change any more.
    given: u64,
    over: bool,
}

/// Pieces that follow each other.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputPart {
    /// Everything before this number was sent: resume there.
    pub next: u64,
    /// Whether pieces are missing before these: what was shown is to be read anew.
    pub gap: bool,
    /// The pieces, in order.
    pub events: Vec<OutputEvent>,
}

impl Output {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { kept: Mutex::default(), end: watch::channel(0).0 })
    }

    /// The output of a run that ended before: what it put out is not kept any more.
    pub(super) fn of_ended() -> Arc<Self> {
        let kept = Kept { first: 1 << 32, ..Kept::default() };
        Arc::new(Self { kept: Mutex::new(kept), end: watch::channel(0).0 })
    }

    /// Waits until the run is over.
    pub(super) async fn ended(&self) {
        let mut end = self.end.subscribe();
        while !self.is_over() && end.changed().await.is_ok() {}
    }

    /// Whether its end was put out.
    pub(super) fn is_over(&self) -> bool {
        self.kept.lock().over
    }

    /// Ends it with nothing more.
    pub(super) fn close(&self) {
        self.kept.lock().over = true;
        self.end.send_modify(|_| {});
    }

    /// Puts out a piece.
    pub(super) fn put(&self, event: OutputEvent) {
        let mut kept = self.kept.lock();
        if kept.over {
            return;
        }
        kept.over = matches!(event, OutputEvent::End { .. });
        kept.add(event);
        let end = kept.end();
        drop(kept);
        self.end.send_replace(end);
    }

    /// The pieces from a number on, then every further one, until the run is over. A number that was never given out
    /// begins at what is kept.
    pub(super) fn follow(self: Arc<Self>, from: u64) -> impl Stream<Item = OutputPart> + Send + use<> {
        let end = self.end.subscribe();
        stream::unfold(Some((self, end, from)), |state| async move {
            let (output, mut end, from) = state?;
            // Whatever it is told by, it looks for itself.
            end.mark_unchanged();
            let mut part = output.since(from);
            while part.events.is_empty() && !output.is_over() {
                if end.changed().await.is_err() {
                    break;
                }
                part = output.since(from);
            }
            if part.events.is_empty() {
                return None;
            }
            let is_last = matches!(part.events.last(), Some(OutputEvent::End { .. }));
            let next = part.next;
            Some((part, (!is_last).then_some((output, end, next))))
        })
    }

    fn since(&self, from: u64) -> OutputPart {
        let mut kept = self.kept.lock();
        let (first, next) = (kept.first, kept.end());
        let gap = from < first || from > next;
        let skip = if gap { 0 } else { usize::try_from(from - first).unwrap_or(usize::MAX) };
        let events = kept.events.iter().skip(skip).cloned().collect();
        kept.given = next;
        OutputPart { next, gap, events }
    }
}

impl Kept {
    fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    fn add(&mut self, event: OutputEvent) {
        self.bytes += event.bytes();
        let untouched = self.given < self.end();
        match (self.events.back_mut().filter(|_| untouched), event) {
            (Some(OutputEvent::Text(last)), OutputEvent::Text(more))
            | (Some(OutputEvent::Thinking(last)), OutputEvent::Thinking(more))
                if last.len() < PIECE_BYTES =>
            {
                last.push_str(&more);
                self.bytes -= 64;
            }
            (_, event) => self.events.push_back(event),
        }
        while self.bytes > KEPT_BYTES && self.events.len() > 1 {
            if let Some(gone) = self.events.pop_front() {
                self.bytes = self.bytes.saturating_sub(gone.bytes());
                self.first += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    fn text(text: &str) -> OutputEvent {
        OutputEvent::Text(text.to_owned())
    }

    const END: OutputEvent =
        OutputEvent::End { status: TraceStatus::Completed, message_id: None, error: None };

    #[tokio::test]
    async fn whoever_follows_is_given_everything_once() {
        let output = Output::new();
        output.put(text("a"));
        output.put(text("b"));
        let mut early = Box::pin(output.clone().follow(0));
        let first = early.next().await.unwrap();
        assert_eq!((first.next, first.gap, first.events), (1, false, vec![text("ab")]));
        // What was given out does not change.
        output.put(text("c"));
        assert_eq!(early.next().await.unwrap().events, [text("c")]);
        output.put(END);
        let late: Vec<_> = output.clone().follow(1).collect().await;
        assert_eq!(late.len(), 1);
        assert_eq!(late[0].events, [text("c"), END]);
        assert_eq!(early.next().await.unwrap().events, [END]);
        assert!(early.next().await.is_none());
        assert_eq!(output.follow(3).count().await, 0);
    }

    #[tokio::test]
    async fn what_is_not_kept_any_more_is_said_to_be_missing() {
        let output = Output::new();
        for _ in 0..300 {
            output.put(text(&"x".repeat(5 << 10)));
        }
        output.put(END);
        let mut late = Box::pin(output.clone().follow(1));
        let part = late.next().await.unwrap();
        assert!(part.gap);
        assert!(part.events.len() < 110, "{}", part.events.len());
        let mut later = Box::pin(output.follow(250));
        assert!(!later.next().await.unwrap().gap);
    }
}
