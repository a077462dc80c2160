//! Component versions: the exact prompts, tools and settings behind a span, named by their content.

mod register;

use std::fmt;

use bincode::{Decode, Encode};

pub use self::register::NewComponentVersion;
use super::{Json, Refusal, Timestamp, refusal::Entity, words::words};

words! {
    /// What a component is.
    ComponentType {
        /// A prompt or a template of one.
        Prompt = 1 "PROMPT",
        /// The definition of a tool.
        Tool = 2 "TOOL",
        /// A model with its settings.
        ModelConfig = 3 "MODEL_CONFIG",
        /// An agent: its instructions, tools and settings.
        Agent = 4 "AGENT",
        /// A retriever or an index.
        Retriever = 5 "RETRIEVER",
        /// A rule or rubric that judges.
        Evaluator = 6 "EVALUATOR",
        /// A guardrail.
        Guardrail = 7 "GUARDRAIL",
        /// Anything else.
        Other = 8 "OTHER",
    }
}

words! {
    /// Where a version stands in its life.
    VersionState {
        /// Being worked on.
        Draft = 1 "DRAFT",
        /// In use.
        Active = 2 "ACTIVE",
        /// Still works, not to be chosen anew.
        Deprecated = 3 "DEPRECATED",
        /// Not to be used; kept for the traces that did.
        Retired = 4 "RETIRED",
    }
}

impl VersionState {
    /// The states that a version in this state can move to.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Active => &[Self::Deprecated, Self::Retired],
            Self::Draft | Self::Deprecated => &[Self::Active, Self::Retired],
            Self::Retired => &[],
        }
    }
}

/// The BLAKE3 hash of a definition's canonical JSON (RFC 8785).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct VersionHash([u8; 32]);

impl VersionHash {
    /// The hash of a definition: the same for the same content, however it was written down.
    pub fn of(definition: &Json) -> Result<Self, Refusal> {
        let value: serde_json::Value =
            definition.read().map_err(|error| Refusal::invalid("definition", error.to_string()))?;
        let canonical = serde_json_canonicalizer::to_vec(&value)
            .map_err(|error| Refusal::invalid("definition", error.to_string()))?;
        Ok(Self(blake3::hash(&canonical).into()))
    }

    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash written as 64 hexadecimal digits.
    pub fn parse(field: &str, text: &str) -> Result<Self, Refusal> {
        blake3::Hash::from_hex(text)
            .map(|hash| Self(hash.into()))
            .map_err(|_| Refusal::invalid(field, "a version hash has 64 hexadecimal digits"))
    }
}

impl fmt::Display for VersionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for VersionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A version of a component, as a span names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct ComponentRef {
    /// The component.
    pub component_id: String,
    /// The version.
    pub version_hash: VersionHash,
}

/// A component: what its versions have in common.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Component {
    /// The id that its owner chose: `prompts/planner`.
    pub id: String,
    /// What it is.
    pub component_type: ComponentType,
    /// When its first version was registered.
    pub created_at: Timestamp,
    /// When a version was last registered, or a label last moved.
    pub updated_at: Timestamp,
    /// How many versions it has.
    pub version_count: u64,
    /// The version registered last.
    pub newest: VersionHash,
    /// Its labels with the versions that they point at, by name.
    pub labels: Vec<(String, VersionHash)>,
}

impl Component {
    /// The version that a label points at.
    #[must_use]
    pub fn labelled(&self, label: &str) -> Option<VersionHash> {
        self.labels.iter().find(|(name, _)| name == label).map(|(_, hash)| *hash)
    }

    /// Makes a label point at a version, or at none. Answers whether that changed anything.
    pub fn set_label(&mut self, label: &str, version: Option<VersionHash>) -> bool {
        if self.labelled(label) == version {
            return false;
        }
        self.labels.retain(|(name, _)| name != label);
        self.labels.extend(version.map(|hash| (label.to_owned(), hash)));
        self.labels.sort_unstable();
        true
    }

    /// The labels that point at a version.
    pub fn labels_of(&self, version: VersionHash) -> impl Iterator<Item = &str> {
        self.labels.iter().filter(move |(_, hash)| *hash == version).map(|(name, _)| name.as_str())
    }
}

/// An immutable version of a component.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ComponentVersion {
    /// The component.
    pub component_id: String,
    /// The hash of its definition.
    pub version_hash: VersionHash,
    /// Counts the component's versions in the order they were registered, from 1.
    pub sequence: u64,
    /// What it is.
    pub component_type: ComponentType,
    /// What people call it: `v12 shorter`.
    pub version_name: Option<String>,
    /// The content.
    pub definition: Json,
    /// When it was first registered.
    pub created_at: Timestamp,
    /// Who registered it.
    pub created_by: Option<String>,
    /// What changed, in words.
    pub description: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Where it stands in its life.
    pub state: VersionState,
}

impl ComponentVersion {
    /// Moves the version to a state, if it can go there from where it stands.
    pub fn move_to(&mut self, state: VersionState) -> Result<(), Refusal> {
        if self.state == state {
            return Ok(());
        }
        let legal = self.state.next();
        if !legal.contains(&state) {
            return Err(Refusal::IllegalTransition {
                entity: Entity::ComponentVersion,
                state: self.state.to_string(),
                action: format!("become {state}"),
                legal: legal.iter().map(|next| format!("become {next}")).collect(),
            });
        }
        self.state = state;
        Ok(())
    }
}

/// Which version of a component.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VersionSelector {
    /// The one with this hash, whatever its state.
    Hash(VersionHash),
    /// The one that this label points at.
    Label(String),
    /// The one registered last that is not retired.
    Newest,
}

/// Something that happened to a version of a component, beside its registration.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ComponentEvent {
    /// When.
    pub at: Timestamp,
    /// The version that it happened to.
    pub version_hash: VersionHash,
    /// What happened.
    pub change: ComponentChange,
}

/// What happened to a version of a component.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ComponentChange {
    /// A label came to point at it.
    LabelSet {
        /// The label.
        label: String,
        /// The version that it pointed at before.
        before: Option<VersionHash>,
    },
    /// A label that pointed at it was removed.
    LabelRemoved {
        /// The label.
        label: String,
    },
    /// It moved to another state of its life.
    StateChanged {
        /// The state before.
        before: VersionState,
        /// The state now.
        now: VersionState,
    },
}
