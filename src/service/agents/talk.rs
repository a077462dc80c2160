//! Something said to an agent in a conversation, and the run that answers it.

use std::collections::BTreeMap;

use super::{Agents, EndedRun, run::Task};
use crate::{
    model::{
        ConversationId, TraceId,
        component::VersionSelector,
        message::{Message, MessageRole, NewMessage},
        trace::{NewTrace, Trace, TraceBody},
    },
    service::{ServiceError, ServiceResult},
    store::{
        StoreError,
        keyspace::{self, AgentRun, RunTask},
    },
};

/// Something said to an agent.
#[derive(Debug, Clone)]
pub struct UserInput {
    /// The conversation in which it is said.
    pub conversation_id: ConversationId,
    /// The component of the agent: `agents/support`.
    pub agent_id: String,
    /// Which version of it.
    pub version: VersionSelector,
    /// What is said.
    pub content: String,
    /// Values of the instructions' variables, beside those that the agent has.
    pub variables: BTreeMap<String, String>,
    /// The id of the run's trace, where the caller chooses it.
    pub trace_id: Option<TraceId>,
}

/// A run that has begun.
pub struct BegunRun {
    /// Its trace.
    pub trace: Trace,
    /// The message that set it off.
    pub message: Message,
    ended: tokio::sync::oneshot::Receiver<EndedRun>,
}

impl BegunRun {
    /// Waits until the run is over. `None`: its end could not be kept.
    pub async fn ended(self) -> Option<EndedRun> {
        self.ended.await.ok()
    }
}

impl Agents {
    /// Says something to an agent, and begins the run that answers it. Durable when it returns: message and trace.
    pub async fn begin(&self, input: UserInput) -> ServiceResult<BegunRun> {
        let prepared = self.prepare(&input.agent_id, &input.version, &input.variables).await?;
        let trace_id = input.trace_id.unwrap_or_else(|| self.context.new_id());
        let place = self.place(trace_id)?;
        let (conversation, turn) = (input.conversation_id, self.context.new_id());
        let message =
            NewMessage { turn_id: Some(turn), ..NewMessage::text(MessageRole::User, &input.content) };
        let body = TraceBody { system_config: Some(prepared.definition.clone()), ..TraceBody::default() };
        let name = Some(prepared.agent.name.clone());
        let new = NewTrace { id: Some(trace_id), name, body, ..NewTrace::default() };
        let mark = AgentRun { task: RunTask::Talk { conversation, turn } };
        // The user's message, the trace that it sets off, and the mark of the run: one commit.
        let added = self.conversations.add_message_and(conversation, message, Some(new), move |tx| {
            tx.put(keyspace::AGENT_RUN, &trace_id, &mark)
        });
        let added = added.await?;
        let trace = added.trace.ok_or(ServiceError::Store(StoreError::Closed))?;
        let message = added.message;
        let task = Task::Talk { conversation, turn, asked: message.id };
        let run = self.run(prepared, trace_id, task, &place);
        let (tell, ended) = tokio::sync::oneshot::channel();
        let agents = self.clone();
        tokio::spawn(async move {
            if let Some(end) = agents.carry_out(run, place).await {
                // Nobody may be waiting.
                let _ = tell.send(end);
            }
        });
        Ok(BegunRun { trace, message, ended })
    }
}
