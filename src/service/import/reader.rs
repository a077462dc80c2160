//! Files into transcripts, one after the other, with what is damaged between them.

use std::{collections::HashMap, io::BufRead, sync::Arc};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    matching,
    place::{Place, Problem, Skipped},
    record::{self, Shape},
    split::{Damage, MAX_RECORD_BYTES, Record, Splitter},
    tau_bench,
    transcript::{Format, Transcript},
};
use crate::model::{ConversationId, Refusal, limits::RecordLimits};

/// The name space of the ids of what is imported. It never changes: an import run again finds by it
/// what is there already.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1c_26e5_93b4_5a0e_8d2b_71c4_0e9f_a853);

/// What a file holds, in its order.
#[derive(Debug, PartialEq)]
pub enum Item {
    /// A conversation.
    Transcript(Box<Transcript>),
    /// Something that cannot go in.
    Problem(Problem),
}

/// Reads transcripts out of a file, holding one record at a time.
///
/// Messages that stand in the file by themselves, a line or a list element each, make up one
/// conversation and are held until it ends.
pub struct Reader {
    file: Arc<str>,
    format: Option<Format>,
    limits: RecordLimits,
    records: Splitter<Box<dyn BufRead + Send>>,
    /// Read and not handed out, last first.
    ready: Vec<Item>,
    loose: Option<Loose>,
    /// How often each content was seen: the second conversation of one content is another one.
    seen: HashMap<[u8; 16], u32>,
}

/// Messages that stand by themselves.
struct Loose {
    place: Place,
    /// The id that the messages themselves give their conversation.
    conversation: Value,
    messages: Vec<Value>,
    /// The record that each came in.
    places: Vec<Place>,
    bytes: usize,
}

impl Reader {
    /// Reads `input`, unpacked, from the file that the user calls `name`. `format` says what every
    /// record must be; `None` tells it by each record.
    pub fn new(
        name: &str,
        input: Box<dyn BufRead + Send>,
        format: Option<Format>,
        limits: RecordLimits,
    ) -> Self {
        Self {
            file: name.into(),
            format,
            limits,
            records: Splitter::new(name, input),
            ready: Vec::new(),
            loose: None,
            seen: HashMap::new(),
        }
    }

    fn read(&mut self, next: Result<Record, Damage>) {
        match next {
            Ok(record) => {
                let place = self.place(record.line, record.number);
                match parse(&record.bytes).and_then(|value| record::shape(value, self.format)) {
                    Ok(shape) => self.take(shape, place, record.bytes.len()),
                    Err(refusal) => self.refuse(&place, "", &refusal, Skipped::Record),
                }
            }
            Err(damage) => {
                let place = self.place(damage.line, damage.number);
                let skipped = if damage.ends { Skipped::Rest } else { Skipped::Record };
                self.ready.push(Item::Problem(Problem {
                    place,
                    field: None,
                    message: damage.message,
                    skipped,
                }));
            }
        }
    }

    fn take(&mut self, shape: Shape, place: Place, bytes: usize) {
        match shape {
            Shape::Message(message) => self.take_loose(message, place, bytes),
            Shape::Conversation { format, messages, fields } => {
                self.end_loose();
                let field = if format == Format::TauBench { "traj" } else { "messages" };
                let places = Places::One(&place, field);
                self.build(format, messages, fields, &places);
            }
        }
    }

    fn take_loose(&mut self, message: Value, place: Place, bytes: usize) {
        let conversation = message.get("conversation_id").cloned().unwrap_or(Value::Null);
        if self.loose.as_ref().is_some_and(|loose| loose.conversation != conversation) {
            self.end_loose();
        }
        let loose = self.loose.get_or_insert_with(|| Loose {
            place: place.clone(),
            conversation,
            messages: Vec::new(),
            places: Vec::new(),
            bytes: 0,
        });
        loose.bytes = loose.bytes.saturating_add(bytes);
        if loose.bytes > MAX_RECORD_BYTES {
            let text =
                format!("the conversation grows past {} MiB, which one may not", MAX_RECORD_BYTES >> 20);
            return self.refuse(&place, "", &Refusal::limit("", text), Skipped::Message);
        }
        loose.messages.push(message);
        loose.places.push(place);
    }

    /// Hands out the conversation that loose messages make up.
    fn end_loose(&mut self) {
        let Some(loose) = self.loose.take() else { return };
        let format = self.format.unwrap_or_else(|| record::guess(&loose.messages));
        let mut fields = Map::new();
        if !loose.conversation.is_null() {
            fields.insert("conversation_id".to_owned(), loose.conversation);
        }
        self.build(format, loose.messages, fields, &Places::Each(&loose.place, &loose.places));
    }

