//! Tells OTLP from other files by how they begin.

use std::io::{BufRead, Cursor, Read};

use crate::service::import::MAX_RECORD_BYTES;

/// How the requests of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON: one, lines, or a list.
    Json,
    /// Protobuf: one, or each behind its length.
    Protobuf,
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
    let protobuf = is_binary(head) && (is_request(head) || is_framed(head));
    if protobuf { Some(Form::Protobuf) } else { is_json(head).then_some(Form::Json) }
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

/// Whether this begins with the length of a request and the request.
fn is_framed(head: &[u8]) -> bool {
    let Some((length, rest)) = head.split_first_chunk() else { return false };
    u32::from_be_bytes(*length) as usize <= MAX_RECORD_BYTES && (rest.is_empty() || is_request(rest))
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
