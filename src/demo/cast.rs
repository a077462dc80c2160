//! Who and what plays: the component versions behind the scripted runs, registered as an agent's
//! framework would register its own, with labels that point at them.

use serde_json::{Value, json};

use crate::{
    model::{
        Json,
        component::{ComponentRef, ComponentType, NewComponentVersion},
    },
    service::{ServiceResult, Services},
};

/// A component that a step uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The prompt of this name, in the version that the run uses.
    Prompt(&'static str),
    /// A tool.
    Tool(&'static str),
    /// The settings of the model.
    Model,
    /// What searches.
    Retriever,
}

/// Which version of the prompts a run uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Production,
    Staging,
}

impl Stage {
    /// The label that points at its versions.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
        }
    }
}

/// The registered versions.
#[derive(Debug)]
pub(super) struct Cast {
    prompts: Vec<(&'static str, [ComponentRef; 2])>,
    tools: Vec<(&'static str, ComponentRef)>,
    model: ComponentRef,
    retriever: ComponentRef,
}

/// The prompts: name, and the texts in use and on trial.
const PROMPTS: [(&str, [&str; 2]); 5] = [
    (
        "researcher",
        [
            "You research questions. Plan first. Cite every source. Say what is uncertain.",
            "You research questions. Plan first, in at most four steps. Cite every source with its date. Say what is uncertain and what would settle it.",
        ],
    ),
    (
        "fact-checker",
        [
            "You check claims against their sources, one by one.",
            "You check claims against their sources, one by one. Quote the passage that decides.",
        ],
    ),
    (
        "support",
        [
            "You help customers of a shop. Look before you promise. Never refund above 50 without a person.",
            "You help customers of a shop. Look before you promise. Offer what the rules allow at once. Never refund above 50 without a person.",
        ],
    ),
    (
        "coder",
        [
            "You mend code. Read first, change little, run the tests.",
            "You mend code. Read first, write a failing test, change little, run the tests.",
        ],
    ),
    (
        "reviewer",
        [
            "You review changes: is it right, is it simple, is it tested?",
            "You review changes. Name the worst problem first.",
        ],
    ),
];

/// The tools: name and what it does.
const TOOLS: [(&str, &str); 10] = [
    ("web_search", "Finds pages"),
    ("fetch_page", "Reads a page"),
    ("find_order", "Finds an order by its number"),
    ("track_parcel", "Says where a parcel is"),
    ("refund", "Gives money back"),
    ("read_file", "Reads a file"),
    ("search_code", "Finds text in files"),
    ("edit_file", "Changes a file"),
    ("run_tests", "Runs the tests"),
    ("open_pull_request", "Offers a change"),
];

impl Cast {
    /// Registers every version and points the labels at them. Doing it again changes nothing.
    pub(super) async fn register(services: &Services) -> ServiceResult<Self> {
        let mut prompts = Vec::new();
        for (name, texts) in PROMPTS {
            let id = format!("prompts/{name}");
            let mut versions = Vec::new();
            for (text, version) in texts.iter().zip(["v1", "v2"]) {
                let definition = json!({ "template": text, "scripted": true });
                versions.push(register(services, &id, ComponentType::Prompt, version, &definition).await?);
            }
            let Ok([production, staging]) = <[_; 2]>::try_from(versions) else { continue };
            label(services, &production, Stage::Production.name()).await?;
            label(services, &staging, Stage::Staging.name()).await?;
            prompts.push((name, [production, staging]));
        }
        let mut tools = Vec::new();
        for (name, description) in TOOLS {
            let definition = json!({ "name": name, "description": description, "scripted": true });
            let id = format!("tools/{name}");
            tools.push((name, register(services, &id, ComponentType::Tool, "v1", &definition).await?));
        }
        let settings = json!({ "temperature": 0.2, "maxTokens": 4096, "provider": "scripted" });
        let model = register(services, "models/default", ComponentType::ModelConfig, "v1", &settings).await?;
        let settings = json!({ "index": "library", "topK": 4, "rerank": true, "scripted": true });
        let retriever =
            register(services, "retrievers/library", ComponentType::Retriever, "v1", &settings).await?;
        Ok(Self { prompts, tools, model, retriever })
    }

    /// The version of a part that a run at this stage uses.
    pub(super) fn version(&self, part: Part, stage: Stage) -> Option<ComponentRef> {
        match part {
            Part::Prompt(name) => {
                let (_, [production, staging]) = self.prompts.iter().find(|(known, _)| *known == name)?;
                Some(if stage == Stage::Production { production.clone() } else { staging.clone() })
            }
            Part::Tool(name) => {
                self.tools.iter().find(|(known, _)| *known == name).map(|(_, version)| version.clone())
            }
            Part::Model => Some(self.model.clone()),
            Part::Retriever => Some(self.retriever.clone()),
        }
    }
}

async fn register(
    services: &Services,
    id: &str,
    component_type: ComponentType,
    name: &str,
    definition: &Value,
) -> ServiceResult<ComponentRef> {
    let new = NewComponentVersion {
        component_id: id.to_owned(),
        component_type,
        version_name: Some(name.to_owned()),
        definition: Json::from_value(definition).unwrap_or_default(),
        created_by: Some("dendro demo".to_owned()),
        description: None,
        tags: vec!["scripted".to_owned()],
        state: None,
    };
    let version = services.components.register(new).await?.version;
    Ok(ComponentRef { component_id: version.component_id, version_hash: version.version_hash })
}

async fn label(services: &Services, version: &ComponentRef, label: &str) -> ServiceResult<()> {
    services.components.set_label(&version.component_id, label, Some(version.version_hash)).await?;
    Ok(())
}
