//! Models of providers, asked over HTTP through `genai`, always as a stream.
//!
//! A request goes through `request`, its answer through `answer`, and what goes wrong through `failure`.
//! Nothing is tried again here, and a key goes into headers only: no redirect is followed, and every text
//! of a failure is searched for it.

mod answer;
mod calls;
mod failure;
mod request;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use genai::{
    Client, Headers, ModelIden, ServiceTarget,
    adapter::AdapterKind,
    resolver::{AuthData, Endpoint},
};

use self::{
    answer::{Answering, Watch},
    failure::{Hidden, failure},
};
use super::{Model, ModelError, ModelErrorKind, ModelRequest, ModelStream, ModelsConfig, ProviderKind};
use crate::model::secret::Secret;

/// Makes the connections of all providers. It is built when the first call is made, because it reads the
/// machine's certificates, which whoever calls no provider may be without.
pub(super) struct Caller {
    client: OnceLock<Result<Client, String>>,
    connect: Duration,
    idle: Duration,
    answer_bytes: usize,
}

impl Caller {
    pub(super) fn new(config: &ModelsConfig) -> Self {
        Self {
            client: OnceLock::new(),
            connect: Duration::from_secs(config.connect_seconds.into()),
            idle: Duration::from_secs(config.idle_seconds.into()),
            answer_bytes: config.answer_bytes,
        }
    }

    fn client(&self) -> Result<&Client, ModelError> {
        let build = || {
            let web = reqwest::Client::builder()
                .connect_timeout(self.connect)
                // A redirect would take the headers with the key to another host.
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("dendro/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|error| failure::chain(&error))?;
            Client::builder().with_reqwest(web).build().map_err(|error| error.to_string())
        };
        self.client.get_or_init(build).as_ref().map_err(|error| {
            ModelError::new(
                ModelErrorKind::Unavailable,
                format!("no connection can be made from here: {error}"),
            )
        })
    }
}

/// A provider.
#[derive(Clone)]
pub(super) struct Provider {
    caller: Arc<Caller>,
    name: String,
    kind: ProviderKind,
    adapter: AdapterKind,
    /// Up to what is the same for all calls, ending with `/`.
    url: String,
    is_own_url: bool,
    key: Option<Secret>,
    key_env: Option<String>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// A provider of a kind that is called; `None` for one that is not. `key_env` is named where a key is
    /// missed.
    pub(super) fn new(
        caller: Arc<Caller>,
        name: &str,
        kind: ProviderKind,
        url: Option<&str>,
        (key, key_env): (Option<Secret>, Option<String>),
    ) -> Option<Self> {
        let adapter = match kind {
            ProviderKind::OpenAi => AdapterKind::OpenAI,
            ProviderKind::Anthropic => AdapterKind::Anthropic,
            ProviderKind::Gemini => AdapterKind::Gemini,
            ProviderKind::Ollama => AdapterKind::Ollama,
            ProviderKind::Scripted => return None,
        };
        let is_own_url = url.is_none();
        let url = format!("{}/", url.or(kind.own_url())?.trim_end_matches('/'));
        Some(Self { caller, name: name.to_owned(), kind, adapter, url, is_own_url, key, key_env })
    }

    /// Whether a call can only fail without a key.
    pub(super) fn needs_key(&self) -> bool {
        self.is_own_url && self.kind.own_key_env().is_some()
    }

    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn auth(&self) -> Result<AuthData, ModelError> {
        match &self.key {
            Some(key) => Ok(AuthData::from_single(key.expose())),
            None if self.needs_key() => {
                let name = &self.name;
                let variable = match &self.key_env {
                    Some(variable) => format!("set {variable}"),
                    None => format!("set models.providers.{name}.key_env to the variable that holds it"),
                };
                Err(ModelError::new(
                    ModelErrorKind::Unauthorized,
                    format!("there is no key for `{name}`: {variable}, or give models.providers.{name}.key"),
                ))
            }
            // A server that asks for no key is sent no header for one.
            None if self.kind == ProviderKind::OpenAi => Ok(AuthData::RequestOverride {
                url: format!("{}chat/completions", self.url),
                headers: Headers::default(),
            }),
            None => Ok(AuthData::from_single("")),
        }
    }

    async fn stream(&self, asked: ModelRequest) -> Result<ModelStream, ModelError> {
        let client = self.caller.client()?;
        let auth = self.auth()?;
        let hidden = Hidden::new(self.key.clone());
        // Of a name, `genai` takes what comes before `::` for a provider's.
        let name =
            if asked.model.contains("::") { format!("model::{}", asked.model) } else { asked.model.clone() };
        let target = ServiceTarget {
            endpoint: Endpoint::from_owned(self.url.as_str()),
            auth,
            model: ModelIden::new(self.adapter, name),
        };
        let watch = Arc::new(Watch::new(self.kind));
        let (request, mut options) = request::build(self.kind, self.is_own_url, asked)?;
        options = options
            .with_raw_frame_sink_arc(watch.clone())
            .with_stream_header_timeout(self.caller.idle)
            .with_stream_read_timeout(self.caller.idle);
        if let (ProviderKind::Ollama, Some(key)) = (self.kind, &self.key) {
            options = options.with_extra_headers(Headers::from((
                "authorization".to_owned(),
                format!("Bearer {}", key.expose()),
            )));
        }
        let response = client
            .exec_chat_stream(target, request, Some(&options))
            .await
            .map_err(|error| failure(error, &hidden))?;
        Answering::new(response.stream, watch, hidden, self.caller.answer_bytes).begin().await
    }
}

impl Model for Provider {
    fn ask(&self, request: ModelRequest) -> BoxFuture<'_, Result<ModelStream, ModelError>> {
        self.stream(request).boxed()
    }
}
