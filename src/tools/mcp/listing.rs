//! The tools of a server, and a call of one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use futures_util::future::BoxFuture;
use rmcp::{
    Peer, RoleClient,
    model::{CallToolRequestParams, ErrorCode, PaginatedRequestParams, Tool as McpTool},
    service::ServiceError,
    transport::streamable_http_client::StreamableHttpError,
};
use serde_json::Value;

use super::{
    super::{Tool, ToolError, ToolErrorKind, ToolSource, ToolSpec, names::of_server, registry::Entry},
    Taken,
    connect::FAULT_BYTES,
    content,
    keeper::{Line, Listed, Server},
};
use crate::model::{Json, text::shortened};

/// Tools of one server at most, and pages in which it may list them. A model that is offered more chooses
/// badly among them.
const TOOLS: usize = 128;
const PAGES: usize = 64;

/// Bytes of a description and of a schema at most: each call of a model carries them.
const DESCRIPTION_BYTES: usize = 4 << 10;
const SCHEMA_BYTES: usize = 64 << 10;

/// Lists a server's tools. One that cannot be offered is left out and logged.
///
/// # Errors
/// Why they cannot be listed.
pub(super) async fn list(server: &Arc<Server>, peer: &Peer<RoleClient>) -> Result<Listed, String> {
    let mut tools = BTreeMap::new();
    let mut taken = Taken::new();
    let mut cursor = None;
    for _ in 0..PAGES {
        let params = PaginatedRequestParams::default().with_cursor(cursor.take());
        let page = peer.list_tools(Some(params)).await;
        let page = page.map_err(|error| shortened(&error.to_string(), FAULT_BYTES))?;
        for tool in page.tools {
            if tools.len() == TOOLS {
                tracing::warn!(
                    server = server.name(),
                    "it has more than {TOOLS} tools; the rest is left out"
                );
                return Ok(Arc::new(tools));
            }
            match offered(server, &tool, &taken).await {
                Ok(entry) => {
                    let name = entry.spec().name.clone();
                    taken.insert(name.clone());
                    tools.insert(name, Arc::new(entry));
                }
                Err(fault) => {
                    let name = shortened(&tool.name, 100);
                    tracing::warn!(server = server.name(), tool = name, "a tool is left out: {fault}");
                }
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(Arc::new(tools))
}

async fn offered(server: &Arc<Server>, tool: &McpTool, taken: &Taken) -> Result<Entry, String> {
    let schema = serde_json::to_string(&tool.input_schema).map_err(|error| error.to_string())?;
    if schema.len() > SCHEMA_BYTES {
        return Err(format!("its schema has more than {SCHEMA_BYTES} bytes"));
    }
    let parameters = Json::parse(&schema).map_err(|error| error.to_string())?;
    let spec = ToolSpec {
        name: of_server(server.name(), &tool.name, taken),
        description: shortened(tool.description.as_deref().unwrap_or_default(), DESCRIPTION_BYTES),
        parameters,
        source: ToolSource::Mcp(server.name().to_owned()),
    };
    let entry = Entry::new(Arc::new(Offered {
        spec,
        name: tool.name.clone().into_owned(),
        server: Arc::downgrade(server),
    }));
    entry.prepare().await?;
    Ok(entry)
}

/// A tool of a server. It does not keep the server, which would then never end.
struct Offered {
    spec: ToolSpec,
    /// As the server calls it.
    name: String,
    server: Weak<Server>,
}

impl Tool for Offered {
    fn spec(&self) -> ToolSpec {
        self.spec.clone()
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        Box::pin(async move {
            let Some(server) = self.server.upgrade() else {
                let message = format!("`{}` is gone with its MCP server", self.spec.name);
                return Err(ToolError::new(ToolErrorKind::Unavailable, message));
            };
            let mut params = CallToolRequestParams::new(self.name.clone());
            if let Value::Object(arguments) = arguments {
                params = params.with_arguments(arguments);
            }
            // Dropping it tells the server that nobody waits any more.
            let line = server.line()?;
            match line.peer.call_tool(params).await {
                Ok(result) => content::outcome(&self.spec.name, result),
                Err(error) => Err(self.failure(&server, &line, &error)),
            }
        })
    }
}

impl Offered {
    fn failure(&self, server: &Server, line: &Line, error: &ServiceError) -> ToolError {
        let failed = |kind, fault: &str| {
            let message = format!("`{}` failed: {}", self.spec.name, shortened(fault, FAULT_BYTES));
            ToolError::new(kind, message)
        };
        match error {
            ServiceError::McpError(error) if error.code == ErrorCode::INVALID_PARAMS => {
                failed(ToolErrorKind::InvalidArguments, &error.message)
            }
            ServiceError::McpError(error) => failed(ToolErrorKind::Failed, &error.message),
            ServiceError::TransportSend(error) if is_too_large(error.error.as_ref()) => {
                failed(ToolErrorKind::Failed, "its answer is too large")
            }
            ServiceError::TransportSend(_) | ServiceError::TransportClosed => {
                line.lost.notify_one();
                server.gone()
            }
            other => failed(ToolErrorKind::Failed, &other.to_string()),
        }
    }
}

fn is_too_large(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(
        error.downcast_ref::<StreamableHttpError<reqwest::Error>>(),
        Some(StreamableHttpError::ResponseBodyTooLarge { .. })
    )
}
