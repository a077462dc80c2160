//! The fields of a component.

use async_graphql::{Context, ID, Object};

use super::{Component, ComponentVersion, diff::ComponentDiff, history::ComponentEvent};
use crate::{
    graphql::{
        error::Result,
        ids::{self, GlobalId},
        page::{self, Connection},
        request,
        scalar::{DateTime, Given, int},
    },
    model::component::{ComponentRef, ComponentType, VersionHash},
};

/// A prompt, a tool, a model with its settings: something whose exact versions stand behind spans.
#[Object]
impl Component {
    /// The global ID.
    async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The ID that its owner chose: `prompts/planner`.
    async fn component_id(&self) -> &str {
        &self.0.id
    }

    /// What it is.
    async fn component_type(&self) -> ComponentType {
        self.0.component_type
    }

    /// When its first version was registered.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When a version was last registered, or a label last moved.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// How many versions it has.
    async fn version_count(&self) -> i32 {
        int(self.0.version_count)
    }

    /// The version registered last.
    async fn newest_version(&self, ctx: &Context<'_>) -> Result<Option<ComponentVersion>> {
        self.load_version(ctx, self.0.newest).await
    }

    /// Its labels with the versions that they point at, by name.
    async fn labels(&self) -> Vec<ComponentLabel> {
        let labels = self.0.labels.iter().enumerate();
        labels.map(|(index, (name, hash))| ComponentLabel::new(self, index, name, *hash)).collect()
    }

    /// Its versions, the one registered last first.
    async fn versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Versions of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<ComponentVersion>> {
        let data = request::of(ctx)?;
        let page = page::request(first, after, data.limits.most)?;
        let versions = data.component_versions.load((self.0.id.clone(), page.clone())).await?;
        let versions = versions.unwrap_or_default().map(ComponentVersion::new);
        Ok(Connection::new(versions, &page, Some(self.0.version_count)))
    }

    /// The version that is meant: by its hash, or else by a label, or else the one registered last that is
    /// not retired; null where there is none.
    async fn version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hash that names the version.")] version_hash: Option<String>,
        #[graphql(desc = "A label that points at the version.")] label: Option<String>,
    ) -> Result<Option<ComponentVersion>> {
        self.select(ctx, version_hash, label).await
    }

    /// What happened to its labels and to the states of its versions, the last first. When a version was registered,
    /// it tells itself.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Events of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<ComponentEvent>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let page = data.services.components.history(&self.0.id, &request).await?;
        let event = |row| ComponentEvent { component_id: self.0.id.clone(), row };
        Ok(Connection::new(page.map(event), &request, None))
    }

    /// What differs between two of its versions. Definitions are compared as what they mean, not as they were
    /// written down.
    async fn diff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hash of the first version.")] before: String,
        #[graphql(desc = "The hash of the second version.")] after: String,
    ) -> Result<ComponentDiff> {
        let before = VersionHash::parse("before", &before)?;
        let after = VersionHash::parse("after", &after)?;
        let components = &request::of(ctx)?.services.components;
        Ok(ComponentDiff::new(components.diff(&self.0.id, before, after).await?))
    }
}

impl Component {
    pub(super) async fn load_version(
        &self,
        ctx: &Context<'_>,
        version_hash: VersionHash,
    ) -> Result<Option<ComponentVersion>> {
        ComponentVersion::load(ctx, ComponentRef { component_id: self.0.id.clone(), version_hash }).await
    }
}

/// A label of a component.
struct ComponentLabel {
    id: ID,
    name: String,
    version: ComponentRef,
}

impl ComponentLabel {
    fn new(of: &Component, index: usize, name: &str, version_hash: VersionHash) -> Self {
        Self {
            id: ids::part(&GlobalId::Component(of.0.id.clone()), "label", index),
            name: name.to_owned(),
            version: ComponentRef { component_id: of.0.id.clone(), version_hash },
        }
    }
}

/// A name that points at a version of a component, and can be moved to another.
#[Object]
impl ComponentLabel {
    /// Tells the labels of a component apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The label: `production`.
    async fn name(&self) -> &str {
        &self.name
    }

    /// The hash of the version that it points at.
    async fn version_hash(&self) -> String {
        self.version.version_hash.to_string()
    }

    /// The version that it points at.
    async fn version(&self, ctx: &Context<'_>) -> Result<Option<ComponentVersion>> {
        ComponentVersion::load(ctx, self.version.clone()).await
    }
}
