//! Tells OTLP from other files by how they begin.

use std::io::{BufRead, Cursor, Read};

use crate::service::import::{MAX_RECORD_BYTES, ZSTD_MAGIC};

/// How the requests of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON: one, lines, or a list.
    Json,
    /// Protobuf: one, or each behind its length.
    Protobuf,
    /// Each behind its length, and packed with zstd by itself. What is packed, JSON or protobuf, shows each.
    Packed,
}

/// Bytes that are looked at: the first request's own beginning is in them.
const HEAD_BYTES: usize = 16 << 10;

/// The members that only requests have, under both spellings.
const MEMBERS: [&[u8]; 6] = [
    b"resourceSpans",
    b"resource_spans",
    b"resourceLogs",
    b"resource_logs",
    b"resourceMetrics",
    b"resource_metrics",
];

/// The form of `input`, if it holds OTLP, and `input` with what was read of it put back. `input` is
/// unpacked.
#[must_use]
pub fn detect(mut input: Box<dyn BufRead + Send>) -> (Option<Form>, Box<dyn BufRead + Send>) {
    let mut head = Vec::new();
    // What cannot be read is found again later.
    let _ = input.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head);
    let form = form(&head);
    (form, Box::new(Cursor::new(head).chain(input)))
}

fn form(head: &[u8]) -> Option<Form> {
    if is_binary(head) {
        match framed(head) {
            Some(rest) if rest.starts_with(&ZSTD_MAGIC) => return Some(Form::Packed),
            Some(rest) if rest.is_empty() || is_request(rest) => return Some(Form::Protobuf),
            _ if is_request(head) => return Some(Form::Protobuf),
            _ => {}
        }
    }
    is_json(head).then_some(Form::Json)
}

/// Whether there are bytes that no text has: ids and moments in protobuf are full of them.
fn is_binary(head: &[u8]) -> bool {
    head.iter().any(|byte| *byte < b' ' && !byte.is_ascii_whitespace())
}

/// Whether this begins as a request does: with what is of one resource, whose fields are numbered 1 to 3.
fn is_request(head: &[u8]) -> bool {
    const TAGS: [u8; 3] = [0x0a, 0x12, 0x1a];
    let Some(mut rest) = head.strip_prefix(&[0x0a]) else { return false };
    let length = prost::encoding::decode_varint(&mut rest);
    length.is_ok_and(|length| length == 0 || rest.first().is_some_and(|tag| TAGS.contains(tag)))
}

/// What stands behind a length that a request may have, where this begins with one.
fn framed(head: &[u8]) -> Option<&[u8]> {
    let (length, rest) = head.split_first_chunk()?;
    (u32::from_be_bytes(*length) as usize <= MAX_RECORD_BYTES).then_some(rest)
}

/// Whether the first object begins with a member that only requests have.
fn is_json(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let head = head.strip_prefix(b"[").unwrap_or(head).trim_ascii_start();
    let member = head.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let member = member.and_then(|rest| rest.strip_prefix(b"\""));
    let is_one = |rest: &[u8]| {
        MEMBERS.iter().any(|name| rest.strip_prefix(*name).is_some_and(|rest| rest.starts_with(b"\"")))
    };
    member.is_some_and(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_from_transcripts() {
        let cases: &[(&[u8], Option<Form>)] = &[
            (b"{\"resourceSpans\": []}", Some(Form::Json)),
            (b"\n [ {\"resource_logs\":[]}]", Some(Form::Json)),
            (b"{\"resourceSpansX\": []}", None),
            (b"{\"messages\": [{\"role\": \"user\"}]}", None),
            (b"[{\"role\": \"user\", \"content\": \"resourceSpans\"}]", None),
            (b"", None),
            (b"\n \n\n{\"role\": \"user\"}", None),
            (b"\x01damaged\n{\"role\": \"user\"}", None),
            (b"\x0a\x05\x12\x03\x12\x01\x0a", Some(Form::Protobuf)),
            (b"\x00\x00\x00\x07\x0a\x05\x12\x03\x12\x01\x0a", Some(Form::Protobuf)),
            (b"\x00\x00\x00\x00", Some(Form::Protobuf)),
            (b"\x00\x00\x00\x00\x00\x00\x00\x00", None),
            (b"\x00\x00\x00\x09\x28\xb5\x2f\xfd\x20", Some(Form::Packed)),
            (b"\x7f\x00\x00\x09\x28\xb5\x2f\xfd\x20", None),
        ];
        for (head, expected) in cases {
            let (found, mut input) = detect(Box::new(Cursor::new(head.to_vec())));
            assert_eq!(found, *expected, "{head:?}");
            let mut rest = Vec::new();
            input.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, *head, "nothing is lost");
        }
    }
}
