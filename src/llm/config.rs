//! Which providers of models there are, how each is reached, and how long and how much of an answer is
//! waited for. This module reads no environment and asks nobody.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::secret::{HIDDEN, Secret};

/// The settings of models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelsConfig {
    /// Seconds that a connection to a provider may take to be made. Those that answer do so in a fraction
    /// of one; ten leave room for a lost packet or two.
    pub connect_seconds: u32,
    /// Seconds in which nothing of an answer may come, until it is given up. A model that reasons may be
    /// silent for minutes before its first word, so this is long: it is there for connections that died.
    pub idle_seconds: u32,
    /// Bytes of one answer at most, as they are sent: what a provider that never ends can make us keep. A
    /// text of 100,000 tokens comes as some 25 MB, because each token is sent with the same fields.
    pub answer_bytes: usize,
    /// Providers by the name before the `/` of a model's name. `openai`, `anthropic`, `gemini`, `ollama` and
    /// `scripted` are there without being named; one of these names changes what it sets, and no more.
    pub providers: BTreeMap<String, ProviderConfig>,
}

impl Default for ModelsConfig {
    fn default() -> Self {
        Self { connect_seconds: 10, idle_seconds: 300, answer_bytes: 32 << 20, providers: BTreeMap::new() }
    }
}

/// A provider of models.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderConfig {
    /// Which API it has. May be left out for the names that are there anyway.
    pub kind: Option<ProviderKind>,
    /// Where its API is, up to what is the same for all calls: `http://localhost:8000/v1`. Without one it is
    /// the provider's own.
    pub url: Option<String>,
    /// The environment variable that holds its key.
    pub key_env: Option<String>,
    /// Its key, which wins over `key_env`. It is never printed; a variable keeps it out of files too.
    pub key: Option<Secret>,
    /// The file of a scripted provider's scripts: see `docs/scripted-models.md`.
    pub script: Option<PathBuf>,
}

/// The APIs of providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// `OpenAI`'s chat completions, and whatever serves the same: vLLM, llama.cpp, LM Studio, `OpenRouter`.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Gemini's `generateContent`.
    Gemini,
    /// Ollama's own API.
    Ollama,
    /// No provider: answers that a file says.
    Scripted,
}

impl ProviderKind {
    /// Every kind.
    pub const ALL: &[Self] = &[Self::OpenAi, Self::Anthropic, Self::Gemini, Self::Ollama, Self::Scripted];

    /// The word in the configuration, which is also the name of the provider that is there without one.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
            Self::Scripted => "scripted",
        }
    }

    /// Where the provider's own API is; `None` where there is none to call.
    #[must_use]
    pub const fn own_url(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("https://api.openai.com/v1/"),
            Self::Anthropic => Some("https://api.anthropic.com/v1/"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta/"),
            Self::Ollama => Some("http://localhost:11434/"),
            Self::Scripted => None,
        }
    }

    /// The variable in which people keep the key of the provider's own API; `None` where it asks for none.
    #[must_use]
    pub const fn own_key_env(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("OPENAI_API_KEY"),
            Self::Anthropic => Some("ANTHROPIC_API_KEY"),
            Self::Gemini => Some("GEMINI_API_KEY"),
            Self::Ollama | Self::Scripted => None,
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.text() == name)
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl ModelsConfig {
    /// All providers, those included that are there without being named, with what is not set filled in.
    /// One without a kind is left out: see [`check`](Self::check).
    #[must_use]
    pub fn all_providers(&self) -> BTreeMap<String, (ProviderKind, ProviderConfig)> {
        let own = ProviderKind::ALL.iter().map(|kind| (kind.text().to_owned(), ProviderConfig::default()));
        let mut all: BTreeMap<_, _> = own.collect();
        all.extend(self.providers.clone());
        all.into_iter()
            .filter_map(|(name, mut provider)| {
                let own = ProviderKind::named(&name);
                let kind = provider.kind.or(own)?;
                if own == Some(kind) && provider.key_env.is_none() {
                    provider.key_env = kind.own_key_env().map(str::to_owned);
                }
                Some((name, (kind, provider)))
            })
            .collect()
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The key that is wrong, and in words what is wrong with it and what would be right.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let least = |key, value: usize, least: usize| {
            if value < least { Err((key, format!("{value} is too few; at least {least}"))) } else { Ok(()) }
        };
        least("models.connect_seconds", self.connect_seconds as usize, 1)?;
        least("models.idle_seconds", self.idle_seconds as usize, 1)?;
        least("models.answer_bytes", self.answer_bytes, 1 << 10)?;
        for (name, provider) in &self.providers {
            provider.check(name).map_err(|fault| ("models.providers", format!("`{name}`: {fault}")))?;
        }
        Ok(())
    }
}

impl ProviderConfig {
    fn check(&self, name: &str) -> Result<(), String> {
        if name.is_empty() || name.contains(['/', ' ']) {
            return Err("a name is what stands before the `/` of a model's name, without spaces".to_owned());
        }
        let Some(kind) = self.kind.or(ProviderKind::named(name)) else {
            let kinds: Vec<_> = ProviderKind::ALL.iter().map(|kind| kind.text()).collect();
            return Err(format!("`kind` must say which API it has: one of {}", kinds.join(", ")));
        };
        if let Some(url) = &self.url {
            let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
                return Err("`url` is not an address; one looks like http://localhost:8000/v1".to_owned());
            }
            if url.contains(['@', '?', '#']) {
                return Err("`url` is not a plain address; a key belongs into `key_env`".to_owned());
            }
        }
        if self.key.as_ref().is_some_and(|key| key.expose() == HIDDEN) {
            return Err(format!(
                "`key` is `{HIDDEN}`, which is printed in place of a key; write the key itself"
            ));
        }
        if self.key.as_ref().is_some_and(|key| key.expose().chars().any(char::is_control)) {
            return Err("`key` holds a character that no key has, such as the end of a line".to_owned());
        }
        match (kind, &self.script) {
            (ProviderKind::Scripted, None) if name != ProviderKind::Scripted.text() => {
                Err("`script` must name the file of its scripts".to_owned())
            }
            (ProviderKind::Scripted, _) | (_, None) => Ok(()),
            (_, Some(_)) => Err(format!("`script` is for providers of kind scripted; this is {kind}")),
        }
    }
}