    fn build(
        &mut self,
        format: Format,
        messages: Vec<Value>,
        mut fields: Map<String, Value>,
        places: &Places<'_>,
    ) {
        let id = self.id(&messages, &fields);
        let header = record::header(&mut fields, &self.limits).and_then(|header| {
            Ok((header, if format == Format::TauBench { tau_bench::reward(&fields)? } else { None }))
        });
        let (header, reward) = match header {
            Ok(header) => header,
            Err(refusal) => return self.refuse(places.whole(), "", &refusal, Skipped::Record),
        };
        let count = messages.len();
        let (mut entries, mut refused) = record::entries(messages, format, &self.limits);
        refused.extend(matching::tie(&mut entries));
        refused.sort_by_key(|(index, _)| *index);
        for (index, refusal) in &refused {
            let (place, field) = places.message(*index);
            self.refuse(place, &field, refusal, Skipped::Message);
        }
        if entries.is_empty() {
            let text = if count == 0 { "holds no message" } else { "holds no message that can be read" };
            return self.refuse(places.whole(), "", &Refusal::invalid(places.name(), text), Skipped::Record);
        }
        let mut transcript = Transcript {
            place: places.whole().clone(),
            id,
            format,
            title: header.title,
            model: header.model,
            temperature: header.temperature,
            max_tokens: header.max_tokens,
            user_id: header.user_id,
            tags: Vec::new(),
            created_at: header.created_at,
            tools: header.tools,
            reward,
            rest: fields,
            messages: entries,
            skipped_messages: refused.len() as u64,
        };
        if format == Format::TauBench {
            tau_bench::complete(&mut transcript);
        }
        self.ready.push(Item::Transcript(Box::new(transcript)));
    }

    /// The id of a conversation of this content, which is the same however its JSON is laid out.
    fn id(&mut self, messages: &[Value], fields: &Map<String, Value>) -> ConversationId {
        let content = (fields, messages);
        let canonical = serde_json_canonicalizer::to_vec(&content).unwrap_or_else(|_| {
            // Numbers past what canonical JSON can write: their plain text is as good a name.
            serde_json::to_vec(&content).unwrap_or_default()
        });
        let hash = blake3::hash(&canonical);
        let key = *hash.as_bytes().first_chunk::<16>().unwrap_or(&[0; 16]);
        let times = self.seen.entry(key).and_modify(|times| *times += 1).or_insert(0);
        Uuid::new_v5(&NAMESPACE, format!("conversation:{}:{times}", hash.to_hex()).as_bytes()).into()
    }

    fn place(&self, line: u64, record: u64) -> Place {
        Place { file: Arc::clone(&self.file), line, record }
    }

    fn refuse(&mut self, place: &Place, below: &str, refusal: &Refusal, skipped: Skipped) {
        self.ready.push(Item::Problem(Problem::new(place.clone(), below, refusal, skipped)));
    }
}

impl Iterator for Reader {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        while self.ready.is_empty() {
            match self.records.next() {
                Some(next) => self.read(next),
                None if self.loose.is_some() => self.end_loose(),
                None => return None,
            }
            self.ready.reverse();
        }
        self.ready.pop()
    }
}

/// Where the messages of a conversation stand.
enum Places<'a> {
    /// All in one record, in this field.
    One(&'a Place, &'a str),
    /// Each in a record of its own; the first place is where the first stands.
    Each(&'a Place, &'a [Place]),
}

impl Places<'_> {
    fn whole(&self) -> &Place {
        match self {
            Self::One(place, _) | Self::Each(place, _) => place,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::One(_, field) => field,
            Self::Each(..) => "",
        }
    }

    /// The place of a message, and the path to it from there.
    fn message(&self, index: usize) -> (&Place, String) {
        match self {
            Self::One(place, field) => (place, format!("{field}.{index}")),
            Self::Each(first, places) => (places.get(index).unwrap_or(first), String::new()),
        }
    }
}

/// How deep a record's JSON may be nested: what is made of it is nested deeper, and must stay below the
/// depth at which JSON can be read again.
const MAX_RECORD_DEPTH: usize = crate::model::json::MAX_DEPTH - 20;

fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Refusal::invalid("", format!("not valid UTF-8 at byte {} of the record", error.valid_up_to() + 1))
    })?;
    let value = serde_json::from_str(text).map_err(|error| {
        let place = format!("at line {} column {}", error.line(), error.column());
        let text = error.to_string();
        let text = text.strip_suffix(&place).unwrap_or(&text).trim_end();
        Refusal::invalid("", format!("not valid JSON: {text}, {place} of the record"))
    })?;
    if depth(&value) > MAX_RECORD_DEPTH {
        return Err(Refusal::limit("", format!("nested more than {MAX_RECORD_DEPTH} levels deep")));
    }
    Ok(value)
}

/// The depth of a value. The parser has bounded it already, so the recursion is bounded too.
fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(values) => values.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    inner.unwrap_or(0) + 1
}
