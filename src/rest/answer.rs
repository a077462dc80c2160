//! Answers: JSON with the tag by which a client asks again, where a new thing is, and where a list goes on.

use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{problem::Problem, request::Known};
use crate::model::text::shortened;

/// Where all paths begin.
pub(super) const ROOT: &str = "/api/v1";

/// Bytes of a path that a problem repeats.
const PATH_BYTES: usize = 500;

/// An answer. What a handler makes ends in one.
pub(super) struct Answer {
    status: StatusCode,
    body: Vec<u8>,
    tag: Option<String>,
    caching: &'static str,
    location: Option<String>,
    next: Option<String>,
}

/// Asked again each time, which costs little where nothing has changed.
const ALWAYS_ASK: &str = "private, no-cache";

/// What never changes is asked for once.
const FOR_GOOD: &str = "private, max-age=31536000, immutable";

impl Answer {
    /// The answer that is this, as JSON.
    pub(super) fn ok(value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value).map_err(|error| {
            tracing::error!(%error, "an answer could not be written as JSON");
            Problem::internal()
        })?;
        Ok(Self::text(body))
    }

    /// The answer that is this JSON text.
    pub(super) fn text(body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, body, tag: None, caching: ALWAYS_ASK, location: None, next: None }
    }

    /// The answer that this was made; `location` is its path below [`ROOT`].
    pub(super) fn created(value: &impl Serialize, location: &str) -> Result<Self, Problem> {
        let location = Some(format!("{ROOT}{location}"));
        Ok(Self { status: StatusCode::CREATED, location, ..Self::ok(value)? })
    }

    /// The client has it already.
    pub(super) fn unchanged(tag: String) -> Self {
        Self { status: StatusCode::NOT_MODIFIED, tag: Some(tag), ..Self::text(Vec::new()) }
    }

    /// The same answer with a tag that changes whenever it does, instead of a hash of its text.
    #[must_use]
    pub(super) fn tagged(self, tag: String) -> Self {
        Self { tag: Some(tag), ..self }
    }

    /// The same answer, which will be the same for good.
    #[must_use]
    pub(super) fn for_good(self) -> Self {
        Self { caching: FOR_GOOD, ..self }
    }

    /// The same answer of a list that goes on at this address.
    #[must_use]
    pub(super) fn followed_by(self, next: Option<String>) -> Self {
        Self { next, ..self }
    }

    /// The tag that it is sent with.
    pub(super) fn tag(&self) -> String {
        let hash = || format!("\"{:032x}\"", xxhash_rust::xxh3::xxh3_128(&self.body));
        self.tag.clone().unwrap_or_else(hash)
    }
}

/// The tag of a thing that counts its revisions.
pub(super) fn revision_tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let tag = self.tag();
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.caching));
        let link = self.next.map(|next| format!("<{next}>; rel=\"next\""));
        let texts = [(header::ETAG, Some(tag)), (header::LOCATION, self.location), (header::LINK, link)];
        for (name, text) in texts {
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
                headers.insert(name, value);
            }
        }
        if self.status == StatusCode::NOT_MODIFIED {
            headers.remove(header::CONTENT_TYPE);
        }
        response
    }
}

/// Does what every answer needs and only the request tells: a problem learns where it was, and what the client
/// has already is not sent again.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = Known::of(request.headers());
    let path = shortened(request.uri().path(), PATH_BYTES);
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let allow = response.headers_mut().remove(header::ALLOW);
        let mut told = problem.at(&path).into_response();
        told.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
        return told;
    }
    let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    if reads && response.status() == StatusCode::OK && tag.is_some_and(|tag| known.has(tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}
