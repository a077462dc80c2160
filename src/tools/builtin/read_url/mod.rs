//! `read_url`: the text of a page whose host was allowed. It goes nowhere else, neither by a redirect nor
//! by a name that leads into a private network, and reads no more than its bound.

mod allow;
mod page;

use std::{error::Error, fmt::Display, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use reqwest::{
    Client, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_TYPE, LOCATION},
    redirect::Policy,
};
use serde_json::{Value, json};

pub(in crate::tools) use self::allow::AllowList;
use super::{ReadUrlConfig, Tool, ToolError, ToolErrorKind, ToolSpec, failed, spec, text};
use crate::model::Json;

/// Redirects that are followed.
const REDIRECTS: usize = 5;

/// Bytes of a URL at most.
const MAX_URL: usize = 2_000;

/// How long a connection may take. It is tried again by whoever wants to.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Reads the text of a page.
#[derive(Debug, Clone)]
pub struct ReadUrl {
    client: Client,
    allow: Arc<AllowList>,
    bytes: usize,
}

impl ReadUrl {
    /// A reader of the hosts that are allowed.
    ///
    /// # Errors
    /// When an entry is no host, or the machine has no certificates to trust.
    pub fn new(config: &ReadUrlConfig) -> Result<Self, ToolError> {
        let allow = Arc::new(AllowList::parse(&config.allow).map_err(failed)?);
        let client = Client::builder()
            .user_agent(concat!("dendro/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIME)
            .dns_resolver(Resolver(allow.clone()))
            .build()
            .map_err(|error| failed(format!("pages cannot be read: {}", with_causes(&error))))?;
        Ok(Self { client, allow, bytes: config.bytes })
    }

    async fn read(&self, url: &str) -> Result<Json, ToolError> {
        let mut url = Url::parse(url).map_err(|error| wrong(format!("`{url}` is no URL: {error}")))?;
        self.allow.check(&url).map_err(wrong)?;
        for _ in 0..=REDIRECTS {
            let asked = self.client.get(url.clone()).header(ACCEPT, "text/html, text/*, application/json");
            let response = asked.send().await.map_err(|error| unreached(&url, error))?;
            if !response.status().is_redirection() {
                return self.text_of(&url, response).await;
            }
            let next = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next = next.and_then(|location| url.join(location).ok()).ok_or_else(|| {
                failed(format!("{url} answered {} without saying where to", response.status()))
            })?;
            self.allow.check(&next).map_err(|fault| failed(format!("{url} leads to {next}: {fault}")))?;
            url = next;
        }
        Err(failed(format!("more than {REDIRECTS} redirects, the last to {url}")))
    }

    async fn text_of(&self, url: &Url, mut response: Response) -> Result<Json, ToolError> {
        if !response.status().is_success() {
            return Err(failed(format!("{url} answered {}", response.status())));
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind: Option<mime::Mime> = kind.and_then(|kind| kind.parse().ok());
        if let Some(kind) = &kind
            && !is_text(kind)
        {
            return Err(failed(format!("{url} is {}, not a text", kind.essence_str())));
        }
        let mut bytes = Vec::new();
        let mut is_cut = false;
        while let Some(piece) = response.chunk().await.map_err(|error| unreached(url, error))? {
            let room = self.bytes.saturating_sub(bytes.len());
            is_cut = piece.len() > room;
            bytes.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if is_cut {
                break;
            }
        }
        if kind.is_none() && bytes.contains(&0) {
            return Err(failed(format!("{url} is not a text")));
        }
        let raw = String::from_utf8_lossy(&bytes);
        let is_html = kind.as_ref().map_or_else(
            || raw.trim_start().starts_with('<'),
            |kind| kind.subtype() == mime::HTML || kind.essence_str() == "application/xhtml+xml",
        );
        let mut text = if is_html { page::text(&raw) } else { raw.into_owned() };
        if is_cut {
            let bytes = self.bytes;
            text = format!("{text}\n(the page goes on: its first {bytes} bytes were read)");
        }
        Ok(Json::string(&text))
    }
}

impl Tool for ReadUrl {
    fn spec(&self) -> ToolSpec {
        let parameters = json!({
            "type": "object",
            "properties": {
                "url": {
                    "type": "string",
                    "maxLength": MAX_URL,
                    "description": "The address, beginning with https:// or http://"
                }
            },
            "required": ["url"],
            "additionalProperties": false
        });
        let description =
            format!("Reads the text of a web page. These hosts can be read: {}.", self.allow.told());
        spec("read_url", &description, &parameters)
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        Box::pin(async move { self.read(text(&arguments, "url").unwrap_or_default()).await })
    }
}

/// Finds the addresses of a name, and leaves out those that must not be reached. It is asked for each
/// connection, so a name that leads elsewhere a moment later leads nowhere.
struct Resolver(Arc<AllowList>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let reached: Vec<_> = found.filter(|address| allow.may_reach(address.ip())).collect();
            if reached.is_empty() {
                let fault = format!("`{}` leads to a private address, which is not listed", name.as_str());
                return Err(fault.into());
            }
            Ok(Box::new(reached.into_iter()) as Addrs)
        })
    }
}

fn is_text(kind: &mime::Mime) -> bool {
    let is_known =
        ["json", "xml", "javascript", "yaml", "toml", "x-ndjson"].contains(&kind.subtype().as_str());
    let is_suffixed = kind.suffix().is_some_and(|suffix| ["json", "xml", "yaml"].contains(&suffix.as_str()));
    kind.type_() == mime::TEXT || (kind.type_() == mime::APPLICATION && (is_known || is_suffixed))
}

fn wrong(fault: impl Display) -> ToolError {
    ToolError::new(ToolErrorKind::InvalidArguments, format!("/url: {fault}"))
}

fn unreached(url: &Url, error: reqwest::Error) -> ToolError {
    failed(format!("{url} cannot be read: {}", with_causes(&error.without_url())))
}

/// An error with what caused it: the outer ones alone say only that something failed.
fn with_causes(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !told.ends_with(&said) {
            told = format!("{told}: {said}");
        }
        cause = inner.source();
    }
    told
}
