//! A whole file: read on a thread of its own, many requests written at the same time.
//!
//! Requests are written in their order where it counts: those that have a trace or a conversation in
//! common one after the other, so that a file gives the same messages in the same order every time.

use std::{collections::HashSet, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

use super::reader::{Found, Item};
use crate::{
    model::{TraceId, clock::SharedClock},
    otlp::request::{self, Request, Signal, Way},
    service::{
        ServiceError, ServiceResult,
        import::{Place, Problem, Skipped},
        ingest::{Ingest, Refused},
    },
};

/// Requests that are written at the same time: they share commits, and so the waits for the disk.
const AT_ONCE: usize = 64;

/// Items of all requests that are written at the same time, where it is more than one.
const ITEMS_AT_ONCE: usize = 10_000;

/// Requests that are read ahead. Each is held whole, so few.
const AHEAD: usize = 4;

/// How often a write that finds the store overloaded is tried again.
const ATTEMPTS: usize = 100;

/// Writes requests.
#[derive(Clone)]
pub struct Importer {
    ingest: Ingest,
    clock: SharedClock,
}

/// Something that an import tells while it goes on.
#[derive(Debug)]
pub enum Progress {
    /// A request is in, but for what was told to be left out.
    Written(Report),
    /// Something was left out.
    Problem(Problem),
}

/// What came of a file, or of a part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Requests.
    pub requests: u64,
    /// Spans that were found.
    pub spans: u64,
    /// Spans that were new, or said something new.
    pub new_spans: u64,
    /// Records of logs that were found.
    pub log_records: u64,
    /// Records of logs that were new.
    pub new_log_records: u64,
    /// Spans and records of logs that were left out.
    pub skipped_items: u64,
    /// Requests, and rests of a file, that were left out.
    pub skipped_requests: u64,
    /// Whether the import stopped at a problem.
    pub stopped: bool,
}

/// A request, read.
struct Ready {
    found: Found,
    request: Request,
}

/// What comes from the thread that reads.
enum Next {
    Ready(Box<Ready>),
    Problem(Problem),
}

/// What one request came to.
struct Outcome {
    report: Report,
    problems: Vec<Problem>,
}

impl Report {
    /// Adds what another file gave.
    pub fn add(&mut self, other: &Self) {
        // Taken apart without `..`, so that a new count cannot be forgotten here.
        let Self {
            requests,
            spans,
            new_spans,
            log_records,
            new_log_records,
            skipped_items,
            skipped_requests,
            stopped,
        } = other;
        self.requests += requests;
        self.spans += spans;
        self.new_spans += new_spans;
        self.log_records += log_records;
        self.new_log_records += new_log_records;
        self.skipped_items += skipped_items;
        self.skipped_requests += skipped_requests;
        self.stopped |= stopped;
    }

    /// Whether anything was left out.
    #[must_use]
    pub const fn has_skipped(&self) -> bool {
        self.skipped_items + self.skipped_requests > 0
    }

    /// Whether anything was taken.
    #[must_use]
    pub const fn has_taken(&self) -> bool {
        self.spans + self.log_records > self.skipped_items
    }

    const fn note(&mut self, problem: &Problem) {
        match problem.skipped {
            Skipped::Record | Skipped::Rest => self.skipped_requests += 1,
            Skipped::Span | Skipped::LogRecord | Skipped::Message => self.skipped_items += 1,
        }
    }
}

/// Imports what `items` gives. With `strict` it stops at the first problem: requests before it are in,
/// nothing of its request and of those behind it is.
///
/// # Errors
/// When the store fails. What is in stays in, and an import that runs again goes on.
pub async fn run(
    importer: &Importer,
    items: impl Iterator<Item = Item> + Send + 'static,
    strict: bool,
    mut tell: impl FnMut(&Progress) + Send,
) -> ServiceResult<Report> {
    let mut all = Report::default();
    // What an import that was cut off left to be said comes first.
    importer.ingest.find_due().await?;
    importer.ingest.turns_made().await;
    let mut ready = importer.read_ahead(items, strict);
    let mut waiting = None;
    loop {
        let (wave, problem) = gather(&mut ready, &mut waiting).await;
        if wave.is_empty() && problem.is_none() {
            return Ok(all);
        }
        let mut written = stream::iter(wave).map(|ready| importer.write(ready)).buffered(AT_ONCE);
        let mut problems = Vec::new();
        while let Some(outcome) = written.try_next().await? {
            all.add(&outcome.report);
            problems.extend(outcome.problems);
            tell(&Progress::Written(outcome.report));
        }
        // What is said in a later request must not come before what is said in these.
        importer.ingest.turns_made().await;
        for problem in problems.into_iter().chain(problem) {
            all.note(&problem);
            all.stopped |= strict;
            tell(&Progress::Problem(problem));
        }
        if all.stopped {
            return Ok(all);
        }
    }
}

