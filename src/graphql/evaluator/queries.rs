//! The roots that find evaluators.

use async_graphql::{Context, ID, Object};

use super::fields::Evaluator;
use crate::{
    graphql::{
        agent,
        error::Result,
        ids,
        page::{self, Connection},
        request,
        scalar::Given,
    },
    model::{
        Refusal,
        component::{ComponentRef, ComponentType},
        page::Page,
    },
    service::{ServiceError, components::ComponentFilter},
};

/// Evaluators.
#[derive(Default)]
pub(in crate::graphql) struct EvaluatorQuery;

/// See [`EvaluatorQuery`].
#[Object]
impl EvaluatorQuery {
    /// An evaluator in the version that is meant: by its hash, or else by a label, or else the one registered last
    /// that is not retired. Null where there is none.
    async fn evaluator(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The evaluator: its component's global ID, or its own: `evaluators/polite`.")]
        id: ID,
        #[graphql(desc = "The hash that names the version.")] version_hash: Option<String>,
        #[graphql(desc = "A label that points at the version.")] label: Option<String>,
    ) -> Result<Option<Evaluator>> {
        let components = &request::of(ctx)?.services.components;
        let version = agent::version(version_hash, label)?;
        match components.resolve(&ids::read_component("id", &id)?, &version).await {
            Ok(version) if version.component_type == ComponentType::Evaluator => Ok(Some(version.into())),
            Ok(_) | Err(ServiceError::Refused(Refusal::NotFound { .. })) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All evaluators, by their IDs, each in the version registered last.
    async fn evaluators(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Evaluators of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Evaluator>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let components = &data.services.components;
        let filter =
            ComponentFilter { component_type: Some(ComponentType::Evaluator), ..ComponentFilter::default() };
        let Page { items, has_next, end } = components.list(&filter, &request).await?;
        let newest = |component: &crate::model::component::Component| ComponentRef {
            component_id: component.id.clone(),
            version_hash: component.newest,
        };
        let versions: Vec<_> = items.iter().map(|(_, component)| newest(component)).collect();
        let versions = components.versions(&versions).await?;
        let items = items.into_iter().zip(versions);
        let items = items.filter_map(|((cursor, _), version)| Some((cursor, Evaluator::from(version?))));
        let page = Page { items: items.collect(), has_next, end };
        let total = if page::is_counted(ctx) { components.count(&filter).await? } else { None };
        Ok(Connection::new(page, &request, total))
    }
}
