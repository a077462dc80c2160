//! What failures of a call mean, in our kinds and words.

use std::{error::Error, time::Duration};

use chrono::DateTime;
use genai::webc::{self, StreamTimeout};
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use crate::{
    llm::{ModelError, ModelErrorKind},
    model::secret::Secret,
    model::text::shortened,
};

/// Bytes of what a provider says that are told on.
const TOLD_BYTES: usize = 500;

/// What no text may show.
#[derive(Debug, Clone)]
pub(super) struct Hidden(Option<Secret>);

impl Hidden {
    pub(super) const fn new(key: Option<Secret>) -> Self {
        Self(key)
    }

    /// The text without the key, in one line that is not too long. Some servers repeat the key that they
    /// do not take.
    fn told(&self, text: &str) -> String {
        let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(key) = self.0.as_ref().map(Secret::expose).filter(|key| !key.is_empty()) {
            text = text.replace(key, "***");
        }
        shortened(&text, TOLD_BYTES)
    }

    pub(super) fn error(&self, kind: ModelErrorKind, message: &str) -> ModelError {
        ModelError::new(kind, self.told(message))
    }
}

/// What an error of `genai` means.
pub(super) fn failure(error: genai::Error, hidden: &Hidden) -> ModelError {
    use genai::Error as E;
    match error {
        E::HttpError { status, body, headers, .. } => refused(status, &body, &headers, hidden),
        E::WebStream { error, .. } => boxed(error, hidden),
        E::WebModelCall { webc_error, .. } | E::WebAdapterCall { webc_error, .. } => web(webc_error, hidden),
        E::ChatResponse { body, .. } => said(&body, hidden),
        E::StreamParse { serde_error, .. } => hidden
            .error(ModelErrorKind::Malformed, &format!("a piece of the answer is no JSON: {serde_error}")),
        error @ (E::SerdeJson(_)
        | E::JsonValueExt(_)
        | E::InvalidJsonResponseElement { .. }
        | E::NoChatResponse { .. }
        | E::ChatResponseGeneration { .. }) => hidden.error(ModelErrorKind::Malformed, &error.to_string()),
        E::RequiresApiKey { .. } | E::NoAuthData { .. } | E::NoAuthResolver { .. } => {
            hidden.error(ModelErrorKind::Unauthorized, "there is no key for the provider")
        }
        error => hidden.error(ModelErrorKind::Refused, &error.to_string()),
    }
}

fn boxed(error: genai::BoxError, hidden: &Hidden) -> ModelError {
    let error = match error.downcast::<genai::Error>() {
        Ok(error) => return failure(*error, hidden),
        Err(error) => error,
    };
    let error = match error.downcast::<webc::Error>() {
        Ok(error) => return web(*error, hidden),
        Err(error) => error,
    };
    let error = match error.downcast::<reqwest::Error>() {
        Ok(error) => return transport(*error, hidden),
        Err(error) => error,
    };
    if error.is::<StreamTimeout>() {
        return hidden.error(ModelErrorKind::TimedOut, "nothing came from the provider for too long");
    }
    if error.is::<std::string::FromUtf8Error>() {
        return hidden.error(ModelErrorKind::Malformed, "the answer is no text in UTF-8");
    }
    hidden.error(ModelErrorKind::Unavailable, &error.to_string())
}

fn web(error: webc::Error, hidden: &Hidden) -> ModelError {
    match error {
        webc::Error::ResponseFailedStatus { status, body, headers } => {
            refused(status, &body, &headers, hidden)
        }
        webc::Error::Reqwest(error) => transport(error, hidden),
        error => hidden.error(ModelErrorKind::Malformed, &error.to_string()),
    }
}

/// The connection could not be made, or broke.
fn transport(error: reqwest::Error, hidden: &Hidden) -> ModelError {
    // An address may hold what is secret.
    let error = error.without_url();
    let why = chain(&error);
    let (kind, what) = if error.is_connect() {
        (ModelErrorKind::Unavailable, "the provider cannot be reached")
    } else if error.is_timeout() {
        (ModelErrorKind::TimedOut, "nothing came from the provider for too long")
    } else if error.is_body() || error.is_decode() {
        (ModelErrorKind::CutOff, "the connection broke in the middle of the answer")
    } else if error.is_builder() {
        (ModelErrorKind::Refused, "the request cannot be sent")
    } else {
        (ModelErrorKind::Unavailable, "the connection to the provider broke")
    };
    hidden.error(kind, &format!("{what}: {why}"))
}

/// An error and what caused it, in one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The provider answered with a status that is no success.
fn refused(status: StatusCode, body: &str, headers: &HeaderMap, hidden: &Hidden) -> ModelError {
    let body = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body));
    let said = Said::read(&body);
    let kind = match status.as_u16() {
        401 | 403 => ModelErrorKind::Unauthorized,
        // What is paid for is used up: that does not pass by itself.
        429 if said.names("insufficient_quota") => ModelErrorKind::Refused,
        429 => ModelErrorKind::RateLimited,
        408 => ModelErrorKind::Unavailable,
        300..500 => ModelErrorKind::Refused,
        _ => ModelErrorKind::Unavailable,
    };
    let mut error = hidden.error(kind, &format!("status {}: {}", status.as_u16(), said.message));
    error.retry_after = retry_after(headers);
    error
}

