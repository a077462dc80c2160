//! Making items of what was recorded: traces and conversations.

use serde_json::{Value, json};

use super::{Datasets, Placed};
use crate::{
    model::{
        ConversationId, Json, Refusal, TraceId,
        dataset::{ItemContent, ItemSource, NewItem},
        message::{Message, MessageRole, MessageType},
        page::PageRequest,
        query::TraceCondition,
        refusal::Entity,
        trace::TraceBody,
    },
    service::{
        ServiceResult,
        conversations::{HistoryOrder, HistoryRequest},
    },
};

/// What items are made of.
#[derive(Debug, Clone, Default)]
pub struct ItemOrigins {
    /// Traces.
    pub traces: Vec<TraceId>,
    /// Traces that fulfil a condition, the newest first, and how many of them.
    pub condition: Option<(TraceCondition, usize)>,
    /// Conversations.
    pub conversations: Vec<ConversationId>,
    /// Whether what was answered is what is expected.
    pub output_as_expected: bool,
}

/// Items that were made, or why one was not.
pub type Collection = Vec<Placed<Result<NewItem, Refusal>>>;

/// Traces whose bodies are read at once.
const TRACES_AT_ONCE: usize = 64;

/// Bytes of inputs and outputs that are collected at once: what they hold in memory.
const MOST_BYTES: usize = 64 << 20;

/// Messages of a conversation that one item may hold.
const MOST_MESSAGES: usize = 1_000;

impl Datasets {
    /// Makes items: of a trace, what the user asked; of a conversation, what was said up to the last thing that the user
    /// said.
    pub async fn collect(&self, origins: ItemOrigins) -> ServiceResult<Collection> {
        let ItemOrigins { traces, condition, conversations, output_as_expected } = origins;
        let mut collected = Collected { with_output: output_as_expected, ..Collected::default() };
        self.of_traces("fromTraces", &traces, &mut collected).await?;
        if let Some((condition, first)) = condition {
            const FIELD: &str = "fromTraceFilter";
            let found = self.found(&condition, first).await.map_err(|error| error.below(FIELD))?;
            self.of_traces(FIELD, &found, &mut collected).await?;
        }
        for (index, id) in conversations.into_iter().enumerate() {
            let item = self.of_conversation(id, collected.with_output).await?;
            collected.put(format!("fromConversations.{index}"), item);
        }
        Ok(collected.items)
    }

    /// The traces that fulfil a condition, the newest first, `first` of them at most.
    async fn found(&self, condition: &TraceCondition, first: usize) -> ServiceResult<Vec<TraceId>> {
        self.queries.check(condition).await?;
        let mut walk = self.queries.walk(condition, None).await?;
        let mut found = Vec::new();
        while found.len() < first
            && let Some(traces) = walk.next(first - found.len()).await?
        {
            found.extend(traces.into_iter().map(|(_, trace)| trace.id));
        }
        Ok(found)
    }

    async fn of_traces(
        &self,
        field: &str,
        traces: &[TraceId],
        collected: &mut Collected,
    ) -> ServiceResult<()> {
        let mut places = (0..).map(|index| format!("{field}.{index}"));
        for ids in traces.chunks(TRACES_AT_ONCE) {
            let bodies = self.tracing.trace_bodies(ids).await?;
            let rows = self.tracing.traces(ids).await?;
            for (((id, body), row), place) in ids.iter().zip(bodies).zip(rows).zip(&mut places) {
                let item = match row {
                    None => Err(Refusal::not_found("traceId", Entity::Trace, id)),
                    Some(_) => of_body(*id, body.unwrap_or_default(), collected.with_output),
                };
                collected.put(place, item);
            }
        }
        Ok(())
    }

    async fn of_conversation(
        &self,
        id: ConversationId,
        with_output: bool,
    ) -> ServiceResult<Result<NewItem, Refusal>> {
        if self.conversations.get_many(&[id]).await?.pop().flatten().is_none() {
            return Ok(Err(Refusal::not_found("conversationId", Entity::Conversation, id)));
        }
        let request = HistoryRequest {
            conversation_id: id,
            order: HistoryOrder::NewestFirst,
            page: PageRequest { first: MOST_MESSAGES, after: None },
            roles: Some(vec![MessageRole::User, MessageRole::Assistant]),
            from_last_summary: false,
        };
        let Some(page) = self.conversations.histories(&[request]).await?.pop() else {
            return Ok(Err(Refusal::not_found("conversationId", Entity::Conversation, id)));
        };
        if page.has_next {
            let message = format!("the conversation has more than {MOST_MESSAGES} messages");
            return Ok(Err(Refusal::limit("conversationId", message)));
        }
        let mut messages: Vec<_> = page.items.into_iter().map(|(_, message)| message).collect();
        messages.reverse();
        Ok(of_messages(&messages, with_output))
    }
}

fn of_body(id: TraceId, body: TraceBody, with_output: bool) -> Result<NewItem, Refusal> {
    let input = body.user_input.ok_or_else(|| {
        Refusal::invalid("traceId", "the trace does not tell what the user asked (`userInput`)")
    })?;
    let expected = body.final_output.filter(|_| with_output);
    let content = ItemContent::texts(&input, expected.as_deref());
    Ok(NewItem { id: None, content, source: Some(ItemSource::Trace(id)) })
}

fn of_messages(messages: &[Message], with_output: bool) -> Result<NewItem, Refusal> {
    let said: Vec<_> = messages.iter().filter_map(|message| Some((message, said_in(message)?))).collect();
    let last = said.iter().rposition(|(message, _)| message.role == MessageRole::User);
    let Some((before, after)) = last.and_then(|last| said.split_at_checked(last + 1)) else {
        return Err(Refusal::invalid("conversationId", "the user says nothing in the conversation"));
    };
    let input = match before {
        [(_, only)] => Json::string(only),
        several => {
            let message = |(message, text): &(&Message, &str)| {
                let role = message.role.text().to_ascii_lowercase();
                json!({ "role": role, "content": text })
            };
            Json::of(&Value::Array(several.iter().map(message).collect()))
        }
    };
    let answer = after.last().map(|(_, text)| Json::string(text));
    let source = before.last().map(|(message, _)| ItemSource::Message(message.conversation_id, message.id));
    let content =
        ItemContent { input, expected: answer.filter(|_| with_output), metadata: Json::empty_object() };
    Ok(NewItem { id: None, content, source })
}

/// What a message says to the other side.
fn said_in(message: &Message) -> Option<&str> {
    let text = message.content.as_deref().filter(|text| !text.trim().is_empty())?;
    (message.message_type == MessageType::Text).then_some(text)
}

/// Items that were made so far.
#[derive(Default)]
struct Collected {
    items: Collection,
    bytes: usize,
    with_output: bool,
}

impl Collected {
    fn put(&mut self, place: String, item: Result<NewItem, Refusal>) {
        let value = item.and_then(|item| {
            let content = &item.content;
            let expected = content.expected.as_ref().map_or(0, |json| json.text().len());
            self.bytes = self.bytes.saturating_add(content.input.text().len()).saturating_add(expected);
            if self.bytes <= MOST_BYTES {
                return Ok(item);
            }
            let message = format!("more than {MOST_BYTES} bytes are collected at once; ask for fewer");
            Err(Refusal::limit("input", message))
        });
        self.items.push(Placed { place, value });
    }
}
