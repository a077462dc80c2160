//! A JSON document: its outermost list taken apart, element by element.

use std::io::{self, BufRead};

use super::{Damage, MAX_RECORD_BYTES, Record, bytes::Bytes, too_long, unreadable};

/// Brackets that a record may open inside one another: far more than JSON that is kept may have.
const MAX_NESTING: usize = 1_000;

/// Bytes that are read twice at most, over a whole file, so that a hopeless one does not take for ever.
const MAX_LOOKED_AGAIN: usize = 16 * MAX_RECORD_BYTES;

pub(super) struct Document<R> {
    bytes: Bytes<R>,
    number: u64,
    in_list: bool,
    /// How the list's elements begin, as far as one was seen: what is looked for behind a damaged one.
    opening: Option<Opening>,
    /// Bytes that were read twice, to find what a damaged element swallowed.
    looked_again: usize,
}

/// How an element begins.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Opening {
    /// As an object whose first member has this name.
    Object(Vec<u8>),
    /// As a list.
    List,
}

/// How the scan of a value ended.
enum Scan {
    Whole,
    TooLong,
    Broken(String),
    /// The input ended first.
    Short,
}

impl<R: BufRead> Document<R> {
    pub(super) fn new(bytes: Bytes<R>) -> Self {
        Self { bytes, number: 0, in_list: false, opening: None, looked_again: 0 }
    }

    pub(super) fn next(&mut self) -> Option<Result<Record, Damage>> {
        match self.advance() {
            Ok(next) => next,
            Err(error) => Some(Err(self.damage(self.bytes.line(), unreadable(&error), true))),
        }
    }

    fn advance(&mut self) -> io::Result<Option<Result<Record, Damage>>> {
        loop {
            let next = self.bytes.peek_solid()?;
            match (next, self.in_list) {
                (None, false) => return Ok(None),
                (None, true) => {
                    let text = "the file ends before its list does";
                    return Ok(Some(Err(self.damage(self.bytes.line(), text.to_owned(), true))));
                }
                (Some(b']'), true) => self.leave_list(),
                (Some(b','), true) => self.bytes.bump(b','),
                (Some(b'['), false) => {
                    self.bytes.bump(b'[');
                    self.in_list = true;
                }
                (Some(_), _) => return self.value().map(Some),
            }
        }
    }

    fn leave_list(&mut self) {
        self.bytes.bump(b']');
        self.in_list = false;
        self.opening = None;
    }

    fn damage(&mut self, line: u64, message: String, ends: bool) -> Damage {
        self.number += 1;
        Damage { line, number: self.number, message, ends }
    }

    /// The value that begins at the next byte.
    fn value(&mut self) -> io::Result<Result<Record, Damage>> {
        let line = self.bytes.line();
        let mut text = Vec::new();
        let scan = self.scan(&mut text)?;
        if self.opening.is_none() {
            self.opening = Opening::of(&text);
        }
        Ok(match scan {
            Scan::Whole => {
                self.number += 1;
                Ok(Record { line, number: self.number, bytes: text })
            }
            Scan::TooLong => Err(self.damage(line, too_long(), false)),
            Scan::Short => self.broken(line, "the file ends in the middle of it".to_owned(), &text)?,
            Scan::Broken(message) => self.broken(line, message, &text)?,
        })
    }

    /// Reports a damaged value that began with `text`, and goes on to the one behind it.
    fn broken(&mut self, line: u64, message: String, text: &[u8]) -> io::Result<Result<Record, Damage>> {
        // A bracket that is missing makes a value swallow those behind it: they are looked at again.
        if let Some((_, swallowed)) = text.split_first()
            && text.len() < MAX_RECORD_BYTES
            && self.looked_again < MAX_LOOKED_AGAIN
        {
            self.looked_again += swallowed.len();
            self.bytes.put_back(swallowed);
        }
        let found = self.in_list && self.find_next()?;
        Ok(Err(self.damage(line, message, !found)))
    }

