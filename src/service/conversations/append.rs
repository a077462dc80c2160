//! Appending to a history: what new messages refer to must be there, and what they answer waits.
//!
//! A tool call that is answered in its own conversation learns the message with its result. The call of
//! a shared ancestor does not: its record belongs to the ancestor, whose own history may answer it
//! otherwise. There the result is found through `tool_result`, which each conversation keeps for the
//! results that it holds itself.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{history_of, put, required};
use crate::{
    model::{
        ConversationId, MessageId, Refusal,
        conversation::{Conversation, History},
        message::Message,
        refusal::Entity,
    },
    service::{Context, ServiceResult},
    store::{
        Tx,
        keyspace::{self, MessageAddress, ToolCallAddress, ToolResultAddress},
    },
};

/// Messages on their way into a history.
pub(super) struct Append {
    old: Conversation,
    history: History,
    /// Where the messages are that the new ones name, or whose ids they take.
    addresses: HashMap<MessageId, MessageAddress>,
    /// The calls that the new messages answer or make again, and every call that they make.
    calls: HashMap<String, Call>,
    /// The stored messages that make answered calls, before and after, by ordinal.
    callers: BTreeMap<u64, (Message, Message)>,
    messages: Vec<Message>,
}

/// A tool call of the history.
struct Call {
    /// The ordinal of the message that makes it.
    ordinal: u64,
    answered: bool,
}

impl Append {
    /// Reads what the rules need to know to add `drafts` to a conversation.
    pub(super) async fn begin(
        context: &Context,
        tx: &mut Tx<'_>,
        id: ConversationId,
        drafts: &[Message],
    ) -> ServiceResult<Self> {
        let old = required(tx, id).await?;
        let history = history_of(tx, &old).await?;
        let addresses = addresses(tx, drafts).await?;
        let calls = calls(context, tx, (&old, &history), drafts).await?;
        let callers = callers(tx, &old, drafts, &calls).await?;
        Ok(Self { old, history, addresses, calls, callers, messages: Vec::new() })
    }

    /// Adds the next message. A refusal leaves the whole unusable.
    pub(super) fn add(&mut self, draft: &Message) -> Result<(), Refusal> {
        if self.addresses.contains_key(&draft.id) {
            return Err(Refusal::already_exists("messageId", Entity::Message, draft.id));
        }
        if let Some(parent) = draft.parent_message_id {
            self.known("parentMessageId", parent)?;
        }
        for (index, reference) in draft.references.iter().enumerate() {
            self.known(&format!("references.{index}"), *reference)?;
        }
        let ordinal = self.next_ordinal();
        if let Some(call_id) = &draft.tool_call_id {
            self.answer(call_id, draft.id)?;
        }
        for (index, call) in draft.tool_calls.iter().enumerate() {
            let made = Call { ordinal, answered: false };
            if self.calls.insert(call.call_id.clone(), made).is_some() {
                let message = format!("the history has a call `{}` already", call.call_id);
                return Err(Refusal::invalid(format!("toolCalls.{index}.callId"), message));
            }
        }
        let address = MessageAddress { conversation_id: self.old.id, ordinal };
        self.addresses.insert(draft.id, address);
        self.messages.push(Message { ordinal, revision: self.revision(), ..draft.clone() });
        Ok(())
    }

    /// Puts everything into the transaction.
    pub(super) fn write(
        self,
        context: &Context,
        tx: &mut Tx<'_>,
    ) -> ServiceResult<(Conversation, Vec<Message>)> {
        if self.messages.is_empty() {
            return Ok((self.old, Vec::new()));
        }
        let mut conversation = self.old.clone();
        let active = self.messages.iter().map(|message| message.timestamp).max();
        // A message from the future must not stay on top of every list until then.
        let active = active.map_or(self.old.last_activity_at, |moment| moment.min(context.now()));
        conversation.touch(active);
        conversation.next_ordinal = self.next_ordinal();
        put(tx, Some(&self.old), &conversation)?;
        for (before, after) in self.callers.values() {
            if before != after {
                tx.put_indexed(Some(before), after)?;
            }
        }
        for message in &self.messages {
            put_message(tx, message)?;
        }
        Ok((conversation, self.messages))
    }

    fn revision(&self) -> u64 {
        self.old.revision + 1
    }

    fn next_ordinal(&self) -> u64 {
        self.old.next_ordinal + self.messages.len() as u64
    }

    fn known(&self, field: &str, id: MessageId) -> Result<(), Refusal> {
        let Some(address) = self.addresses.get(&id) else {
            return Err(Refusal::not_found(field, Entity::Message, id));
        };
        let is_new = address.conversation_id == self.old.id && address.ordinal >= self.old.next_ordinal;
        if is_new || self.history.holds(address.conversation_id, address.ordinal) {
            return Ok(());
        }
        let message = format!("the message `{id}` is not in the history of this conversation");
        Err(Refusal::invalid(field, message))
    }

