//! Ids of traces and spans, as they stand in bytes and in texts.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::model::{Refusal, SpanId, TraceId};

/// The id of a trace: 16 bytes, not all of them zero.
pub(super) fn trace(field: &str, bytes: &[u8]) -> Result<TraceId, Refusal> {
    match bytes.try_into() {
        Ok(id) if id != [0; 16] => Ok(TraceId::from_bytes(id)),
        Ok(_) => Err(Refusal::invalid(field, "is all zeros; a trace needs an id of its own")),
        Err(_) if bytes.is_empty() => {
            Err(Refusal::invalid(field, "is missing; a trace needs an id of its own"))
        }
        Err(_) => Err(wrong_length(field, bytes, 16)),
    }
}

/// The id of a span: 8 bytes, not all of them zero.
pub(super) fn span(field: &str, bytes: &[u8]) -> Result<SpanId, Refusal> {
    optional_span(field, bytes)?
        .ok_or_else(|| Refusal::invalid(field, "is all zeros or empty; a span needs an id of its own"))
}

/// The id of a span that may be missing: no bytes, or zeros.
pub(super) fn optional_span(field: &str, bytes: &[u8]) -> Result<Option<SpanId>, Refusal> {
    match <[u8; 8]>::try_from(bytes) {
        Ok([0, 0, 0, 0, 0, 0, 0, 0]) => Ok(None),
        Ok(id) => Ok(Some(of_eight(id))),
        Err(_) if bytes.is_empty() => Ok(None),
        Err(_) => Err(wrong_length(field, bytes, 8)),
    }
}

/// Eight bytes stand at the end of our sixteen.
fn of_eight(id: [u8; 8]) -> SpanId {
    let mut bytes = [0; 16];
    if let Some(end) = bytes.last_chunk_mut() {
        *end = id;
    }
    SpanId::from_bytes(bytes)
}

fn wrong_length(field: &str, bytes: &[u8], wanted: usize) -> Refusal {
    Refusal::invalid(field, format!("has {} bytes and needs {wanted}", bytes.len()))
}

/// The bytes of an id in JSON: hexadecimal digits as OTLP says, or base64 as protobuf's own JSON has it.
pub(super) fn decoded(text: &str, length: usize) -> Option<Vec<u8>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let hexadecimal = || {
        let digits = text.bytes().map(|digit| char::from(digit).to_digit(16)).collect::<Option<Vec<_>>>()?;
        let byte = |pair: &[u32]| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        digits.chunks(2).map(byte).collect::<Option<Vec<_>>>()
    };
    let of_length = |bytes: &Vec<u8>| bytes.len() == length;
    // A text of the right length in digits is never meant as base64.
    hexadecimal()
        .filter(of_length)
        .or_else(|| STANDARD.decode(text).ok().filter(of_length))
        .or_else(hexadecimal)
}

/// The bytes of an id as hexadecimal digits.
pub(super) fn digits(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to memory does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The id of a span written as 16 hexadecimal digits.
pub(super) fn written_span(text: &str) -> Option<SpanId> {
    optional_span("", &decoded(text, 8)?).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_digits_and_from_base64() {
        let id = vec![0x5b, 0x8e, 0xff, 0xf7, 0x98, 0x03, 0x81, 0x03];
        assert_eq!(decoded("5b8efff798038103", 8), Some(id.clone()));
        assert_eq!(decoded("5B8EFFF798038103", 8), Some(id.clone()));
        assert_eq!(decoded(&STANDARD.encode(&id), 8), Some(id));
        assert_eq!(decoded("xyz", 8), None);
        assert_eq!(decoded("", 8), Some(Vec::new()));
    }
}
