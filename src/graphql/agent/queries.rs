//! The roots that tell which models agents may ask, and which tools they may call.

use async_graphql::{Context, ID, Object, SimpleObject};

use crate::{
    graphql::{error::Result, ids, request, scalar::Document},
    service::agents::{ListedTool, ProviderInfo, ToolSource, ToolSpec},
};

/// Models and tools.
#[derive(Default)]
pub(in crate::graphql) struct AgentQuery;

/// See [`AgentQuery`].
#[Object]
impl AgentQuery {
    /// The tools that agents of this server may call, by their names.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn tools(&self, ctx: &Context<'_>) -> Result<Vec<Tool>> {
        let tools = request::of(ctx)?.services.agents.tools().list();
        Ok(tools.into_iter().map(Tool::from).collect())
    }

    /// The providers of models that agents of this server may ask, by their names. A model is named by its provider
    /// and its own name: `openai/gpt-4o-mini`.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn model_providers(&self, ctx: &Context<'_>) -> Result<Vec<ModelProvider>> {
        let providers = request::of(ctx)?.services.agents.models().providers();
        Ok(providers.into_iter().map(ModelProvider::of).collect())
    }
}

/// A tool that agents of this server may call.
#[derive(SimpleObject)]
pub(super) struct Tool {
    /// Tells tools apart in client caches.
    id: ID,
    /// The name by which it is asked for.
    name: String,
    /// What it does, for a model to read.
    description: String,
    /// The JSON Schema of its arguments.
    parameters: Document,
    /// The MCP server that it comes from; null where it is built in.
    mcp_server: Option<String>,
    /// Whether it may be called.
    enabled: bool,
}

/// A provider of models.
#[derive(SimpleObject)]
struct ModelProvider {
    /// Tells providers apart in client caches.
    id: ID,
    /// The name before the `/` of a model's name.
    name: String,
    /// Where its API is; null where nothing is called.
    url: Option<String>,
    /// Whether it can be asked: it has its key, or needs none.
    usable: bool,
    /// Its models, where they are known: those of scripts.
    models: Vec<String>,
}

impl ModelProvider {
    fn of(provider: ProviderInfo) -> Self {
        let ProviderInfo { name, kind: _, url, has_key, needs_key, models } = provider;
        let id = ids::of_content(&format!("model provider {name}"));
        Self { id, name, url, usable: has_key || !needs_key, models }
    }
}

impl From<ListedTool> for Tool {
    fn from(ListedTool { spec, enabled }: ListedTool) -> Self {
        let ToolSpec { name, description, parameters, source } = spec;
        let mcp_server = match source {
            ToolSource::BuiltIn => None,
            ToolSource::Mcp(server) => Some(server),
        };
        let id = ids::of_content(&format!("tool {name}"));
        Self { id, name, description, parameters: Document(parameters), mcp_server, enabled }
    }
}
