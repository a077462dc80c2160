//! Every bound on what one client may ask of the server, with its default and the reason for it.
//!
//! Sizes are in bytes, times in seconds where read from a file. A bound is never "none": what is not
//! bounded is found by whoever wants to stop the server. This module must not know how a bound is
//! enforced.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// All bounds of the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections open at once; sockets count as sockets. Past it new ones wait until another closes. An
    /// idle one takes some 20 kB and a file, so the system's limit on open files should be higher.
    pub connections: usize,
    /// How long the headers of a request may take to arrive, and how long a connection may be idle between
    /// two requests: what a client that drips bytes can hold open.
    #[serde(with = "seconds")]
    pub header_time: Duration,
    /// Bytes of one HTTP request body. A batch of 1,000 spans with bodies of 8 kB fits.
    pub body_bytes: usize,
    /// How long a request body may take to arrive, so that a client that drips bytes is let go.
    #[serde(with = "seconds")]
    pub body_time: Duration,
    /// Depth of nested objects and lists in a request's JSON. Below the 128 at which the JSON parser
    /// itself stops, so that the answer is ours and says what the limit is.
    pub json_depth: usize,
    /// Values in a request's JSON. A parsed value takes some 70 bytes however short its text is, so
    /// bytes alone do not bound memory.
    pub json_values: usize,
    /// How long a query or mutation may run before it is cancelled.
    #[serde(with = "seconds")]
    pub query_time: Duration,
    /// Queries and mutations that run at once, over all transports. Past it clients are told to come
    /// back; a queue would only hide the overload.
    pub running: usize,
    /// Subscriptions that are open at once, over all transports.
    pub subscriptions: usize,
    /// Bounds on a document's text.
    pub document: DocumentLimits,
    /// Bounds on what a document asks for.
    pub selection: SelectionLimits,
    /// Bounds on the store of persisted queries.
    pub persisted: PersistedLimits,
    /// Bounds on sockets (`graphql-transport-ws`).
    pub socket: SocketLimits,
    /// Bounds on event streams.
    pub events: EventLimits,
    /// Bounds on the errors of one response.
    pub errors: ErrorLimits,
}

/// Bounds on a document's text, judged before it is parsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentLimits {
    /// Bytes of a document. Generated ones reach some 30 kB; values belong into variables.
    pub bytes: usize,
    /// Depth of brackets of any kind. The parser calls itself for each, and gives up at 64 by itself.
    pub brackets: usize,
    /// Tokens. Some validation rules compare fields in pairs; this keeps that square small.
    pub tokens: usize,
}

/// Bounds on what a document asks for, judged after parsing and before validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelectionLimits {
    /// Depth of fields, fragments and inline fragments below an operation. A span tree asked for 20
    /// levels deep through connections needs 45.
    pub depth: u64,
    /// Selections with every fragment written out where it is spread, over all operations of a
    /// document: validation visits each of them.
    pub fields: u64,
    /// Fields of an operation's root. Each is a separate read, and aliases make them cheap to write.
    pub root_fields: u64,
    /// Aliases, fragments written out.
    pub aliases: u64,
    /// Directives, fragments written out.
    pub directives: u64,
    /// Units of input values over all places where arguments name them: a unit is one value, or 64
    /// bytes of text. Validation copies a variable wherever it is used.
    pub input_units: u64,
    /// What executing the operation may cost: a unit is one field of one item, about 0.3 to 1 µs. All
    /// spans of a trace of 50,000 fit, with a dozen fields each.
    pub cost: u64,
    /// Items that a list without paging arguments is taken to have: such lists are short, as the tools that
    /// a message calls or the versions behind a span.
    pub assumed_items: u64,
    /// Items that a paged list is taken to have where the query and the schema do not say.
    pub default_page: u64,
    /// Items that the largest page of any field has. Larger requests are refused by the field itself,
    /// in its own words, and so are counted as this.
    pub max_page: u64,
}

/// Bounds on the store of persisted queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PersistedLimits {
    /// Queries kept; the least recently used goes first.
    pub entries: usize,
    /// Bytes of all queries kept.
    pub bytes: usize,
}

