//! Components and their versions in the API.

mod diff;
mod fields;
mod filter;
mod history;
mod mutations;
mod queries;
mod version;

use std::sync::Arc;

use async_graphql::Context;

pub(super) use self::{
    diff::ComponentDiff, mutations::ComponentMutation, queries::ComponentQuery, version::ComponentVersion,
};
use super::{error::Result, ids::GlobalId, page::Listed, request};
use crate::{
    model::{
        self, Refusal,
        component::{VersionHash, VersionSelector},
    },
    service::ServiceError,
};

/// A component.
#[derive(Clone)]
pub(super) struct Component(Arc<model::component::Component>);

impl Component {
    pub(super) fn new(row: impl Into<Arc<model::component::Component>>) -> Self {
        Self(row.into())
    }

    /// The component with this ID of its own, if it is there.
    pub(super) async fn load(ctx: &Context<'_>, id: String) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.components.load(id).await?.map(Self))
    }

    pub(super) fn global_id(&self) -> GlobalId {
        GlobalId::Component(self.0.id.clone())
    }

    /// The version with this hash, or else with this label, or else the newest that is not retired.
    async fn select(
        &self,
        ctx: &Context<'_>,
        version_hash: Option<String>,
        label: Option<String>,
    ) -> Result<Option<ComponentVersion>> {
        match (version_hash, label) {
            (Some(_), Some(_)) => Err(Refusal::invalid("label", "cannot be given with `versionHash`").into()),
            (Some(hash), None) => self.load_version(ctx, VersionHash::parse("versionHash", &hash)?).await,
            (None, Some(label)) => match self.0.labelled(&label) {
                Some(hash) => self.load_version(ctx, hash).await,
                None => Ok(None),
            },
            (None, None) => {
                let components = &request::of(ctx)?.services.components;
                match components.resolve(&self.0.id, &VersionSelector::Newest).await {
                    Ok(version) => Ok(Some(version.into())),
                    Err(ServiceError::Refused(Refusal::NotFound { .. })) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }
}

impl From<model::component::Component> for Component {
    fn from(row: model::component::Component) -> Self {
        Self::new(row)
    }
}

impl Listed for Component {
    const CONNECTION: &'static str = "ComponentConnection";
    const EDGE: &'static str = "ComponentEdge";
}
