//! Finds the model that a name means.

use std::{collections::BTreeMap, env, fmt, sync::Arc};

use super::{
    Model, ModelError, ModelErrorKind, ModelsConfig, ProviderConfig, ProviderKind, ScriptError, Scripted,
    provider::{Caller, Provider},
};
use crate::model::secret::Secret;

/// The models of all providers.
#[derive(Clone, Default)]
pub struct Models {
    providers: BTreeMap<String, Entry>,
}

#[derive(Clone)]
struct Entry {
    info: ProviderInfo,
    model: Arc<dyn Model>,
    /// The scripts of a scripted provider: its models are known.
    scripts: Option<Arc<Scripted>>,
}

/// A provider, without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderInfo {
    /// The name before the `/` of a model's name.
    pub name: String,
    /// Which API it has; `None` for one that was added by a program.
    pub kind: Option<ProviderKind>,
    /// Where its API is; `None` where nothing is called.
    pub url: Option<String>,
    /// Whether there is a key.
    pub has_key: bool,
    /// Whether a call can only fail without a key.
    pub needs_key: bool,
    /// Its models, where they are known: the names of scripts.
    pub models: Vec<String>,
}

/// A model's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedName {
    /// The provider's name.
    pub provider: String,
    /// The model's name at its provider.
    pub model: String,
}

impl fmt::Display for ResolvedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.providers.values().map(|entry| &entry.info)).finish()
    }
}

/// Whose model a name means that names no provider: what such names begin with.
const FAMILIES: &[(&str, ProviderKind)] = &[
    ("claude-", ProviderKind::Anthropic),
    ("gpt-", ProviderKind::OpenAi),
    ("chatgpt-", ProviderKind::OpenAi),
    ("o1", ProviderKind::OpenAi),
    ("o3", ProviderKind::OpenAi),
    ("o4", ProviderKind::OpenAi),
    ("gemini-", ProviderKind::Gemini),
];

impl Models {
    /// Whether there is a provider of this name.
    #[must_use]
    pub fn knows(&self, provider: &str) -> bool {
        self.providers.contains_key(provider)
    }

    /// The models of a configuration, with keys from the environment. Nothing is called yet.
    ///
    /// # Errors
    /// A file of scripts that cannot be read or is wrong.
    pub fn new(config: &ModelsConfig) -> Result<Self, ScriptError> {
        Self::with_environment(config, |name| env::var(name).ok())
    }

    /// As [`new`](Self::new), with keys from `variable`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_environment(
        config: &ModelsConfig,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ScriptError> {
        let caller = Arc::new(Caller::new(config));
        let mut models = Self { providers: BTreeMap::new() };
        for (name, (kind, provider)) in config.all_providers() {
            let ProviderConfig { url, key_env, key, script, .. } = provider;
            let from_variable = || key_env.as_deref().and_then(&variable).map(|key| Secret::new(key.trim()));
            let key = key
                .map(|key| Secret::new(key.expose().trim()))
                .or_else(from_variable)
                .filter(|key| !key.expose().is_empty());
            let provider = Provider::new(caller.clone(), &name, kind, url.as_deref(), (key, key_env));
            let entry = if let Some(provider) = provider {
                Entry::called(&name, kind, provider)
            } else {
                let scripts = script.as_deref().map(Scripted::read).transpose()?.unwrap_or_default();
                let is_own = name == ProviderKind::Scripted.text();
                Entry::scripted(&name, if is_own { scripts.and_bundled()? } else { scripts })
            };
            models.providers.insert(name, entry);
        }
        Ok(models)
    }

    /// The same models and one provider more, which answers for all of its models. It wins over one that
    /// has its name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, model: Arc<dyn Model>) -> Self {
        let name = name.into();
        let info = ProviderInfo {
            name: name.clone(),
            kind: None,
            url: None,
            has_key: false,
            needs_key: false,
            models: Vec::new(),
        };
        self.providers.insert(name, Entry { info, model, scripts: None });
        self
    }

    /// The same models and these scripts, as models of the provider `scripted`. A script wins over one that
    /// has its name.
    #[must_use]
    pub fn with_scripts(mut self, scripts: Scripted) -> Self {
        let name = ProviderKind::Scripted.text();
        let known = self.providers.get(name).and_then(|entry| entry.scripts.as_deref());
        let scripts = match known {
            Some(known) => scripts.and(known),
            None => scripts,
        };
        self.providers.insert(name.to_owned(), Entry::scripted(name, scripts));
        self
    }

    /// All providers, by name.
    #[must_use]
    pub fn providers(&self) -> Vec<ProviderInfo> {
        self.providers.values().map(|entry| entry.info.clone()).collect()
    }

    /// The model that `name` means, and what to call it in a request. A name is written
    /// `provider/model`; without a provider, the well-known families of names tell it: `claude-…`,
    /// `gpt-…`, `o3…`, `gemini-…`.
    ///
    /// # Errors
    /// `UnknownModel` where no provider or no script has the name. Whether a provider has the model shows
    /// when it is asked.
    pub fn resolve(&self, name: &str) -> Result<(Arc<dyn Model>, ResolvedName), ModelError> {
        let name = name.trim();
        let (provider, model) = match name.split_once('/') {
            Some((provider, model)) => (provider, model),
            None => (Self::family(name).ok_or_else(|| self.unwritten(name))?.text(), name),
        };
        if model.is_empty() {
            return Err(self.unwritten(name));
        }
        let Some(entry) = self.providers.get(provider) else {
            return Err(unknown(format!(
                "no provider is called `{provider}`; there are {}. A model's name is written provider/model, \
                 such as openai/gpt-4o-mini",
                self.names()
            )));
        };
        if let Some(scripts) = &entry.scripts {
            scripts.knows(model)?;
        }
        let resolved = ResolvedName { provider: provider.to_owned(), model: model.to_owned() };
        Ok((entry.model.clone(), resolved))
    }

    fn family(name: &str) -> Option<ProviderKind> {
        FAMILIES.iter().find(|(begin, _)| name.starts_with(begin)).map(|(_, kind)| *kind)
    }

    fn unwritten(&self, name: &str) -> ModelError {
        unknown(format!(
            "`{name}` does not say whose model it is: a name is written provider/model, such as \
             openai/gpt-4o-mini; the providers are {}",
            self.names()
        ))
    }

    fn names(&self) -> String {
        self.providers.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl Entry {
    fn called(name: &str, kind: ProviderKind, provider: Provider) -> Self {
        let info = ProviderInfo {
            name: name.to_owned(),
            kind: Some(kind),
            url: Some(provider.url().to_owned()),
            has_key: provider.has_key(),
            needs_key: provider.needs_key(),
            models: Vec::new(),
        };
        Self { info, model: Arc::new(provider), scripts: None }
    }

    fn scripted(name: &str, scripts: Scripted) -> Self {
        let info = ProviderInfo {
            name: name.to_owned(),
            kind: Some(ProviderKind::Scripted),
            url: None,
            has_key: false,
            needs_key: false,
            models: scripts.names().map(str::to_owned).collect(),
        };
        let scripts = Arc::new(scripts);
        Self { info, model: scripts.clone(), scripts: Some(scripts) }
    }
}

fn unknown(message: String) -> ModelError {
    ModelError::new(ModelErrorKind::UnknownModel, message)
}
