//! The roots that start and end traces.

use async_graphql::{Context, ID, InputObject, Object};

use super::Trace;
use crate::{
    graphql::{
        error::Result,
        ids,
        payload::{outcome, payload},
        request,
        scalar::{Given, OptionalGiven},
    },
    model::{
        self, Json, Timestamp, TraceId,
        trace::{NewTrace, TraceBody, TraceCompletion, TraceStatus},
    },
};

/// Starts and ends traces.
#[derive(Default)]
pub(in crate::graphql) struct TraceMutation;

/// See [`TraceMutation`].
#[Object]
impl TraceMutation {
    /// Starts a trace.
    async fn start_trace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new trace.")] input: StartTraceInput,
    ) -> Result<StartTracePayload> {
        let service = &request::of(ctx)?.services.tracing;
        Ok(outcome(input.into_model(), async |new| service.start_trace(new).await).await?.into())
    }

    /// Ends a trace. It ends once: a second end is refused. Spans may still come after it.
    async fn complete_trace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The end.")] input: CompleteTraceInput,
    ) -> Result<CompleteTracePayload> {
        let service = &request::of(ctx)?.services.tracing;
        Ok(outcome(input.into_model(), async |(id, end)| service.complete_trace(id, end).await).await?.into())
    }
}

/// A new trace.
#[derive(InputObject)]
pub(in crate::graphql) struct StartTraceInput {
    /// The ID, where the client chooses it: a second start is then refused, and not a second trace.
    trace_id: Option<ID>,
    /// What people call it.
    name: Option<String>,
    /// The conversation it belongs to: its global ID or UUID.
    conversation_id: Option<ID>,
    /// The message that set it off: its global ID or UUID.
    message_id: Option<ID>,
    /// The turn it belongs to: a UUID.
    turn_id: Option<Given<uuid::Uuid>>,
    /// Who runs the agent.
    user_id: Option<String>,
    /// The session to put it in.
    session_id: Option<String>,
    /// When it started; now, where nothing is said.
    start_time: Option<Given<Timestamp>>,
    /// The trace whose run it is again: its global ID or UUID.
    replay_of: Option<ID>,
    /// What the user asked.
    user_input: Option<String>,
    /// The agent's memory at the start.
    initial_memory_state: Option<Given<Json>>,
    /// The conversation at the start.
    initial_conversation_state: Option<Given<Json>>,
    /// The settings of the system at the start.
    system_config: Option<Given<Json>>,
    /// Whatever the application keeps with it: an object.
    metadata: Option<Given<Json>>,
}

impl StartTraceInput {
    pub(in crate::graphql) fn into_model(self) -> Result<NewTrace, model::Refusal> {
        Ok(NewTrace {
            id: ids::read_optional("traceId", self.trace_id.as_ref())?,
            name: self.name,
            conversation_id: ids::read_optional("conversationId", self.conversation_id.as_ref())?,
            message_id: ids::read_optional("messageId", self.message_id.as_ref())?,
            turn_id: self.turn_id.read("turnId")?.map(Into::into),
            user_id: self.user_id,
            session_id: self.session_id,
            start_time: self.start_time.read("startTime")?,
            replay_of: ids::read_optional("replayOf", self.replay_of.as_ref())?,
            body: TraceBody {
                user_input: self.user_input,
                final_output: None,
                initial_memory_state: self.initial_memory_state.read("initialMemoryState")?,
                initial_conversation_state: self
                    .initial_conversation_state
                    .read("initialConversationState")?,
                system_config: self.system_config.read("systemConfig")?,
                metadata: self.metadata.read("metadata")?,
            },
        })
    }
}

/// The end of a trace.
#[derive(InputObject)]
struct CompleteTraceInput {
    /// The trace: its global ID or UUID.
    trace_id: ID,
    /// How it ended: not `RUNNING`.
    #[graphql(default_with = "TraceStatus::Completed")]
    status: TraceStatus,
    /// What the agent answered.
    final_output: Option<String>,
    /// When it ended; now, where nothing is said.
    end_time: Option<Given<Timestamp>>,
}

impl CompleteTraceInput {
    fn into_model(self) -> Result<(TraceId, TraceCompletion), model::Refusal> {
        let completion = TraceCompletion {
            status: self.status,
            final_output: self.final_output,
            end_time: self.end_time.read("endTime")?,
        };
        Ok((ids::read("traceId", &self.trace_id)?, completion))
    }
}

payload!(
    /// A trace that was started.
    StartTracePayload {
        /// The trace; null where it was refused.
        trace: Trace
    }
);

payload!(
    /// A trace that was ended.
    CompleteTracePayload {
        /// The trace as it stands; null where the end was refused.
        trace: Trace
    }
);