/// Requests that may be written at the same time, and the problem that comes behind them. What comes next
/// and may not be among them waits.
async fn gather(
    ready: &mut mpsc::Receiver<Next>,
    waiting: &mut Option<Box<Ready>>,
) -> (Vec<Box<Ready>>, Option<Problem>) {
    let (mut wave, mut touched, mut items) = (Vec::new(), Touched::default(), 0);
    loop {
        let next = match waiting.take() {
            Some(next) => next,
            // What is not read yet is waited for only where there is nothing else to do.
            None => match if wave.is_empty() { ready.recv().await } else { ready.try_recv().ok() } {
                Some(Next::Ready(next)) => next,
                Some(Next::Problem(problem)) => return (wave, Some(problem)),
                None => return (wave, None),
            },
        };
        items += next.request.items;
        if !wave.is_empty()
            && (wave.len() >= AT_ONCE || items > ITEMS_AT_ONCE || !touched.is_free(&next.request))
        {
            *waiting = Some(next);
            return (wave, None);
        }
        touched.add(&next.request);
        wave.push(next);
    }
}

/// What requests that are written at the same time write to.
#[derive(Default)]
struct Touched {
    traces: HashSet<TraceId>,
    conversations: HashSet<String>,
}

impl Touched {
    fn is_free(&self, request: &Request) -> bool {
        request.report.items.iter().all(|item| {
            let conversation = item.of_trace.conversation.as_ref();
            !self.traces.contains(&item.trace_id)
                && conversation.is_none_or(|conversation| !self.conversations.contains(conversation))
        })
    }

    fn add(&mut self, request: &Request) {
        for item in &request.report.items {
            self.traces.insert(item.trace_id);
            self.conversations.extend(item.of_trace.conversation.clone());
        }
    }
}

impl Importer {
    /// Writes through `ingest`.
    #[must_use]
    pub fn new(ingest: Ingest, clock: SharedClock) -> Self {
        Self { ingest, clock }
    }

    /// Reads on a thread of its own, which may wait for the disk. With `strict` it ends at a problem.
    fn read_ahead(
        &self,
        items: impl Iterator<Item = Item> + Send + 'static,
        strict: bool,
    ) -> mpsc::Receiver<Next> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let importer = self.clone();
        tokio::task::spawn_blocking(move || {
            for item in items {
                let next = match item {
                    Item::Problem(problem) => Next::Problem(problem),
                    Item::Request(found) => importer.ready(found, strict),
                };
                let last = strict && matches!(next, Next::Problem(_));
                if sender.blocking_send(next).is_err() || last {
                    return;
                }
            }
        });
        receiver
    }

    /// Reads the items of a request. With `strict` one of them that cannot go in is a problem of the whole.
    fn ready(&self, found: Found, strict: bool) -> Next {
        let request = self.read(&found);
        if strict {
            let faults = self.ingest.faults(&request.report);
            if let Some(first) = request.refused.iter().chain(&faults).min_by_key(|refused| refused.place) {
                return Next::Problem(problem(&found.place, found.signal, &request, first));
            }
        }
        Next::Ready(Box::new(Ready { found, request }))
    }

    fn read(&self, found: &Found) -> Request {
        let of = (found.encoding, found.signal);
        request::read(&found.export, of, Way::File, &self.ingest, self.clock.now())
    }

    async fn write(&self, ready: Box<Ready>) -> ServiceResult<Outcome> {
        let Ready { found, mut request } = *ready;
        let mut attempt = 1;
        let recorded = loop {
            match self.ingest.record(std::mem::take(&mut request.report)).await {
                Err(ServiceError::Overloaded { retry_after }) if attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(retry_after.max(Duration::from_millis(1))).await;
                    // What is in already changes nothing when it comes again.
                    request = self.read(&found);
                }
                recorded => break recorded?,
            }
        };
        let mut refused = std::mem::take(&mut request.refused);
        refused.extend(recorded.refused);
        refused.sort_by_key(|refused| refused.place);
        // An item is refused once, though more than one thing may be wrong with it.
        refused.dedup_by_key(|refused| refused.place);
        let problems = refused.iter().map(|refused| problem(&found.place, found.signal, &request, refused));
        let problems = problems.collect();
        let (items, changed) = (request.items as u64, recorded.changed as u64);
        let report = match found.signal {
            Signal::Traces => Report { spans: items, new_spans: changed, ..Report::default() },
            Signal::Logs => Report { log_records: items, new_log_records: changed, ..Report::default() },
        };
        Ok(Outcome { report: Report { requests: 1, ..report }, problems })
    }
}

fn problem(place: &Place, signal: Signal, request: &Request, refused: &Refused) -> Problem {
    let skipped = match signal {
        Signal::Traces => Skipped::Span,
        Signal::Logs => Skipped::LogRecord,
    };
    Problem { place: place.clone(), field: None, message: request.told(signal, refused), skipped }
}
