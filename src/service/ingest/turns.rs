//! The messages of conversations, made from the calls of traces that are over: once each, in order.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::{
    align::Said,
    known::{At, Kept, Known, KnownCache},
    report::conversation_id,
    said::SaidCache,
    thread,
};
use crate::{
    model::{
        ConversationId, Json, MessageId, SpanId, Timestamp, TraceId, TurnId,
        chat::{ChatMessage, ChatPart},
        conversation::NewConversation,
        message::{Message, MessageRole, NewMessage, NewToolCall},
        page::PageRequest,
        span::{SpanBody, SpanHead},
    },
    semconv::{self, view},
    service::{
        ServiceError, ServiceResult,
        conversations::{Conversations, HistoryOrder, HistoryRequest},
        tracing::Tracing,
    },
    store::{Queued, StoreError},
};

/// Messages of a conversation that new ones are compared with, the last ones.
const COMPARED: usize = 1_000;

/// Conversations that can be added to side by side.
const STRIPES: usize = 64;

/// Makes messages of calls.
pub(super) struct Turns {
    conversations: Conversations,
    tracing: Tracing,
    said: Arc<SaidCache>,
    known: KnownCache,
    /// Two traces of one conversation are compared with it one after the other.
    stripes: Vec<Arc<Mutex<()>>>,
}

/// A conversation that spans name.
pub(super) struct BegunConversation {
    /// The application's own id.
    pub(super) own: String,
    pub(super) user: Option<String>,
    pub(super) start: Timestamp,
}

impl BegunConversation {
    fn to_new(&self) -> NewConversation {
        let metadata = Json::from_value(&serde_json::json!({ "conversationId": self.own })).ok();
        NewConversation {
            id: Some(conversation_id(&self.own)),
            user_id: self.user.clone(),
            metadata,
            created_at: Some(self.start),
            ..NewConversation::default()
        }
    }
}

/// What a call was given and what it answered.
struct Call {
    id: SpanId,
    start_time: Timestamp,
    end_time: Timestamp,
    model: Option<String>,
    output_tokens: Option<u64>,
    conversation: ConversationId,
    given: Vec<ChatMessage>,
    answered: Vec<ChatMessage>,
}

impl Turns {
    pub(super) fn new(conversations: Conversations, tracing: Tracing, said: Arc<SaidCache>) -> Self {
        let stripes = std::iter::repeat_with(Arc::default).take(STRIPES).collect();
        Self { conversations, tracing, said, known: KnownCache::default(), stripes }
    }

