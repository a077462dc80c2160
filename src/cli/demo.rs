//! `dendro demo`: a server with scripted agents at work.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{
    exit::{Outcome, print},
    serve::announce,
    settings::{DatabaseArgs, ServerArgs},
};
use crate::{
    app::{Additions, Database, Server, Stop},
    config::{Config, Flags},
    demo::{self, Options, Theatre},
    engine::EngineKind,
};

/// Serve, with agents at work for people who are not there
///
/// The agents are run as yours would be, with a scripted model and scripted tools: no provider is called, and
/// what they say and find is made up, and labelled `scripted` wherever it can be seen. Watch it in GraphiQL
/// with the samples under "Follow live". Without --data the database lies in a temporary folder and is
/// removed at the end.
#[derive(Debug, Args)]
#[command(mut_arg("data", |data| data.help("Keep the database in this folder [default: a temporary one]")))]
#[command(after_help = "\
Examples:
  dendro demo                                   http://127.0.0.1:4000/graphiql
  dendro demo --pace 1s --agents 1              slowly, to watch one run
  dendro demo --pace 0 --runs 500 --data ./big  fill a database, and go on serving it")]
pub(super) struct DemoArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    server: ServerArgs,

    /// From one event to the next, on average: 250ms, 1.5s; 0 is as fast as it goes
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = parse_pace)]
    pace: Duration,

    /// Agents at work at the same time, each in a conversation
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    agents: u16,

    /// Stop after so many conversations, each of one run or several, and go on serving [default: never]
    #[arg(long, value_name = "COUNT")]
    runs: Option<u64>,

    /// What the runs are made from: the same seed gives the same runs
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

impl DemoArgs {
    pub(super) fn settings(&self, flags: &mut Flags) {
        self.database.settings(flags);
        self.server.settings(flags);
    }
}

fn parse_pace(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time; one looks like 250ms or 1.5s");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    if number == text && number.trim() != "0" {
        return Err(wrong());
    }
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let pace = Duration::try_from_secs_f64(number * unit).map_err(|_| wrong())?;
    if pace > Duration::from_hours(1) { Err(wrong()) } else { Ok(pace) }
}

pub(super) async fn run(args: DemoArgs, mut config: Config) -> anyhow::Result<Outcome> {
    let theatre_ids = Database::ids();
    let temporary = (args.database.data.is_none() && config.store.engine != EngineKind::Memory)
        .then(|| Temporary::named(&theatre_ids.next().to_string()));
    if let Some(temporary) = &temporary {
        config.store.data_dir.clone_from(&temporary.folder);
    }
    let stop = Stop::default();
    stop.at_signals();
    let options = Options {
        pace: args.pace,
        people: usize::from(args.agents),
        conversations: args.runs,
        seed: args.seed,
    };
    // What fails in passing is tried again at the pace of the demo.
    let retry = u64::try_from(args.pace.as_millis()).unwrap_or(u64::MAX).saturating_mul(4);
    config.agents.first_retry_ms = config.agents.first_retry_ms.min(retry);
    let additions = Additions {
        scripts: Some(options.scripts()?),
        tools: options.tools(),
        prices: Some(demo::prices()?),
    };
    let database = Database::open_with_agents(&config, additions).await?;
    let server = Server::bind(&config, database.services.clone()).await?;
    announce(&server, &config)?;
    if temporary.is_some() {
        print("            (a demo's data is removed at the end; name a folder with --data to keep it)\n")?;
    }
    let theatre = Theatre { services: database.services.clone(), clock: Database::clock(), ids: theatre_ids };
    let playing = async {
        match demo::play(theatre, &options, stop.receiver()).await {
            Ok(conversations) => tracing::info!(conversations, "the demo has played"),
            Err(error) => tracing::error!(%error, "the demo gave up"),
        }
    };
    let (outcome, ()) = tokio::join!(server.run(&stop), playing);
    database.close().await?;
    outcome?;
    Ok(Outcome::Done)
}

/// A folder that is removed when it is dropped.
struct Temporary {
    folder: PathBuf,
}

impl Temporary {
    fn named(name: &str) -> Self {
        Self { folder: std::env::temp_dir().join(format!("dendro-demo-{name}")) }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Nothing depends on it, and there is nobody left to tell.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
