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
pub(super) struct Problem {
    /// Always `about:blank`: what kind of problem it is, `code` says.
    #[schema(example = "about:blank")]
    r#type: &'static str,
    /// The status in words.
    #[schema(example = "Not Found")]
    title: String,
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
        Self {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Unknown").to_owned(),
            status: status.as_u16(),
            detail: shortened(detail.as_ref(), DETAIL_BYTES),
            instance: String::new(),
            code,
            field: None,
            legal: None,
            retry_after_ms: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1_000),
        }
    }

    /// The path or the query is not as it must be.
    pub(super) fn of_url(field: &str, message: impl AsRef<str>) -> Self {
        let detail = format!("{field}: {}", message.as_ref());
        Self { field: Some(field.to_owned()), ..Self::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", detail) }
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

    /// The same problem, where every id is one that the body names: what is missing is then no resource, but a
    /// wrong value.
    #[must_use]
    pub(super) fn in_body(self) -> Self {
        match StatusCode::from_u16(self.status) {
            Ok(StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST) => {
                self.with(StatusCode::UNPROCESSABLE_ENTITY)
            }
            _ => self,
        }
    }

    /// The same problem with what the query says.
    #[must_use]
    pub(super) fn in_url(self) -> Self {
        self.with(StatusCode::BAD_REQUEST)
    }

    /// Whether it is a problem with this field.
    pub(super) fn is_of(&self, field: &str) -> bool {
        self.field.as_deref() == Some(field)
    }

    /// The same problem, with a field that goes by another name here.
    #[must_use]
    pub(super) fn of(self, field: &str) -> Self {
        let known = self.field.as_deref().and_then(|known| self.detail.strip_prefix(known));
        let detail = known.map_or_else(|| self.detail.clone(), |rest| format!("{field}{rest}"));
        Self { field: Some(field.to_owned()), detail, ..self }
    }

    /// The same problem of a request for `path`.
    #[must_use]
    pub(super) fn at(self, path: &str) -> Self {
        Self { instance: shortened(path, DETAIL_BYTES), ..self }
    }

    fn with(self, status: StatusCode) -> Self {
        let title = status.canonical_reason().unwrap_or("Unknown").to_owned();
        Self { title, status: status.as_u16(), ..self }
    }

    fn later(code: &'static str, detail: &str, retry_after: Duration) -> Self {
        let millis = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
        Self { retry_after_ms: Some(millis), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail) }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let field = refusal.field().map(str::to_owned);
        let detail = refusal.to_string();
        let problem = |status, code| Self { field, ..Self::new(status, code, &detail) };
        match &refusal {
            // A cursor always comes in the query, and is told of in the words of this door.
            Refusal::Invalid { field, .. } if field == "after" => Self::of_url(
                field,
                "not a cursor of this list; take `next` of the page before, and leave filters and order as they were",
            ),
            Refusal::Invalid { .. } => problem(StatusCode::UNPROCESSABLE_ENTITY, "BAD_USER_INPUT"),
            Refusal::NotFound { field, .. } if OF_THE_PATH.contains(&field.as_str()) => {
                problem(StatusCode::NOT_FOUND, "NOT_FOUND")
            }
            Refusal::NotFound { .. } => problem(StatusCode::UNPROCESSABLE_ENTITY, "NOT_FOUND"),
            Refusal::AlreadyExists { .. } => problem(StatusCode::CONFLICT, "ALREADY_EXISTS"),
            Refusal::IllegalTransition { legal, .. } => {
                let legal = Some(legal.clone());
                Self { legal, ..problem(StatusCode::CONFLICT, "ILLEGAL_TRANSITION") }
            }
            Refusal::LimitExceeded { .. } => problem(StatusCode::UNPROCESSABLE_ENTITY, "LIMIT_EXCEEDED"),
        }
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
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after_ms.map(|millis| millis.div_ceil(1_000).max(1));
        // A struct of texts and numbers can always be written.
        let body = serde_json::to_vec(&self).unwrap_or_default();
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
            let problem = Problem::from(refusal);
            assert_eq!((problem.status, problem.code), (status, code), "{problem:?}");
        }
    }

    #[test]
    fn what_a_body_names_and_is_not_there_is_a_wrong_value() {
        let problem = Problem::from(Refusal::not_found("conversationId", Entity::Conversation, 1)).in_body();
        assert_eq!((problem.status, problem.title.as_str()), (422, "Unprocessable Entity"));
        assert_eq!(problem.code, "NOT_FOUND");
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
