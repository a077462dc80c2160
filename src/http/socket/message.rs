//! The messages of `graphql-transport-ws`, read and written. It knows their form and not their order.

use async_graphql::{ServerError, Value, indexmap::IndexMap};
use axum::extract::ws::Utf8Bytes;

use crate::{
    config::Limits,
    graphql::text,
    http::{
        error::Refusal,
        json,
        params::Params,
        reply::{self, Reply},
    },
};

/// Characters of an operation's id. Clients use numbers or UUIDs.
const ID_CHARACTERS: usize = 256;

/// What a client says.
#[derive(Debug)]
pub(super) enum ClientMessage {
    Init { payload: Option<Value> },
    Ping { payload: Option<Value> },
    Pong,
    Subscribe { id: String, params: Box<Params> },
    Complete { id: String },
}

/// What the server says.
#[derive(Debug)]
pub(super) enum ServerMessage<'a> {
    ConnectionAck,
    Pong { payload: Option<Value> },
    Next { id: &'a str, reply: &'a Reply },
    Error { id: &'a str, errors: &'a [ServerError] },
    Complete { id: &'a str },
}

impl ClientMessage {
    /// Reads a message.
    pub(super) fn read(text: &str, limits: &Limits) -> Result<Self, Refusal> {
        let Value::Object(mut fields) = json::parse(text.as_bytes(), "message", limits)? else {
            return Err(Refusal::bad_request("A message must be a JSON object."));
        };
        let kind = match fields.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            _ => return Err(Refusal::bad_request("A message must have a \"type\".")),
        };
        match kind.as_str() {
            "connection_init" => Ok(Self::Init { payload: optional_object(&mut fields)? }),
            "ping" => Ok(Self::Ping { payload: optional_object(&mut fields)? }),
            "pong" => optional_object(&mut fields).map(|_| Self::Pong),
            "subscribe" => {
                let id = id(&mut fields)?;
                let payload = fields.swap_remove("payload").unwrap_or_default();
                Ok(Self::Subscribe { id, params: Box::new(Params::from_value(payload)?) })
            }
            "complete" => Ok(Self::Complete { id: id(&mut fields)? }),
            _ => Err(Refusal::bad_request("The message has an unknown \"type\".")),
        }
    }
}

impl ServerMessage<'_> {
    /// The message as text.
    pub(super) fn to_text(&self) -> Utf8Bytes {
        let (kind, id) = match self {
            Self::ConnectionAck => ("connection_ack", None),
            Self::Pong { .. } => ("pong", None),
            Self::Next { id, .. } => ("next", Some(id)),
            Self::Error { id, .. } => ("error", Some(id)),
            Self::Complete { id } => ("complete", Some(id)),
        };
        let mut out = format!("{{\"type\":\"{kind}\"").into_bytes();
        if let Some(id) = id {
            out.extend_from_slice(b",\"id\":");
            text::write(&Value::from(*id), &mut out);
        }
        self.write_payload(&mut out);
        out.push(b'}');
        Utf8Bytes::from(reply::into_text(out))
    }

    fn write_payload(&self, out: &mut Vec<u8>) {
        const NAME: &[u8] = b",\"payload\":";
        match self {
            Self::Pong { payload: Some(payload) } => {
                out.extend_from_slice(NAME);
                text::write(payload, out);
            }
            Self::Next { reply, .. } => {
                out.extend_from_slice(NAME);
                reply.write(out);
            }
            Self::Error { errors, .. } => {
                out.extend_from_slice(NAME);
                reply::write_errors(errors, out);
            }
            Self::ConnectionAck | Self::Pong { payload: None } | Self::Complete { .. } => {}
        }
    }
}

type Fields = IndexMap<async_graphql::Name, Value>;

fn optional_object(fields: &mut Fields) -> Result<Option<Value>, Refusal> {
    match fields.swap_remove("payload") {
        None | Some(Value::Null) => Ok(None),
        Some(payload @ Value::Object(_)) => Ok(Some(payload)),
        Some(_) => Err(Refusal::bad_request("\"payload\" must be an object.")),
    }
}

fn id(fields: &mut Fields) -> Result<String, Refusal> {
    match fields.swap_remove("id") {
        Some(Value::String(id)) if !id.is_empty() && id.chars().count() <= ID_CHARACTERS => Ok(id),
        _ => {
            Err(Refusal::bad_request(format!("\"id\" must be a string of 1 to {ID_CHARACTERS} characters.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_by_their_form() {
        let read = |text: &str| ClientMessage::read(text, &Limits::default());
        assert!(matches!(read(r#"{"type":"connection_init"}"#), Ok(ClientMessage::Init { payload: None })));
        assert!(matches!(
            read(r#"{"type":"ping","payload":null}"#),
            Ok(ClientMessage::Ping { payload: None })
        ));
        let subscribe = read(r#"{"type":"subscribe","id":"1","payload":{"query":"{a}"}}"#).unwrap();
        assert!(
            matches!(subscribe, ClientMessage::Subscribe { id, params } if id == "1" && params.query.is_some())
        );
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"type":"nope"}"#,
            r#"{"type":"ping","payload":1}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"complete"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn messages_are_written_as_the_protocol_has_them() {
        assert_eq!(ServerMessage::ConnectionAck.to_text().as_str(), r#"{"type":"connection_ack"}"#);
        assert_eq!(ServerMessage::Pong { payload: None }.to_text().as_str(), r#"{"type":"pong"}"#);
        assert_eq!(
            ServerMessage::Complete { id: "a\"" }.to_text().as_str(),
            r#"{"type":"complete","id":"a\""}"#
        );
    }
}
