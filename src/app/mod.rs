//! Wiring: the only place where all layers meet.

mod api;
mod chores;
mod ports;
mod server;
mod stop;
mod texts;

use std::{path::Path, sync::Arc};

use anyhow::Context as _;

pub(crate) use self::server::rest_pages;
pub use self::{server::Server, stop::Stop};
use crate::{
    config::Config,
    engine::{self, EngineKind},
    live::Hub,
    llm::{Models, Scripted},
    model::{
        clock::{RandomIds, SharedClock, SharedIds, SystemClock},
        prices::PriceTable,
    },
    service::{
        Context, Services, Shared,
        agents::{Runtime, SearchConversations},
        conversations::Conversations,
        search::Search,
    },
    store::Store,
    tools::{Tool, Tools},
};

/// An open database with its use cases.
pub struct Database {
    /// The store.
    pub store: Store,
    /// The use cases over it.
    pub services: Services,
}

/// What a program brings beside what is configured: a demo brings its own agents' models and tools.
#[derive(Default)]
pub struct Additions {
    /// Scripts, as models of the provider `scripted`.
    pub scripts: Option<Scripted>,
    /// Tools.
    pub tools: Vec<Arc<dyn Tool>>,
    /// Prices; those that are configured hold for what these do not have.
    pub prices: Option<PriceTable>,
}

impl Database {
    /// Opens the database that is configured, making it where there is none.
    ///
    /// # Errors
    /// When the folder is not a database of that engine, or is open elsewhere, or cannot be read.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let (store, context) = Self::open_store(config).await?;
        Ok(Self { store, services: Services::new(context) })
    }

    /// As [`Database::open`], to run agents too: MCP servers are started, and scripts of models read.
    ///
    /// # Errors
    /// Those of [`Database::open`], and when a script or a setting of a tool cannot be used.
    pub async fn open_with_agents(config: &Config, additions: Additions) -> anyhow::Result<Self> {
        let (store, mut context) = Self::open_store(config).await?;
        if let Some(prices) = additions.prices {
            context = context.with_prices(prices);
        }
        let models = Models::new(&config.models)?;
        let search =
            SearchConversations::new(Conversations::new(context.clone()), Search::new(context.clone()));
        let tools = Tools::start(&config.tools, Self::clock())?.with(Arc::new(search));
        let runtime = Runtime {
            models: match additions.scripts {
                Some(scripts) => models.with_scripts(scripts),
                None => models,
            },
            tools: additions.tools.into_iter().fold(tools, Tools::with),
            config: config.agents.clone(),
        };
        Ok(Self { store, services: Services::with(context, runtime) })
    }

    async fn open_store(config: &Config) -> anyhow::Result<(Store, Context)> {
        let (engine_config, folder) = (config.store.engine_config(), config.store.data_dir.clone());
        // Opening may read for a while, and must not hold up what else runs.
        let engine = tokio::task::spawn_blocking(move || engine::open(&engine_config, &folder)).await?;
        let hub = Arc::new(Hub::default());
        let store = Store::open(engine?, config.store.store_config(), hub.clone()).await?;
        let context = Shared {
            store: store.clone(),
            hub,
            clock: Self::clock(),
            ids: Self::ids(),
            limits: Arc::new(config.records.clone()),
            lists: Arc::new(config.lists.clone()),
            query: Arc::new(config.query.clone()),
            series: Arc::new(config.series.clone()),
            prices: config.prices.table()?,
            ingest: Arc::new(config.ingest.clone()),
            arriving: Arc::default(),
            deletions: Arc::default(),
            search: texts::open(config, &store).await,
            evaluation: Arc::new(config.evaluation.clone()),
        };
        Ok((store, context.into()))
    }

    /// The clock that everything goes by.
    #[must_use]
    pub fn clock() -> SharedClock {
        Arc::new(SystemClock)
    }

    /// Where new ids come from.
    #[must_use]
    pub fn ids() -> SharedIds {
        Arc::new(RandomIds)
    }

    /// Opens the database that is configured, which must be there.
    ///
    /// # Errors
    /// Those of [`Database::open`], and when there is none.
    pub async fn open_existing(config: &Config) -> anyhow::Result<Self> {
        let folder = &config.store.data_dir;
        if config.store.engine != EngineKind::Memory && is_empty(folder) {
            anyhow::bail!("there is no database in {}", folder.display());
        }
        Self::open(config).await
    }

    /// Waits until the messages of what was reported are made and all that was written is on disk, and lets go.
    ///
    /// # Errors
    /// When the engine cannot write.
    pub async fn close(self) -> anyhow::Result<()> {
        self.services.ingest.finish().await.context("cannot write what is left")?;
        self.store.flush().await.context("cannot write what is left")?;
        self.services.search.tidy().await.context("cannot write what is left of the index")?;
        drop(self.services);
        self.store.close().await;
        Ok(())
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}