/// Bounds on sockets (`graphql-transport-ws`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SocketLimits {
    /// Sockets open at once.
    pub sockets: usize,
    /// Operations under way at once on one socket. A dashboard has one a panel.
    pub operations: usize,
    /// Bytes of one message from a client.
    pub message_bytes: usize,
    /// How long a client may take to say `connection_init`.
    #[serde(with = "seconds")]
    pub init_time: Duration,
    /// How often a quiet socket is pinged. A client that is silent for two of these is gone. Proxies
    /// close what is quiet for 60 s.
    #[serde(with = "seconds")]
    pub keep_alive: Duration,
    /// How long one message to a client may wait for it to read.
    #[serde(with = "seconds")]
    pub write_time: Duration,
}

/// Bounds on event streams (SSE).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventLimits {
    /// Streams open at once.
    pub streams: usize,
    /// How often a quiet stream carries a comment, so that proxies keep it.
    #[serde(with = "seconds")]
    pub keep_alive: Duration,
    /// How long a browser is told to wait before it reconnects.
    #[serde(with = "seconds")]
    pub retry: Duration,
}

/// Bounds on the errors of one response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ErrorLimits {
    /// Errors listed; the last one says how many were left out.
    pub count: usize,
    /// Characters of one message. Libraries quote the offending value, whatever its size.
    pub characters: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            header_time: Duration::from_secs(30),
            body_bytes: 8 << 20,
            body_time: Duration::from_secs(30),
            json_depth: 100,
            json_values: 500_000,
            query_time: Duration::from_secs(30),
            running: 256,
            subscriptions: 4096,
            document: DocumentLimits::default(),
            selection: SelectionLimits::default(),
            persisted: PersistedLimits::default(),
            socket: SocketLimits::default(),
            events: EventLimits::default(),
            errors: ErrorLimits::default(),
        }
    }
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self { bytes: 128 << 10, brackets: 64, tokens: 10_000 }
    }
}

impl Default for SelectionLimits {
    fn default() -> Self {
        Self {
            depth: 50,
            fields: 10_000,
            root_fields: 50,
            aliases: 200,
            directives: 100,
            input_units: 2_000_000,
            cost: 1_000_000,
            assumed_items: 8,
            default_page: 50,
            max_page: 50_000,
        }
    }
}

impl Default for PersistedLimits {
    fn default() -> Self {
        Self { entries: 1_000, bytes: 4 << 20 }
    }
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            sockets: 1_000,
            operations: 64,
            message_bytes: 2 << 20,
            init_time: Duration::from_secs(10),
            keep_alive: Duration::from_secs(20),
            write_time: Duration::from_secs(30),
        }
    }
}

impl Default for EventLimits {
    fn default() -> Self {
        Self { streams: 1_000, keep_alive: Duration::from_secs(15), retry: Duration::from_secs(2) }
    }
}

impl Default for ErrorLimits {
    fn default() -> Self {
        Self { count: 20, characters: 500 }
    }
}

/// Times as seconds, with a fraction where there is one.
pub(super) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::config) fn serialize<S: Serializer>(
        time: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(time.as_secs_f64())
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        let duration = Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)?;
        if duration.is_zero() {
            return Err(D::Error::custom("a time must be longer than 0 seconds"));
        }
        Ok(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_may_set_some_and_leave_the_rest() {
        let limits: Limits =
            serde_json::from_str(r#"{"query_time": 1.5, "socket": {"operations": 3}}"#).unwrap();
        assert_eq!(limits.query_time, Duration::from_millis(1500));
        assert_eq!(limits.socket.operations, 3);
        assert_eq!(limits.socket.sockets, SocketLimits::default().sockets);
    }

    #[test]
    fn an_unknown_name_and_an_impossible_time_are_refused() {
        for text in [r#"{"bodybytes": 1}"#, r#"{"query_time": -1}"#, r#"{"query_time": 0}"#] {
            assert!(serde_json::from_str::<Limits>(text).is_err(), "{text}");
        }
    }
}
