//! The versions of a component.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::Component;
use crate::{
    graphql::{
        error::Result,
        ids::GlobalId,
        page::Listed,
        request,
        scalar::{DateTime, Document, int},
        series::VersionUsage,
    },
    model::{
        self,
        component::{ComponentRef, ComponentType, VersionState},
    },
};

/// A version.
#[derive(Clone)]
pub(in crate::graphql) struct ComponentVersion(Arc<model::component::ComponentVersion>);

impl ComponentVersion {
    pub(in crate::graphql) fn new(row: impl Into<Arc<model::component::ComponentVersion>>) -> Self {
        Self(row.into())
    }

    /// The version, if it is there.
    pub(in crate::graphql) async fn load(ctx: &Context<'_>, version: ComponentRef) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.versions.load(version).await?.map(Self))
    }

    fn global_id(&self) -> GlobalId {
        let (component_id, version_hash) = (self.0.component_id.clone(), self.0.version_hash);
        GlobalId::ComponentVersion(ComponentRef { component_id, version_hash })
    }
}

impl From<model::component::ComponentVersion> for ComponentVersion {
    fn from(row: model::component::ComponentVersion) -> Self {
        Self::new(row)
    }
}

impl Listed for ComponentVersion {
    const CONNECTION: &'static str = "ComponentVersionConnection";
    const EDGE: &'static str = "ComponentVersionEdge";
}

/// An immutable version of a component, named by the hash of its content.
#[Object]
impl ComponentVersion {
    /// The global ID.
    async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The component's own ID.
    async fn component_id(&self) -> &str {
        &self.0.component_id
    }

    /// The component.
    async fn component(&self, ctx: &Context<'_>) -> Result<Option<Component>> {
        Component::load(ctx, self.0.component_id.clone()).await
    }

    /// The hash that names the version: BLAKE3 of the definition's canonical JSON (RFC 8785), in hexadecimal.
    async fn version_hash(&self) -> String {
        self.0.version_hash.to_string()
    }

    /// Counts the component's versions in the order they were registered, from 1.
    async fn sequence(&self) -> i32 {
        int(self.0.sequence)
    }

    /// What it is.
    async fn component_type(&self) -> ComponentType {
        self.0.component_type
    }

    /// What people call it: `v12 shorter`.
    async fn version_name(&self) -> Option<&str> {
        self.0.version_name.as_deref()
    }

    /// The content.
    async fn definition(&self) -> Document {
        Document(self.0.definition.clone())
    }

    /// When it was first registered.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Who registered it.
    async fn created_by(&self) -> Option<&str> {
        self.0.created_by.as_deref()
    }

    /// What changed, in words.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Words to find it by.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }

    /// Where it stands in its life.
    async fn state(&self) -> VersionState {
        self.0.state
    }

    /// What it comes to in the traces that are over: uses, latency, tokens, cost, errors and scores. The traces
    /// themselves are listed by `traces(filter: {component: …})`.
    async fn usage(&self, ctx: &Context<'_>) -> Result<VersionUsage> {
        let (component_id, version_hash) = (self.0.component_id.clone(), self.0.version_hash);
        let version = ComponentRef { component_id, version_hash };
        let name = format!("{version:?}");
        let cell = request::of(ctx)?.version_usage.load(version).await?;
        Ok(VersionUsage::new(&name, cell.map(|cell| cell.as_ref().clone()).unwrap_or_default()))
    }

    /// The labels that point at it.
    async fn labels(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        let component = Component::load(ctx, self.0.component_id.clone()).await?;
        let labels = |component: Component| {
            component.0.labels_of(self.0.version_hash).map(str::to_owned).collect::<Vec<_>>()
        };
        Ok(component.map(labels).unwrap_or_default())
    }
}
