//! Who may talk to this server from a browser: Host, Origin and CORS.
//!
//! - **Host.** A web page can make its own name point at 127.0.0.1 (DNS rebinding), and is then of the
//!   same origin as this server. So a server that is bound to loopback answers only requests that name
//!   it as a local machine is named, or as was configured.
//! - **Origin.** A request that names an origin must come from this server's own pages or from a
//!   configured origin. That holds for sockets as well, which browsers open across origins freely.
//! - **Sec-Fetch-Site.** Images, links and the like carry no origin; browsers say otherwise that they
//!   come from another site.
//! - **CORS.** Configured origins get the headers that let them read answers.
//!
//! Programs other than browsers send none of these headers but Host, and are not hindered.

use std::{collections::HashSet, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{
    error::{Code, Refusal},
    query::refusal_response,
};

/// The names by which a local machine goes.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Which hosts and origins are let in.
#[derive(Debug, Clone)]
pub struct Access {
    hosts: Option<Arc<HashSet<String>>>,
    origins: Arc<HashSet<String>>,
}

impl Access {
    /// For a server bound to loopback: local names, and `hosts` beside them, with any port.
    pub fn loopback(hosts: &[String], origins: &[String]) -> Self {
        let hosts = LOCAL.iter().map(|host| (*host).to_owned()).chain(hosts.iter().map(|host| lower(host)));
        Self { hosts: Some(Arc::new(hosts.collect())), ..Self::any_host(origins) }
    }

    /// For a server that is reached by names which it does not know.
    pub fn any_host(origins: &[String]) -> Self {
        let origins = origins.iter().map(|origin| lower(origin.trim_end_matches('/'))).collect();
        Self { hosts: None, origins: Arc::new(origins) }
    }

    /// The layer that answers preflight requests and lets configured origins read answers.
    pub(super) fn cors(&self) -> CorsLayer {
        let origins = Arc::clone(&self.origins);
        let allowed = move |origin: &HeaderValue, _: &_| {
            origin.to_str().is_ok_and(|origin| origins.contains(&lower(origin)))
        };
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(allowed))
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([
                header::ACCEPT,
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_MATCH,
                header::IF_NONE_MATCH,
                HeaderName::from_static("last-event-id"),
            ])
            .expose_headers([header::ETAG, header::LINK, header::LOCATION, header::RETRY_AFTER])
            .max_age(Duration::from_mins(10))
    }

    /// Refuses requests for other hosts and from other origins.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(lower);
        if let Some(hosts) = &self.hosts {
            let named = host.as_deref().map(without_port);
            if !named.is_some_and(|named| hosts.contains(named)) {
                let message = "This server does not go by the host that the request names; add it to the allowed hosts.";
                return Err(Refusal::new(Code::ForbiddenHost, message));
            }
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let origin = match (origins.next(), origins.next()) {
            (None, _) => return Ok(()),
            (Some(origin), None) => origin.to_str().map(lower).unwrap_or_default(),
            (Some(_), Some(_)) => String::new(),
        };
        if self.origins.contains(&origin) || host.is_some_and(|host| is_same(&origin, &host)) {
            return Ok(());
        }
        let message = "Pages of this origin may not use this server; add it to the allowed origins.";
        Err(Refusal::new(Code::ForbiddenOrigin, message))
    }
}

/// Refuses requests for other hosts and from other origins.
pub(super) async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    match access.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal_response(&refusal),
    }
}

/// Refuses what a browser says comes from another site without naming its origin.
pub(super) async fn check_site(request: Request, next: Next) -> Response {
    match check_origin_named(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal_response(&refusal),
    }
}

/// Refuses what a browser says comes from another site without naming its origin.
pub(super) fn check_origin_named(headers: &HeaderMap) -> Result<(), Refusal> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if matches!(site, Some(b"cross-site" | b"same-site")) && !headers.contains_key(header::ORIGIN) {
        let message = "Pages of other sites may not send requests without naming their origin.";
        return Err(Refusal::new(Code::ForbiddenOrigin, message));
    }
    Ok(())
}

fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether an origin is the host itself, the default port being written or not.
fn is_same(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let plain = |authority: &str| authority.strip_suffix(default).unwrap_or(authority).to_owned();
    plain(authority) == plain(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(access: &Access, host: &str, origin: Option<&str>) -> Result<(), Code> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        access.check(&headers).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_loopback_server_goes_by_local_names_only() {
        let access = Access::loopback(&["Dendro.local".to_owned()], &[]);
        for host in ["localhost", "LOCALHOST:4000", "127.0.0.1:4000", "[::1]:4000", "[::1]", "dendro.local:1"]
        {
            assert_eq!(judge(&access, host, None), Ok(()), "{host}");
        }
        for host in ["evil.example:4000", "localhost.evil.example", "127.0.0.1.evil.example", "", ":4000"] {
            assert_eq!(judge(&access, host, None), Err(Code::ForbiddenHost), "{host}");
        }
        assert!(access.check(&HeaderMap::new()).is_err());
        assert_eq!(judge(&Access::any_host(&[]), "evil.example", None), Ok(()));
    }

    #[test]
    fn only_own_and_configured_origins_are_let_in() {
        let access = Access::any_host(&["https://App.example/".to_owned()]);
        let judge = |host, origin| judge(&access, host, Some(origin));
        for (host, origin) in [
            ("localhost:4000", "http://localhost:4000"),
            ("dendro.example", "https://dendro.example:443"),
            ("dendro.example:80", "http://dendro.example"),
            ("dendro.example", "https://app.example"),
        ] {
            assert_eq!(judge(host, origin), Ok(()), "{origin}");
        }
        for (host, origin) in [
            ("localhost:4000", "http://localhost:5173"),
            ("localhost:4000", "http://127.0.0.1:4000"),
            ("localhost:4000", "null"),
            ("localhost:4000", ""),
            ("dendro.example", "https://app.example.evil.example"),
            ("dendro.example", "https://dendro.example:8443"),
            ("dendro.example", "file://dendro.example"),
        ] {
            assert_eq!(judge(host, origin), Err(Code::ForbiddenOrigin), "{origin}");
        }
    }
}
