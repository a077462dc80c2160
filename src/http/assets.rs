//! The pages, from inside the binary: GraphiQL, and the one about REST, with the files they load and nothing of any
//! other host.
//!
//! Knows the web build's files and HTTP's caching and encodings. Must not know GraphQL, nor REST.
//!
//! The web build leaves each large file as a `.gz` and a `.br` only, so a release binary carries no
//! plain copies and never compresses. A debug binary reads the same files from disk.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Read as _;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

/// Scripts, workers, fonts and requests are ours or nobody's. Styles may be inline because the
/// editor sets them on its elements; images may be `data:` because its icons are.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
    style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page names its files by their content, so they never change and it is always asked again.
const ALWAYS_ASK: HeaderValue = HeaderValue::from_static("no-cache");
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Dendro</title>\
    <p>This binary was built without its web pages. Build them with <code>make web</code> (it needs \
    Node 20), then build the binary again. The API works as it is, at <code>/graphql</code> and \
    <code>/api/v1</code>.";

/// What `npm run build` made. The folder is there in a fresh checkout, and empty.
#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Built;

/// The pages: where each is, and the folder that the web build makes of it.
const PAGES: [(&str, &str); 2] = [("/graphiql", "graphiql"), ("/api/v1/docs", "docs")];

/// The routes of the pages and of all below them.
pub fn router() -> Router {
    let add = |router: Router, (at, folder): (&str, &'static str)| {
        let page = move |headers: HeaderMap| async move { page(folder, &headers) };
        let file =
            move |Path(path): Path<String>, headers: HeaderMap| async move { file(folder, &path, &headers) };
        router
            .route(at, get(page))
            .route(&format!("{at}/"), get(page))
            .route(&format!("{at}/{{*path}}"), get(file))
    };
    PAGES.into_iter().fold(Router::new(), add).route_layer(map_response(protect))
}

fn page(folder: &str, headers: &HeaderMap) -> Response {
    match find(&format!("{folder}/index.html"), headers) {
        Some(asset) => asset.answer(headers, ALWAYS_ASK),
        None => {
            (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/html; charset=utf-8")], NOT_BUILT).into_response()
        }
    }
}

fn file(folder: &str, path: &str, headers: &HeaderMap) -> Response {
    // A page's files lie below its own folder.
    if path.split('/').any(|part| part == "..") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let caching = if path.starts_with("assets/") { FOR_GOOD } else { ALWAYS_ASK };
    match find(&format!("{folder}/{path}"), headers) {
        Some(asset) => asset.answer(headers, caching),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn protect(mut response: Response) -> Response {
    let fixed: [(HeaderName, &'static str); 3] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// One file in the form that suits the client.
struct Asset {
    content_type: &'static str,
    encoding: Option<&'static str>,
    tag: String,
    data: Cow<'static, [u8]>,
}

/// The smallest form that the client takes; the plain one where it takes no other.
fn find(path: &str, headers: &HeaderMap) -> Option<Asset> {
    let content_type = content_type(path);
    for (ending, encoding) in [("br", "br"), ("gz", "gzip")] {
        if !accepts(headers, encoding) {
            continue;
        }
        if let Some(file) = Built::get(&format!("{path}.{ending}")) {
            return Some(Asset {
                content_type,
                encoding: Some(encoding),
                tag: tag(&file, ""),
                data: file.data,
            });
        }
    }
    let plain = |data, tag| Asset { content_type, encoding: None, tag, data };
    if let Some(file) = Built::get(path) {
        let tag = tag(&file, "");
        return Some(plain(file.data, tag));
    }
    let packed = Built::get(&format!("{path}.gz"))?;
    Some(plain(inflate(&packed.data)?, tag(&packed, "-plain")))
}

impl Asset {
    fn answer(self, request: &HeaderMap, caching: HeaderValue) -> Response {
        let tag = HeaderValue::from_str(&self.tag);
        let mut response = if is_current(request, &self.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            self.whole()
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, caching);
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = tag {
            headers.insert(ETAG, tag);
        }
        response
    }

    fn whole(self) -> Response {
        let mut response = Response::new(match self.data {
            Cow::Borrowed(data) => Body::from(data),
            Cow::Owned(data) => Body::from(data),
        });
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(encoding) = self.encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

/// Only what the web build makes; anything else is not shown by a browser, but stored.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("md" | "txt") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("ttf") => "font/ttf",
        _ => "application/octet-stream",
    }
}

/// Half of the content's SHA-256 is more than enough to tell two builds apart.
fn tag(file: &EmbeddedFile, form: &str) -> String {
    let mut tag = String::from("\"");
    for byte in file.metadata.sha256_hash().iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push_str(form);
    tag.push('"');
    tag
}

fn is_current(request: &HeaderMap, tag: &str) -> bool {
    values(request, &IF_NONE_MATCH).any(|known| {
        let known = known.strip_prefix("W/").unwrap_or(known);
        known == tag || known == "*"
    })
}

fn accepts(request: &HeaderMap, encoding: &str) -> bool {
    values(request, &ACCEPT_ENCODING).any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding)) && !parts.any(is_refusal)
    })
}

/// `q=0` in any of its spellings: "this one not".
fn is_refusal(parameter: &str) -> bool {
    let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    weight.and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
}

/// The members of a comma-separated header, over all its lines.
fn values<'a>(request: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    request
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

fn inflate(packed: &[u8]) -> Option<Cow<'static, [u8]>> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut plain).ok()?;
    Some(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn an_encoding_is_taken_when_offered_and_not_refused() {
        let offers = request(ACCEPT_ENCODING, "deflate, GZIP;q=0.5, br;q=0.0");
        assert!(accepts(&offers, "gzip"));
        assert!(!accepts(&offers, "br"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    #[test]
    fn a_known_tag_is_current_in_a_list_and_when_weak() {
        let known = request(IF_NONE_MATCH, "\"other\", W/\"this\"");
        assert!(is_current(&known, "\"this\""));
        assert!(!is_current(&known, "\"that\""));
        assert!(is_current(&request(IF_NONE_MATCH, "*"), "\"any\""));
    }

    #[test]
    fn the_policy_names_no_host() {
        assert!(!POLICY.contains("//"));
        assert!(!POLICY.contains("http"));
        assert!(POLICY.starts_with("default-src 'none'"));
    }
}
