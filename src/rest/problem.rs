//! What is answered where something was not done: RFC 9457, and beside it the code by which programs decide
//! and the field at fault. This is the one place where a refusal gets its status.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    model::{Refusal, text::shortened},
    service::ServiceError,
};

/// The media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Bytes that a problem repeats of what a client sent.
const DETAIL_BYTES: usize = 500;

/// Why something was not done (RFC 9457). Decide by `code`, show `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(super) struct Told {
    /// Always `about:blank`: what kind of problem it is, `code` says.
    #[schema(example = "about:blank")]
    r#type: &'static str,
    /// The status in words.
    #[schema(example = "Not Found")]
    title: &'static str,
    /// The status.
    #[schema(example = 404)]
    status: u16,
    /// What is wrong and what would be right.
    #[schema(example = "traceId: there is no trace `0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44`")]
    detail: String,
    /// The path that was asked for.
    #[schema(example = "/api/v1/traces/0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44")]
    instance: String,
    /// What kind of problem it is, for programs.
    #[schema(example = "NOT_FOUND")]
    code: &'static str,
    /// The field at fault, as a path: `toolCalls.0.name`. It is of the body, of the query or of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What could be done instead, where the thing is in a state that does not allow the action.
    #[serde(skip_serializing_if = "Option::is_none")]
    legal: Option<Vec<String>>,
    /// Milliseconds after which the same request is worth sending again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

/// A problem on its way to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem(Box<Told>);

/// The names of the parameters of paths: what is not found by one of these is the resource itself.
const OF_THE_PATH: [&str; 9] = [
    "conversationId",
    "messageId",
    "traceId",
    "spanId",
    "planId",
    "componentId",
    "versionHash",
    "label",
    "scoreId",
];