    /// Reads one value into `text`, judging only its brackets and strings.
    fn scan(&mut self, text: &mut Vec<u8>) -> io::Result<Scan> {
        let mut open = Vec::new();
        let (mut quoted, mut escaped, mut long) = (false, false, false);
        while let Some(byte) = self.bytes.peek()? {
            // A number or a word has no end of its own: it ends before what cannot belong to it.
            if open.is_empty() && !quoted && !text.is_empty() && ends_word(byte) {
                return Ok(Scan::Whole);
            }
            self.bytes.bump(byte);
            if text.len() < MAX_RECORD_BYTES {
                text.push(byte);
            } else {
                long = true;
            }
            match byte {
                _ if escaped => escaped = false,
                0..0x20 if quoted => {
                    return Ok(Scan::Broken(format!(
                        "not valid JSON: a string holds {} unescaped",
                        if byte == b'\n' { "the end of a line" } else { "a control character" }
                    )));
                }
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'{' | b'[' if !quoted => open.push(byte),
                b'}' | b']' if !quoted => match open.pop() {
                    Some(opened) if closer(opened) == byte => {}
                    opened => return Ok(Scan::Broken(mismatch(opened, byte))),
                },
                _ => {}
            }
            if open.len() > MAX_NESTING {
                return Ok(Scan::Broken(format!("nested more than {MAX_NESTING} levels deep")));
            }
            if open.is_empty() && !quoted && matches!(byte, b'}' | b']' | b'"') {
                return Ok(if long { Scan::TooLong } else { Scan::Whole });
            }
        }
        Ok(if open.is_empty() && !quoted { Scan::Whole } else { Scan::Short })
    }

    /// Goes on to the next element behind a damaged one: a comma and then what elements begin with.
    /// Inside of a string its quotes would be escaped, so a text that quotes JSON does not mislead.
    fn find_next(&mut self) -> io::Result<bool> {
        let Some(opening) = self.opening.clone() else { return Ok(false) };
        while let Some(byte) = self.bytes.take()? {
            if byte == b',' && self.stands_at(&opening)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether an element begins next, white space aside. Takes nothing but white space.
    fn stands_at(&mut self, opening: &Opening) -> io::Result<bool> {
        let next = self.bytes.peek_solid()?;
        let Opening::Object(name) = opening else { return Ok(next == Some(b'[')) };
        let mut taken = Vec::new();
        let mut fits = true;
        let expected = [b"{".as_slice(), b"\"", name, b"\""];
        'parts: for (place, part) in expected.into_iter().enumerate() {
            while place == 1 && self.bytes.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) {
                taken.extend(self.bytes.take()?);
            }
            for wanted in part {
                if self.bytes.peek()? != Some(*wanted) {
                    fits = false;
                    break 'parts;
                }
                taken.extend(self.bytes.take()?);
            }
        }
        self.bytes.put_back(&taken);
        Ok(fits)
    }
}

impl Opening {
    fn of(text: &[u8]) -> Option<Self> {
        match text.split_first()? {
            (b'[', _) => Some(Self::List),
            (b'{', rest) => {
                let name = rest.trim_ascii_start().strip_prefix(b"\"")?;
                let end = name.iter().position(|byte| *byte == b'"')?;
                Some(Self::Object(name.get(..end)?.to_vec()))
            }
            _ => None,
        }
    }
}

fn closer(opener: u8) -> u8 {
    if opener == b'{' { b'}' } else { b']' }
}

fn mismatch(opened: Option<u8>, found: u8) -> String {
    let found = char::from(found);
    match opened {
        Some(opened) => {
            format!("not valid JSON: `{found}` stands where `{}` should", char::from(closer(opened)))
        }
        None => format!("not valid JSON: `{found}` closes nothing"),
    }
}

fn ends_word(byte: u8) -> bool {
    matches!(byte, b',' | b']' | b'}' | b'{' | b'[' | b'"') || byte.is_ascii_whitespace()
}
