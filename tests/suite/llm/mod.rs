//! Models: providers over real HTTP, the scripted model, and whose model a name means.

mod anthropic;
mod failures;
mod names;
mod openai;
mod other;
mod scripted;
mod secrets;

use std::{collections::BTreeMap, sync::Arc};

use dendro::model::secret::Secret;
use dendro::{
    llm::{
        Model, ModelAnswer, ModelError, ModelEvent, ModelRequest, ModelSettings, Models, ModelsConfig,
        ProviderConfig, ProviderKind, ToolDefinition,
    },
    model::{
        Json,
        chat::{ChatMessage, ChatPart},
        message::MessageRole,
    },
};
use futures_util::StreamExt;

use crate::support::providers::FakeProviders;

/// The key that no text may show.
const KEY: &str = "sk-never-to-be-shown";

/// What was heard of an answer.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    text: Vec<String>,
    thinking: Vec<String>,
    calls: Vec<ChatPart>,
    end: Option<ModelAnswer>,
}

impl Heard {
    fn answer(&self) -> &ModelAnswer {
        self.end.as_ref().unwrap()
    }
}

/// The settings with one provider, `test`, of this server.
fn config(server: &FakeProviders, kind: ProviderKind) -> ModelsConfig {
    let provider = ProviderConfig {
        kind: Some(kind),
        url: Some(server.url()),
        key: Some(Secret::new(KEY)),
        ..ProviderConfig::default()
    };
    ModelsConfig { providers: BTreeMap::from([("test".to_owned(), provider)]), ..ModelsConfig::default() }
}

/// The model of this server that speaks as `kind` does.
fn model(server: &FakeProviders, kind: ProviderKind) -> Arc<dyn Model> {
    Models::with_environment(&config(server, kind), |_| None).unwrap().resolve("test/asked-1").unwrap().0
}

fn said(role: MessageRole, parts: impl Into<Vec<ChatPart>>) -> ChatMessage {
    ChatMessage { role, name: None, parts: parts.into(), finish_reason: None }
}

fn user(text: &str) -> ChatMessage {
    said(MessageRole::User, [ChatPart::Text(text.to_owned())])
}

fn call(id: &str, name: &str, arguments: &str) -> ChatPart {
    let arguments = Json::parse(arguments).unwrap();
    ChatPart::ToolCall { id: Some(id.to_owned()), name: name.to_owned(), arguments }
}

fn result(id: Option<&str>, name: Option<&str>, result: &str) -> ChatMessage {
    let part = ChatPart::ToolResult {
        id: id.map(str::to_owned),
        name: name.map(str::to_owned),
        result: Json::string(result),
    };
    said(MessageRole::Tool, [part])
}

fn tool(name: &str) -> ToolDefinition {
    ToolDefinition {
        name: name.to_owned(),
        description: format!("Does {name}."),
        parameters: Json::parse(r#"{"type":"object","properties":{"x":{"type":"integer"}}}"#).unwrap(),
    }
}

fn request(messages: impl Into<Vec<ChatMessage>>) -> ModelRequest {
    ModelRequest {
        model: "asked-1".to_owned(),
        system: None,
        messages: messages.into(),
        tools: Vec::new(),
        settings: ModelSettings::default(),
    }
}

/// Asks and hears to the end.
async fn ask(model: &dyn Model, request: ModelRequest) -> Result<Heard, ModelError> {
    let (heard, error) = hear(model, request).await;
    error.map_or(Ok(heard), Err)
}

/// Asks, and tells what was heard before a failure too.
async fn hear(model: &dyn Model, request: ModelRequest) -> (Heard, Option<ModelError>) {
    let mut heard = Heard::default();
    let mut stream = match model.ask(request).await {
        Ok(stream) => stream,
        Err(error) => return (heard, Some(error)),
    };
    while let Some(event) = stream.next().await {
        assert!(heard.end.is_none(), "nothing follows the end");
        match event {
            Ok(ModelEvent::Text(text)) => heard.text.push(text),
            Ok(ModelEvent::Thinking(text)) => heard.thinking.push(text),
            Ok(ModelEvent::ToolCall(call)) => heard.calls.push(call),
            Ok(ModelEvent::End(answer)) => heard.end = Some(answer),
            Err(error) => {
                assert!(stream.next().await.is_none(), "nothing follows a failure");
                return (heard, Some(error));
            }
        }
    }
    assert!(heard.end.is_some(), "an answer has an end");
    (heard, None)
}
