//! The roots that make agents, give them input, and stop them.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    inputs::{CreateAgentInput, ProcessUserInputInput},
    queries::Tool,
};
use crate::{
    graphql::{
        component::{Component, ComponentVersion},
        error::Result,
        ids,
        message::Message,
        payload::{outcome, payload},
        refusal::Refusal,
        request,
        scalar::PlainId,
        trace::Trace,
    },
    model::{self, TraceId, agent::RunFailureKind},
    service::agents::Agents,
};

/// Makes and runs agents.
#[derive(Default)]
pub(in crate::graphql) struct AgentMutation;

/// See [`AgentMutation`].
#[Object]
impl AgentMutation {
    /// Makes an agent that this server can run, or a new version of one. Its model and its tools must be known.
    async fn create_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent.")] input: CreateAgentInput,
    ) -> Result<CreateAgentPayload> {
        let agents = service(ctx)?;
        Ok(match outcome(input.into_model(), async |new| agents.create(new).await).await? {
            Ok(made) => CreateAgentPayload {
                version: Some(made.version.into()),
                component: Some(made.component.into()),
                created: made.created,
                refusal: None,
            },
            Err(refusal) => CreateAgentPayload {
                version: None,
                component: None,
                created: false,
                refusal: Some(refusal.into()),
            },
        })
    }

    /// Says something to an agent in a conversation, and has it answered. The run goes on whoever waits for it, and
    /// each step of it is a span: follow it with `agentOutput` or `traceSpans`.
    async fn process_user_input(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is said to whom.")] input: ProcessUserInputInput,
    ) -> Result<ProcessUserInputPayload> {
        let (agents, wait) = (service(ctx)?, input.wait);
        let begun = match outcome(input.into_model(), async |input| agents.begin(input).await).await? {
            Ok(begun) => begun,
            Err(refusal) => {
                return Ok(ProcessUserInputPayload {
                    refusal: Some(refusal.into()),
                    ..ProcessUserInputPayload::default()
                });
            }
        };
        let (trace_id, trace, message) = (begun.trace_id, begun.trace.clone(), begun.message.clone());
        let ended = if wait { begun.ended().await } else { None };
        let (answer, failure, trace) = match ended {
            Some(ended) => (ended.answer, ended.failure, ended.trace),
            None => (None, None, trace),
        };
        Ok(ProcessUserInputPayload {
            trace_id: Some(PlainId(trace_id.uuid())),
            trace: trace.map(Trace::new),
            message: Some(Message::new(message)),
            answer: answer.map(Message::new),
            failure: failure.map(Into::into),
            refusal: None,
        })
    }

    /// Stops the run of an agent. What it did so far stays; its trace ends as `CANCELLED`. A run that is over stays as
    /// it is.
    async fn cancel_trace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which run.")] input: CancelTraceInput,
    ) -> Result<CancelTracePayload> {
        let agents = service(ctx)?;
        Ok(match outcome(input.into_model(), async |id| agents.cancel(id).await).await? {
            Ok(trace) => CancelTracePayload { trace: trace.map(Trace::new), refusal: None },
            Err(refusal) => CancelTracePayload { trace: None, refusal: Some(refusal.into()) },
        })
    }

    /// Says whether agents may call a tool, from the next call on and until the server stops.
    async fn set_tool_enabled(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which tool.")] input: SetToolEnabledInput,
    ) -> Result<SetToolEnabledPayload> {
        let agents = service(ctx)?;
        let SetToolEnabledInput { name, enabled } = input;
        Ok(outcome(Ok(()), async |()| agents.set_tool_enabled(&name, enabled).await).await?.into())
    }
}

fn service<'a>(ctx: &Context<'a>) -> Result<&'a Agents> {
    Ok(&request::of(ctx)?.services.agents)
}

/// Which run.
#[derive(InputObject)]
struct CancelTraceInput {
    /// Its trace: the global ID or UUID.
    trace_id: ID,
}

impl CancelTraceInput {
    fn into_model(self) -> Result<TraceId, model::Refusal> {
        ids::read("traceId", &self.trace_id)
    }
}

/// Whether agents may call a tool.
#[derive(InputObject)]
struct SetToolEnabledInput {
    /// The tool.
    name: String,
    /// Whether it may be called.
    enabled: bool,
}

payload!(
    /// A tool that was switched on or off.
    SetToolEnabledPayload {
        /// The tool; null where there is none.
        tool: Tool
    }
);

/// An agent that was made.
#[derive(SimpleObject)]
struct CreateAgentPayload {
    /// The version: the one with the same content, where there was one; null where it was refused.
    version: Option<ComponentVersion>,
    /// The agent's component; null where it was refused.
    component: Option<Component>,
    /// Whether the content was new to the agent.
    created: bool,
    /// Why it was refused.
    refusal: Option<Refusal>,
}

/// What became of something said to an agent.
#[derive(Default, SimpleObject)]
struct ProcessUserInputPayload {
    /// The ID of the run's trace, by which it is followed and stopped; null where nothing was begun.
    trace_id: Option<PlainId>,
    /// The run's trace; null where nothing was begun, or the run is not recorded.
    trace: Option<Trace>,
    /// The message with what was said.
    message: Option<Message>,
    /// The message with the answer, or with why there is none; null where it was not waited for.
    answer: Option<Message>,
    /// Why there is no answer, where the run is over and gave none.
    failure: Option<RunFailure>,
    /// Why nothing was begun.
    refusal: Option<Refusal>,
}

/// Why a run gave no answer.
#[derive(SimpleObject)]
pub(super) struct RunFailure {
    /// Tells failures apart in client caches: equal ones have equal IDs.
    id: ID,
    /// What kind of reason it is.
    kind: RunFailureKind,
    /// What happened, for people to read.
    message: String,
}

impl From<model::agent::RunFailure> for RunFailure {
    fn from(model::agent::RunFailure { kind, message }: model::agent::RunFailure) -> Self {
        Self { id: ids::of_content(&format!("{kind}: {message}")), kind, message }
    }
}

/// A run that was stopped.
#[derive(SimpleObject)]
struct CancelTracePayload {
    /// Its trace, as it ended; null where it was refused, or the run is not recorded.
    trace: Option<Trace>,
    /// Why it was refused.
    refusal: Option<Refusal>,
}
