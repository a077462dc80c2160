//! Values as JSON text. Bytes become base64, and numbers that JSON has not (NaN, infinities) texts.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};

/// Writes a text as JSON.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    json_escape_simd::escape_into(text, out);
}

/// Writes a value.
pub(super) fn write(value: Option<&Value>, out: &mut Vec<u8>) {
    match value {
        // Of the two, one is a place in a dictionary that other signals have: there is none here.
        None | Some(Value::StringValueStrindex(_)) => out.extend_from_slice(b"null"),
        Some(Value::StringValue(text)) => write_text(text, out),
        Some(Value::BoolValue(flag)) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Some(Value::IntValue(number)) => out.extend_from_slice(number.to_string().as_bytes()),
        Some(Value::DoubleValue(number)) if number.is_finite() => {
            let _ = serde_json::to_writer(&mut *out, number);
        }
        Some(Value::DoubleValue(number)) => write_text(&number.to_string(), out),
        Some(Value::BytesValue(bytes)) => write_text(&STANDARD.encode(bytes), out),
        Some(Value::ArrayValue(list)) => write_list(&list.values, out),
        Some(Value::KvlistValue(members)) => write_members(&members.values, out),
    }
}

fn write_list(values: &[AnyValue], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(value.value.as_ref(), out);
    }
    out.push(b']');
}

/// Writes an object.
pub(super) fn write_members(members: &[KeyValue], out: &mut Vec<u8>) {
    let replaced = replaced(members);
    out.push(b'{');
    let mut first = true;
    for (_, member) in members.iter().enumerate().filter(|(index, _)| replaced.binary_search(index).is_err())
    {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_text(&member.key, out);
        out.push(b':');
        write(member.value.as_ref().and_then(|value| value.value.as_ref()), out);
    }
    out.push(b'}');
}

thread_local! {
    static SCRATCH: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Bytes that a thread's buffer keeps between two uses.
const KEPT_BYTES: usize = 1 << 20;

/// The text that `write` writes, in as much memory as it needs. It must write texts and ASCII only.
pub(super) fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    SCRATCH.with_borrow_mut(|out| {
        out.clear();
        write(out);
        // Checked as a whole first, which is much faster.
        let text =
            str::from_utf8(out).map_or_else(|_| String::from_utf8_lossy(out).into_owned(), str::to_owned);
        out.shrink_to(KEPT_BYTES);
        text
    })
}

/// Members that are compared each with each: for more of them a table is made.
const FEW: usize = 64;

/// The places, in order, of members whose names come again behind them: the last one holds. Names are to be there
/// once, so there are none as a rule.
pub(super) fn replaced(members: &[KeyValue]) -> Vec<usize> {
    let mut replaced = Vec::new();
    if members.len() <= FEW {
        for (index, member) in members.iter().enumerate() {
            if members.iter().skip(index + 1).any(|other| other.key == member.key) {
                replaced.push(index);
            }
        }
        return replaced;
    }
    let mut seen = HashSet::with_capacity(members.len());
    for (index, member) in members.iter().enumerate().rev() {
        if !seen.insert(member.key.as_str()) {
            replaced.push(index);
        }
    }
    replaced.reverse();
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_json_is() {
        let every_byte: String = (0..=u8::MAX).map(char::from).collect();
        let long = "a quote \" and a \\, a line\n".repeat(100);
        for text in ["", "plain", "ü\u{2028}\u{10ffff}\u{fffe}", "/</script>", &every_byte, &long] {
            for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
                let mut out = Vec::new();
                write_text(&text[..end], &mut out);
                assert_eq!(out, serde_json::to_vec(&text[..end]).unwrap());
            }
        }
    }
}
