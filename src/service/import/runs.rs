//! A turn as a trace: the agent, below it each model call, below that the tools that it called.

use serde_json::{Map, Value, json};

use super::{
    assemble::{Making, document},
    transcript::{Answers, Call, Entry},
    turns::Turn,
};
use crate::model::{
    Json, Refusal, SpanId, Timestamp,
    message::MessageRole,
    span::{NewSpan, OperationType, SpanBody, SpanChanges, SpanDetails, SpanStatus},
    trace::{NewTrace, TraceBody, TraceCompletion, TraceStatus},
};

/// A trace with its spans and its end.
#[derive(Debug)]
pub struct Run {
    /// The trace.
    pub trace: NewTrace,
    /// Its spans.
    pub spans: Vec<NewSpan>,
    /// How it ended.
    pub completion: TraceCompletion,
}

/// Makes the trace of a turn.
pub(super) fn run(making: &Making<'_>, turn: &Turn) -> Result<Run, Refusal> {
    let mut spans = Spans { making, turn, made: Vec::new() };
    spans.make()?;
    let unanswered = spans.made.iter().any(|span| span.status == Some(SpanStatus::Cancelled));
    let (start_time, end_time) = spans.bounds();
    let first_user = spans.entries().map(|(_, entry)| entry).find(|entry| entry.role == MessageRole::User);
    let trace = NewTrace {
        id: Some(making.trace_id(turn)),
        name: None,
        conversation_id: Some(making.transcript.id),
        message_id: first_user.map(|entry| making.message_id(entry)),
        turn_id: Some(making.turn_id(turn)),
        user_id: making.transcript.user_id.clone(),
        session_id: None,
        start_time,
        replay_of: None,
        body: TraceBody {
            user_input: spans.said_by(MessageRole::User),
            metadata: Some(document("metadata", &json!({ "import": making.origin() }))?),
            ..TraceBody::default()
        },
    };
    let completion = TraceCompletion {
        // A call that nobody answered: the transcript ends, or goes on, before the agent is done.
        status: if unanswered { TraceStatus::Cancelled } else { TraceStatus::Completed },
        final_output: spans.final_output(),
        end_time,
    };
    Ok(Run { trace, spans: spans.made, completion })
}

struct Spans<'a> {
    making: &'a Making<'a>,
    turn: &'a Turn,
    made: Vec<NewSpan>,
}

