//! The answer to an operation, as every transport sends it: the library's response with a code on each
//! error, its messages cut to a bound, and `data` left out where nothing was executed.

use std::{collections::BTreeMap, convert::Infallible, iter};

use async_graphql::{ErrorExtensionValues, Name, Response, ServerError, Value};
use axum::body::Body;
use futures_util::stream;

use super::error::{Code, Refusal, set_code};
use crate::{
    config::limits::ErrorLimits,
    graphql::text::{self, Pieces},
};

/// An answer, ready to be sent.
#[derive(Debug)]
pub(super) struct Reply {
    outcome: Outcome,
    errors: Vec<ServerError>,
    extensions: BTreeMap<String, Value>,
}

#[derive(Debug)]
enum Outcome {
    /// The operation was executed; parts of it may have failed.
    Executed(Value),
    /// Nothing was executed, or nothing of it is told.
    Refused(Code),
}

impl Reply {
    /// A library's response to a query, a mutation or one event of a subscription.
    pub(super) fn of(response: Response, limits: &ErrorLimits) -> Self {
        let refused = response.data == Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|error| error.path.is_empty());
        Self::new(response, refused, limits)
    }

    /// A library's first response to a subscription, whose errors, where there are any at the root
    /// field, mean that there is no stream.
    pub(super) fn of_first(response: Response, limits: &ErrorLimits) -> Self {
        let refused = response.data == Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|error| error.path.len() <= 1);
        Self::new(response, refused, limits)
    }

    fn new(response: Response, refused: bool, limits: &ErrorLimits) -> Self {
        let Response { mut errors, data, extensions, .. } = response;
        for error in &mut errors {
            complete(error, refused);
        }
        bound(&mut errors, limits);
        let outcome =
            if refused { Outcome::Refused(Code::ValidationFailed) } else { Outcome::Executed(data) };
        Self { outcome, errors, extensions }
    }

    /// The answer to a refused request.
    pub(super) fn refused(refusal: Refusal, limits: &ErrorLimits) -> Self {
        let code = refusal.code;
        let mut errors = vec![refusal.into_error()];
        bound(&mut errors, limits);
        Self { outcome: Outcome::Refused(code), errors, extensions: BTreeMap::new() }
    }

    /// Why nothing was executed, if so.
    pub(super) fn refusal(&self) -> Option<Code> {
        match self.outcome {
            Outcome::Executed(_) => None,
            Outcome::Refused(code) => Some(code),
        }
    }

    /// What was executed gave this.
    pub(super) fn data_mut(&mut self) -> Option<&mut Value> {
        match &mut self.outcome {
            Outcome::Executed(data) => Some(data),
            Outcome::Refused(_) => None,
        }
    }

    /// The errors.
    pub(super) fn errors(&self) -> &[ServerError] {
        &self.errors
    }

    /// The answer as the body of a response: whole where it is short, else in pieces that are made as they are
    /// sent.
    pub(super) fn into_body(self) -> Body {
        let mut pieces = self.into_pieces();
        let first = pieces.next().unwrap_or_default();
        if pieces.is_over() {
            return Body::from(first);
        }
        let pieces = iter::once(first).chain(pieces).map(Ok::<_, Infallible>);
        Body::from_stream(stream::iter(pieces))
    }

    fn into_pieces(self) -> Pieces {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        self.write_before(&mut before);
        self.write_after(&mut after);
        match self.outcome {
            Outcome::Executed(data) => Pieces::of(before, data, after),
            Outcome::Refused(_) => Pieces::of_text([before, after].concat()),
        }
    }

    /// The answer as JSON text.
    pub(super) fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        into_text(out)
    }

    /// Appends the answer as JSON.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.write_before(out);
        if let Outcome::Executed(data) = &self.outcome {
            text::write(data, out);
        }
        self.write_after(out);
    }

    /// Appends what stands before the data. There is always something: what has no data has errors.
    fn write_before(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        if !self.errors.is_empty() {
            out.extend_from_slice(b"\"errors\":");
            write_errors(&self.errors, out);
        }
        if let Outcome::Executed(_) = self.outcome {
            let member: &[u8] = if self.errors.is_empty() { b"\"data\":" } else { b",\"data\":" };
            out.extend_from_slice(member);
        }
    }

    /// Appends what stands behind the data.
    fn write_after(&self, out: &mut Vec<u8>) {
        if !self.extensions.is_empty() {
            out.extend_from_slice(b",\"extensions\":");
            let extensions = self.extensions.iter().map(|(name, value)| (Name::new(name), value.clone()));
            text::write(&Value::Object(extensions.collect()), out);
        }
        out.push(b'}');
    }
}