    fn answer(&mut self, call_id: &str, result: MessageId) -> Result<(), Refusal> {
        let Some(call) = self.calls.get_mut(call_id) else {
            let message = format!("the history has no call `{call_id}`");
            return Err(Refusal::invalid("toolCallId", message));
        };
        if std::mem::replace(&mut call.answered, true) {
            let message = format!("the call `{call_id}` has its result already");
            return Err(Refusal::invalid("toolCallId", message));
        }
        let (ordinal, revision) = (call.ordinal, self.revision());
        let new = ordinal.checked_sub(self.old.next_ordinal).and_then(|at| usize::try_from(at).ok());
        let caller = match new {
            Some(at) => self.messages.get_mut(at),
            None => self.callers.get_mut(&ordinal).map(|(_, after)| after),
        };
        if let Some(caller) = caller {
            caller.revision = revision;
            let calls = caller.tool_calls.iter_mut().filter(|call| call.call_id == call_id);
            calls.for_each(|call| call.result_message_id = Some(result));
        }
        Ok(())
    }
}

/// Where the messages are that the drafts name. Their own ids are read too: they must be free.
async fn addresses(tx: &mut Tx<'_>, drafts: &[Message]) -> ServiceResult<HashMap<MessageId, MessageAddress>> {
    let named = |draft: &Message| {
        let references = draft.references.iter().copied();
        references.chain([draft.id]).chain(draft.parent_message_id).collect::<Vec<_>>()
    };
    let ids: HashSet<MessageId> = drafts.iter().flat_map(named).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let found = tx.get_many(keyspace::MESSAGE_ADDRESS, &ids).await?;
    Ok(ids.into_iter().zip(found).filter_map(|(id, address)| Some((id, address?))).collect())
}

/// The calls of the history that the drafts answer, or whose ids they take.
async fn calls(
    context: &Context,
    tx: &mut Tx<'_>,
    (conversation, history): (&Conversation, &History),
    drafts: &[Message],
) -> ServiceResult<HashMap<String, Call>> {
    let made = drafts.iter().flat_map(|draft| &draft.tool_calls).map(|call| &call.call_id);
    let ids: HashSet<&String> =
        drafts.iter().filter_map(|draft| draft.tool_call_id.as_ref()).chain(made).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let keys_in = |id: ConversationId| ids.iter().map(move |call| (id, (*call).clone())).collect::<Vec<_>>();
    let own = keys_in(conversation.id);
    let mut made = tx.get_many(keyspace::TOOL_CALL, &own).await?;
    let mut results = tx.get_many(keyspace::TOOL_RESULT, &own).await?;
    // The shared part of an ancestor never changes: it needs no precondition.
    let shared: Vec<_> = history.segments().filter(|part| part.conversation_id != conversation.id).collect();
    let keys: Vec<_> = shared.iter().flat_map(|part| keys_in(part.conversation_id)).collect();
    let all: Vec<_> = own.into_iter().chain(keys.iter().cloned()).collect();
    made.extend(context.store.get_many(keyspace::TOOL_CALL, &keys).await?);
    results.extend(context.store.get_many(keyspace::TOOL_RESULT, &keys).await?);
    let mut calls = HashMap::new();
    for ((holder, call_id), call) in all.iter().zip(made) {
        if let Some(ToolCallAddress { ordinal }) = call
            && history.holds(*holder, ordinal)
        {
            calls.insert(call_id.clone(), Call { ordinal, answered: false });
        }
    }
    for ((holder, call_id), result) in all.iter().zip(results) {
        if let (Some(ToolResultAddress { ordinal, .. }), Some(call)) = (result, calls.get_mut(call_id)) {
            call.answered |= history.holds(*holder, ordinal);
        }
    }
    Ok(calls)
}

/// The conversation's own stored messages that make the calls that the drafts answer.
async fn callers(
    tx: &mut Tx<'_>,
    conversation: &Conversation,
    drafts: &[Message],
    calls: &HashMap<String, Call>,
) -> ServiceResult<BTreeMap<u64, (Message, Message)>> {
    let answered = drafts.iter().filter_map(|draft| calls.get(draft.tool_call_id.as_ref()?));
    let own = answered.filter(|call| call.ordinal >= conversation.first_ordinal);
    let keys: HashSet<_> = own.map(|call| (conversation.id, call.ordinal)).collect();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<_> = keys.into_iter().collect();
    let found = tx.get_many(keyspace::MESSAGE, &keys).await?;
    Ok(found.into_iter().flatten().map(|message| (message.ordinal, (message.clone(), message))).collect())
}

fn put_message(tx: &mut Tx<'_>, message: &Message) -> ServiceResult<()> {
    let (id, ordinal) = (message.conversation_id, message.ordinal);
    tx.put_indexed(None, message)?;
    let address = MessageAddress { conversation_id: id, ordinal };
    tx.put(keyspace::MESSAGE_ADDRESS, &message.id, &address)?;
    for call in &message.tool_calls {
        tx.put(keyspace::TOOL_CALL, &(id, call.call_id.clone()), &ToolCallAddress { ordinal })?;
    }
    if let Some(call_id) = &message.tool_call_id {
        let result = ToolResultAddress { ordinal, message_id: message.id };
        tx.put(keyspace::TOOL_RESULT, &(id, call_id.clone()), &result)?;
    }
    Ok(())
}
