//! The roots that read components and their versions.

use async_graphql::{Context, ID, Object};

use super::{Component, ComponentVersion, filter::ComponentFilterInput};
use crate::{
    graphql::{
        error::Result,
        ids,
        page::{self, Connection},
        request,
        scalar::Given,
    },
    model::Refusal,
};

/// Components and their versions.
#[derive(Default)]
pub(in crate::graphql) struct ComponentQuery;

/// See [`ComponentQuery`].
#[Object]
impl ComponentQuery {
    /// The component with this ID; null where there is none.
    async fn component(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The component's global ID, or its own.")] id: ID,
    ) -> Result<Option<Component>> {
        Component::load(ctx, ids::read_component("id", &id)?).await
    }

    /// Components, by the IDs that their owners chose.
    async fn components(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Components of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which components.")] filter: Option<ComponentFilterInput>,
    ) -> Result<Connection<Component>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let filter = filter.unwrap_or_default().into();
        let components = &data.services.components;
        let page = components.list(&filter, &request).await?;
        let total = if page::is_counted(ctx) { components.count(&filter).await? } else { None };
        Ok(Connection::new(page.map(Component::new), &request, total))
    }

    /// A version of a component: by its global ID, or by the component and the version's hash or a label; by
    /// the component alone, the version registered last that is not retired. Null where there is none.
    async fn component_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version's global ID.")] id: Option<ID>,
        #[graphql(desc = "The component's global ID, or its own.")] component_id: Option<ID>,
        #[graphql(desc = "The hash that names the version.")] version_hash: Option<String>,
        #[graphql(desc = "A label that points at the version.")] label: Option<String>,
    ) -> Result<Option<ComponentVersion>> {
        match (id, component_id) {
            (Some(id), None) if version_hash.is_none() && label.is_none() => {
                ComponentVersion::load(ctx, ids::read_version("id", &id)?).await
            }
            (None, Some(component)) => {
                let component = Component::load(ctx, ids::read_component("componentId", &component)?).await?;
                match component {
                    Some(component) => component.select(ctx, version_hash, label).await,
                    None => Ok(None),
                }
            }
            (Some(_), _) => Err(Refusal::invalid("id", "is enough by itself: give it alone").into()),
            (None, None) => Err(Refusal::invalid("componentId", "must be given where `id` is not").into()),
        }
    }
}
