//! Events as bytes. Written here because the web framework leaves out an empty `data` field, without
//! which browsers do not show the event that ends a stream.

use std::{fmt::Write, time::Duration};

use bytes::Bytes;

/// The end of an operation.
pub(super) const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata:\n\n");

/// Nothing, so that proxies keep the connection.
pub(super) const KEEP_ALIVE: Bytes = Bytes::from_static(b":\n\n");

/// How long to wait before coming back.
pub(super) fn retry(wait: Duration) -> Bytes {
    Bytes::from(format!("retry: {}\n\n", wait.as_millis()))
}

/// An answer. The id must be one line. Line ends in the data stand between the tokens of stored JSON
/// only, so it does not matter which they are.
pub(super) fn next(id: Option<&str>, data: &str) -> Bytes {
    let mut text = String::with_capacity(data.len() + 64);
    text.push_str("event: next\n");
    if let Some(id) = id {
        // Writing to a string does not fail.
        let _ = writeln!(text, "id: {id}");
    }
    for line in data.split(['\n', '\r']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_written_as_browsers_read_them() {
        assert_eq!(next(None, "{}"), "event: next\ndata: {}\n\n");
        assert_eq!(next(Some("7"), "{}"), "event: next\nid: 7\ndata: {}\n\n");
        assert_eq!(next(None, "{\n}"), "event: next\ndata: {\ndata: }\n\n");
        assert_eq!(retry(Duration::from_millis(1500)), "retry: 1500\n\n");
    }
}
