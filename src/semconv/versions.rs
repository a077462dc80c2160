//! The component versions behind a span, as far as it shows them: prompts, tools, settings, agents.
//!
//! A source is cheap to find and says what it would be made of; the version is made only where nobody
//! has made it before: see [`VersionSource::key`].

use serde_json::{Map, Value as JsonValue};

use super::{Attributes, Field, WireSpan, lookup::Fields, messages, settings, view};
use crate::model::{
    Json,
    chat::ChatMessage,
    component::ComponentType,
    message::MessageRole,
    span::{OperationType, SpanEvent},
};

/// A version of a component, to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The component.
    pub component_id: String,
    /// What it is.
    pub component_type: ComponentType,
    /// What its owner calls the version.
    pub version_name: Option<String>,
    /// The content.
    pub definition: Json,
}

/// Where versions can be read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionSource {
    component_type: ComponentType,
    /// Of one component: its name.
    name: String,
    version_name: Option<String>,
    /// What they are made of.
    material: String,
}

impl VersionSource {
    /// Tells sources apart: two with the same key give the same versions.
    #[must_use]
    pub fn key(&self) -> u128 {
        let mut hasher = blake3::Hasher::new();
        for part in [self.component_type.text(), &self.name, self.version_name.as_deref().unwrap_or_default()]
        {
            hasher.update(part.as_bytes()).update(&[0]);
        }
        let hash = hasher.update(self.material.as_bytes()).finalize();
        hash.as_bytes().first_chunk().copied().map_or(0, u128::from_be_bytes)
    }

    /// The versions.
    #[must_use]
    pub fn versions(&self) -> Vec<Version> {
        let version = |name: &str, definition: Json| Version {
            component_id: self.id_of(name),
            component_type: self.component_type,
            version_name: self.version_name.clone(),
            definition,
        };
        if self.component_type != ComponentType::Tool {
            return Json::parse(&self.material)
                .ok()
                .map(|json| version(&self.name, json))
                .into_iter()
                .collect();
        }
        let tools = serde_json::from_str(&self.material).map(view::tool_definitions).unwrap_or_default();
        let tool =
            |tool: view::ToolDefinition| Json::from_value(&tool).ok().map(|json| version(&tool.name, json));
        tools.into_iter().filter_map(tool).collect()
    }

    fn id_of(&self, name: &str) -> String {
        id_of(self.component_type, name)
    }
}

/// The sources of versions that a span shows. `given`: what a call of a model was given, read already.
pub(super) fn of(
    operation: OperationType,
    fields: &Fields<'_>,
    span: &WireSpan<'_>,
    given: Option<&[ChatMessage]>,
) -> Vec<VersionSource> {
    let sources = match operation {
        OperationType::LlmCall => [prompt(fields, span, given), model(fields), tools(fields)],
        OperationType::Embedding => [model(fields), None, None],
        OperationType::Agent => [agent(fields), template(fields, span), tools(fields)],
        _ => [template(fields, span), None, None],
    };
    sources.into_iter().flatten().collect()
}

/// The prompt that an event shows which comes apart from its span: the instructions that it carries.
#[must_use]
pub fn of_event(event: &SpanEvent, owner: Option<&str>) -> Option<VersionSource> {
    let attributes = Attributes::default();
    let fields = Fields::find(&attributes);
    let name = owner.unwrap_or(UNNAMED).to_owned();
    let given = messages::input(&fields, std::slice::from_ref(event), false);
    Some(prompt_of(name, &fields, &instructions(&given)?.into()))
}

/// What a prompt is called where nobody says more.
const UNNAMED: &str = "system";

fn source(component_type: ComponentType, name: String, material: &JsonValue) -> VersionSource {
    VersionSource { component_type, name, version_name: None, material: material.to_string() }
}

