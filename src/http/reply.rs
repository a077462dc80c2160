//! The answer to an operation, as every transport sends it: the library's response with a code on each
//! error, its messages cut to a bound, and `data` left out where nothing was executed.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::error::{Code, Refusal, set_code};
use crate::config::limits::ErrorLimits;

/// An answer, ready to be sent.
#[derive(Debug)]
pub(super) struct Reply {
    outcome: Outcome,
    errors: Vec<ServerError>,
    extensions: std::collections::BTreeMap<String, Value>,
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
        Self { outcome: Outcome::Refused(code), errors, extensions: std::collections::BTreeMap::new() }
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

    /// The answer as JSON text.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| {
            tracing::error!(%error, "a response could not be written as JSON");
            let text = r#"{"errors":[{"message":"The response could not be written.","extensions":{"code":"INTERNAL"}}]}"#;
            text.to_owned()
        })
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.errors.is_empty() {
            map.serialize_entry("errors", &self.errors)?;
        }
        if let Outcome::Executed(data) = &self.outcome {
            map.serialize_entry("data", data)?;
        }
        if !self.extensions.is_empty() {
            map.serialize_entry("extensions", &self.extensions)?;
        }
        map.end()
    }
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
    fn errors_are_bounded_in_number_and_length() {
        let limits = ErrorLimits { count: 2, characters: 5 };
        let errors = (0..9).map(|_| failed(&[], "äöüßéàç")).collect();
        let text = json(&Reply::of(Response::from_errors(errors), &limits));
        assert_eq!(text["errors"].as_array().unwrap().len(), 2);
        assert_eq!(text["errors"][0]["message"], "äöüßé…");
        assert_eq!(text["errors"][1]["extensions"]["errorsLeftOut"], 7);
    }
}
