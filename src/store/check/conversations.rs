//! Conversations, what branches share, messages and their tool calls.

use super::Check;
use crate::{
    engine::Direction,
    model::{
        ConversationId,
        conversation::{Conversation, Lineage},
        message::{Message, ToolCall},
    },
    store::{
        StoreResult,
        keyspace::{self, Deleted, MessageAddress, ToolCallAddress, ToolResultAddress},
        prefix,
    },
};

/// A message with its key.
type Keyed = (Vec<u8>, (ConversationId, u64), Message);

impl Check<'_> {
    /// Conversations hold the messages that they count, know their branches, and branches their history.
    pub(in crate::store) async fn conversations(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(records) = self.page(keyspace::CONVERSATION, &mut from).await? {
            let ids: Vec<_> = records.iter().map(|(_, id, _)| *id).collect();
            let children = |id: &ConversationId| (prefix(id), Direction::Forward, usize::MAX);
            let children = ids.iter().map(children).collect();
            let children = self.store.scan_many(keyspace::CONVERSATION_BY_PARENT, children).await?;
            let lineages = self.readable(keyspace::LINEAGE, &ids).await?;
            let last = |found: &Conversation| (found.id, found.next_ordinal.wrapping_sub(1));
            let last: Vec<_> = records.iter().map(|(_, _, found)| last(found)).collect();
            let last = self.readable(keyspace::MESSAGE, &last).await?;
            for ((((raw, _, found), children), lineage), last) in
                records.iter().zip(children).zip(lineages).zip(last)
            {
                if children.items.len() as u64 != found.branch_count {
                    self.report.note("conversation", raw, "it does not count its branches right");
                }
                if last.is_none() && found.next_ordinal > found.first_ordinal {
                    self.report.note("conversation", raw, "its last message is missing");
                }
                if lineage.is_none() && found.first_ordinal > 0 {
                    self.report.note("conversation", raw, "its lineage is missing");
                }
            }
        }
        self.lineages().await
    }

    async fn lineages(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(records) = self.page(keyspace::LINEAGE, &mut from).await? {
            for (raw, id, lineage) in &records {
                self.lineage(raw, *id, lineage).await?;
            }
        }
        Ok(())
    }

    async fn lineage(&mut self, raw: &[u8], id: ConversationId, lineage: &Lineage) -> StoreResult<()> {
        let Some(conversation) = self.readable_at(keyspace::CONVERSATION, &id).await? else {
            if !self.is_deleted(Deleted::Conversation(id)).await? {
                self.report.note("lineage", raw, "its conversation does not exist");
            }
            return Ok(());
        };
        let mut end = conversation.first_ordinal;
        for segment in &lineage.segments {
            if segment.end != end || segment.start >= segment.end {
                self.report.note("lineage", raw, "its segments do not follow each other");
            }
            end = segment.start;
        }
        if end != 0 {
            self.report.note("lineage", raw, "it does not cover the history before the fork");
        }
        let ids: Vec<_> = lineage.segments.iter().map(|segment| segment.conversation_id).collect();
        let holders = self.readable(keyspace::CONVERSATION, &ids).await?;
        for (segment, holder) in lineage.segments.iter().zip(holders) {
            let holds = |holder: Conversation| {
                holder.first_ordinal <= segment.start && segment.end <= holder.next_ordinal
            };
            let gone = holder.is_none();
            // A branch outlives its deleted ancestor for a moment, but not the messages that it shares.
            let goes_too = gone && self.is_deleted(Deleted::Conversation(segment.conversation_id)).await?;
            if !goes_too && !holder.is_some_and(holds) {
                self.report.note("lineage", raw, "an ancestor does not hold what is shared");
            }
        }
        Ok(())
    }

    /// Messages follow each other without a gap, and can be found by their ids.
    pub(in crate::store) async fn messages(&mut self) -> StoreResult<()> {
        let mut before: Option<(ConversationId, u64)> = None;
        let mut from = None;
        while let Some(records) = self.page(keyspace::MESSAGE, &mut from).await? {
            self.counted(&records, &mut before).await?;
            self.addressed(&records).await?;
            self.calls_found(&records).await?;
        }
        let mut from = None;
        while let Some(addresses) = self.page(keyspace::MESSAGE_ADDRESS, &mut from).await? {
            let keys = addresses.iter().map(|(_, _, address)| (address.conversation_id, address.ordinal));
            let found = self.readable(keyspace::MESSAGE, &keys.collect::<Vec<_>>()).await?;
            for ((raw, id, _), message) in addresses.iter().zip(found) {
                if message.is_none_or(|message| message.id != *id) {
                    self.report.note("message_address", raw, "another message, or none, is at this address");
                }
            }
        }
        Ok(())
    }

    /// Whether each conversation counts its messages, and none is missing between two.
    async fn counted(
        &mut self,
        records: &[Keyed],
        before: &mut Option<(ConversationId, u64)>,
    ) -> StoreResult<()> {
        let mut ids: Vec<_> = records.iter().map(|(_, (id, _), _)| *id).collect();
        ids.dedup();
        let found = self.readable(keyspace::CONVERSATION, &ids).await?;
        let mut conversations = ids.into_iter().zip(found).peekable();
        for (raw, (id, ordinal), message) in records {
            while conversations.next_if(|(known, _)| known != id).is_some() {}
            let Some((_, Some(conversation))) = conversations.peek() else {
                if !self.is_deleted(Deleted::Conversation(*id)).await? {
                    self.report.note("message", raw, "its conversation does not exist");
                }
                continue;
            };
            let expected = match before.replace((*id, *ordinal)) {
                Some((last, ordinal)) if last == *id => ordinal + 1,
                _ => conversation.first_ordinal,
            };
            if *ordinal != expected {
                self.report.note("message", raw, "the message before it is missing");
            }
            if *ordinal >= conversation.next_ordinal || message.revision > conversation.revision {
                self.report.note("message", raw, "its conversation does not count it");
            }
        }
        Ok(())
    }

    async fn addressed(&mut self, records: &[Keyed]) -> StoreResult<()> {
        let ids: Vec<_> = records.iter().map(|(_, _, message)| message.id).collect();
        let addresses = self.readable(keyspace::MESSAGE_ADDRESS, &ids).await?;
        for ((raw, (conversation_id, ordinal), _), address) in records.iter().zip(addresses) {
            let here = MessageAddress { conversation_id: *conversation_id, ordinal: *ordinal };
            if address != Some(here) {
                self.report.note("message", raw, "its address leads elsewhere");
            }
        }
        Ok(())
    }

    /// Whether the calls that messages make, and the results that they are, can be found.
    async fn calls_found(&mut self, records: &[Keyed]) -> StoreResult<()> {
        let calls = records.iter().flat_map(|(raw, (id, ordinal), message)| {
            message.tool_calls.iter().map(move |call| (raw, (*id, call.call_id.clone()), *ordinal))
        });
        let (raws, keys, ordinals) = unzip(calls);
        let found = self.readable(keyspace::TOOL_CALL, &keys).await?;
        for ((raw, ordinal), found) in raws.into_iter().zip(ordinals).zip(found) {
            if found != Some(ToolCallAddress { ordinal }) {
                self.report.note("message", raw, "one of its calls cannot be found");
            }
        }
        let results = records.iter().filter_map(|(raw, (id, ordinal), message)| {
            let call = message.tool_call_id.clone()?;
            Some((raw, (*id, call), ToolResultAddress { ordinal: *ordinal, message_id: message.id }))
        });
        let (raws, keys, here) = unzip(results);
        let found = self.readable(keyspace::TOOL_RESULT, &keys).await?;
        for ((raw, here), found) in raws.into_iter().zip(here).zip(found) {
            if found != Some(here) {
                self.report.note("message", raw, "the result that it is cannot be found");
            }
        }
        Ok(())
    }

    /// Calls lead to the messages that make them.
    pub(in crate::store) async fn tool_calls(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(calls) = self.page(keyspace::TOOL_CALL, &mut from).await? {
            let keys: Vec<_> = calls.iter().map(|(_, (id, _), call)| (*id, call.ordinal)).collect();
            let messages = self.readable(keyspace::MESSAGE, &keys).await?;
            for ((raw, (_, call_id), _), message) in calls.iter().zip(messages) {
                if message.as_ref().and_then(|message| call(message, call_id)).is_none() {
                    self.report.note("tool_call", raw, "the message does not make this call");
                }
            }
        }
        Ok(())
    }

    /// Results lead to the messages that are them; calls of the same conversation know them.
    pub(in crate::store) async fn tool_results(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(results) = self.page(keyspace::TOOL_RESULT, &mut from).await? {
            let keys: Vec<_> = results.iter().map(|(_, (id, _), result)| (*id, result.ordinal)).collect();
            let messages = self.readable(keyspace::MESSAGE, &keys).await?;
            for ((raw, key, result), message) in results.iter().zip(messages) {
                let is_it = |message: &Message| {
                    message.id == result.message_id && message.tool_call_id.as_ref() == Some(&key.1)
                };
                if !message.as_ref().is_some_and(is_it) {
                    self.report.note("tool_result", raw, "the message is not this result");
                }
                // The call of an ancestor may have another result there.
                let Some(ToolCallAddress { ordinal }) = self.readable_at(keyspace::TOOL_CALL, key).await?
                else {
                    continue;
                };
                let caller = self.readable_at(keyspace::MESSAGE, &(key.0, ordinal)).await?;
                let named = caller.as_ref().and_then(|caller| call(caller, &key.1)?.result_message_id);
                if named != Some(result.message_id) {
                    self.report.note("tool_result", raw, "its call names another result");
                }
            }
        }
        Ok(())
    }
}

fn call<'m>(message: &'m Message, call_id: &str) -> Option<&'m ToolCall> {
    message.tool_calls.iter().find(|call| call.call_id == call_id)
}

fn unzip<A, B, C>(items: impl Iterator<Item = (A, B, C)>) -> (Vec<A>, Vec<B>, Vec<C>) {
    let (mut first, mut second, mut third) = (Vec::new(), Vec::new(), Vec::new());
    for (a, b, c) in items {
        first.push(a);
        second.push(b);
        third.push(c);
    }
    (first, second, third)
}
