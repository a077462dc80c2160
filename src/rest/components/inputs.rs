//! What clients register, label and look for.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    model::component::NewComponentVersion,
    rest::{
        scalar::{Document, Written},
        words,
    },
    service::components::ComponentFilter,
};

/// A version of a component.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct RegisterVersion {
    /// What the component is.
    component_type: words::ComponentType,
    /// The content: the version is named by its hash.
    definition: Document,
    /// What people call it.
    #[schema(example = "v12 shorter")]
    version_name: Option<String>,
    /// Who registers it.
    created_by: Option<String>,
    /// What changed, in words.
    description: Option<String>,
    /// Words to find it by.
    tags: Option<Vec<String>>,
    /// `DRAFT` or `ACTIVE`; `ACTIVE`, where nothing is said.
    state: Option<words::VersionState>,
}

impl RegisterVersion {
    pub(super) fn into_model(self, component_id: String) -> NewComponentVersion {
        NewComponentVersion {
            component_id,
            component_type: self.component_type.0,
            version_name: self.version_name,
            definition: self.definition.into(),
            created_by: self.created_by,
            description: self.description,
            tags: self.tags.unwrap_or_default(),
            state: self.state.map(|state| state.0),
        }
    }
}

/// Where a label points.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct PointLabel {
    /// The hash of the version that it is to point at.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    pub(super) version_hash: String,
}

/// Which components. All that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ListComponents {
    /// Of this type.
    r#type: Option<words::ComponentType>,
    /// With this text in the ID, whatever the case of its letters.
    id: Option<String>,
    /// With this label.
    label: Option<String>,
    /// Components of the page at most; 50 where nothing is said.
    #[param(value_type = Option<u32>)]
    pub(super) limit: Option<Written<u32>>,
    /// Go on behind this cursor: `next` of the page before.
    pub(super) after: Option<String>,
}

impl ListComponents {
    pub(super) fn filter(&self) -> ComponentFilter {
        ComponentFilter {
            component_type: self.r#type.map(|word| word.0),
            id_contains: self.id.clone(),
            label: self.label.clone(),
        }
    }
}
