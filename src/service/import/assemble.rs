//! Everything that a transcript becomes: a conversation, its messages, a trace for each run of the
//! agent with its spans, component versions, a score. Pure: nothing is written, no clock is read.

use serde_json::{Map, Value};

use super::{
    components::{self, ImportedVersion, Versions},
    runs::{self, Run},
    times::Times,
    transcript::{Answers, Call, Entry, Transcript},
    turns::{self, Turn},
};
use crate::model::{
    Json, MessageId, Refusal, Timestamp, ToolCallId, TraceId, TurnId,
    conversation::NewConversation,
    message::{MessageRole, NewMessage, NewToolCall},
    score::{NewScore, ScoreSource, ScoreTarget, ScoreValue},
    text::shortened,
};

/// Bytes of a title that is made of the first thing said.
const TITLE_BYTES: usize = 80;

/// The name of the score that holds a run's reward.
const REWARD: &str = "reward";

/// Everything that a transcript becomes.
#[derive(Debug)]
pub struct Recording {
    /// The conversation.
    pub conversation: NewConversation,
    /// Its messages, in order.
    pub messages: Vec<NewMessage>,
    /// The versions that its spans name.
    pub versions: Vec<ImportedVersion>,
    /// A trace for each turn in which the agent did something.
    pub runs: Vec<Run>,
    /// How it was judged.
    pub score: Option<NewScore>,
}

/// What an import adds to what transcripts say.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The model of those that name none.
    pub model: Option<String>,
}

impl Recording {
    /// Makes the records of a transcript, which begins at `base` where it does not say when.
    pub fn of(transcript: &Transcript, base: Timestamp, defaults: &Defaults) -> Result<Self, Refusal> {
        let times = Times::of(transcript, base);
        let versions = Versions::of(transcript)?;
        let turns = turns::split(&transcript.messages);
        let model = transcript.model.as_deref().or(defaults.model.as_deref());
        let making = Making { transcript, times: &times, versions: &versions, model };
        Ok(Self {
            conversation: making.conversation()?,
            messages: making.messages(&turns)?,
            versions: versions.all().cloned().collect(),
            runs: turns
                .iter()
                .filter(|turn| turn.has_run)
                .map(|turn| runs::run(&making, turn))
                .collect::<Result<_, _>>()?,
            score: making.score(),
        })
    }
}

/// A transcript with what was found out about it.
pub(super) struct Making<'a> {
    pub transcript: &'a Transcript,
    pub times: &'a Times,
    pub versions: &'a Versions,
    pub model: Option<&'a str>,
}

