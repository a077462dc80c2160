//! How components and their versions are shown.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    model::component,
    rest::{
        scalar::{Document, Moment},
        words,
    },
};

/// A prompt, a tool, a model with its settings: something whose exact versions stand behind spans.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Component {
    /// The ID that its owner chose.
    #[schema(example = "prompts/planner")]
    component_id: String,
    /// What it is.
    component_type: words::ComponentType,
    /// When its first version was registered.
    created_at: Moment,
    /// When a version was last registered, or a label last moved.
    updated_at: Moment,
    /// How many versions it has.
    version_count: u64,
    /// The hash of the version registered last.
    newest_version_hash: String,
    /// Its labels, with the hashes of the versions that they point at.
    labels: BTreeMap<String, String>,
}

impl From<component::Component> for Component {
    fn from(row: component::Component) -> Self {
        Self {
            component_id: row.id,
            component_type: row.component_type.into(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version_count: row.version_count,
            newest_version_hash: row.newest.to_string(),
            labels: row.labels.into_iter().map(|(label, hash)| (label, hash.to_string())).collect(),
        }
    }
}

/// A version of a component, named by the hash of its content. Its content never changes; where it stands in its life
/// does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ComponentVersion {
    /// The component.
    component_id: String,
    /// The hash that names the version: BLAKE3 of the definition's canonical JSON (RFC 8785), in hexadecimal.
    version_hash: String,
    /// Counts the component's versions in the order they were registered, from 1.
    sequence: u64,
    /// What it is.
    component_type: words::ComponentType,
    /// What people call it.
    #[schema(example = "v12 shorter")]
    version_name: Option<String>,
    /// The content.
    definition: Document,
    /// When it was first registered.
    created_at: Moment,
    /// Who registered it.
    created_by: Option<String>,
    /// What changed, in words.
    description: Option<String>,
    /// Words to find it by.
    tags: Vec<String>,
    /// Where it stands in its life.
    state: words::VersionState,
}

impl From<component::ComponentVersion> for ComponentVersion {
    fn from(row: component::ComponentVersion) -> Self {
        Self {
            component_id: row.component_id,
            version_hash: row.version_hash.to_string(),
            sequence: row.sequence,
            component_type: row.component_type.into(),
            version_name: row.version_name,
            definition: row.definition.into(),
            created_at: row.created_at.into(),
            created_by: row.created_by,
            description: row.description,
            tags: row.tags,
            state: row.state.into(),
        }
    }
}
