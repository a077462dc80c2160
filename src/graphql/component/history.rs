//! What happened to a component's labels and versions.

use async_graphql::{Context, Enum, ID, Object};

use super::ComponentVersion;
use crate::{
    graphql::{error::Result, ids, page::Listed, scalar::DateTime},
    model::component::{ComponentChange, ComponentEvent as Row, ComponentRef, VersionHash, VersionState},
};

/// Something that happened to a version.
pub(super) struct ComponentEvent {
    pub(super) component_id: String,
    pub(super) row: Row,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum ComponentEventKind {
    /// A label came to point at the version.
    LabelSet,
    /// A label that pointed at the version was removed.
    LabelRemoved,
    /// The version moved to another state of its life.
    StateChanged,
}

impl ComponentEvent {
    fn of(&self, version_hash: VersionHash) -> ComponentRef {
        ComponentRef { component_id: self.component_id.clone(), version_hash }
    }
}

impl Listed for ComponentEvent {
    const CONNECTION: &'static str = "ComponentEventConnection";
    const EDGE: &'static str = "ComponentEventEdge";
}

/// Something that happened to a version of a component, beside its registration.
#[Object]
impl ComponentEvent {
    /// Tells events apart.
    async fn id(&self) -> ID {
        ids::of_content(&format!("event {} {:?}", self.component_id, self.row))
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.row.at)
    }

    /// What happened.
    async fn kind(&self) -> ComponentEventKind {
        match self.row.change {
            ComponentChange::LabelSet { .. } => ComponentEventKind::LabelSet,
            ComponentChange::LabelRemoved { .. } => ComponentEventKind::LabelRemoved,
            ComponentChange::StateChanged { .. } => ComponentEventKind::StateChanged,
        }
    }

    /// The hash of the version that it happened to.
    async fn version_hash(&self) -> String {
        self.row.version_hash.to_string()
    }

    /// The version that it happened to.
    async fn version(&self, ctx: &Context<'_>) -> Result<Option<ComponentVersion>> {
        ComponentVersion::load(ctx, self.of(self.row.version_hash)).await
    }

    /// The label; null where it is of a state.
    async fn label(&self) -> Option<&str> {
        match &self.row.change {
            ComponentChange::LabelSet { label, .. } | ComponentChange::LabelRemoved { label } => Some(label),
            ComponentChange::StateChanged { .. } => None,
        }
    }

    /// The version that the label pointed at before; null where it was new, and of other events.
    async fn version_before(&self, ctx: &Context<'_>) -> Result<Option<ComponentVersion>> {
        match self.row.change {
            ComponentChange::LabelSet { before: Some(before), .. } => {
                ComponentVersion::load(ctx, self.of(before)).await
            }
            _ => Ok(None),
        }
    }

    /// The state before; null where it is of a label.
    async fn state_before(&self) -> Option<VersionState> {
        match self.row.change {
            ComponentChange::StateChanged { before, .. } => Some(before),
            _ => None,
        }
    }

    /// The state that it moved to; null where it is of a label.
    async fn state(&self) -> Option<VersionState> {
        match self.row.change {
            ComponentChange::StateChanged { now, .. } => Some(now),
            _ => None,
        }
    }
}
