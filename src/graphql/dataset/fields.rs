//! The fields of a dataset and of its versions.

use async_graphql::{Context, ID, Object};

use super::{Dataset, DatasetItem};
use crate::{
    graphql::{
        error::{Failure, Result},
        experiment::Experiment,
        ids,
        page::{self, Connection, Listed},
        request,
        scalar::{BigInt, DateTime, Given, OptionalGiven, PlainId, int},
    },
    model,
};

/// A collection of inputs, with what is expected for them, that agents are tried out on. Each change of its items makes a
/// version, which never changes.
#[Object]
impl Dataset {
    /// The global ID.
    pub(in crate::graphql) async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The dataset's own ID.
    async fn dataset_id(&self) -> PlainId {
        PlainId(self.0.id.uuid())
    }

    /// What people call it. No two datasets have the same name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for, in words.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it or its items were last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// The number of its newest version; 0 while it has had no items.
    async fn version(&self) -> BigInt {
        BigInt(self.0.version)
    }

    /// A hash of what the newest version holds: see `DatasetVersion.contentHash`.
    async fn content_hash(&self) -> String {
        self.0.content_hash.to_string()
    }

    /// Items of the newest version.
    async fn item_count(&self) -> i32 {
        int(self.0.item_count)
    }

    /// Its items, in the order in which they were added.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items of the page at most.", default_with = "page::default_first()")] first: Option<
            Given<i32>,
        >,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The version; without it the newest.")] version: Option<Given<u64>>,
    ) -> Result<Connection<DatasetItem>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let version = self.0.version_number("version", version.read("version")?)?;
        let key = ((self.0.id, version), request.clone());
        let page = data.items_of_dataset.load(key).await?.ok_or(Failure::Internal)?;
        let total = if page::is_counted(ctx) { self.count_at(ctx, version).await? } else { None };
        Ok(Connection::new(page.map(DatasetItem::new), &request, total))
    }

    /// Its versions, the first one first.
    async fn versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Versions of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<DatasetVersion>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let page = data.versions_of_dataset.load((self.0.id, request.clone())).await?;
        let page = page.ok_or(Failure::Internal)?;
        Ok(Connection::new(page.map(DatasetVersion), &request, Some(self.0.version)))
    }

    /// Experiments over it, the one started last first.
    async fn experiments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Experiments of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Experiment>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let page = data.dataset_experiments.load((self.0.id, request.clone())).await?;
        let page = page.ok_or(Failure::Internal)?;
        Ok(Connection::new(page.map(Experiment::new), &request, None))
    }
}

impl Dataset {
    async fn count_at(&self, ctx: &Context<'_>, version: u64) -> Result<Option<u64>> {
        if version == self.0.version {
            return Ok(Some(self.0.item_count));
        }
        if version == 0 {
            return Ok(Some(0));
        }
        let found = request::of(ctx)?.dataset_versions.load((self.0.id, version)).await?;
        Ok(found.map(|version| version.item_count))
    }
}

/// A version of a dataset.
pub(in crate::graphql) struct DatasetVersion(pub(super) model::dataset::DatasetVersion);

/// What a dataset held at one time. It never changes.
#[Object]
impl DatasetVersion {
    /// Tells versions apart in client caches.
    async fn id(&self) -> ID {
        let dataset = ids::GlobalId::Dataset(self.0.dataset_id);
        ids::part(&dataset, "version", usize::try_from(self.0.number).unwrap_or(usize::MAX))
    }

    /// Counts the dataset's versions, from 1.
    async fn number(&self) -> BigInt {
        BigInt(self.0.number)
    }

    /// A hash of what it holds: the same for the same items, in whatever order and by whatever way they came. It is the
    /// sum, in 256 bits, of the BLAKE3 hashes of each item's input, expected output and metadata as canonical JSON.
    async fn content_hash(&self) -> String {
        self.0.content_hash.to_string()
    }

    /// Items in it.
    async fn item_count(&self) -> i32 {
        int(self.0.item_count)
    }

    /// Items that are new in it.
    async fn added_count(&self) -> i32 {
        int(self.0.added)
    }

    /// Items that say something else than in the version before.
    async fn changed_count(&self) -> i32 {
        int(self.0.changed)
    }

    /// Items of the version before that it does not have.
    async fn removed_count(&self) -> i32 {
        int(self.0.removed)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

impl Listed for DatasetVersion {
    const CONNECTION: &'static str = "DatasetVersionConnection";
    const EDGE: &'static str = "DatasetVersionEdge";
}