/// The provider says in its stream that it failed.
fn said(body: &Value, hidden: &Hidden) -> ModelError {
    let said = Said::read(body);
    let code = said.words.iter().find_map(|word| word.parse::<u16>().ok());
    let one_of = |names: &[&str]| names.iter().any(|name| said.names(name));
    let kind = if one_of(&["rate_limit"]) || code == Some(429) {
        ModelErrorKind::RateLimited
    } else if one_of(&["authentication", "permission"]) || matches!(code, Some(401 | 403)) {
        ModelErrorKind::Unauthorized
    } else if one_of(&["invalid_request", "not_found", "too_large", "insufficient_quota", "billing"])
        || code.is_some_and(|code| (400..500).contains(&code) && code != 408)
    {
        ModelErrorKind::Refused
    } else {
        ModelErrorKind::Unavailable
    };
    hidden.error(kind, &format!("the provider failed while it answered: {}", said.message))
}

/// What a body of an error says, in the forms that providers give it.
struct Said {
    message: String,
    /// Its types, codes and states.
    words: Vec<String>,
}

impl Said {
    fn read(body: &Value) -> Self {
        let inner = body.get("error").filter(|error| !error.is_null()).unwrap_or(body);
        let message = [inner.get("message"), Some(inner)]
            .into_iter()
            .flatten()
            .find_map(|message| message.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned));
        let words = ["type", "code", "status"].iter().filter_map(|name| match inner.get(name)? {
            Value::String(word) => Some(word.to_lowercase()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        let message = message.unwrap_or_else(|| match inner {
            Value::Null => "it says no more".to_owned(),
            Value::String(_) => "it says nothing".to_owned(),
            other => other.to_string(),
        });
        Self { message, words: words.collect() }
    }

    fn names(&self, word: &str) -> bool {
        self.words.iter().any(|own| own.contains(word))
    }
}

/// How long the provider asks to wait: in milliseconds, in seconds, or until a date, which is seen from the
/// date of the answer, so that no clock is needed.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    if let Some(milliseconds) = number("retry-after-ms") {
        return Duration::try_from_secs_f64(milliseconds / 1e3).ok();
    }
    if let Some(seconds) = number("retry-after") {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = |name: &str| DateTime::parse_from_rfc2822(text(name)?).ok();
    (date("retry-after")? - date("date")?).to_std().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn headers(entries: &[(&'static str, &str)]) -> HeaderMap {
        entries.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_wait_is_read_in_every_form() {
        let wait = |entries: &[_]| retry_after(&headers(entries)).map(|wait| wait.as_millis());
        assert_eq!(wait(&[("retry-after", "2")]), Some(2000));
        assert_eq!(wait(&[("retry-after-ms", "250"), ("retry-after", "2")]), Some(250));
        let date = ("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT");
        assert_eq!(wait(&[date, ("date", "Wed, 21 Oct 2015 07:28:00 GMT")]), Some(30_000));
        assert_eq!(wait(&[date, ("date", "Wed, 21 Oct 2015 07:29:00 GMT")]), None);
        assert_eq!(wait(&[date]), None);
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn a_status_has_a_kind() {
        let hidden = Hidden::new(Some(Secret::new("sk-secret")));
        let error = |status: u16, body: &str| {
            refused(StatusCode::from_u16(status).unwrap(), body, &HeaderMap::new(), &hidden)
        };
        for (status, kind) in [
            (302, ModelErrorKind::Refused),
            (400, ModelErrorKind::Refused),
            (401, ModelErrorKind::Unauthorized),
            (403, ModelErrorKind::Unauthorized),
            (404, ModelErrorKind::Refused),
            (429, ModelErrorKind::RateLimited),
            (500, ModelErrorKind::Unavailable),
            (529, ModelErrorKind::Unavailable),
        ] {
            assert_eq!(error(status, "").kind, kind, "{status}");
        }
        let quota =
            error(429, r#"{"error": {"message": "no  more\nfor sk-secret", "code": "insufficient_quota"}}"#);
        assert_eq!(quota.kind, ModelErrorKind::Refused);
        assert_eq!(quota.message, "status 429: no more for ***");
    }

    #[test]
    fn what_is_said_in_a_stream_has_a_kind() {
        let kind = |body| said(&body, &Hidden::new(None)).kind;
        let anthropic = |word: &str| json!({"type": "error", "error": {"type": word, "message": "m"}});
        assert_eq!(kind(anthropic("overloaded_error")), ModelErrorKind::Unavailable);
        assert_eq!(kind(anthropic("rate_limit_error")), ModelErrorKind::RateLimited);
        assert_eq!(kind(anthropic("authentication_error")), ModelErrorKind::Unauthorized);
        assert_eq!(kind(anthropic("invalid_request_error")), ModelErrorKind::Refused);
        assert_eq!(kind(json!({"message": "m", "code": 429})), ModelErrorKind::RateLimited);
        assert_eq!(kind(json!("down")), ModelErrorKind::Unavailable);
    }
}
