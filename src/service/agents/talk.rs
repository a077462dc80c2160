//! Something said to an agent in a conversation, and the run that answers it.

use std::collections::BTreeMap;

use super::{Agents, EndedRun, begin::Ending, flags::Keep, recorder::Recorder, task::Task};
use crate::{
    model::{
        ConversationId, TraceId,
        component::VersionSelector,
        message::{Message, MessageRole, NewMessage},
        trace::{NewTrace, Trace},
    },
    service::{ServiceResult, conversations::AddedMessage},
    store::keyspace::{self, AgentRun, RunTask},
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
    /// The id of its trace, by which it is followed and stopped.
    pub trace_id: TraceId,
    /// Its trace, where it is recorded from the start.
    pub trace: Option<Trace>,
    /// The message that set it off.
    pub message: Message,
    ending: Ending,
}

impl BegunRun {
    /// Waits until the run is over. `None`: its end could not be kept.
    pub async fn ended(self) -> Option<EndedRun> {
        self.ending.wait().await
    }
}

impl Agents {
    /// Says something to an agent, and begins the run that answers it. Durable when it returns: message and trace.
    pub async fn begin(&self, input: UserInput) -> ServiceResult<BegunRun> {
        let prepared = self.prepare(&input.agent_id, &input.version, input.variables).await?;
        let trace_id = input.trace_id.unwrap_or_else(|| self.context.new_id());
        let place = self.place(trace_id)?;
        let (conversation, turn) = (input.conversation_id, self.context.new_id());
        let message =
            NewMessage { turn_id: Some(turn), ..NewMessage::text(MessageRole::User, &input.content) };
        let recording = self.flags.recording(trace_id);
        if recording.keep != Keep::All && input.trace_id.is_some() {
            // Where the trace starts with the message, that finds it.
            self.require_new(trace_id).await?;
        }
        let new = prepared.new_trace(trace_id, Some(input.content), &recording);
        let message = NewMessage { trace_id: Some(trace_id), ..message };
        let mark = AgentRun { task: RunTask::Talk { conversation, turn } };
        let started = (recording.keep == Keep::All).then(|| new.clone());
        // The user's message, the trace that it sets off, and the mark of the run: one commit.
        let added = self.conversations.add_message_and(conversation, message, started, move |tx| {
            tx.put(keyspace::AGENT_RUN, &trace_id, &mark)
        });
        let AddedMessage { conversation: found, message, trace } = added.await?;
        let new = NewTrace {
            conversation_id: Some(conversation),
            message_id: Some(message.id),
            turn_id: Some(turn),
            user_id: found.user_id,
            start_time: Some(message.timestamp),
            ..new
        };
        let task = Task::Talk { conversation, turn, asked: message.id };
        let run = self.run(prepared, task, &place, Recorder::begin(&self.context, trace_id, recording, new));
        Ok(BegunRun { trace_id, trace, message, ending: self.set_off(run, place) })
    }
}
