//! Who sells a call, by the names that agents have for it.

use super::search::{Catalogue, Provider};

/// Names of providers that neither are an id nor match what the table says, or would match another's.
/// In lower case, with `-` for `_`.
const ALIASES: &[(&str, &str)] = &[
    // OpenTelemetry's `gcp.gemini`, `az.ai.openai`, `azure.ai.openai`, `aws.bedrock` by their first word.
    ("az", "azure"),
    ("gcp", "google"),
    // These have the name of another provider in them.
    ("azure-openai", "azure"),
    ("azureopenai", "azure"),
    ("azure-ai", "azure"),
    ("azure-anthropic", "azure"),
    ("bedrock-anthropic", "aws"),
    ("vertex-anthropic", "google"),
    ("google-vertex-anthropic", "google"),
    ("vertex", "google"),
    // How clients' libraries write them.
    ("claude", "anthropic"),
    ("fireworks-ai", "fireworks"),
    ("grok", "x-ai"),
    ("kimi", "moonshotai"),
    ("novita-ai", "novita"),
    ("perplexity-ai", "perplexity"),
    ("perplexityai", "perplexity"),
    ("pplx", "perplexity"),
    ("togetherai", "together"),
    ("z-ai", "zai"),
    ("zhipu", "zhipuai"),
];

/// Programs that run a model on one's own machine. Others' prices for the same model say nothing.
const OWN_MACHINE: &[&str] = &[
    "gpt4all",
    "llama-cpp",
    "llama-cpp-python",
    "llama.cpp",
    "llamacpp",
    "llamafile",
    "lm-studio",
    "lmstudio",
    "localai",
    "mlx",
    "ollama",
    "ollama-chat",
    "sglang",
    "text-generation-inference",
    "tgi",
    "vllm",
    "hosted-vllm",
];

/// Providers whose protocol others speak: a client's library names them whoever answers. They are the
/// seller only of the models that they have.
const IMITATED: &[&str] = &["anthropic", "openai"];

/// Who sells a call.
pub(super) enum Seller<'a> {
    Known(&'a Provider),
    OwnMachine,
    Unknown,
}

impl Catalogue {
    /// The seller of this name. Whole names go before their first word (`openai.chat`), and what is said
    /// exactly goes before what the table's patterns guess.
    pub(super) fn seller(&self, name: &str) -> Seller<'_> {
        let name = plain(name);
        let first_word = name.split('.').next().unwrap_or_default();
        for name in [name.as_str(), first_word] {
            if let Some(provider) = self.by_id(name) {
                return Seller::Known(provider);
            }
            if OWN_MACHINE.contains(&name) {
                return Seller::OwnMachine;
            }
        }
        let spelled = [name.replace('-', "_"), name];
        let goes_by = |provider: &&Provider| {
            provider.names.as_ref().is_some_and(|names| spelled.iter().any(|name| names.matches(name)))
        };
        self.providers.iter().find(goes_by).map_or(Seller::Unknown, Seller::Known)
    }

    fn by_id(&self, name: &str) -> Option<&Provider> {
        let with_id = |id: &str| self.providers.iter().find(|provider| *provider.plain_id == *id);
        let alias = || ALIASES.iter().find(|(alias, _)| *alias == name).and_then(|(_, id)| with_id(id));
        with_id(name).or_else(alias)
    }
}

impl Provider {
    /// Whether others speak its protocol.
    pub(super) fn is_imitated(&self) -> bool {
        IMITATED.contains(&&*self.plain_id)
    }
}

/// A provider's name in lower case, with `-` for `_`: agents write either.
pub(super) fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace('_', "-")
}
