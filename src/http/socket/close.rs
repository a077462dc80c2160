//! Why a socket is closed, by the codes of `graphql-transport-ws` and, where that has none, of
//! WebSocket itself.
//!
//! A message over the size limit closes with 1009, as it does with the servers of the JavaScript
//! world, whose socket library enforces the limit below the protocol.

use axum::extract::ws::{CloseFrame, Utf8Bytes};

use crate::http::error::Refusal;

/// Bytes of a close frame's reason: the frame has 125, of which the code takes two.
const REASON_BYTES: usize = 123;

/// A reason to close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close {
    code: u16,
    reason: String,
}

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    pub(super) fn invalid_message(refusal: Refusal) -> Self {
        Self::new(4400, refusal.message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(4401, "Unauthorized")
    }

    pub(super) fn forbidden(reason: &str) -> Self {
        Self::new(4403, format!("Forbidden: {reason}"))
    }

    pub(super) fn unknown_protocol() -> Self {
        Self::new(4406, "Subprotocol not acceptable")
    }

    pub(super) fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    pub(super) fn taken(id: &str) -> Self {
        Self::new(4409, format!("Subscriber for {id} already exists"))
    }

    pub(super) fn second_init() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(1009, format!("A message may have {limit} bytes"))
    }

    pub(super) fn going_away() -> Self {
        Self::new(1001, "The server stops")
    }

    pub(super) fn into_frame(self) -> CloseFrame {
        let mut reason = self.reason;
        reason.truncate(reason.floor_char_boundary(REASON_BYTES));
        CloseFrame { code: self.code, reason: Utf8Bytes::from(reason) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = Close::taken(&"ü".repeat(100)).into_frame();
        assert_eq!(frame.code, 4409);
        assert!(frame.reason.len() <= 123 && frame.reason.starts_with("Subscriber for üü"));
    }
}