impl Making<'_> {
    pub(super) fn message_id(&self, entry: &Entry) -> MessageId {
        self.transcript.id_of("message", entry.index).into()
    }

    pub(super) fn turn_id(&self, turn: &Turn) -> TurnId {
        self.transcript.id_of("turn", self.index_of(turn)).into()
    }

    pub(super) fn trace_id(&self, turn: &Turn) -> TraceId {
        self.transcript.id_of("trace", self.index_of(turn)).into()
    }

    /// Names a turn by its first message: damage elsewhere does not change it.
    fn index_of(&self, turn: &Turn) -> usize {
        self.transcript.messages.get(turn.messages.start).map_or(0, |entry| entry.index)
    }

    /// What is said of the import in the metadata of all that it makes.
    pub(super) fn origin(&self) -> Map<String, Value> {
        let file = self.transcript.place.file.rsplit(['/', '\\']).next();
        Map::from_iter([
            ("file".to_owned(), file.into()),
            ("format".to_owned(), self.transcript.format.name().into()),
            ("times".to_owned(), self.times.known.text().into()),
        ])
    }

    fn conversation(&self) -> Result<NewConversation, Refusal> {
        let transcript = self.transcript;
        let mut origin = self.origin();
        if transcript.skipped_messages > 0 {
            origin.insert("skippedMessages".to_owned(), transcript.skipped_messages.into());
        }
        let mut metadata = Map::from_iter([("import".to_owned(), Value::Object(origin))]);
        if !transcript.rest.is_empty() {
            metadata.insert("source".to_owned(), Value::Object(transcript.rest.clone()));
        }
        Ok(NewConversation {
            id: Some(transcript.id),
            title: self.title(),
            model_name: self.model.map(str::to_owned),
            system_prompt: components::system_prompt(transcript).map(str::to_owned),
            temperature: transcript.temperature,
            max_tokens: transcript.max_tokens,
            metadata: Some(document("metadata", &metadata)?),
            tags: self.tags(),
            user_id: transcript.user_id.clone(),
            created_at: transcript.created_at.or_else(|| self.times.said(0)),
        })
    }

    fn tags(&self) -> Vec<String> {
        let given = ["imported", self.transcript.format.name()].map(str::to_owned);
        given.into_iter().chain(self.transcript.tags.iter().cloned()).collect()
    }

    fn title(&self) -> Option<String> {
        let given = self.transcript.title.as_deref();
        let said = || {
            let user = self.transcript.messages.iter().find(|entry| entry.role == MessageRole::User)?;
            user.content.as_deref()?.lines().map(str::trim).find(|line| !line.is_empty())
        };
        given.or_else(said).map(|text| shortened(text, TITLE_BYTES))
    }

    fn messages(&self, turns: &[Turn]) -> Result<Vec<NewMessage>, Refusal> {
        let mut turns = turns.iter().peekable();
        let entries = self.transcript.messages.iter().enumerate();
        let messages = entries.map(|(place, entry)| {
            turns.next_if(|turn| turn.messages.end <= place);
            let turn = turns.peek().filter(|turn| turn.messages.contains(&place));
            self.message(place, entry, turn.copied())
        });
        messages.collect()
    }

    fn message(&self, place: usize, entry: &Entry, turn: Option<&Turn>) -> Result<NewMessage, Refusal> {
        let below = |refusal: Refusal| refusal.below(&format!("messages.{}", entry.index));
        let metadata = metadata(entry).map_err(below)?;
        let is_agent = entry.role == MessageRole::Assistant;
        Ok(NewMessage {
            id: Some(self.message_id(entry)),
            turn_id: turn.map(|turn| self.turn_id(turn)),
            role: entry.role,
            message_type: None,
            content: entry.content.clone(),
            thinking: entry.thinking.clone(),
            confidence_score: None,
            timestamp: self.times.said(place),
            model_name: is_agent.then(|| entry.model.as_deref().or(self.model).map(str::to_owned)).flatten(),
            token_count: entry.tokens.and_then(|tokens| tokens.output),
            processing_time_ms: None,
            metadata,
            parent_message_id: self.caller(entry).map(|(caller, _)| self.message_id(caller)),
            references: Vec::new(),
            tool_calls: entry
                .calls
                .iter()
                .enumerate()
                .map(|(number, call)| self.call(entry, number, call))
                .collect(),
            tool_call_id: match &entry.answers {
                Some(Answers::Id(id)) => Some(id.clone()),
                _ => None,
            },
            trace_id: turn.filter(|turn| turn.has_run).map(|turn| self.trace_id(turn)),
        })
    }

    fn call(&self, entry: &Entry, number: usize, call: &Call) -> NewToolCall {
        let id: ToolCallId = self.transcript.id_of(&format!("call:{}", entry.index), number).into();
        NewToolCall {
            id: Some(id),
            call_id: Some(call.id.clone()),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
        }
    }

    /// The message and the call that a tool's message answers.
    pub(super) fn caller(&self, entry: &Entry) -> Option<(&Entry, &Call)> {
        let Some(Answers::Id(id)) = &entry.answers else { return None };
        let before = self.transcript.messages.iter().rev().filter(|other| other.index < entry.index);
        before.into_iter().find_map(|other| Some((other, other.calls.iter().find(|call| call.id == *id)?)))
    }

    fn score(&self) -> Option<NewScore> {
        let reward = self.transcript.reward?;
        Some(NewScore {
            id: Some(self.transcript.id_of("score", 0).into()),
            target: ScoreTarget::Conversation(self.transcript.id),
            name: REWARD.to_owned(),
            value: ScoreValue::Number(reward),
            comment: None,
            source: ScoreSource::Rule,
            evaluator: None,
            judged_in: None,
            judged_revision: None,
        })
    }
}

/// What a message says that has no field, and the ids that had to be made unique.
fn metadata(entry: &Entry) -> Result<Option<Json>, Refusal> {
    let renamed: Map<_, _> = entry
        .calls
        .iter()
        .filter_map(|call| Some((call.id.clone(), Value::from(call.original_id.clone()?))))
        .collect();
    let mut metadata = entry.rest.clone();
    if !renamed.is_empty() {
        metadata.insert("originalCallIds".to_owned(), Value::Object(renamed));
    }
    (!metadata.is_empty()).then(|| document("metadata", &metadata)).transpose()
}

/// A document for a field.
pub(super) fn document(field: &str, value: &impl serde::Serialize) -> Result<Json, Refusal> {
    let value = serde_json::to_value(value).map_err(|error| Refusal::invalid(field, error.to_string()))?;
    Ok(Json::of(&value))
}