impl Problem {
    /// A problem of this status.
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl AsRef<str>) -> Self {
        let told = Told {
            r#type: "about:blank",
            title: title(status),
            status: status.as_u16(),
            detail: shortened(detail.as_ref(), DETAIL_BYTES),
            instance: String::new(),
            code,
            field: None,
            legal: None,
            retry_after_ms: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1_000),
        };
        Self(Box::new(told))
    }

    /// The path or the query is not as it must be.
    pub(super) fn of_url(field: &str, message: impl AsRef<str>) -> Self {
        let detail = format!("{field}: {}", message.as_ref());
        Self::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", detail).with(|told| {
            told.field = Some(field.to_owned());
        })
    }

    /// A fault of the server. What it was is logged where it was met.
    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "The server failed. Its log says why.")
    }

    /// What was asked holds for another state of the thing than the one it is in.
    pub(super) fn stale() -> Self {
        let detail = "It has changed since: read it again, and send the ETag that comes with it in If-Match.";
        Self::new(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED", detail)
    }

    /// The same problem, where it is the body's: an id that it names and that is missing is no resource, but a wrong
    /// value.
    #[must_use]
    pub(super) fn in_body(self) -> Self {
        self.moved(StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// The same problem, where it is the query's.
    #[must_use]
    pub(super) fn in_url(self) -> Self {
        self.moved(StatusCode::BAD_REQUEST)
    }

    /// Whether it is a problem with this field.
    pub(super) fn is_of(&self, field: &str) -> bool {
        self.0.field.as_deref() == Some(field)
    }

    /// The same problem, with a field that goes by another name here.
    #[must_use]
    pub(super) fn of(self, field: &str) -> Self {
        self.with(|told| {
            let known = told.field.as_deref().and_then(|known| told.detail.strip_prefix(known));
            if let Some(rest) = known {
                told.detail = format!("{field}{rest}");
            }
            told.field = Some(field.to_owned());
        })
    }

    /// The same problem of a request for `path`.
    #[must_use]
    pub(super) fn at(self, path: &str) -> Self {
        self.with(|told| told.instance = shortened(path, DETAIL_BYTES))
    }

    fn later(code: &'static str, detail: &str, retry_after: Duration) -> Self {
        let millis = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        problem.with(|told| told.retry_after_ms = Some(millis))
    }

    /// The same problem with another status, where it is one with what the client says and not with the state of things.
    fn moved(self, status: StatusCode) -> Self {
        let movable = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY];
        if !movable.iter().any(|movable| movable.as_u16() == self.0.status) {
            return self;
        }
        self.with(|told| {
            told.title = title(status);
            told.status = status.as_u16();
        })
    }

    /// As it is written.
    #[cfg(test)]
    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(&self.0).unwrap_or_default()
    }

    fn with(mut self, change: impl FnOnce(&mut Told)) -> Self {
        change(&mut self.0);
        self
    }
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Unknown")
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, code) = match &refusal {
            // A cursor always comes in the query, and is told of in the words of this door.
            Refusal::Invalid { field, .. } if field == "after" => {
                return Self::of_url(
                    field,
                    "not a cursor of this list; take `next` of the page before, and leave filters and order as they were",
                );
            }
            Refusal::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "BAD_USER_INPUT"),
            Refusal::NotFound { field, .. } if OF_THE_PATH.contains(&field.as_str()) => {
                (StatusCode::NOT_FOUND, "NOT_FOUND")
            }
            Refusal::NotFound { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "NOT_FOUND"),
            Refusal::AlreadyExists { .. } => (StatusCode::CONFLICT, "ALREADY_EXISTS"),
            Refusal::IllegalTransition { .. } => (StatusCode::CONFLICT, "ILLEGAL_TRANSITION"),
            Refusal::LimitExceeded { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "LIMIT_EXCEEDED"),
        };
        Self::new(status, code, refusal.to_string()).with(|told| {
            told.field = refusal.field().map(str::to_owned);
            if let Refusal::IllegalTransition { legal, .. } = refusal {
                told.legal = Some(legal);
            }
        })
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refusal) => refusal.into(),
            ServiceError::Overloaded { retry_after } => {
                Self::later("OVERLOADED", "Too much is going on. Try again later.", retry_after)
            }
            ServiceError::Store(error) => {
                tracing::error!(%error, "a request failed in the store");
                let later = |after| {
                    Self::later("UNAVAILABLE", "The store does not work now. Its log says why.", after)
                };
                error.retry_after().map_or_else(Self::internal, later)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after_ms.map(|millis| millis.div_ceil(1_000).max(1));
        // A struct of texts and numbers can always be written.
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        // Kept, so that whoever knows the request can say where it was.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::refusal::Entity;

    #[test]
    fn every_refusal_has_its_status() {
        let transition = Refusal::IllegalTransition {
            entity: Entity::Trace,
            state: "COMPLETED".to_owned(),
            action: "end".to_owned(),
            legal: Vec::new(),
        };
        for (refusal, status, code) in [
            (Refusal::invalid("title", "too long"), 422, "BAD_USER_INPUT"),
            (Refusal::invalid("after", "not a cursor"), 400, "BAD_USER_INPUT"),
            (Refusal::not_found("traceId", Entity::Trace, 1), 404, "NOT_FOUND"),
            (Refusal::not_found("parentMessageId", Entity::Message, 1), 422, "NOT_FOUND"),
            (Refusal::already_exists("traceId", Entity::Trace, 1), 409, "ALREADY_EXISTS"),
            (transition, 409, "ILLEGAL_TRANSITION"),
            (Refusal::limit("spans", "too many"), 422, "LIMIT_EXCEEDED"),
        ] {
            let Problem(problem) = Problem::from(refusal);
            assert_eq!((problem.status, problem.code), (status, code), "{problem:?}");
        }
    }

    #[test]
    fn what_a_body_names_and_is_not_there_is_a_wrong_value() {
        let missing = Refusal::not_found("conversationId", Entity::Conversation, 1);
        let Problem(problem) = Problem::from(missing).in_body();
        assert_eq!((problem.status, problem.title), (422, "Unprocessable Entity"));
        assert_eq!(problem.code, "NOT_FOUND");
    }

    #[test]
    fn a_fault_of_the_server_stays_one_wherever_it_is_met() {
        assert_eq!(Problem::internal().in_body().in_url(), Problem::internal());
    }

    #[test]
    fn what_can_be_repeated_says_when() {
        let error = ServiceError::Overloaded { retry_after: Duration::from_millis(50) };
        let response = Problem::from(error).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
    }
}
