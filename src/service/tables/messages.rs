//! The table of messages. Each stands once, in the conversation that holds it: branches share it.

use std::collections::VecDeque;

use super::{
    Row, RowFilter,
    column::{self, Definition, Read},
};
use crate::{
    model::{
        Json,
        message::{Message, ToolCall},
        trace::Trace,
    },
    service::{
        Context, ServiceResult,
        conversations::Conversations,
        query::{Queries, SelectedTraces},
    },
    store::{KeyRange, key::Key, keyspace, prefix},
};

/// Messages that are read at a time, as far as their bytes allow.
const AT_ONCE: usize = 256;

/// Traces that are listed at a time: of each its messages are read by themselves.
const TRACES_AT_ONCE: usize = 32;

pub(super) const COLUMNS: &[Definition<Message>] = &[
    ("message_id", Read::Text(|row| Some(row.id.to_string()))),
    ("conversation_id", Read::Text(|row| Some(row.conversation_id.to_string()))),
    ("ordinal", Read::Integer(|row| Some(row.ordinal))),
    ("turn_id", Read::Text(|row| row.turn_id.map(|id| id.to_string()))),
    ("trace_id", Read::Text(|row| row.trace_id.map(|id| id.to_string()))),
    ("role", Read::Text(|row| Some(row.role.to_string()))),
    ("message_type", Read::Text(|row| Some(row.message_type.to_string()))),
    ("content", Read::Text(|row| row.content.clone())),
    ("thinking", Read::Text(|row| row.thinking.clone())),
    ("confidence_score", Read::Number(|row| row.confidence_score)),
    ("timestamp", Read::Time(|row| Some(row.timestamp))),
    ("model_name", Read::Text(|row| row.model_name.clone())),
    ("token_count", Read::Integer(|row| row.token_count)),
    ("processing_time_ms", Read::Integer(|row| row.processing_time_ms)),
    ("parent_message_id", Read::Text(|row| row.parent_message_id.map(|id| id.to_string()))),
    ("reference_ids", Read::Json(|row| Some(reference_ids(row)))),
    ("tool_call_id", Read::Text(|row| row.tool_call_id.clone())),
    ("tool_calls", Read::Json(|row| Some(Json::list(&row.tool_calls.iter().map(call).collect::<Vec<_>>())))),
    ("metadata", Read::Json(|row| Some(row.metadata.clone()))),
];

fn reference_ids(message: &Message) -> Json {
    Json::of(&message.references.iter().map(ToString::to_string).collect())
}

fn call(call: &ToolCall) -> Json {
    let result = call.result_message_id.map(|id| ("result_message_id", Json::string(&id.to_string())));
    let told = [
        ("call_id", Json::string(&call.call_id)),
        ("name", Json::string(&call.name)),
        ("arguments", call.arguments.clone()),
    ];
    column::object(told.into_iter().chain(result))
}

/// The way through the messages of a filter.
pub(super) struct MessageWalk {
    context: Context,
    conversations: Conversations,
    filter: RowFilter,
    rest: Rest,
}

/// What is not looked at yet.
enum Rest {
    /// A stretch of all messages.
    Range(KeyRange),
    /// Messages of these traces, and of those that are not listed yet.
    Traces(VecDeque<Trace>, Box<SelectedTraces>),
    Nothing,
}

impl MessageWalk {
    pub(super) async fn new(
        context: &Context,
        queries: &Queries,
        conversations: Conversations,
        filter: &RowFilter,
    ) -> ServiceResult<Self> {
        let rest = if filter.is_of_traces() {
            let selected = queries.selected(filter.selection_of_any_time(), TRACES_AT_ONCE).await?;
            Rest::Traces(VecDeque::new(), Box::new(selected))
        } else {
            Rest::Range(filter.conversation.map_or_else(KeyRange::all, |id| prefix(&id)))
        };
        Ok(Self { context: context.clone(), conversations, filter: filter.clone(), rest })
    }

    pub(super) async fn next(&mut self) -> ServiceResult<Option<Vec<Row>>> {
        let messages = match &mut self.rest {
            Rest::Nothing => return Ok(None),
            Rest::Range(range) => {
                let page = self.context.store.chunk(keyspace::MESSAGE, range.clone(), AT_ONCE).await?;
                match page.items.last().filter(|_| page.more) {
                    Some(last) => *range = range.clone().after(&last.key.encode()),
                    None => self.rest = Rest::Nothing,
                }
                page.items.into_iter().map(|found| found.record).collect()
            }
            Rest::Traces(listed, selected) => {
                if let Some(trace) = listed.pop_front() {
                    self.conversations.messages_of(&trace).await?
                } else {
                    let Some(traces) = selected.next().await? else { return Ok(None) };
                    listed.extend(traces);
                    Vec::new()
                }
            }
        };
        let meant = messages.iter().filter(|message| self.is_meant(message));
        Ok(Some(meant.map(|message| column::row(COLUMNS, message)).collect()))
    }

    fn is_meant(&self, message: &Message) -> bool {
        self.filter.holds_at(message.timestamp)
            && self.filter.conversation.is_none_or(|id| message.conversation_id == id)
    }
}
