//! What is read of a request: ids in its path, its query, its body, and its conditions. Whatever is wrong is
//! told by the name of what it is wrong with.

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{HeaderMap, HeaderName, StatusCode, header, request::Parts},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::problem::Problem;
use crate::{
    model::{ConversationId, MessageId, PlanId, ScoreId, SpanId, TraceId, component::VersionHash},
    written::{object::Object, path::named},
};

/// What the path names.
pub(super) struct At<T>(pub T);

/// A value that stands in a path.
pub(super) trait InPath: Sized {
    /// Reads it; `name` is the parameter's.
    fn read(name: &str, text: &str) -> Result<Self, Problem>;
}

macro_rules! ids_in_path {
    ($($id:ident),+) => {$(
        impl InPath for $id {
            fn read(name: &str, text: &str) -> Result<Self, Problem> {
                text.parse().map_err(|error: crate::model::ids::MalformedId| Problem::of_url(name, error.to_string()))
            }
        }
    )+};
}

ids_in_path!(ConversationId, MessageId, PlanId, ScoreId, SpanId, TraceId);

impl InPath for VersionHash {
    fn read(name: &str, text: &str) -> Result<Self, Problem> {
        Self::parse(name, text).map_err(|_| Problem::of_url(name, "a version hash has 64 hexadecimal digits"))
    }
}

impl InPath for String {
    fn read(_: &str, text: &str) -> Result<Self, Problem> {
        Ok(text.to_owned())
    }
}

/// What some or all parameters of a path are read into, in their order.
pub(super) trait FromPath: Sized {
    /// Reads them.
    fn from_path<'a>(params: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Problem>;
}

fn next<'a, T: InPath>(params: &mut impl Iterator<Item = (&'a str, &'a str)>) -> Result<T, Problem> {
    let (name, text) = params.next().ok_or_else(Problem::internal)?;
    T::read(name, text)
}

impl<T: InPath> FromPath for T {
    fn from_path<'a>(mut params: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Problem> {
        next(&mut params)
    }
}

impl<T: InPath, U: InPath> FromPath for (T, U) {
    fn from_path<'a>(mut params: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Problem> {
        Ok((next(&mut params)?, next(&mut params)?))
    }
}

impl<S: Send + Sync, T: FromPath> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let unreadable = |_| Problem::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", "The path is not UTF-8.");
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(unreadable)?;
        T::from_path(params.iter()).map(At)
    }
}

/// The query, read into `T`: a parameter that `T` does not know is refused.
pub(super) struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        let reader = serde_html_form::Deserializer::from_bytes(text.as_bytes());
        serde_path_to_error::deserialize(reader).map(Self).map_err(|error| {
            let (field, message) = (named(error.path()), error.into_inner().to_string());
            Problem::of_url(&field, message)
        })
    }
}

/// The body, read into `T`: a member that `T` does not know is refused. How large and how deep it may be was
/// judged before the request came here.
pub(super) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read::<Object<T>>(&bytes(request).await?).map(|Object(value)| Self(value))
    }
}

/// As [`Body`]; one that is empty, or null, is read as `{}`.
pub(super) struct OptionalBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = bytes(request).await?;
        let given: Option<Object<T>> = if bytes.is_empty() { None } else { read(&bytes)? };
        given.map_or_else(|| read(b"{}"), Ok).map(|Object(value)| Self(value))
    }
}

async fn bytes(request: Request) -> Result<Bytes, Problem> {
    let unreadable = |error: axum::Error| malformed(&format!("The body could not be read: {error}."));
    to_bytes(request.into_body(), usize::MAX).await.map_err(unreadable)
}

fn malformed(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", detail)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (field, error) = (named(error.path()), error.into_inner());
        if error.is_data() {
            wrong(&field, &error)
        } else {
            malformed(&format!("The body is not JSON: {error}."))
        }
    })?;
    reader.end().map_err(|error| malformed(&format!("The body is not JSON: {error}.")))?;
    Ok(value)
}

/// The body is JSON, and not such as is asked for.
fn wrong(field: &str, error: &serde_json::Error) -> Problem {
    let refusal =
        crate::model::Refusal::invalid(if field.is_empty() { "body" } else { field }, error.to_string());
    refusal.into()
}

/// A UUID that the caller may have chosen.
pub(super) fn id<T: From<Uuid>>(given: Option<Uuid>) -> Option<T> {
    given.map(Into::into)
}

/// What a client has already.
pub(super) struct Known(Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(tags(&parts.headers, &header::IF_NONE_MATCH)))
    }
}

impl Known {
    /// Whether the client has what this tag stands for.
    pub(super) fn has(&self, tag: &str) -> bool {
        self.0.iter().any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
    }

    /// What the headers of a request tell.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self(tags(headers, &header::IF_NONE_MATCH))
    }
}

/// In which states a thing may be changed: those of which the client sent the tags (`If-Match`); `None`: in any.
pub(super) struct Expected(Option<Vec<String>>);

impl<S: Send + Sync> FromRequestParts<S> for Expected {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let headers = &parts.headers;
        Ok(Self(headers.contains_key(header::IF_MATCH).then(|| tags(headers, &header::IF_MATCH))))
    }
}

impl Expected {
    /// The revisions of which a thing that counts them must have one; `None`: any.
    pub(super) fn revisions(&self) -> Option<Vec<u64>> {
        let tags = self.0.as_ref().filter(|tags| tags.iter().all(|tag| tag != "*"))?;
        // Of no state are tags that are weak or were never given out.
        let revision = |tag: &String| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok();
        Some(tags.iter().filter_map(revision).collect())
    }

    /// Whether the client sent any.
    pub(super) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a thing may be changed that has this tag; `None`: there is none.
    pub(super) fn allows(&self, tag: Option<&str>) -> bool {
        let Some(tags) = &self.0 else { return true };
        tag.is_some_and(|tag| tags.iter().any(|expected| expected == "*" || expected == tag))
    }
}

/// The members of a header that lists tags.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|tag| tag.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Outer {
        #[expect(dead_code)]
        tool_calls: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code)]
        name: String,
    }

    fn problem(text: &str) -> serde_json::Value {
        read::<Object<Outer>>(text.as_bytes()).map(drop).unwrap_err().to_json()
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        for (text, status, field, said) in [
            (r#"{"toolCalls":[{"name":1}]}"#, 422, "toolCalls.0.name", "expected a string"),
            (r#"{"toolCalls":[{"nam":"a"}]}"#, 422, "toolCalls.0.nam", "unknown field `nam`"),
            (r#"{"toolCalls":[{}]}"#, 422, "toolCalls.0", "missing field `name`"),
            ("[]", 422, "body", "expected an object"),
        ] {
            let problem = problem(text);
            assert_eq!(problem["status"], status, "{problem}");
            assert_eq!(problem["field"], field, "{problem}");
            assert!(problem["detail"].as_str().unwrap().contains(said), "{problem}");
        }
        for text in ["", "{", "{} x", r#"{"toolCalls":[}"#, "\"\u{0}\""] {
            let problem = problem(text);
            assert_eq!(
                problem["code"],
                if text == "{} x" { "BAD_USER_INPUT" } else { "BAD_REQUEST" },
                "{text}: {problem}"
            );
        }
    }
}
