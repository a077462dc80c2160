//! Which media type a client sends and which it wants, by the GraphQL-over-HTTP rules. It knows
//! headers and nothing of what they are about.

use axum::http::{HeaderMap, header};
use mime::Mime;

use super::error::{Code, Refusal};

/// The media types of a single response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: a request that was refused has an error status.
    Graphql,
    /// `application/json`, for older clients: a fault of the document answers 200.
    Json,
}

impl Media {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Graphql => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// The media type that the client likes best; without any wish, the one that every client reads.
pub(super) fn response_media(headers: &HeaderMap) -> Result<Media, Refusal> {
    if !headers.contains_key(header::ACCEPT) {
        return Ok(Media::Json);
    }
    best(headers, |name| match name {
        "application/graphql-response+json" => Some(Media::Graphql),
        "application/json" | "application/*" | "*/*" => Some(Media::Json),
        _ => None,
    })
    .ok_or_else(|| {
        Refusal::new(
            Code::NotAcceptable,
            "Responses are application/graphql-response+json or application/json, in UTF-8.",
        )
    })
}

/// Refuses a client that does not take an event stream.
pub(super) fn check_accepts_events(headers: &HeaderMap) -> Result<(), Refusal> {
    let wanted = |name: &str| matches!(name, "text/event-stream" | "text/*" | "*/*").then_some(());
    if !headers.contains_key(header::ACCEPT) || best(headers, wanted).is_some() {
        return Ok(());
    }
    Err(Refusal::new(Code::NotAcceptable, "Responses are text/event-stream, in UTF-8."))
}

/// Refuses a client that does not take JSON.
pub(super) fn check_accepts_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let wanted = |name: &str| matches!(name, "application/json" | "application/*" | "*/*").then_some(());
    if !headers.contains_key(header::ACCEPT) || best(headers, wanted).is_some() {
        return Ok(());
    }
    Err(Refusal::new(Code::NotAcceptable, "Responses are application/json, in UTF-8."))
}

/// Whether the client asks for a web page, as a browser's address bar does.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    best(headers, |name| (name == "text/html").then_some(())).is_some()
}

/// Refuses a body that is not JSON. The types that a web page may send anywhere without asking
/// (`text/plain` and those of forms) are among the refused, and so no page can send one here.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let only = match (given.next(), given.next()) {
        (Some(only), None) => only.to_str().ok().and_then(|text| text.parse::<Mime>().ok()),
        _ => None,
    };
    match only {
        Some(mime) if mime.essence_str() == "application/json" && is_utf8(&mime) => Ok(()),
        _ => Err(Refusal::new(
            Code::UnsupportedMediaType,
            "The content type of a request must be application/json, in UTF-8.",
        )),
    }
}

/// What the type stands for that the `Accept` header likes best among those that `known` has.
fn best<T>(headers: &HeaderMap, known: impl Fn(&str) -> Option<T>) -> Option<T> {
    let given = headers.get_all(header::ACCEPT).iter();
    let mut best = None;
    for part in given.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
        let Ok(mime) = part.trim().parse::<Mime>() else { continue };
        let Some(found) = known(mime.essence_str()).filter(|_| is_utf8(&mime)) else { continue };
        let quality = mime.get_param("q").map_or(Ok(1.0), |q| q.as_str().parse::<f32>()).unwrap_or(0.0);
        if quality > best.as_ref().map_or(0.0, |(quality, _)| *quality) {
            best = Some((quality, found));
        }
    }
    best.map(|(_, found)| found)
}

fn is_utf8(mime: &Mime) -> bool {
    mime.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    fn accepts(value: &str) -> Option<Media> {
        response_media(&headers(header::ACCEPT, value)).ok()
    }

    #[test]
    fn the_liked_best_is_taken() {
        assert_eq!(response_media(&HeaderMap::new()).unwrap(), Media::Json);
        assert_eq!(accepts("*/*"), Some(Media::Json));
        assert_eq!(
            accepts("application/graphql-response+json, application/json;q=0.9"),
            Some(Media::Graphql)
        );
        assert_eq!(accepts("application/json;q=0.9,application/graphql-response+json"), Some(Media::Graphql));
        assert_eq!(accepts("application/json, application/graphql-response+json"), Some(Media::Json));
        assert_eq!(accepts("application/graphql-response+json; charset=utf-8"), Some(Media::Graphql));
        for none in ["text/html", "application/json; charset=iso-8859-1", "application/json;q=0", ""] {
            assert_eq!(accepts(none), None, "{none}");
        }
    }

    #[test]
    fn only_json_is_read() {
        for good in ["application/json", "application/json; charset=UTF-8", "Application/JSON"] {
            assert!(check_content_type(&headers(header::CONTENT_TYPE, good)).is_ok(), "{good}");
        }
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "application/jsonp",
            "",
        ] {
            assert!(check_content_type(&headers(header::CONTENT_TYPE, bad)).is_err(), "{bad}");
        }
        assert!(check_content_type(&HeaderMap::new()).is_err());
        let mut two = headers(header::CONTENT_TYPE, "application/json");
        two.append(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert!(check_content_type(&two).is_err());
    }
}
