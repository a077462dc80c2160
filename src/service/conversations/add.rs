//! Adding messages: one, with the trace that it sets off, or many at once.

use std::collections::BTreeSet;

use super::{Append, Conversations};
use crate::{
    model::{
        ConversationId, Refusal, TraceId,
        conversation::Conversation,
        message::{Message, NewMessage},
        trace::{NewTrace, Trace},
    },
    service::{ServiceError, ServiceResult, followers, tracing},
    store::{StoreResult, Tx, keyspace},
};

/// A message that was added.
#[derive(Debug, Clone)]
pub struct AddedMessage {
    /// The conversation with the message.
    pub conversation: Conversation,
    /// The message.
    pub message: Message,
    /// The trace that it set off.
    pub trace: Option<Trace>,
}

impl Conversations {
    /// Adds a message to a conversation and, where a trace is given, starts it in the same commit: the
    /// trace of the run that answers this message, in the message's turn, with its text as input.
    ///
    /// The message's parent and references must be in the conversation's history. A tool's message that
    /// names a call answers it: the call is in the history and has no result yet.
    pub async fn add_message(
        &self,
        id: ConversationId,
        new: NewMessage,
        trace: Option<NewTrace>,
    ) -> ServiceResult<AddedMessage> {
        let trace = trace.map(|mut trace| {
            if trace.body.user_input.is_none() {
                trace.body.user_input.clone_from(&new.content);
            }
            trace
        });
        self.add_message_and(id, new, trace, |_| Ok(())).await
    }

    /// As [`Conversations::add_message`], with what `also` writes in the same commit. The trace has the input that it
    /// is given with, if any.
    pub(in crate::service) async fn add_message_and(
        &self,
        id: ConversationId,
        new: NewMessage,
        trace: Option<NewTrace>,
        also: impl Fn(&mut Tx<'_>) -> StoreResult<()> + Send + Sync,
    ) -> ServiceResult<AddedMessage> {
        new.check(&self.context.limits)?;
        let mut draft = self.draft(id, new);
        let trace = &trace.map(|trace| self.set_off(trace, &mut draft)).transpose()?;
        let (draft, also) = (&draft, &also);
        let _turn = self.context.store.turn(id.bytes()).await;
        let added = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let mut append = Append::begin(&self.context, tx, id, std::slice::from_ref(draft)).await?;
                append.add(draft)?;
                let (conversation, mut messages) = append.write(&self.context, tx)?;
                let trace = match trace {
                    Some(trace) => Some(self.start(tx, trace, &conversation).await?),
                    None => None,
                };
                also(tx)?;
                let begun = trace.as_ref().map(|trace| trace.id);
                self.mark_followed(tx, std::slice::from_ref(draft), begun).await?;
                let message = messages.pop().unwrap_or_else(|| draft.clone());
                Ok(AddedMessage { conversation, message, trace })
            })
        });
        added.await
    }

    /// Adds messages in one commit, all or none. A later one can refer to an earlier one.
    pub async fn add_messages(
        &self,
        id: ConversationId,
        new: Vec<NewMessage>,
    ) -> ServiceResult<Vec<Message>> {
        let limits = &self.context.limits;
        limits.count("messages", new.len(), limits.messages_at_once)?;
        for (index, message) in new.iter().enumerate() {
            message.check(limits).map_err(|refusal| refusal.below(&format!("messages.{index}")))?;
        }
        let drafts = &new.into_iter().map(|message| self.draft(id, message)).collect::<Vec<_>>();
        let _turn = self.context.store.turn(id.bytes()).await;
        let added = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let mut append = Append::begin(&self.context, tx, id, drafts).await?;
                for (index, draft) in drafts.iter().enumerate() {
                    append.add(draft).map_err(|refusal| refusal.below(&format!("messages.{index}")))?;
                }
                self.mark_followed(tx, drafts, None).await?;
                Ok(append.write(&self.context, tx)?.1)
            })
        });
        added.await
    }

    /// Messages of traces that are over are new to those who follow these.
    async fn mark_followed(
        &self,
        tx: &mut Tx<'_>,
        drafts: &[Message],
        begun: Option<TraceId>,
    ) -> ServiceResult<()> {
        let named = drafts.iter().filter_map(|draft| draft.trace_id).filter(|id| begun != Some(*id));
        let ids: Vec<_> = named.collect::<BTreeSet<_>>().into_iter().collect();
        // No precondition: one that ends meanwhile is marked by its end.
        for trace in self.context.store.get_many(keyspace::TRACE, &ids).await?.into_iter().flatten() {
            if trace.status.is_final() {
                followers::mark(tx, trace.id).await?;
            }
        }
        Ok(())
    }

    fn draft(&self, id: ConversationId, new: NewMessage) -> Message {
        Message::draft(id, new, self.context.now(), self.context.ids.as_ref())
    }

    /// Ties a new trace and the message that sets it off to each other.
    fn set_off(&self, mut trace: NewTrace, message: &mut Message) -> Result<NewTrace, Refusal> {
        let id = *trace.id.get_or_insert_with(|| self.context.new_id());
        if message.trace_id.is_some_and(|named| named != id) {
            return Err(Refusal::invalid("traceId", "the message sets off another trace than it names"));
        }
        if trace.conversation_id.is_some_and(|named| named != message.conversation_id) {
            return Err(Refusal::invalid("trace.conversationId", "must be the conversation of the message"));
        }
        if trace.message_id.is_some_and(|named| named != message.id) {
            return Err(Refusal::invalid("trace.messageId", "must be the message"));
        }
        let turn = message.turn_id.or(trace.turn_id).unwrap_or_else(|| self.context.new_id());
        if trace.turn_id.is_some_and(|named| named != turn) {
            return Err(Refusal::invalid("trace.turnId", "must be the turn of the message"));
        }
        message.trace_id = Some(id);
        message.turn_id = Some(turn);
        trace.turn_id = Some(turn);
        trace.message_id = Some(message.id);
        trace.conversation_id = Some(message.conversation_id);
        trace.start_time.get_or_insert(message.timestamp);
        Ok(trace)
    }

    async fn start(
        &self,
        tx: &mut Tx<'_>,
        trace: &NewTrace,
        conversation: &Conversation,
    ) -> ServiceResult<Trace> {
        let mut trace = trace.clone();
        if trace.user_id.is_none() {
            trace.user_id.clone_from(&conversation.user_id);
        }
        tracing::start(&self.context, tx, trace).await.map_err(|error| error.below("trace"))
    }
}
