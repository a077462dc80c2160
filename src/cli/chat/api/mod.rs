//! The server as the chat knows it: an API over HTTP, whether it runs here or elsewhere. What is asked stands in
//! `agents`, `conversations` and `runs`; this module must not know what any of it means.

mod agents;
mod conversations;
mod events;
mod output;
mod runs;

use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect::Policy};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};

pub(super) use self::{
    agents::{Agent, Provider},
    conversations::{Asked, Said},
    output::{Event, Follower, News, SpanChange},
    runs::{Skeleton, Totals},
};

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long a question may take to be answered: the server's own bound on a query is lower.
const ANSWER_TIME: Duration = Duration::from_mins(2);

/// How long a server may say nothing. A quiet event stream is kept alive more often than that.
const QUIET_TIME: Duration = Duration::from_mins(1);

/// Bytes of an answer, or of one event, at most.
const ANSWER_BYTES: usize = 32 << 20;

/// Why a server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// It was not reached, or broke off: it may be worth another attempt.
    #[error("the server at {url} cannot be reached: {why}")]
    Lost {
        /// Where it should be.
        url: Url,
        /// What happened.
        why: String,
    },
    /// It said no.
    #[error("{0}")]
    Refused(String),
    /// What it said cannot be understood.
    #[error("{url} does not answer as Dendro does: {why}")]
    Strange {
        /// Who answers.
        url: Url,
        /// What is wrong with it.
        why: String,
    },
}

impl ApiError {
    fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}

/// A server's API.
pub(super) struct Api {
    client: Client,
    server: Url,
}

/// An answer of GraphQL.
#[derive(Deserialize)]
struct Answer<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<Told>,
}

/// Something that is told in words: an error, a refusal.
#[derive(Deserialize)]
struct Told {
    message: String,
}

/// The payload of a mutation: what came of it, or why nothing did.
#[derive(Deserialize)]
struct Payload<T> {
    refusal: Option<Told>,
    #[serde(flatten)]
    outcome: T,
}

impl<T> Payload<T> {
    fn outcome(self) -> Result<T, ApiError> {
        match self.refusal {
            Some(refusal) => Err(ApiError::Refused(refusal.message)),
            None => Ok(self.outcome),
        }
    }
}

impl Api {
    /// The API of the server at an address, which is not asked yet.
    pub(super) fn new(server: Url) -> anyhow::Result<Self> {
        let client = Client::builder()
            .connect_timeout(CONNECT_TIME)
            .read_timeout(QUIET_TIME)
            .redirect(Policy::none())
            .user_agent(concat!("dendro/", env!("CARGO_PKG_VERSION")));
        // A proxy is no way to this machine itself.
        let is_here =
            server.host_str().is_some_and(|host| ["127.0.0.1", "localhost", "[::1]"].contains(&host));
        let client = if is_here { client.no_proxy() } else { client };
        let client = client.build().context("no connection can be made from here")?;
        Ok(Self { client, server })
    }

    /// Where something of the server is.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.server.clone();
        url.set_path(&format!("{}/{path}", self.server.path().trim_end_matches('/')));
        url
    }

    /// Asks for something, which stands in the answer under `field`.
    async fn ask<T: DeserializeOwned>(
        &self,
        field: &str,
        document: &str,
        variables: &Value,
    ) -> Result<T, ApiError> {
        let request = self.request("graphql", document, variables).timeout(ANSWER_TIME);
        let response = self.send(request, "application/json").await?;
        let bytes = self.read(response).await?;
        self.understood(&bytes, field)
    }

    /// Does something, which may be refused.
    async fn tell<T: DeserializeOwned>(
        &self,
        field: &str,
        document: &str,
        variables: &Value,
    ) -> Result<T, ApiError> {
        self.ask::<Payload<T>>(field, document, variables).await?.outcome()
    }

    fn request(&self, path: &str, document: &str, variables: &Value) -> RequestBuilder {
        let body = json!({ "query": document, "variables": variables }).to_string();
        self.client.post(self.at(path)).header("content-type", "application/json").body(body)
    }

    async fn send(&self, request: RequestBuilder, accept: &str) -> Result<Response, ApiError> {
        let response = request.header("accept", accept).send().await.map_err(|error| self.lost(&error))?;
        let status = response.status();
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::BAD_GATEWAY {
            return Err(ApiError::Lost { url: self.server.clone(), why: format!("it answers {status}") });
        }
        Ok(response)
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, ApiError> {
        let mut bytes = Vec::new();
        while let Some(more) = response.chunk().await.map_err(|error| self.lost(&error))? {
            if bytes.len() + more.len() > ANSWER_BYTES {
                return Err(self.strange(format!("an answer of more than {ANSWER_BYTES} bytes")));
            }
            bytes.extend_from_slice(&more);
        }
        Ok(bytes)
    }

    /// What an answer says of a field.
    fn understood<T: DeserializeOwned>(&self, bytes: &[u8], field: &str) -> Result<T, ApiError> {
        let answer: Answer<serde_json::Map<String, Value>> =
            serde_json::from_slice(bytes).map_err(|error| self.strange(error.to_string()))?;
        if let Some(error) = answer.errors.into_iter().next() {
            return Err(ApiError::Refused(error.message));
        }
        let value = answer.data.and_then(|mut data| data.remove(field)).unwrap_or_default();
        serde_json::from_value(value).map_err(|error| self.strange(error.to_string()))
    }

    fn lost(&self, error: &reqwest::Error) -> ApiError {
        // What broke off says only how its bytes ended.
        let is_told = error.is_connect() || error.is_timeout();
        let why = if is_told { cause(error) } else { "the connection broke off".to_owned() };
        ApiError::Lost { url: self.server.clone(), why }
    }

    fn strange(&self, why: String) -> ApiError {
        ApiError::Strange { url: self.server.clone(), why }
    }
}

/// What an error comes from in the end: what is said before it is only where it happened.
fn cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// A number that the API writes as its digits.
fn digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// A word of one of the model's enums.
fn word<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err = String>,
{
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// As [`word`], for each of a list.
fn words<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err = String>,
{
    let words = Vec::<String>::deserialize(deserializer)?.into_iter().map(|word| word.parse());
    words.collect::<Result<_, _>>().map_err(serde::de::Error::custom)
}
