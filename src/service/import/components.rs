//! The component versions behind a transcript: its system prompt and the tools that were offered.

use super::transcript::Transcript;
use crate::model::{
    Json, Refusal,
    component::{ComponentRef, ComponentType, VersionHash},
    message::MessageRole,
};

/// The component whose versions are the system prompts of imported conversations.
const PROMPT: &str = "imported/system-prompt";

/// What the components of imported tools begin with.
const TOOLS: &str = "imported/tools/";

/// Tools that an agent's span names at most: heads are small.
const MAX_TOOLS: usize = 64;

/// A version to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedVersion {
    /// Which version of which component.
    pub reference: ComponentRef,
    /// What the component is.
    pub component_type: ComponentType,
    /// The content.
    pub definition: Json,
}

/// The versions behind a transcript.
#[derive(Debug, Default)]
pub(super) struct Versions {
    prompt: Option<ImportedVersion>,
    /// By the name of the tool.
    tools: Vec<(String, ImportedVersion)>,
}

impl Versions {
    pub(super) fn of(transcript: &Transcript) -> Result<Self, Refusal> {
        let prompt = system_prompt(transcript).map(|text| {
            let definition = Json::from_value(&serde_json::json!({ "content": text }));
            version(PROMPT.to_owned(), ComponentType::Prompt, definition.unwrap_or_default())
        });
        let tools = transcript.tools.iter().map(|tool| {
            Ok((
                tool.name.clone(),
                version(tool_id(&tool.name), ComponentType::Tool, tool.definition.clone())?,
            ))
        });
        Ok(Self { prompt: prompt.transpose()?, tools: tools.collect::<Result<_, Refusal>>()? })
    }

    /// All of them, to be registered.
    pub(super) fn all(&self) -> impl Iterator<Item = &ImportedVersion> {
        self.prompt.iter().chain(self.tools.iter().map(|(_, version)| version))
    }

    /// What an agent is made of.
    pub(super) fn of_agent(&self) -> Vec<ComponentRef> {
        self.all().take(MAX_TOOLS).map(|version| version.reference.clone()).collect()
    }

    /// What a model call works with.
    pub(super) fn of_model_call(&self) -> Vec<ComponentRef> {
        self.prompt.iter().map(|version| version.reference.clone()).collect()
    }

    /// What a call of a tool runs.
    pub(super) fn of_tool(&self, name: &str) -> Vec<ComponentRef> {
        let tool = self.tools.iter().find(|(known, _)| known == name);
        tool.map(|(_, version)| version.reference.clone()).into_iter().collect()
    }
}

/// The component of a tool.
pub(super) fn tool_id(name: &str) -> String {
    format!("{TOOLS}{name}")
}

/// The instructions that a transcript begins with.
pub(super) fn system_prompt(transcript: &Transcript) -> Option<&str> {
    let first = transcript.messages.first().filter(|entry| entry.role == MessageRole::System)?;
    first.content.as_deref()
}

fn version(
    component_id: String,
    component_type: ComponentType,
    definition: Json,
) -> Result<ImportedVersion, Refusal> {
    let version_hash = VersionHash::of(&definition)?;
    Ok(ImportedVersion { reference: ComponentRef { component_id, version_hash }, component_type, definition })
}
