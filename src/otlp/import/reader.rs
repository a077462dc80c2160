//! Files into requests, one after the other, with what is damaged between them.

use std::{io::BufRead, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, de::IgnoredAny};

use super::{
    Form,
    frames::{self, Frames},
};
use crate::{
    otlp::{
        request::Signal,
        wire::{self, Encoding, Export},
    },
    service::import::{Damage, Place, Problem, Record, Skipped, Splitter},
};

/// What a file holds, in its order.
#[derive(Debug)]
pub enum Item {
    /// A request, whose items are still to be read.
    Request(Found),
    /// Something that cannot be read.
    Problem(Problem),
}

/// A request in a file.
#[derive(Debug)]
pub struct Found {
    pub(super) place: Place,
    pub(super) encoding: Encoding,
    pub(super) signal: Signal,
    pub(super) export: Export,
}

/// Reads requests out of a file, holding one at a time.
pub struct Reader {
    file: Arc<str>,
    records: Records,
}

enum Records {
    Json(Splitter<Box<dyn BufRead + Send>>),
    Protobuf(Frames<Box<dyn BufRead + Send>>),
    Packed(Frames<Box<dyn BufRead + Send>>),
}

impl Reader {
    /// Reads `input`, unpacked, from the file that the user calls `name`.
    #[must_use]
    pub fn new(name: &str, input: Box<dyn BufRead + Send>, form: Form) -> Self {
        let records = match form {
            Form::Json => Records::Json(Splitter::new(name, input)),
            Form::Protobuf => Records::Protobuf(Frames::new(input)),
            Form::Packed => Records::Packed(Frames::new(input)),
        };
        Self { file: name.into(), records }
    }

    /// What stands behind the length that was read last.
    fn framed(&self, next: Result<(Of, Bytes), String>) -> Item {
        let record = match &self.records {
            Records::Protobuf(frames) | Records::Packed(frames) => frames.number(),
            Records::Json(_) => 0,
        };
        let place = Place { file: Arc::clone(&self.file), line: 0, record };
        match next {
            Ok((of, bytes)) => found(place, of, &bytes),
            Err(message) => Item::Problem(Problem { place, field: None, message, skipped: Skipped::Rest }),
        }
    }

    fn json(&self, next: Result<Record, Damage>) -> Item {
        let place = |line, record| Place { file: Arc::clone(&self.file), line, record };
        match next {
            Ok(Record { line, number, bytes }) => {
                let bytes = Bytes::from(bytes);
                let signal = signal_of_json(&bytes);
                found(place(line, number), signal.map(|signal| (Encoding::Json, signal)), &bytes)
            }
            Err(Damage { line, number, message, ends }) => {
                let skipped = if ends { Skipped::Rest } else { Skipped::Record };
                Item::Problem(Problem { place: place(line, number), field: None, message, skipped })
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        match &mut self.records {
            Records::Json(records) => records.next().map(|next| self.json(next)),
            Records::Protobuf(frames) => {
                let next = frames.next()?;
                Some(self.framed(next.map(|bytes| (Ok(of_protobuf(&bytes)), bytes))))
            }
            Records::Packed(frames) => {
                let next = frames.next()?;
                Some(self.framed(next.map(|packed| match frames::unpacked(&packed) {
                    Ok(bytes) => (of_either(&bytes), bytes),
                    Err(message) => (Err(message), Bytes::new()),
                })))
            }
        }
    }
}

/// What a request is, or why that cannot be told.
type Of = Result<(Encoding, Signal), String>;

fn found(place: Place, of: Of, bytes: &Bytes) -> Item {
    let read =
        |(encoding, signal): (Encoding, Signal)| Ok((encoding, signal, wire::read(bytes, encoding, signal)?));
    match of.and_then(read) {
        Ok((encoding, signal, export)) => Item::Request(Found { place, encoding, signal, export }),
        Err(message) => Item::Problem(Problem { place, field: None, message, skipped: Skipped::Record }),
    }
}

#[derive(Deserialize)]
struct Members {
    #[serde(rename = "resourceSpans", alias = "resource_spans")]
    spans: Option<IgnoredAny>,
    #[serde(rename = "resourceLogs", alias = "resource_logs")]
    logs: Option<IgnoredAny>,
    #[serde(rename = "resourceMetrics", alias = "resource_metrics")]
    metrics: Option<IgnoredAny>,
}

/// What a request in JSON is of.
fn signal_of_json(bytes: &[u8]) -> Result<Signal, String> {
    let members: Members =
        serde_json::from_slice(bytes).map_err(|error| format!("not valid JSON: {error}"))?;
    match members {
        Members { spans: Some(_), .. } => Ok(Signal::Traces),
        Members { logs: Some(_), .. } => Ok(Signal::Logs),
        Members { metrics: Some(_), .. } => Err("metrics are not taken".to_owned()),
        _ => Err("has neither resourceSpans nor resourceLogs".to_owned()),
    }
}

fn of_protobuf(bytes: &Bytes) -> (Encoding, Signal) {
    (Encoding::Protobuf, signal_of_protobuf(bytes))
}

/// What a request is that shows by its beginning how it is written: in protobuf none begins as an object in JSON does.
fn of_either(bytes: &Bytes) -> Of {
    if bytes.trim_ascii_start().starts_with(b"{") {
        return Ok((Encoding::Json, signal_of_json(bytes)?));
    }
    Ok(of_protobuf(bytes))
}

/// What a request in protobuf is of: the outer layers do not tell, the first item does.
fn signal_of_protobuf(bytes: &Bytes) -> Signal {
    let first = || {
        let export = wire::read(bytes, Encoding::Protobuf, Signal::Traces).ok()?;
        let mut scopes = export.resources.into_iter().flat_map(|resource| resource.scopes);
        scopes.find_map(|scope| scope.items.into_iter().next())
    };
    first().and_then(|item| wire::meant(&item, Signal::Traces)).unwrap_or(Signal::Traces)
}
