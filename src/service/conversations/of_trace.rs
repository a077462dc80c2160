//! The messages of a conversation that belong to one of its traces.

use super::Conversations;
use crate::{
    model::{ConversationId, Timestamp, message::Message, trace::Trace},
    service::{Context, ServiceResult},
    store::{between, key::Key, keyspace},
};

/// Messages that are read at a time.
const PAGE: usize = 256;

/// Messages of one trace at most, and messages that are looked at for them.
const MOST: usize = 4_096;

/// Nanoseconds by which messages may be told earlier than their trace started, or later than it ended: the clocks of
/// those who tell them differ.
const SLACK: i64 = 60_000_000_000;

impl Conversations {
    /// The messages that a trace's run wrote or was set off by, in their order: those that its conversation holds
    /// from shortly before its start until shortly after its end.
    pub(in crate::service) async fn messages_of(&self, trace: &Trace) -> ServiceResult<Vec<Message>> {
        messages_of(&self.context, trace).await
    }
}

async fn messages_of(context: &Context, trace: &Trace) -> ServiceResult<Vec<Message>> {
    let Some(conversation) = trace.conversation_id else { return Ok(Vec::new()) };
    let Some(ordinals) = ordinals(context, conversation).await? else { return Ok(Vec::new()) };
    let from = trace.start_time.plus_nanos(-SLACK);
    let until = trace.end_time.map_or(Timestamp::from_nanos(i64::MAX), |end| end.plus_nanos(SLACK));
    let start = first_since(context, conversation, ordinals, from).await?;
    let (mut found, mut looked_at) = (Vec::new(), 0);
    let mut range = between(&conversation, Some(&start), None);
    loop {
        let page = context.store.chunk(keyspace::MESSAGE, range.clone(), PAGE).await?;
        let Some(last) = page.items.last() else { return Ok(found) };
        let is_over = last.record.timestamp > until;
        range = range.after(&last.key.encode());
        looked_at += page.items.len();
        let own = page.items.into_iter().map(|found| found.record);
        found.extend(own.filter(|message| message.trace_id == Some(trace.id)));
        if is_over || !page.more || looked_at >= MOST {
            return Ok(found);
        }
    }
}

/// The ordinals of a conversation's own messages; `None` where it is gone.
async fn ordinals(context: &Context, id: ConversationId) -> ServiceResult<Option<(u64, u64)>> {
    let found = context.store.get(keyspace::CONVERSATION, &id).await?;
    Ok(found.map(|found| (found.first_ordinal, found.next_ordinal)))
}

/// About where the messages since a moment begin: they mostly stand in the order of their times. Where there are few,
/// all are looked at.
async fn first_since(
    context: &Context,
    conversation: ConversationId,
    (first, next): (u64, u64),
    moment: Timestamp,
) -> ServiceResult<u64> {
    let (mut low, mut high) = (first, next);
    while high - low > PAGE as u64 {
        let middle = low + (high - low) / 2;
        let found = context.store.get(keyspace::MESSAGE, &(conversation, middle)).await?;
        if found.is_some_and(|message| message.timestamp < moment) { low = middle } else { high = middle }
    }
    Ok(low)
}
