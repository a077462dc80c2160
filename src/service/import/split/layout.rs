//! Tells JSON lines from a JSON document by the name and the first two lines.

use std::io::{BufRead, Cursor, Read};

use serde::de::IgnoredAny;
use serde_json::error::Category;

use super::MAX_RECORD_BYTES;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Lines,
    Document,
}

/// Bytes of a line that begins a list: past them it is a list on one line, taken apart as a document.
const LIST_LINE_BYTES: usize = 1 << 20;

/// The mark that some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The layout of `input`, and `input` with what was read of it put back, without a byte order mark.
pub(super) fn detect(name: &str, mut input: Box<dyn BufRead + Send>) -> (Kind, Box<dyn BufRead + Send>) {
    let mut head = Vec::new();
    let kind = if named_lines(name) { Kind::Lines } else { look(&mut input, &mut head) };
    // The mark is looked for only after the lines were, which do not mind it.
    if head.is_empty() {
        read_ahead(&mut input, BYTE_ORDER_MARK.len(), &mut head);
    }
    let skip = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let mut head = Cursor::new(head);
    head.set_position(skip as u64);
    (kind, Box::new(head.chain(input)))
}

fn named_lines(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".jsonl", ".ndjson", ".jsonlines"].iter().any(|ending| name.ends_with(ending))
}

/// Reads one or two lines into `head` and judges by them. What cannot be read is found again later.
fn look(input: &mut Box<dyn BufRead + Send>, head: &mut Vec<u8>) -> Kind {
    let first = loop {
        let start = head.len();
        if !take_line(input, head) {
            break start;
        }
        let line = head.get(start..).unwrap_or_default();
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        if !line.trim_ascii().is_empty() {
            break start;
        }
    };
    let end_of_first = head.len();
    let line = |head: &[u8], from: usize, to: usize| {
        let line = head.get(from..to).unwrap_or_default();
        line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii().to_vec()
    };
    let first_line = line(head, first, end_of_first);
    let second_line = |head: &mut Vec<u8>, input: &mut Box<dyn BufRead + Send>| {
        take_line(input, head);
        line(head, end_of_first, head.len())
    };
    match complete(&first_line) {
        // A list alone on its line is a document of one line, unless another line follows it.
        Completeness::Whole if first_line.starts_with(b"[") => {
            if second_line(head, input).is_empty() {
                Kind::Document
            } else {
                Kind::Lines
            }
        }
        Completeness::Whole => Kind::Lines,
        Completeness::Begun if first_line.starts_with(b"[") => Kind::Document,
        Completeness::Begun => {
            let second = second_line(head, input);
            let both = line(head, first, head.len());
            // Where the two lines do not make one value, the first is a damaged record.
            if complete(&both) == Completeness::Broken && !second.is_empty() {
                Kind::Lines
            } else {
                Kind::Document
            }
        }
        Completeness::Broken => {
            let second = second_line(head, input);
            let lines = complete(&second) == Completeness::Whole || !first_line.starts_with(b"[");
            if lines { Kind::Lines } else { Kind::Document }
        }
    }
}

/// Appends a line with its end to `head`; false where there is none, or only a part that is too long.
fn take_line(input: &mut Box<dyn BufRead + Send>, head: &mut Vec<u8>) -> bool {
    let start = head.len();
    loop {
        let Ok(bytes) = input.fill_buf() else { return false };
        if bytes.is_empty() {
            return head.len() > start;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        head.extend_from_slice(part);
        let used = part.len();
        input.consume(used);
        let line = head.get(start..).unwrap_or_default();
        let limit = if line.starts_with(b"[") { LIST_LINE_BYTES } else { MAX_RECORD_BYTES };
        if end.is_some() || line.len() > limit {
            return end.is_some();
        }
    }
}

fn read_ahead(input: &mut Box<dyn BufRead + Send>, count: usize, head: &mut Vec<u8>) {
    while head.len() < count {
        let Ok(bytes) = input.fill_buf() else { return };
        let part = bytes.get(..bytes.len().min(count - head.len())).unwrap_or_default();
        if part.is_empty() {
            return;
        }
        head.extend_from_slice(part);
        let used = part.len();
        input.consume(used);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Completeness {
    /// One JSON value.
    Whole,
    /// The beginning of one.
    Begun,
    /// Neither.
    Broken,
}

fn complete(line: &[u8]) -> Completeness {
    match serde_json::from_slice::<IgnoredAny>(line) {
        Ok(_) => Completeness::Whole,
        Err(error) if error.classify() == Category::Eof => Completeness::Begun,
        Err(_) => Completeness::Broken,
    }
}
