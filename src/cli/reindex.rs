//! `dendro reindex`: the index of texts, built anew.

use clap::Args;

use super::{
    exit::{Outcome, print},
    progress,
    settings::DatabaseArgs,
};
use crate::{app::Database, config::Config};

/// Build the index of texts anew
///
/// Reads all traces that are over and puts their texts into a new index. A server does the same by itself, and beside
/// its other work, where the index is missing, damaged or of another version; this is for when it is not to be
/// trusted, and when `search.text_bytes` was changed. The database must not be open elsewhere.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dendro reindex
  dendro reindex --data /var/lib/dendro --engine fjall")]
pub(super) struct ReindexArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,
}

pub(super) async fn run(_: ReindexArgs, config: &Config) -> anyhow::Result<Outcome> {
    if !config.search.enabled {
        anyhow::bail!("search.enabled is false: there is no index to build");
    }
    let database = Database::open_existing(config).await?;
    // What a server that was killed left to be said belongs to it.
    database.services.ingest.find_due().await?;
    let bar = progress::counter();
    bar.set_prefix("traces");
    let traces = database.services.search.rebuild(|traces| bar.set_position(traces)).await;
    bar.finish_and_clear();
    let traces = traces?;
    database.close().await?;
    print(&format!("{traces} traces are in the index.\n"))?;
    Ok(Outcome::Done)
}
