//! Traces: one run of an agent for one input.

use bincode::{Decode, Encode};

use super::{
    ConversationId, Json, MessageId, Refusal, SpanId, Timestamp, TraceId, TurnId,
    refusal::Entity,
    summary::{Roots, Summary},
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

words! {
    /// How a trace came into being, and who says when it ends.
    TraceOrigin {
        /// It was started, and ends when it is completed.
        Started = 1 "STARTED",
        /// Spans of it were reported by another system: it starts and ends as they do.
        Reported = 2 "REPORTED",
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
    /// How it came into being.
    pub origin: TraceOrigin,
    /// Of a reported trace: whether it counts as over although no span at its top has ended, because
    /// nothing has come for long.
    pub settled: bool,
    /// Which spans its fields were taken from, where it was spans that told them.
    pub claims: Claims,
    /// The trace whose run it is again.
    pub replay_of: Option<TraceId>,
}

impl Trace {
    /// Whether it is over and its conversation may get messages of it.
    #[must_use]
    pub const fn is_told(&self) -> bool {
        self.status.is_final() && self.conversation_id.is_some()
    }
}

/// Which of several spans tells what holds for the whole trace: the smallest. One that names no parent
/// comes first, then what started first, so the order in which they come does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Rank {
    /// Whether the span names a parent.
    pub has_parent: bool,
    /// When it started.
    pub start_time: Timestamp,
    /// The span.
    pub id: SpanId,
}

impl Rank {
    /// The rank of what is said of the trace itself, beside a span: it counts more than what spans tell.
    #[must_use]
    pub const fn given(id: SpanId) -> Self {
        Self { has_parent: false, start_time: Timestamp::from_nanos(i64::MIN), id }
    }

    /// Whether this is of something that was said of the trace itself.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        !self.has_parent && self.start_time.nanos() == i64::MIN
    }
}

/// The spans that a trace's fields were taken from; `None`: given when it was started, or unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Claims {
    /// Of the name.
    pub name: Option<Rank>,
    /// Of the conversation.
    pub conversation: Option<Rank>,
    /// Of the session.
    pub session: Option<Rank>,
    /// Of the user.
    pub user: Option<Rank>,
    /// Of the input.
    pub input: Option<Rank>,
    /// Of the output.
    pub output: Option<Rank>,
}

/// Something that a span tells of its whole trace.
#[derive(Debug, Clone)]
pub struct Claim<T> {
    /// How much it counts: the smallest holds.
    pub rank: Rank,
    /// What it tells.
    pub value: T,
}

/// What spans tell of their whole trace.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of Trace and TraceBody")]
pub struct TraceReport {
    pub name: Option<Claim<String>>,
    pub conversation_id: Option<Claim<ConversationId>>,
    pub session_id: Option<Claim<String>>,
    pub user_id: Option<Claim<String>>,
    pub user_input: Option<Claim<String>>,
    pub final_output: Option<Claim<String>>,
}

impl<T> Claim<T> {
    /// Puts a claim in the place of another that counts less.
    pub fn raise(place: &mut Option<Self>, claim: Self) {
        if place.as_ref().is_none_or(|known| claim.rank < known.rank) {
            *place = Some(claim);
        }
    }

    /// Takes over what is told, unless what is there was given otherwise, or counts more. Whether it did.
    fn settle(claim: Option<&Self>, rank: &mut Option<Rank>, value: &mut Option<T>) -> bool
    where
        T: Clone,
    {
        let Some(claim) = claim else { return false };
        let holds = match rank {
            Some(known) => claim.rank < *known,
            None => value.is_none(),
        };
        if holds {
            (*rank, *value) = (Some(claim.rank), Some(claim.value.clone()));
        }
        holds
    }
}

impl Trace {
    /// A trace that comes into being by a span that is reported.
    #[must_use]
    pub fn reported(id: TraceId, now: Timestamp) -> Self {
        Self {
            id,
            name: None,
            conversation_id: None,
            message_id: None,
            turn_id: None,
            user_id: None,
            session_id: None,
            status: TraceStatus::Running,
            start_time: now,
            end_time: None,
            input_preview: None,
            output_preview: None,
            last_activity_at: now,
            revision: 0,
            summary: Summary::default(),
            block_count: 0,
            origin: TraceOrigin::Reported,
            settled: false,
            claims: Claims::default(),
            replay_of: None,
        }
    }

    /// Takes over what spans tell of the whole. Answers the large fields that are new by it.
    pub fn take_report(&mut self, report: &TraceReport) -> (Option<String>, Option<String>) {
        let TraceReport { name, conversation_id, session_id, user_id, user_input, final_output } = report;
        let claims = &mut self.claims;
        Claim::settle(name.as_ref(), &mut claims.name, &mut self.name);
        Claim::settle(conversation_id.as_ref(), &mut claims.conversation, &mut self.conversation_id);
        Claim::settle(session_id.as_ref(), &mut claims.session, &mut self.session_id);
        Claim::settle(user_id.as_ref(), &mut claims.user, &mut self.user_id);
        let text = |claim: &Option<Claim<String>>, rank: &mut Option<Rank>, preview: &mut Option<String>| {
            let mut value = preview.take();
            let taken = Claim::settle(claim.as_ref(), rank, &mut value);
            *preview = value.as_deref().map(|text| super::text::shortened(text, PREVIEW_BYTES));
            value.filter(|_| taken)
        };
        (
            text(user_input, &mut claims.input, &mut self.input_preview),
            text(final_output, &mut claims.output, &mut self.output_preview),
        )
    }

    /// Brings a reported trace's start, end and status up to date with its spans.
    pub fn follow_spans(&mut self, roots: Roots) {
        if self.origin != TraceOrigin::Reported {
            return;
        }
        let Roots { running, ok, failed, cancelled } = roots;
        self.start_time = self.summary.first_start.unwrap_or(self.start_time);
        self.status = match (running, failed, cancelled, ok) {
            (0, 0, 0, 0) if self.settled => TraceStatus::Completed,
            (0, 0, 0, 0) => TraceStatus::Running,
            (1.., ..) if !self.settled => TraceStatus::Running,
            (_, 1.., ..) => TraceStatus::Failed,
            (_, _, 1.., _) => TraceStatus::Cancelled,
            _ => TraceStatus::Completed,
        };
        let end = || self.summary.last_end.unwrap_or(self.start_time);
        self.end_time = self.status.is_final().then(end);
    }
}

impl Trace {
    /// How long the run took, or has taken until `now`, in nanoseconds.
    #[must_use]
    pub fn duration_nanos(&self, now: Timestamp) -> u64 {
        self.end_time.unwrap_or(now).nanos_since(self.start_time)
    }
}

/// Where a trace stands among all, from 0 to below 1: the first 53 bits of a hash of its id. By it samples are taken,
/// so that every server takes the same.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
pub fn share_of(trace: TraceId) -> f64 {
    (xxhash_rust::xxh3::xxh3_64(trace.bytes()) >> 11) as f64 / (1_u64 << 53) as f64
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
    pub replay_of: Option<TraceId>,
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
        // Somebody has said how it ends: its spans do not any more.
        self.origin = TraceOrigin::Started;
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
