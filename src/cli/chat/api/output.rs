//! What a run puts out, followed to its end: over lost connections too, each time from where it was.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, ApiError, digits, events::Events, word};
use crate::model::{
    span::{OperationType, SpanStatus},
    trace::TraceStatus,
};

/// Something that a run put out.
#[derive(Debug, Deserialize)]
#[serde(tag = "__typename")]
pub(in super::super) enum Event {
    /// More of the answer.
    #[serde(rename = "AgentTextDelta")]
    Text {
        /// What follows.
        text: String,
    },
    /// More of the reasoning.
    #[serde(rename = "AgentThinkingDelta")]
    Thinking {
        /// What follows.
        text: String,
    },
    /// A tool is called.
    #[serde(rename = "AgentToolCall", rename_all = "camelCase")]
    ToolCall {
        /// The tool.
        tool_name: String,
        /// What it is called with.
        arguments: Value,
    },
    /// A tool answered.
    #[serde(rename = "AgentToolResult")]
    ToolResult {
        /// What it said.
        result: Value,
        /// Whether it failed.
        failed: bool,
    },
    /// A span began or ended.
    #[serde(rename = "AgentSpanChange")]
    Span(SpanChange),
    /// The model failed in passing and is asked again.
    #[serde(rename = "AgentRetry")]
    Retry {
        /// Why it failed.
        message: String,
    },
    /// The run is over.
    #[serde(rename = "AgentEnd", rename_all = "camelCase")]
    End {
        /// How it ended.
        #[serde(deserialize_with = "word")]
        status: TraceStatus,
        /// The message with the answer, or with why there is none.
        message_id: Option<String>,
        /// Why there is no answer.
        error: Option<String>,
    },
    /// Something that a newer server tells of.
    #[serde(other)]
    Other,
}

/// A span that began or ended.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct SpanChange {
    /// The span.
    pub span_id: String,
    /// The span above it, at its beginning.
    pub parent_span_id: Option<String>,
    /// What kind of operation it is.
    #[serde(deserialize_with = "word")]
    pub operation_type: OperationType,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    #[serde(deserialize_with = "word")]
    pub status: SpanStatus,
}

/// What there is to tell of a run.
#[derive(Debug)]
pub(in super::super) enum News {
    /// It put something out.
    Events {
        /// Whether something before it is missing.
        gap: bool,
        /// In their order.
        events: Vec<Event>,
    },
    /// The connection is lost, and made again.
    Lost(ApiError),
    /// There is no more.
    Over,
}

#[derive(Deserialize)]
struct Part {
    #[serde(deserialize_with = "digits")]
    place: u64,
    gap: bool,
    events: Vec<Event>,
}

const OUTPUT: &str = "subscription($id: ID!, $after: BigInt) { agentOutput(traceId: $id, after: $after) {
    place gap events { __typename
        ... on AgentTextDelta { text }
        ... on AgentThinkingDelta { text }
        ... on AgentToolCall { toolName arguments }
        ... on AgentToolResult { result failed }
        ... on AgentSpanChange { spanId parentSpanId operationType name status }
        ... on AgentRetry { message }
        ... on AgentEnd { status messageId error }
    }
} }";

/// How often a connection is made again before it is given up, if nothing came in between.
const TRIES: u32 = 8;

/// How long to wait before the first of them; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// How long to wait at most.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Follows a run.
pub(in super::super) struct Follower<'a> {
    api: &'a Api,
    trace: &'a str,
    place: u64,
    tries: u32,
    events: Option<Events>,
}

impl<'a> Follower<'a> {
    /// Follows a run from its beginning.
    pub(in super::super) fn new(api: &'a Api, trace: &'a str) -> Self {
        Self { api, trace, place: 0, tries: 0, events: None }
    }

    /// What comes next. Who stops waiting loses nothing.
    pub(in super::super) async fn next(&mut self) -> Result<News, ApiError> {
        loop {
            match self.part().await {
                Ok(Some(Part { place, gap, events })) => {
                    (self.place, self.tries) = (place, 0);
                    return Ok(News::Events { gap, events });
                }
                Ok(None) => return Ok(News::Over),
                // A server that has just come back takes a moment to end the runs that it was cut off from: until
                // then it refuses them.
                Err(error) if self.tries < TRIES && (error.is_lost() || self.tries > 0) => {
                    (self.events, self.tries) = (None, self.tries + 1);
                    // That it is still lost is no news.
                    if self.tries == 1 {
                        return Ok(News::Lost(error));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn part(&mut self) -> Result<Option<Part>, ApiError> {
        let events = match &mut self.events {
            Some(events) => events,
            none => none.insert(open(self.api, self.trace, self.place, self.tries).await?),
        };
        match events.next(self.api).await? {
            Some(answer) => self.api.understood(answer.as_bytes(), "agentOutput").map(Some),
            None => Ok(None),
        }
    }
}

/// Asks for what comes behind a place. A further try waits first.
async fn open(api: &Api, trace: &str, place: u64, tries: u32) -> Result<Events, ApiError> {
    if let Some(doublings) = tries.checked_sub(1) {
        tokio::time::sleep(FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)).await;
    }
    let after = (place > 0).then(|| place.to_string());
    Events::open(api, OUTPUT, &json!({ "id": trace, "after": after })).await
}