    /// Puts a conversation into the queue of commits, unless it is there.
    pub(super) async fn begin(&self, begun: &BegunConversation) -> ServiceResult<Option<Queued<()>>> {
        match self.conversations.queue_new(begun.to_new()).await {
            Ok(queued) => Ok(Some(queued)),
            // It is there already, or is being deleted: both are as good.
            Err(ServiceError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits until a conversation is there.
    pub(super) async fn begun(&self, begun: &BegunConversation, queued: Queued<()>) -> ServiceResult<()> {
        match queued.durable().await {
            Err(StoreError::Conflict) => match self.conversations.create(begun.to_new()).await {
                Ok(_) | Err(ServiceError::Refused(_)) => Ok(()),
                Err(error) => Err(error),
            },
            done => Ok(done?),
        }
    }

    /// Adds what a trace that is over says to its conversation. What is there stays, so it may be done
    /// again: when a span comes late, or when the process ended before it was known to be done.
    pub(super) async fn make(&self, trace: TraceId, of_trace: ConversationId) -> ServiceResult<()> {
        let (main, root) = self.tracing.choose_heads(trace, thread::speakers).await?;
        let mut calls = self.calls(trace, main, of_trace).await?;
        if calls.is_empty() {
            // Nobody tells what the model was asked; the one at the top may tell what came of it.
            calls = self.calls(trace, root, of_trace).await?;
        }
        let mut conversations: Vec<_> = calls.iter().map(|call| call.conversation).collect();
        conversations.sort_unstable();
        conversations.dedup();
        for id in conversations {
            let own: Vec<_> = calls.iter().filter(|call| call.conversation == id).collect();
            self.add(id, trace, &own).await?;
        }
        Ok(())
    }

    /// What these spans were given and answered. Those that do not say are left out.
    async fn calls(
        &self,
        trace: TraceId,
        spans: Vec<SpanHead>,
        of_trace: ConversationId,
    ) -> ServiceResult<Vec<Call>> {
        let heard: Vec<_> = spans
            .iter()
            // What came apart from the span may say more than it does.
            .map(|head| {
                let heard = self.said.take(trace, head.id, head.fingerprint);
                heard.filter(|_| head.attached.blocks.is_empty())
            })
            .collect();
        let unread = spans.iter().zip(&heard).filter(|(_, heard)| heard.is_none());
        let unread: Vec<_> = unread.map(|(head, _)| head).collect();
        let read = self.tracing.bodies_of(trace, &unread).await?;
        let calls = spans.iter().zip(heard).filter_map(|(head, heard)| {
            if let Some(heard) = heard {
                return call(head, heard.said, conversation_id(&heard.conversation));
            }
            let body = read.get(&head.id)?;
            let own = view::conversation(body).map(|own| conversation_id(&own));
            call(head, said_in(body), own.unwrap_or(of_trace))
        });
        let mut calls: Vec<_> = calls.collect();
        // Some clocks tell whole milliseconds. Of calls that started in the same one, that came first which was given
        // less: each is given what was said before it.
        calls.sort_by_key(|call| (call.start_time, call.given.len()));
        Ok(calls)
    }

    async fn add(&self, id: ConversationId, trace: TraceId, calls: &[&Call]) -> ServiceResult<()> {
        let stripe = id.bytes().last().copied().map_or(0, usize::from) % STRIPES;
        let _held = match self.stripes.get(stripe) {
            Some(stripe) => Some(stripe.lock().await),
            None => None,
        };
        let (at, known) = self.has(id).await?;
        let mut adding = Adding { trace, known, is_exact: true, new: Vec::new() };
        for call in calls {
            adding.call(call);
        }
        let Adding { known, is_exact, new, .. } = adding;
        let at = if new.is_empty() {
            at
        } else {
            let added = match self.conversations.add_messages(id, new).await {
                Ok(added) => added,
                Err(ServiceError::Refused(refusal)) => {
                    // The spans are stored and tell all; the conversation only misses a turn.
                    tracing::warn!(conversation = %id, %trace, %refusal, "messages of a trace were not added");
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            at.and_then(|at| at.with(&added))
        };
        // What is held must be what would be read.
        if let Some(at) = at.filter(|_| is_exact) {
            self.known.put(id, at, known);
        }
        Ok(())
    }

    /// What a conversation has, and the state that it is in.
    async fn has(&self, id: ConversationId) -> ServiceResult<(Option<At>, Known)> {
        let conversation = self.conversations.get_many_now(&[id]).await?.pop().flatten();
        let at = conversation.as_ref().and_then(At::of);
        if let Some(known) = at.and_then(|at| self.known.take(id, at)) {
            return Ok((at, known));
        }
        // What is read may be newer than `at`. Then what is added to it does not follow `at`, and is not held.
        Ok((at, Known::of(self.last_messages(id).await?)))
    }

    /// The last messages of a conversation, the oldest first.
    async fn last_messages(&self, id: ConversationId) -> ServiceResult<Vec<Message>> {
        let request = HistoryRequest {
            conversation_id: id,
            order: HistoryOrder::NewestFirst,
            page: PageRequest { first: COMPARED, after: None },
            roles: None,
            from_last_summary: false,
        };
        let page = self.conversations.histories_now(&[request]).await?.pop();
        let mut messages: Vec<_> =
            page.map(|page| page.items.into_iter().map(|(_, message)| message).collect()).unwrap_or_default();
        messages.reverse();
        Ok(messages)
    }
}

fn said_in(body: &SpanBody) -> semconv::Said {
    let (given, answered) = view::chat(body);
    semconv::Said { given, answered }
}

fn call(head: &SpanHead, said: semconv::Said, conversation: ConversationId) -> Option<Call> {
    let semconv::Said { given, answered } = said;
    if given.is_empty() && answered.is_empty() {
        return None;
    }
    Some(Call {
        id: head.id,
        start_time: head.start_time,
        end_time: head.end_time.unwrap_or(head.start_time),
        model: head.details.model.clone(),
        output_tokens: head.ledger.reports_tokens().then(|| head.ledger.totals().output),
        conversation,
        given,
        answered,
    })
}

/// Messages on their way into a conversation.
struct Adding {
    trace: TraceId,
    known: Known,
    /// Whether all that is said is a message: some parts of calls are none.
    is_exact: bool,
    new: Vec<NewMessage>,
}

impl Adding {
    fn call(&mut self, call: &Call) {
        let (system, given): (Vec<_>, Vec<_>) =
            call.given.iter().partition(|message| message.role == MessageRole::System);
        if !self.known.instructed && self.known.history.is_empty() {
            self.known.instructed = !system.is_empty();
            for (index, message) in system.into_iter().enumerate() {
                self.push(message, message.fingerprint(), call, (Part::System, index));
            }
        }
        let prints: Vec<_> = given.iter().map(|message| message.fingerprint()).collect();
        let joint = self.known.history.join(&prints, self.trace);
        for (index, (message, print)) in given.into_iter().zip(&prints).enumerate().skip(joint.known) {
            self.push(message, *print, call, (Part::Given, index));
        }
        let all_known = joint.known == prints.len();
        for (index, message) in call.answered.iter().enumerate() {
            let print = message.fingerprint();
            // What follows in the conversation is this very answer, where the call was seen before.
            if all_known && self.known.history.has_at(joint.place + index, print) {
                continue;
            }
            self.push(message, print, call, (Part::Answered, index));
        }
    }

    fn push(
        &mut self,
        message: &ChatMessage,
        fingerprint: [u8; 16],
        call: &Call,
        (part, index): (Part, usize),
    ) {
        let (id, answers) = (message_id(call, part, index), part == Part::Answered);
        let Known { history, there, made, answered, .. } = &mut self.known;
        if !there.insert(id) {
            return;
        }
        if message.role != MessageRole::System {
            history.push(Said { fingerprint, trace_id: Some(self.trace) });
        }
        let mut new = NewMessage {
            content: content(message),
            thinking: message.reasoning(),
            timestamp: Some(if answers { call.end_time } else { call.start_time }),
            model_name: call.model.clone().filter(|_| answers),
            token_count: call.output_tokens.filter(|_| answers && call.answered.len() == 1),
            turn_id: Some(TurnId::from_bytes(*self.trace.bytes())),
            trace_id: Some(self.trace),
            id: Some(id),
            metadata: Kept::json(call.id, fingerprint),
            ..NewMessage::text(message.role, String::new())
        };
        for part in &message.parts {
            match part {
                ChatPart::ToolCall { id, name, arguments } if message.role == MessageRole::Assistant => {
                    let call_id = id.clone().filter(|id| made.insert(id.clone()));
                    let (name, arguments) = (name.clone(), arguments.clone());
                    new.tool_calls.push(NewToolCall { id: None, call_id, name, arguments });
                }
                ChatPart::ToolResult { id: Some(id), .. }
                    if message.role == MessageRole::Tool
                        && made.contains(id)
                        && answered.insert(id.clone()) =>
                {
                    new.tool_call_id = Some(id.clone());
                }
                _ => {}
            }
        }
        let says = new.content.is_some() || new.thinking.is_some() || !new.tool_calls.is_empty();
        self.is_exact &= says;
        self.new.extend(says.then_some(new));
    }
}

/// Where in a call a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    System,
    Given,
    Answered,
}

/// The same message of the same call has the same id: it cannot be added twice.
fn message_id(call: &Call, part: Part, index: usize) -> MessageId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(call.conversation.bytes()).update(call.id.bytes());
    hasher.update(&[part as u8]).update(&index.to_be_bytes());
    hasher.update(&call.start_time.nanos().to_be_bytes());
    let bytes = hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default();
    uuid::Builder::from_custom_bytes(bytes).into_uuid().into()
}

/// What is said, in words: texts, results of tools, and that something was shown.
fn content(message: &ChatMessage) -> Option<String> {
    let text = |part: &ChatPart| match part {
        ChatPart::Text(text) => Some(text.clone()),
        ChatPart::ToolResult { result, .. } => {
            Some(result.read::<String>().unwrap_or_else(|_| result.text().to_owned()))
        }
        ChatPart::Media { mime_type, uri, modality, .. } => {
            let kind = mime_type.as_deref().or(modality.as_deref()).unwrap_or("media");
            Some(uri.as_ref().map_or_else(|| format!("[{kind}]"), |uri| format!("[{kind}: {uri}]")))
        }
        ChatPart::Other(json) => Some(json.text().to_owned()),
        ChatPart::Reasoning(_) | ChatPart::ToolCall { .. } => None,
    };
    let texts: Vec<_> = message.parts.iter().filter_map(text).collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}
