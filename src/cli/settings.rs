//! Flags that are settings: each sets one key of the configuration, over what a file or a variable says.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use crate::{
    config::{Flags, LogFormat, Port},
    engine::EngineKind,
};

/// What every command takes.
#[derive(Debug, Args)]
pub(super) struct CommonArgs {
    /// Read settings from this file instead of dendro.toml
    #[arg(long, value_name = "FILE", global = true, env = "DENDRO_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,

    /// What to log: a level (info), or one for each part (warn,dendro=debug)
    #[arg(long, value_name = "FILTER", global = true)]
    log: Option<String>,

    /// How to write the log
    #[arg(long, value_name = "FORMAT", value_enum, global = true)]
    log_format: Option<LogFormat>,
}

impl CommonArgs {
    pub(super) fn settings(&self, flags: &mut Flags) {
        flags.set("log.filter", self.log.as_ref()).set("log.format", self.log_format);
    }
}

/// What every command takes that opens the database.
#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// The folder of the database [default: data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// How the database is kept: sled, fjall or memory; it stays with what made it [default: sled]
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<EngineKind>,
}

impl DatabaseArgs {
    pub(super) fn settings(&self, flags: &mut Flags) {
        flags.set("store.data_dir", self.data.as_ref()).set("store.engine", self.engine);
    }
}

/// What every command takes that serves.
#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// The address to listen on; port 0 takes a free one [default: 127.0.0.1:4000]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// Write the address to this file once the server listens
    #[arg(long, value_name = "FILE")]
    address_file: Option<PathBuf>,

    /// Where to take OTLP over HTTP, beside the main port, or off [default: 127.0.0.1:4318]
    #[arg(long, value_name = "ADDRESS")]
    otlp_http: Option<Port>,

    /// Where to take OTLP over gRPC, or off [default: 127.0.0.1:4317]
    #[arg(long, value_name = "ADDRESS")]
    otlp_grpc: Option<Port>,

    /// Listen where other machines can reach the server: whoever does may read and write everything
    #[arg(long)]
    allow_remote: bool,
}

impl ServerArgs {
    pub(super) fn settings(&self, flags: &mut Flags) {
        flags
            .set("server.listen", self.listen)
            .set("server.address_file", self.address_file.as_ref())
            .set("otlp.http", self.otlp_http)
            .set("otlp.grpc", self.otlp_grpc)
            .set("server.allow_remote", self.allow_remote.then_some(true));
    }
}
