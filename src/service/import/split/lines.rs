//! JSON lines: a record a line.

use std::io::BufRead;

use super::{
    Damage, MAX_RECORD_BYTES, Record,
    bytes::{Bytes, Line},
    too_long, unreadable,
};

pub(super) struct Lines<R> {
    bytes: Bytes<R>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(bytes: Bytes<R>) -> Self {
        Self { bytes, number: 0 }
    }

    pub(super) fn next(&mut self) -> Option<Result<Record, Damage>> {
        let mut text = Vec::new();
        loop {
            let line = self.bytes.line();
            let damage = |message, number, ends| Some(Err(Damage { line, number, message, ends }));
            match self.bytes.take_line(MAX_RECORD_BYTES, &mut text) {
                Err(error) => return damage(unreadable(&error), self.number + 1, true),
                Ok(Line::None) => return None,
                Ok(Line::Cut) => {
                    self.number += 1;
                    return damage(too_long(), self.number, false);
                }
                Ok(Line::Whole) => {}
            }
            let solid = text.trim_ascii();
            if !solid.is_empty() {
                self.number += 1;
                return Some(Ok(Record { line, number: self.number, bytes: solid.to_vec() }));
            }
        }
    }
}
