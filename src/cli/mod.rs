//! The command line: what can be asked of the program, and how it says what came of it.
//!
//! Each command has a file of its own; settings and exit codes are the same for all. What a command
//! does is done by `app` and by services: here is only what has to do with a terminal.

mod chat;
mod check;
mod config;
mod dataset;
mod demo;
mod exit;
mod export;
mod import;
mod logging;
mod moment;
mod openapi;
mod progress;
mod reindex;
mod reprice;
mod schema;
mod serve;
mod settings;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use self::exit::Outcome;
use self::settings::CommonArgs;
use crate::config::Config;

/// What the program is asked to do.
#[derive(Debug, Parser)]
#[command(name = "dendro", version, about, long_about = LONG_ABOUT, after_help = AFTER_HELP)]
#[command(propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    common: CommonArgs,

    #[command(subcommand)]
    command: Command,
}

const LONG_ABOUT: &str = "\
Dendro keeps what AI agents said and did: conversations, messages, plans, traces with live span trees, \
and the exact versions of prompts, tools and models behind every span. One program, an embedded store, \
a GraphQL API.";

const AFTER_HELP: &str = "\
Examples:
  dendro demo                              see it at work: http://127.0.0.1:4000/graphiql
  dendro chat --model scripted/demo        talk with an agent, and see its spans as they run
  dendro serve --data ./data               serve a database, made where there is none
  dendro import --data ./data chats.jsonl  import transcripts or OTLP (while no server has the database open)
  dendro export --data ./data -o all.jsonl export traces as OTLP
  dendro dataset import questions.csv --name support
                                           inputs that agents are tried out on
  dendro reprice --data ./data             compute costs anew at the prices that hold now
  dendro export --data ./data --table spans --format parquet -o spans.parquet
                                           export a table
  dendro reindex --data ./data             build the index of texts anew
  dendro check --data ./data               prove that the database is consistent

Settings come from dendro.toml in the working directory (or --config FILE), then from DENDRO_*
variables, then from flags; the later wins. `dendro config` shows what is in effect.

Exit codes:
  0  done
  1  failed, or `check` found damage, `import --strict` stopped, or `chat` got no answer to a line of its input
  2  wrong usage or configuration
  3  `import` went through, but left out something damaged";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Demo(demo::DemoArgs),
    Chat(chat::ChatArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Dataset(dataset::DatasetArgs),
    Reprice(reprice::RepriceArgs),
    Reindex(reindex::ReindexArgs),
    Check(check::CheckArgs),
    Schema(schema::SchemaArgs),
    Openapi(openapi::OpenapiArgs),
    Config(config::ConfigArgs),
}

impl Command {
    fn settings(&self, flags: &mut crate::config::Flags) {
        match self {
            Self::Serve(args) => args.settings(flags),
            Self::Demo(args) => args.settings(flags),
            Self::Chat(args) => args.settings(flags),
            Self::Import(args) => args.database.settings(flags),
            Self::Export(args) => args.database.settings(flags),
            Self::Dataset(args) => args.settings(flags),
            Self::Reprice(args) => args.settings(flags),
            Self::Reindex(args) => args.database.settings(flags),
            Self::Check(args) => args.database.settings(flags),
            Self::Config(args) => args.settings(flags),
            Self::Schema(_) | Self::Openapi(_) => {}
        }
    }

    /// Whether the command runs until it is told to stop, and so tells of its life in the log.
    fn serves(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Demo(_))
    }

    async fn run(self, config: Config) -> anyhow::Result<Outcome> {
        match self {
            Self::Serve(_) => Box::pin(serve::run(&config)).await,
            Self::Demo(args) => Box::pin(demo::run(args, config)).await,
            Self::Chat(args) => Box::pin(chat::run(args, &config)).await,
            Self::Import(args) => import::run(args, &config).await,
            Self::Export(args) => export::run(args, &config).await,
            Self::Dataset(args) => dataset::run(args, &config).await,
            Self::Reprice(args) => reprice::run(args, &config).await,
            Self::Reindex(args) => reindex::run(args, &config).await,
            Self::Check(args) => check::run(args, &config).await,
            Self::Schema(_) => schema::run(),
            Self::Openapi(_) => openapi::run(&config),
            Self::Config(_) => config::run(&config),
        }
    }
}

/// Bytes of a thread's stack: of memory only what is used of it is taken. A level of a nested document takes some
/// hundred kilobytes where nothing is optimised, and documents may have fifty of them.
const STACK_BYTES: usize = 16 << 20;

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut flags = crate::config::Flags::default();
    cli.common.settings(&mut flags);
    cli.command.settings(&mut flags);
    let config = match crate::config::read(cli.common.config.as_deref(), &flags) {
        Ok(config) => config,
        Err(error) => return exit::wrong(&error),
    };
    logging::start(&config.log, cli.command.serves());
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.enable_all().thread_stack_size(STACK_BYTES).build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed(&anyhow::Error::new(error).context("cannot start")),
    };
    match runtime.block_on(cli.command.run(config)) {
        Ok(outcome) => outcome.code(),
        Err(error) => exit::failed(&error),
    }
}