/// The prompt: its template where that was sent, else the instructions as the model got them.
fn prompt(fields: &Fields<'_>, span: &WireSpan<'_>, given: Option<&[ChatMessage]>) -> Option<VersionSource> {
    let whole = || {
        let name = prompt_name(fields, span)?;
        // Flattened messages may be a part of what was given: then it was not read of them.
        let given = given.filter(|_| !fields.is_list(Field::InputMessages));
        let instructions = match given {
            Some(given) => instructions(given)?,
            None => instructions(&messages::input(fields, span.events, false))?,
        };
        Some(prompt_of(name, fields, &instructions.into()))
    };
    template(fields, span).or_else(whole)
}

fn template(fields: &Fields<'_>, span: &WireSpan<'_>) -> Option<VersionSource> {
    let template = fields.said(Field::PromptTemplate)?;
    Some(prompt_of(prompt_name(fields, span)?, fields, &template))
}

/// What a prompt is called: its own name, else that of the agent or, where nobody says more, of the
/// service. `None`: its versions are not kept any more.
fn prompt_name(fields: &Fields<'_>, span: &WireSpan<'_>) -> Option<String> {
    let named = fields.text(Field::PromptName).or_else(|| fields.text(Field::AgentName));
    let name = named.or_else(|| span.service.map(str::to_owned)).unwrap_or_else(|| UNNAMED.to_owned());
    (span.wanted)(&id_of(ComponentType::Prompt, &name)).then_some(name)
}

fn prompt_of(name: String, fields: &Fields<'_>, content: &JsonValue) -> VersionSource {
    let mut source = source(ComponentType::Prompt, name, content);
    source.version_name = fields.text(Field::PromptVersion);
    source
}

/// The id of a component.
fn id_of(component_type: ComponentType, name: &str) -> String {
    let kind = match component_type {
        ComponentType::Prompt => "prompts",
        ComponentType::Tool => "tools",
        ComponentType::ModelConfig => "models",
        _ => "agents",
    };
    format!("{kind}/{name}")
}

/// The text of the system's instructions.
fn instructions(given: &[ChatMessage]) -> Option<String> {
    let system = given.iter().take_while(|message| message.role == MessageRole::System);
    let texts: Vec<_> = system.filter_map(ChatMessage::text).collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// The model that was asked for, with its settings.
fn model(fields: &Fields<'_>) -> Option<VersionSource> {
    let name = settings::request_model(fields).or_else(|| fields.text(Field::Model))?;
    let mut definition = Map::new();
    definition.insert("model".to_owned(), name.clone().into());
    definition.extend(fields.text(Field::Provider).map(|provider| ("provider".to_owned(), provider.into())));
    let settings = settings::of(fields);
    if !settings.is_empty() {
        definition.insert("settings".to_owned(), JsonValue::Object(settings));
    }
    Some(source(ComponentType::ModelConfig, name, &JsonValue::Object(definition)))
}

/// The tools that the model could call.
fn tools(fields: &Fields<'_>) -> Option<VersionSource> {
    let name = String::new();
    Some(source(ComponentType::Tool, name, &fields.parsed(Field::ToolDefinitions)?))
}

/// The agent: what is said of it beside its name.
fn agent(fields: &Fields<'_>) -> Option<VersionSource> {
    let name = fields.text(Field::AgentName)?;
    let mut definition = Map::new();
    for (key, field) in [("version", Field::AgentVersion), ("description", Field::AgentDescription)] {
        definition.extend(fields.text(field).map(|text| (key.to_owned(), text.into())));
    }
    let system = fields.said(Field::SystemInstructions);
    definition.extend(system.map(|system| ("instructions".to_owned(), system)));
    definition.extend(fields.parsed(Field::ToolDefinitions).map(|tools| ("tools".to_owned(), tools)));
    if definition.is_empty() {
        return None;
    }
    definition.insert("name".to_owned(), name.clone().into());
    let mut source = source(ComponentType::Agent, name, &JsonValue::Object(definition));
    source.version_name = fields.text(Field::AgentVersion);
    Some(source)
}
