//! The roots that read datasets.

use async_graphql::{Context, ID, Object};

use super::{Dataset, DatasetItem};
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

/// Datasets.
#[derive(Default)]
pub(in crate::graphql) struct DatasetQuery;

/// See [`DatasetQuery`].
#[Object]
impl DatasetQuery {
    /// The dataset with this ID or name; null where there is none.
    async fn dataset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dataset's global ID or UUID.")] id: Option<ID>,
        #[graphql(desc = "The dataset's name.")] name: Option<String>,
    ) -> Result<Option<Dataset>> {
        match (id, name) {
            (Some(id), None) => Dataset::load(ctx, ids::read("id", &id)?).await,
            (None, Some(name)) => {
                Ok(request::of(ctx)?.services.datasets.named(&name).await?.map(Dataset::new))
            }
            _ => Err(Refusal::invalid("id", "give the ID or the name: one of them").into()),
        }
    }

    /// Datasets, the one made last first.
    async fn datasets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Datasets of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "With this text in their names, whatever the case of its letters.")] name: Option<
            String,
        >,
    ) -> Result<Connection<Dataset>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let (datasets, name) = (&data.services.datasets, name.as_deref());
        let page = datasets.list(name, &request).await?;
        let total = if page::is_counted(ctx) { datasets.count(name).await? } else { None };
        Ok(Connection::new(page.map(Dataset::new), &request, total))
    }

    /// The item of a dataset with this ID, as it stands last; null where there is none.
    async fn dataset_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item's global ID or UUID.")] id: ID,
    ) -> Result<Option<DatasetItem>> {
        DatasetItem::load(ctx, ids::read("id", &id)?).await
    }
}
