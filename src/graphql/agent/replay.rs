//! The root that makes recorded runs again.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{inputs, mutations::RunFailure};
use crate::{
    graphql::{
        error::Result,
        ids,
        inputs::{ComponentRefInput, number},
        payload::outcome,
        refusal::Refusal,
        request,
        scalar::{Given, PlainId},
        trace::Trace,
    },
    model::{self, Json},
    service::agents::{self, Replay},
};

/// Makes recorded runs again.
#[derive(Default)]
pub(in crate::graphql) struct ReplayMutation;

/// See [`ReplayMutation`].
#[Object]
impl ReplayMutation {
    /// Makes a recorded run again, from what its model was first given, as it ran or with other versions, in a new
    /// trace whose `replayOf` is the old one. Nothing is said in a conversation. A run that another system reported
    /// is replayed by an agent of this server, which `agentId` names.
    async fn replay_trace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which run, and with what.")] input: ReplayTraceInput,
    ) -> Result<ReplayTracePayload> {
        let (agents, wait) = (&request::of(ctx)?.services.agents, input.wait);
        let begun = match outcome(input.into_model(), async |replay| agents.replay(replay).await).await? {
            Ok(begun) => begun,
            Err(refusal) => {
                let refusal = Some(refusal.into());
                return Ok(ReplayTracePayload { refusal, ..ReplayTracePayload::default() });
            }
        };
        let (trace_id, mut trace, mut failure) = (begun.trace_id, begun.trace.clone(), None);
        if wait && let Some(ended) = begun.ended().await {
            (trace, failure) = (ended.trace, ended.failure);
        }
        Ok(ReplayTracePayload {
            trace_id: Some(PlainId(trace_id.uuid())),
            trace: trace.map(Trace::new),
            failure: failure.map(Into::into),
            refusal: None,
        })
    }
}

/// A run that is to be made again.
#[derive(InputObject)]
struct ReplayTraceInput {
    /// Its trace: the global ID or UUID.
    trace_id: ID,
    /// The agent: its component's global ID, or its own: `agents/support`. Without it, the one that ran.
    agent_id: Option<ID>,
    /// The hash that names the version of the agent; without it and `label` it is the one registered last.
    version_hash: Option<String>,
    /// A label that points at the version: `production`.
    label: Option<String>,
    /// Versions of a prompt, a model's settings or tools, in place of the agent's own.
    components: Option<Vec<ComponentRefInput>>,
    /// Another model, with the same settings: `openai/gpt-4o-mini`.
    model: Option<String>,
    /// Values of the instructions' variables, in place of those that the run had: an object of texts.
    variables: Option<Given<Json>>,
    /// What tools answer.
    #[graphql(default)]
    tools: ReplayTools,
    /// The ID of the new trace, where the client chooses it: a UUID. A second run with it is refused.
    new_trace_id: Option<ID>,
    /// Whether to answer when the run is over; else at once, with its trace to follow.
    #[graphql(default = true)]
    wait: bool,
}

/// What tools answer in a run that is made again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "agents::ReplayTools")]
enum ReplayTools {
    /// What they answered then, where they are asked the same; else they are called.
    #[default]
    RecordedElseCall,
    /// What they answered then; asked anything else they fail, and are not called.
    RecordedOnly,
    /// They are called.
    Call,
}

impl ReplayTraceInput {
    fn into_model(self) -> Result<Replay, model::Refusal> {
        let version = inputs::version(self.version_hash, self.label)?;
        let agent = match self.agent_id {
            Some(id) => Some((ids::read_component("agentId", &id)?, version)),
            None if version == model::component::VersionSelector::Newest => None,
            None => {
                let message = "a version is of an agent: say which";
                return Err(model::Refusal::invalid("agentId", message));
            }
        };
        Ok(Replay {
            trace_id: ids::read("traceId", &self.trace_id)?,
            agent,
            components: number(self.components, "components", ComponentRefInput::into_model)?,

            model: self.model,
            variables: inputs::texts(self.variables)?,
            tools: self.tools.into(),
            new_trace_id: ids::read_optional("newTraceId", self.new_trace_id.as_ref())?,
        })
    }
}

/// A run that was made again.
#[derive(Default, SimpleObject)]
struct ReplayTracePayload {
    /// The ID of the new trace, by which the run is followed and stopped; null where nothing was begun.
    trace_id: Option<PlainId>,
    /// The new trace; null where nothing was begun.
    trace: Option<Trace>,
    /// Why there is no answer, where the run is over and gave none.
    failure: Option<RunFailure>,
    /// Why nothing was begun.
    refusal: Option<Refusal>,
}
