//! Cuts a stream of JSON into records without holding more than one of them.
//!
//! Two layouts are told apart. *Lines*: each line is a record of its own (JSON lines), and a damaged
//! one ends with its line. *Document*: values with any white space, of which an outermost list is
//! taken apart element by element; behind a damaged element the next one is found by how it begins.
//! This module knows JSON's brackets and strings, and nothing of what a record means.

mod bytes;
mod document;
mod layout;
mod lines;

use std::io::{self, BufRead};

use self::{bytes::Bytes, document::Document, lines::Lines};

/// Bytes of one record at most: it is held in memory whole, several times over while it is taken apart.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// A record's text.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its number, from 1.
    pub number: u64,
    /// Its bytes, without white space around them. Nothing else is known of them.
    pub bytes: Vec<u8>,
}

/// Something that is not a record.
#[derive(Debug, PartialEq, Eq)]
pub struct Damage {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The number of the record that it would have been, from 1.
    pub number: u64,
    /// What is wrong.
    pub message: String,
    /// Whether nothing that follows can be read.
    pub ends: bool,
}

/// Cuts a stream into records.
pub struct Splitter<R> {
    layout: Layout<R>,
    ended: bool,
}

enum Layout<R> {
    Lines(Lines<R>),
    Document(Document<R>),
}

impl Splitter<Box<dyn BufRead + Send>> {
    /// Looks at the beginning of `input` and at its name, and chooses the layout.
    pub fn new(name: &str, input: Box<dyn BufRead + Send>) -> Self {
        let (layout, input) = layout::detect(name, input);
        let bytes = Bytes::new(input);
        let layout = match layout {
            layout::Kind::Lines => Layout::Lines(Lines::new(bytes)),
            layout::Kind::Document => Layout::Document(Document::new(bytes)),
        };
        Self { layout, ended: false }
    }
}

impl<R: BufRead> Iterator for Splitter<R> {
    type Item = Result<Record, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = match &mut self.layout {
            Layout::Lines(lines) => lines.next(),
            Layout::Document(document) => document.next(),
        };
        self.ended = matches!(&next, None | Some(Err(Damage { ends: true, .. })));
        next
    }
}

/// Says in words why reading failed.
#[must_use]
pub fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file ends in the middle of its compressed data".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            format!("the compressed data is damaged: {error}")
        }
        _ => format!("cannot be read further: {error}"),
    }
}

fn too_long() -> String {
    format!("longer than {} MiB, which a record may not be", MAX_RECORD_BYTES >> 20)
}