/// Appends errors as a JSON list.
pub(super) fn write_errors(errors: &[ServerError], out: &mut Vec<u8>) {
    let start = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, errors) {
        tracing::error!(%error, "errors could not be written as JSON");
        out.truncate(start);
        out.extend_from_slice(
            br#"[{"message":"The errors could not be written.","extensions":{"code":"INTERNAL"}}]"#,
        );
    }
}

/// JSON as text. It is UTF-8; were it not, the text would say so visibly.
pub(super) fn into_text(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Gives an error that has no code the one that its origin implies: the schema codes its own.
fn complete(error: &mut ServerError, refused: bool) {
    let coded = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
    if coded {
        return;
    }
    let of_input = ["Failed to parse \"", "Expected input type \""];
    let code = if of_input.iter().any(|start| error.message.starts_with(start)) {
        Code::BadUserInput
    } else if refused {
        Code::ValidationFailed
    } else {
        Code::Internal
    };
    set_code(error, code);
}

fn bound(errors: &mut Vec<ServerError>, limits: &ErrorLimits) {
    let all = errors.len();
    errors.truncate(limits.count);
    for error in errors.iter_mut() {
        if let Some((end, _)) = error.message.char_indices().nth(limits.characters) {
            error.message.truncate(end);
            error.message.push('…');
        }
    }
    if let Some(last) = errors.last_mut().filter(|_| all > limits.count) {
        let extensions = last.extensions.get_or_insert_with(ErrorExtensionValues::default);
        extensions.set("errorsLeftOut", (all - limits.count) as u64);
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::PathSegment;

    use super::*;

    fn failed(path: &[&str], message: &str) -> ServerError {
        let path = path.iter().map(|name| PathSegment::Field((*name).to_owned())).collect();
        ServerError::new(message, None).with_path(path)
    }

    fn json(reply: &Reply) -> serde_json::Value {
        serde_json::from_str(&reply.to_json()).unwrap()
    }

    #[test]
    fn data_is_left_out_where_nothing_was_executed() {
        let limits = ErrorLimits::default();
        let refused = Reply::of(Response::from_errors(vec![failed(&[], "unknown field")]), &limits);
        assert_eq!(refused.refusal(), Some(Code::ValidationFailed));
        assert!(json(&refused).get("data").is_none());
        assert_eq!(json(&refused)["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        let executed = Reply::of(Response::from_errors(vec![failed(&["a"], "no")]), &limits);
        assert_eq!(json(&executed)["data"], serde_json::Value::Null);
        assert_eq!(json(&executed)["errors"][0]["extensions"]["code"], "INTERNAL");
        let first = Reply::of_first(Response::from_errors(vec![failed(&["a"], "no such trace")]), &limits);
        assert!(json(&first).get("data").is_none());
    }

    #[test]
    fn stored_json_goes_out_as_it_is() {
        let stored = Value::Binary(r#"{"a": 1.50}"#.into());
        let data = Value::Object([(Name::new("body"), stored)].into_iter().collect());
        let reply = Reply::of(Response::new(data), &ErrorLimits::default());
        assert_eq!(reply.to_json(), r#"{"data":{"body":{"a": 1.50}}}"#);
    }

    #[test]
    fn errors_are_bounded_in_number_and_length() {
        let limits = ErrorLimits { count: 2, characters: 5 };
        let errors = (0..9).map(|_| failed(&[], "äöüßéàç")).collect();
        let text = json(&Reply::of(Response::from_errors(errors), &limits));
        assert_eq!(text["errors"].as_array().unwrap().len(), 2);
        assert_eq!(text["errors"][0]["message"], "äöüßé…");
        assert_eq!(text["errors"][1]["extensions"]["errorsLeftOut"], 7);
    }
}
