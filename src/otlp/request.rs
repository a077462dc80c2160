//! A whole request: its items read one by one, and what is to be said of those that are not taken.

use std::fmt;

use bytes::Bytes;

use super::{
    json, log,
    origin::Origin,
    span::{self, Reading},
    wire::{self, Encoding, Export, OfScope},
};
use crate::{
    model::{Refusal, Timestamp},
    service::ingest::{Ingest, Refused, Report},
};

/// What a request is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Records of logs.
    Logs,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
        })
    }
}

impl Signal {
    /// What is said to whoever sent it to the door of something else.
    pub(super) fn elsewhere(self) -> String {
        format!("this is a request of {self}: send it to {}", self.path())
    }

    /// Where it is sent.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Logs => "/v1/logs",
        }
    }

    /// The field that holds everything.
    pub(super) const fn root(self) -> &'static str {
        match self {
            Self::Traces => "resourceSpans",
            Self::Logs => "resourceLogs",
        }
    }

    /// The field that holds what is of one resource.
    pub(super) const fn scopes(self) -> &'static str {
        match self {
            Self::Traces => "scopeSpans",
            Self::Logs => "scopeLogs",
        }
    }

    /// The field that holds the items.
    const fn items(self) -> &'static str {
        match self {
            Self::Traces => "spans",
            Self::Logs => "logRecords",
        }
    }
}

/// The way that a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Over the network, from whoever sends something.
    Door,
    /// From a file, which may be an export: Dendro's own words hold.
    File,
}

/// A request, read.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// What it reports.
    pub(super) report: Report,
    /// Items that break a rule or cannot be read.
    pub(super) refused: Vec<Refused>,
    /// How many items it has.
    pub(super) items: usize,
    /// Where each item stands, as a path.
    places: Vec<(u32, u32, u32)>,
    /// What all of it is, where it came to the wrong door.
    pub(super) meant: Option<Signal>,
}

/// Reads the items of a request.
pub(super) fn read(
    export: &Export,
    (encoding, signal): (Encoding, Signal),
    way: Way,
    ingest: &Ingest,
    now: Timestamp,
) -> Request {
    let mut request = Request::default();
    for (of_resource, at_resource) in export.resources.iter().zip(0_u32..) {
        for (of_scope, at_scope) in of_resource.scopes.iter().zip(0_u32..) {
            let schemas = [of_resource.schema_url.as_str(), of_scope.schema_url.as_str()];
            let origin = Origin::of(of_resource.resource.as_ref(), of_scope.scope.as_ref(), schemas);
            let reader = Reader { encoding, signal, way, ingest, now, origin };
            reader.scope(of_scope, (at_resource, at_scope), &mut request);
        }
    }
    if request.items > 0 && request.refused.len() == request.items && encoding == Encoding::Protobuf {
        let mut items = export.resources.iter().flat_map(|of| &of.scopes).flat_map(|of| &of.items);
        request.meant = items.next().and_then(|item| wire::meant(item, signal));
    }
    request
}

/// Reads the items of one scope.
struct Reader<'a> {
    encoding: Encoding,
    signal: Signal,
    way: Way,
    ingest: &'a Ingest,
    now: Timestamp,
    origin: Origin,
}

impl Reader<'_> {
    fn scope(&self, of_scope: &OfScope, (at_resource, at_scope): (u32, u32), request: &mut Request) {
        for (item, at) in of_scope.items.iter().zip(0_u32..) {
            let place = request.items;
            request.items += 1;
            request.places.push((at_resource, at_scope, at));
            let known = request.report.items.len();
            if let Err(refusal) = self.item(item, place, &mut request.report) {
                request.report.items.truncate(known);
                request.refused.push(Refused { place, refusal });
            }
        }
    }

    fn item(&self, item: &Bytes, place: usize, report: &mut Report) -> Result<(), Refusal> {
        let Report { items, versions } = report;
        let mut reading =
            Reading { ingest: Some(self.ingest), way: self.way, now: self.now, place, versions };
        let unreadable = |error: String| Refusal::invalid("", error);
        match self.signal {
            Signal::Traces => {
                let span = wire::span(item, self.encoding).map_err(unreadable)?;
                span::read(span, &self.origin, &mut reading, items)
            }
            Signal::Logs => {
                let record = wire::log(item, self.encoding).map_err(unreadable)?;
                items.push(log::read(&record, &self.origin, &mut reading)?);
                Ok(())
            }
        }
    }
}

/// Refusals that an answer names.
const NAMED: usize = 3;

impl Request {
    /// What is to be said of an item that was not taken: where it stands, and why.
    pub(super) fn told(&self, signal: Signal, refused: &Refused) -> String {
        let (resource, scope, item) = self.places.get(refused.place).copied().unwrap_or_default();
        let (root, scopes, items) = (signal.root(), signal.scopes(), signal.items());
        let path = format!("{root}.{resource}.{scopes}.{scope}.{items}.{item}");
        json::below(&path, &refused.refusal.to_string())
    }

    /// What is to be said of the items that were not taken; `None`: all were.
    pub(super) fn complaint(&self, signal: Signal, refused: &[Refused]) -> Option<String> {
        let mut told: Vec<_> = refused.iter().take(NAMED).map(|refused| self.told(signal, refused)).collect();
        if refused.len() > NAMED {
            told.push(format!("and {} more", refused.len() - NAMED));
        }
        (!told.is_empty()).then(|| told.join("; "))
    }
}
