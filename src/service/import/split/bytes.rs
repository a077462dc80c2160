//! One byte after the other, with the number of the line, and a way to put some back.

use std::io::{self, BufRead};

/// A stream of bytes that knows on which line it stands.
pub(super) struct Bytes<R> {
    input: R,
    /// The line of the next byte, from 1.
    line: u64,
    /// Bytes put back, last first.
    replay: Vec<u8>,
}

impl<R: BufRead> Bytes<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: 1, replay: Vec::new() }
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next byte, which stays.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        match self.replay.last() {
            Some(byte) => Ok(Some(*byte)),
            None => self.input.fill_buf().map(|bytes| bytes.first().copied()),
        }
    }

    /// Takes the byte that [`Bytes::peek`] showed.
    pub(super) fn bump(&mut self, byte: u8) {
        if self.replay.pop().is_none() {
            self.input.consume(1);
        }
        self.line += u64::from(byte == b'\n');
    }

    /// The next byte, taken.
    pub(super) fn take(&mut self) -> io::Result<Option<u8>> {
        let next = self.peek()?;
        if let Some(byte) = next {
            self.bump(byte);
        }
        Ok(next)
    }

    /// The next byte that is not white space, which stays.
    pub(super) fn peek_solid(&mut self) -> io::Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.bump(byte);
        }
        Ok(None)
    }

    /// Puts back what was taken last.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        self.replay.extend(bytes.iter().rev());
        let lines = bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.line = self.line.saturating_sub(lines);
    }

    /// Takes a line without its end, up to `limit` bytes of it; whether there was one, and whether it
    /// was cut.
    pub(super) fn take_line(&mut self, limit: usize, line: &mut Vec<u8>) -> io::Result<Line> {
        line.clear();
        let (mut cut, mut any) = (false, false);
        loop {
            let bytes = self.input.fill_buf()?;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            any |= !bytes.is_empty();
            let room = limit.saturating_sub(line.len());
            cut |= part.len() > room;
            line.extend(part.iter().take(room));
            let ends = end.is_some() || bytes.is_empty();
            let used = end.map_or(part.len(), |end| end + 1);
            self.input.consume(used);
            self.line += u64::from(end.is_some());
            if ends {
                return Ok(if cut {
                    Line::Cut
                } else if any {
                    Line::Whole
                } else {
                    Line::None
                });
            }
        }
    }
}

/// What [`Bytes::take_line`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    None,
    Whole,
    Cut,
}
