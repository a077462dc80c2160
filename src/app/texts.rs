//! The index of texts, beside the engine's folder. All of it can be made again, so it never keeps a database from being
//! opened.

use std::sync::Arc;

use super::Database;
use crate::{
    config::Config,
    engine::EngineKind,
    search::{Index, SearchError},
    service::search::Search,
    store::Store,
};

/// The folder of the index in that of the database.
const FOLDER: &str = "search";

/// Opens the index that is configured, if one is. The engine's lock on the database is held by then.
pub(super) async fn open(config: &Config, store: &Store) -> Option<Arc<Index>> {
    let (settings, folder) = (config.search.clone(), config.store.data_dir.join(FOLDER));
    if !settings.enabled {
        return Index::forsake(&folder).err().and_then(|error| without(&error));
    }
    // One that is begun anew for nothing costs time alone.
    let is_known = Search::is_known(store).await.unwrap_or(false);
    let (engine, fresh) = (config.store.engine, generation());
    let opened = tokio::task::spawn_blocking(move || match engine {
        EngineKind::Memory => Index::in_memory(&settings, fresh),
        EngineKind::Sled | EngineKind::Fjall => {
            if !is_known {
                Index::forsake(&folder)?;
            }
            Index::open(&folder, &settings, fresh)
        }
    });
    match opened.await {
        Ok(Ok(index)) => Some(Arc::new(index)),
        Ok(Err(error)) => without(&error),
        Err(error) => without(&SearchError::from(std::io::Error::other(error))),
    }
}

/// A number that tells an index from one that was there before.
fn generation() -> u32 {
    let [.., a, b, c, d] = Database::ids().next().into_bytes();
    u32::from_be_bytes([a, b, c, d])
}

fn without(error: &SearchError) -> Option<Arc<Index>> {
    tracing::error!(%error, "texts are not indexed, and cannot be searched");
    None
}
