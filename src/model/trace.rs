//! Traces: one run of an agent for one input.

use bincode::{Decode, Encode};

use super::{
    ConversationId, Json, MessageId, Refusal, Timestamp, TraceId, TurnId, refusal::Entity, summary::Summary,
    words::words,
};

words! {
    /// Where a trace stands.
    TraceStatus {
        /// The run goes on.
        Running = 1 "RUNNING",
        /// It ended well.
        Completed = 2 "COMPLETED",
        /// It ended badly.
        Failed = 3 "FAILED",
        /// It was stopped.
        Cancelled = 4 "CANCELLED",
    }
}

impl TraceStatus {
    /// Whether the run is over.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Running)
    }
}

/// A trace as lists show it: its small fields and the summary of its spans.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Trace {
    /// The id.
    pub id: TraceId,
    /// What people call it; the name of its root span where nobody did.
    pub name: Option<String>,
    /// The conversation it belongs to.
    pub conversation_id: Option<ConversationId>,
    /// The message that set it off.
    pub message_id: Option<MessageId>,
    /// The turn it belongs to.
    pub turn_id: Option<TurnId>,
    /// Who ran the agent.
    pub user_id: Option<String>,
    /// The session that the caller puts it in.
    pub session_id: Option<String>,
    /// Where it stands.
    pub status: TraceStatus,
    /// When it started, as its maker said; else the start of its first span.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// The beginning of the input.
    pub input_preview: Option<String>,
    /// The beginning of the output.
    pub output_preview: Option<String>,
    /// When something was last written to it.
    pub last_activity_at: Timestamp,
    /// Counts the commits that changed the trace or its spans.
    pub revision: u64,
    /// What its spans add up to.
    pub summary: Summary,
    /// Stored blocks of spans, by which the store decides when to merge them.
    pub block_count: u32,
}

impl Trace {
    /// How long the run took, or has taken until `now`, in nanoseconds.
    #[must_use]
    pub fn duration_nanos(&self, now: Timestamp) -> u64 {
        self.end_time.unwrap_or(now).nanos_since(self.start_time)
    }
}

/// A trace's large fields, read only when asked for.
#[derive(Debug, Clone, Default, PartialEq, Encode, Decode)]
pub struct TraceBody {
    /// What the user asked.
    pub user_input: Option<String>,
    /// What the agent answered.
    pub final_output: Option<String>,
    /// The agent's memory at the start.
    pub initial_memory_state: Option<Json>,
    /// The conversation at the start.
    pub initial_conversation_state: Option<Json>,
    /// The settings of the system at the start.
    pub system_config: Option<Json>,
    /// Whatever the application keeps with it: a JSON object.
    pub metadata: Option<Json>,
}

/// What is asked of a new trace.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of Trace")]
pub struct NewTrace {
    /// The id, where the caller chooses it.
    pub id: Option<TraceId>,
    pub name: Option<String>,
    pub conversation_id: Option<ConversationId>,
    pub message_id: Option<MessageId>,
    pub turn_id: Option<TurnId>,
    pub user_id: Option<String>,
    pub session_id: Option<String>,
    pub start_time: Option<Timestamp>,
    pub body: TraceBody,
}

/// How a trace ends.
#[derive(Debug, Clone)]
pub struct TraceCompletion {
    /// How it ended: not `RUNNING`.
    pub status: TraceStatus,
    /// What the agent answered.
    pub final_output: Option<String>,
    /// When; `None`: now.
    pub end_time: Option<Timestamp>,
}

/// Bytes of input and output that a list shows.
pub const PREVIEW_BYTES: usize = 200;

impl Trace {
    /// Ends the trace.
    pub fn complete(&mut self, completion: &TraceCompletion, now: Timestamp) -> Result<(), Refusal> {
        if self.status.is_final() {
            return Err(Refusal::IllegalTransition {
                entity: Entity::Trace,
                state: self.status.to_string(),
                action: "be completed".to_owned(),
                legal: Vec::new(),
            });
        }
        if !completion.status.is_final() {
            return Err(Refusal::invalid("status", "a trace ends COMPLETED, FAILED or CANCELLED"));
        }
        let end = completion.end_time.unwrap_or(now).max_if_none_given(completion.end_time, self.start_time);
        if end < self.start_time {
            return Err(Refusal::invalid(
                "endTime",
                format!("{end} is before the start, {}", self.start_time),
            ));
        }
        self.status = completion.status;
        self.end_time = Some(end);
        if let Some(output) = &completion.final_output {
            self.output_preview = Some(super::text::shortened(output, PREVIEW_BYTES));
        }
        Ok(())
    }
}

impl Timestamp {
    /// A clock that stands a little behind the caller's must not make an end before its start: where
    /// the caller gave no end, the start is the least that it can be.
    fn max_if_none_given(self, given: Option<Self>, start: Self) -> Self {
        if given.is_none() { self.max(start) } else { self }
    }
}
