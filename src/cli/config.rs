//! `dendro config`: the settings in effect.

use clap::Args;

use super::{
    exit::{Outcome, print},
    settings::{DatabaseArgs, ServerArgs},
};
use crate::config::{Config, Flags};

/// Print the settings in effect, in the form of dendro.toml
///
/// Every key that exists is in it, so it is also the list of what can be set. A key of section
/// `[store]` called `data_dir` is set by the variable `DENDRO_STORE__DATA_DIR`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dendro config > dendro.toml                     begin a file with the defaults
  DENDRO_LIMITS__QUERY_TIME=5 dendro config       see what a variable does")]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl ConfigArgs {
    pub(super) fn settings(&self, flags: &mut Flags) {
        self.database.settings(flags);
        self.server.settings(flags);
    }
}

pub(super) fn run(config: &Config) -> anyhow::Result<Outcome> {
    print(&toml::to_string_pretty(config)?)?;
    Ok(Outcome::Done)
}
