//! A whole file: read on a thread of its own, many transcripts written at the same time.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    place::{Problem, Skipped},
    reader::Item,
    report::Written,
    write::{Importer, WriteError},
};
use crate::service::ServiceError;

/// Transcripts that are written at the same time: they share commits, and so the waits for the disk.
const AT_ONCE: usize = 64;

/// Transcripts that are read ahead. Each is held whole, so few.
const AHEAD: usize = 8;

/// Something that an import tells while it goes on.
#[derive(Debug)]
pub enum Progress {
    /// A transcript is in.
    Written(Written),
    /// Something was left out.
    Problem(Problem),
}

/// What came of a file.
#[derive(Debug, Default)]
pub struct FileReport {
    /// What was found and what was new.
    pub written: Written,
    /// Messages that were left out.
    pub skipped_messages: u64,
    /// Records, and rests of a file, that were left out.
    pub skipped_records: u64,
    /// Whether the import stopped at a problem.
    pub stopped: bool,
}

impl FileReport {
    /// Adds what another file gave.
    pub fn add(&mut self, other: &Self) {
        self.written += other.written;
        self.skipped_messages += other.skipped_messages;
        self.skipped_records += other.skipped_records;
        self.stopped |= other.stopped;
    }

    /// Whether anything was left out.
    #[must_use]
    pub fn has_skipped(&self) -> bool {
        self.skipped_messages + self.skipped_records > 0
    }

    fn note(&mut self, progress: &Progress) {
        match progress {
            Progress::Written(written) => self.written += *written,
            Progress::Problem(problem) => match problem.skipped {
                Skipped::Message | Skipped::Span | Skipped::LogRecord => self.skipped_messages += 1,
                Skipped::Record | Skipped::Rest => self.skipped_records += 1,
            },
        }
    }
}

/// Imports what `items` gives. With `strict` it stops at the first problem: transcripts before it are
/// in, nothing of its record and of those behind it is.
///
/// # Errors
/// When the store fails. What is in stays in, and an import that runs again goes on.
pub async fn run(
    importer: &Importer,
    items: impl Iterator<Item = Item> + Send + 'static,
    strict: bool,
    mut tell: impl FnMut(&Progress) + Send,
) -> Result<FileReport, ServiceError> {
    let mut report = FileReport::default();
    let stop = Arc::new(AtomicBool::new(false));
    let writes = read_ahead(items, strict, Arc::clone(&stop)).map(|item| write(importer, item));
    let mut writes = pin!(writes.buffer_unordered(AT_ONCE));
    while let Some(progress) = writes.next().await {
        let progress = progress?;
        report.note(&progress);
        if strict && matches!(progress, Progress::Problem(_)) {
            // Where only the store saw the problem, reading goes on until it is told. What is under way
            // is let end.
            stop.store(true, Ordering::Relaxed);
            report.stopped = true;
        }
        tell(&progress);
    }
    Ok(report)
}

/// Reads on a thread of its own, which may wait for the disk. With `strict` it ends at a problem.
fn read_ahead(
    items: impl Iterator<Item = Item> + Send + 'static,
    strict: bool,
    stop: Arc<AtomicBool>,
) -> impl Stream<Item = Item> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        for item in items {
            let last = stop.load(Ordering::Relaxed) || (strict && matches!(item, Item::Problem(_)));
            if sender.blocking_send(item).is_err() || last {
                return;
            }
        }
    });
    ReceiverStream::new(receiver)
}

async fn write(importer: &Importer, item: Item) -> Result<Progress, ServiceError> {
    match item {
        Item::Problem(problem) => Ok(Progress::Problem(problem)),
        Item::Transcript(transcript) => match importer.write(&transcript).await {
            Ok(written) => Ok(Progress::Written(written)),
            Err(WriteError::Refused(problem)) => Ok(Progress::Problem(problem)),
            Err(WriteError::Failed(error)) => Err(error),
        },
    }
}