impl<'a> Spans<'a> {
    fn entries(&self) -> impl Iterator<Item = (usize, &'a Entry)> + use<'a> {
        let (start, count) = (self.turn.messages.start, self.turn.messages.len());
        self.making.transcript.messages.iter().enumerate().skip(start).take(count)
    }

    fn make(&mut self) -> Result<(), Refusal> {
        let agent = self.agent()?;
        for (place, entry) in self.entries() {
            match entry.role {
                MessageRole::Assistant => {
                    let model_call = self.model_call(agent, place, entry)?;
                    for call in &entry.calls {
                        self.tool_call(model_call, place, call);
                    }
                }
                // The result of a call was told with the call.
                MessageRole::Tool if entry.answers.is_none() => self.lone_result(agent, place, entry),
                _ => {}
            }
        }
        Ok(())
    }

    fn agent(&mut self) -> Result<SpanId, Refusal> {
        let (start, end) = self.bounds();
        let body = SpanBody {
            inputs: self.said_by(MessageRole::User).map(|text| Json::string(&text)),
            outputs: self.final_output().map(|text| Json::string(&text)),
            attributes: Some(document(
                "attributes",
                &json!({ "import.times": self.making.times.known.text() }),
            )?),
            ..SpanBody::default()
        };
        let changes =
            SpanChanges { components: self.making.versions.of_agent(), body, ..SpanChanges::default() };
        Ok(self.add(None, OperationType::Agent, "agent".to_owned(), (start, end), changes))
    }

    /// A call lasts from the message before it, at which the model could begin, to its own message.
    fn model_call(&mut self, agent: SpanId, place: usize, entry: &Entry) -> Result<SpanId, Refusal> {
        let before = place.checked_sub(1).filter(|before| self.turn.messages.contains(before));
        let start = self.making.times.flow(before.unwrap_or(place));
        let model = entry.model.as_deref().or(self.making.model);
        let changes = SpanChanges {
            details: SpanDetails { model: model.map(str::to_owned), ..SpanDetails::default() },
            tokens: entry.tokens,
            components: self.making.versions.of_model_call(),
            body: SpanBody {
                inputs: Some(document("inputs", &self.news(place))?),
                outputs: Some(document("outputs", &chat_message(entry))?),
                ..SpanBody::default()
            },
            ..SpanChanges::default()
        };
        let name = model.map_or_else(|| "chat".to_owned(), |model| format!("chat {model}"));
        let times = (start, self.making.times.flow(place));
        Ok(self.add(Some(agent), OperationType::LlmCall, name, times, changes))
    }

    /// What a model call saw that the one before it had not: the whole of it would grow with the square
    /// of the conversation.
    fn news(&self, place: usize) -> Value {
        let entries = &self.making.transcript.messages;
        let before = entries.get(..place).unwrap_or_default();
        let seen = before.iter().rposition(|entry| entry.role == MessageRole::Assistant).unwrap_or(0);
        let messages: Vec<_> = before.get(seen..).unwrap_or_default().iter().map(chat_message).collect();
        json!({ "earlierMessages": seen, "messages": messages })
    }

    /// A call lasts from the message that made it to the one that answers it.
    fn tool_call(&mut self, parent: SpanId, place: usize, call: &Call) {
        let start = self.making.times.flow(place);
        let entries = self.making.transcript.messages.iter().enumerate().skip(place);
        let result = entries
            .into_iter()
            .find(|(_, entry)| matches!(&entry.answers, Some(Answers::Id(id)) if *id == call.id));
        let body = SpanBody {
            inputs: Some(call.arguments.clone()),
            outputs: result.map(|(_, entry)| result_json(entry)),
            ..SpanBody::default()
        };
        let changes = SpanChanges {
            status_message: match result {
                Some((_, entry)) if entry.failed => entry.content.as_deref().map(first_line),
                Some(_) => None,
                None => Some("the transcript holds no result of this call".to_owned()),
            },
            details: SpanDetails {
                tool_name: Some(call.name.clone()),
                tool_call_id: Some(call.id.clone()),
                ..SpanDetails::default()
            },
            components: self.making.versions.of_tool(&call.name),
            body,
            ..SpanChanges::default()
        };
        let end = result.map_or(start, |(place, _)| self.making.times.flow(place));
        self.add(Some(parent), OperationType::ToolCall, call.name.clone(), (start, end), changes);
        if let Some(span) = self.made.last_mut() {
            span.status = Some(match result {
                Some((_, entry)) if entry.failed => SpanStatus::Error,
                Some(_) => SpanStatus::Ok,
                None => SpanStatus::Cancelled,
            });
        }
    }

    /// What a tool said in a form that has no calls.
    fn lone_result(&mut self, agent: SpanId, place: usize, entry: &Entry) {
        let name = entry.rest.get("name").and_then(Value::as_str).unwrap_or("tool").to_owned();
        let changes = SpanChanges {
            body: SpanBody { outputs: Some(result_json(entry)), ..SpanBody::default() },
            ..SpanChanges::default()
        };
        let time = self.making.times.flow(place);
        self.add(Some(agent), OperationType::ToolCall, name, (time, time), changes);
    }

    fn add(
        &mut self,
        parent_id: Option<SpanId>,
        operation_type: OperationType,
        name: String,
        (start_time, end_time): (Option<Timestamp>, Option<Timestamp>),
        changes: SpanChanges,
    ) -> SpanId {
        let trace = self.making.trace_id(self.turn).uuid();
        let id = uuid::Uuid::new_v5(&trace, format!("span:{}", self.made.len()).as_bytes()).into();
        self.made.push(NewSpan {
            id,
            parent_id,
            operation_type,
            name,
            start_time,
            end_time,
            status: None,
            changes,
        });
        id
    }

    /// From the turn's first message to the agent's last.
    fn bounds(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let acts = |entry: &Entry| matches!(entry.role, MessageRole::Assistant | MessageRole::Tool);
        let last = self.entries().filter(|(_, entry)| acts(entry)).last().map(|(place, _)| place);
        let start = self.turn.messages.start;
        (self.making.times.flow(start), self.making.times.flow(last.unwrap_or(start)))
    }

    fn said_by(&self, role: MessageRole) -> Option<String> {
        let texts: Vec<_> = self
            .entries()
            .filter(|(_, entry)| entry.role == role)
            .filter_map(|(_, entry)| entry.content.as_deref())
            .collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    }

    fn final_output(&self) -> Option<String> {
        let answers = self
            .entries()
            .filter(|(_, entry)| entry.role == MessageRole::Assistant && entry.calls.is_empty());
        answers.last().and_then(|(_, entry)| entry.content.clone())
    }
}

/// A result as JSON: what the tool said if that is JSON, else its text.
fn result_json(entry: &Entry) -> Json {
    let text = entry.content.as_deref().unwrap_or_default();
    Json::parse(text).unwrap_or_else(|_| Json::string(text))
}

/// A message in the form of the chat API.
fn chat_message(entry: &Entry) -> Value {
    let mut message = Map::new();
    message.insert("role".to_owned(), Value::from(entry.role.text().to_ascii_lowercase()));
    let content = entry.rest.get("content").cloned().unwrap_or_else(|| Value::from(entry.content.clone()));
    message.insert("content".to_owned(), content);
    if let Some(thinking) = &entry.thinking {
        message.insert("reasoning_content".to_owned(), Value::from(thinking.clone()));
    }
    if !entry.calls.is_empty() {
        let calls = entry.calls.iter().map(|call| {
            json!({
                "id": call.id,
                "type": "function",
                "function": { "name": call.name, "arguments": call.arguments.text() },
            })
        });
        message.insert("tool_calls".to_owned(), calls.collect());
    }
    if let Some(Answers::Id(id)) = &entry.answers {
        message.insert("tool_call_id".to_owned(), Value::from(id.clone()));
    }
    Value::Object(message)
}

fn first_line(text: &str) -> String {
    crate::model::text::shortened(text.lines().next().unwrap_or_default(), 500)
}
