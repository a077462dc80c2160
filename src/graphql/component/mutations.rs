//! The roots that register and label component versions.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{Component, ComponentVersion};
use crate::{
    graphql::{
        error::Result,
        ids,
        payload::{outcome, payload},
        refusal::Refusal,
        request,
        scalar::Given,
    },
    model::{
        self, Json,
        component::{ComponentType, NewComponentVersion, VersionHash, VersionState},
    },
    service::components::Components,
};

/// Registers and labels component versions.
#[derive(Default)]
pub(in crate::graphql) struct ComponentMutation;

/// See [`ComponentMutation`].
#[Object]
impl ComponentMutation {
    /// Registers a version of a component, and the component with its first version. Content that the
    /// component has already is not registered again: its version is answered as it is.
    async fn register_component_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version.")] input: RegisterComponentVersionInput,
    ) -> Result<RegisterComponentVersionPayload> {
        let service = service(ctx)?;
        let registered = outcome(input.into_model(), async |new| service.register(new).await);
        Ok(match registered.await? {
            Ok(registered) => RegisterComponentVersionPayload {
                version: Some(registered.version.into()),
                component: Some(registered.component.into()),
                created: registered.created,
                refusal: None,
            },
            Err(refusal) => RegisterComponentVersionPayload {
                version: None,
                component: None,
                created: false,
                refusal: Some(refusal.into()),
            },
        })
    }

    /// Makes a label point at a version of a component, or removes it. A label never points at a retired
    /// version.
    async fn set_component_label(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which label, and where it is to point.")] input: SetComponentLabelInput,
    ) -> Result<SetComponentLabelPayload> {
        let service = service(ctx)?;
        let label =
            async |(id, label, version): (String, String, _)| service.set_label(&id, &label, version).await;
        Ok(outcome(input.into_model(), label).await?.into())
    }

    /// Moves a version to a state of its life. One that a label points at cannot be retired.
    async fn set_component_version_state(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which version, and where it is to stand.")] input: SetComponentVersionStateInput,
    ) -> Result<SetComponentVersionStatePayload> {
        let service = service(ctx)?;
        let state = async |(id, version, state): (String, _, _)| service.set_state(&id, version, state).await;
        Ok(outcome(input.into_model(), state).await?.into())
    }
}

fn service<'a>(ctx: &Context<'a>) -> Result<&'a Components> {
    Ok(&request::of(ctx)?.services.components)
}

/// A version of a component.
#[derive(InputObject)]
struct RegisterComponentVersionInput {
    /// The component: the ID that its owner chooses, or its global ID.
    component_id: ID,
    /// What the component is.
    component_type: ComponentType,
    /// The content: the version is named by its hash.
    definition: Given<Json>,
    /// What people call it: `v12 shorter`.
    version_name: Option<String>,
    /// Who registers it.
    created_by: Option<String>,
    /// What changed, in words.
    description: Option<String>,
    /// Words to find it by.
    tags: Option<Vec<String>>,
    /// `DRAFT` or `ACTIVE`; `ACTIVE`, where nothing is said.
    state: Option<VersionState>,
}

impl RegisterComponentVersionInput {
    fn into_model(self) -> Result<NewComponentVersion, model::Refusal> {
        Ok(NewComponentVersion {
            component_id: ids::read_component("componentId", &self.component_id)?,
            component_type: self.component_type,
            version_name: self.version_name,
            definition: self.definition.read("definition")?,
            created_by: self.created_by,
            description: self.description,
            tags: self.tags.unwrap_or_default(),
            state: self.state,
        })
    }
}

/// Where a label points.
#[derive(InputObject)]
struct SetComponentLabelInput {
    /// The component: its global ID or its own.
    component_id: ID,
    /// The label: `production`.
    label: String,
    /// The hash of the version that it is to point at; null removes it.
    version_hash: Option<String>,
}

impl SetComponentLabelInput {
    fn into_model(self) -> Result<(String, String, Option<VersionHash>), model::Refusal> {
        let hash = self.version_hash.map(|hash| VersionHash::parse("versionHash", &hash)).transpose()?;
        Ok((ids::read_component("componentId", &self.component_id)?, self.label, hash))
    }
}

/// Where a version stands in its life.
#[derive(InputObject)]
struct SetComponentVersionStateInput {
    /// The component: its global ID or its own.
    component_id: ID,
    /// The hash that names the version.
    version_hash: String,
    /// Where the version is to stand.
    state: VersionState,
}

impl SetComponentVersionStateInput {
    fn into_model(self) -> Result<(String, VersionHash, VersionState), model::Refusal> {
        let hash = VersionHash::parse("versionHash", &self.version_hash)?;
        Ok((ids::read_component("componentId", &self.component_id)?, hash, self.state))
    }
}

/// A version that was registered.
#[derive(SimpleObject)]
struct RegisterComponentVersionPayload {
    /// The version; null where it was refused.
    version: Option<ComponentVersion>,
    /// The component with the version; null where it was refused.
    component: Option<Component>,
    /// Whether the content was new to the component.
    created: bool,
    /// Why it was refused.
    refusal: Option<Refusal>,
}

payload!(
    /// A component whose label was set.
    SetComponentLabelPayload {
        /// The component as it stands; null where it was refused.
        component: Component
    }
);

payload!(
    /// A version that was moved to a state.
    SetComponentVersionStatePayload {
        /// The version as it stands; null where it was refused.
        version: ComponentVersion
    }
);
