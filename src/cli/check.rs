//! `dendro check`: is the database consistent?

use clap::Args;

use super::{exit::Outcome, progress, settings::DatabaseArgs};
use crate::{
    app::Database,
    config::Config,
    store::{CheckReport, Problem},
};

/// Prove that a database is consistent: every index from its records, every record from its indexes
///
/// Reads everything and changes nothing. The database must not be open elsewhere. Exits with 1 where
/// something is wrong.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dendro check
  dendro check --data /var/lib/dendro --engine fjall")]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,

    /// Print at most this many problems
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    show: usize,
}

pub(super) async fn run(args: CheckArgs, config: &Config) -> anyhow::Result<Outcome> {
    let database = Database::open_existing(config).await?;
    let bar = progress::counter();
    let report = database
        .store
        .check(&|table, entries| {
            bar.set_prefix(table);
            bar.set_position(entries);
        })
        .await;
    bar.finish_and_clear();
    let report = report?;
    tell(&report, args.show);
    database.close().await?;
    Ok(if report.is_clean() { Outcome::Done } else { Outcome::Problems })
}

fn tell(report: &CheckReport, show: usize) {
    for (table, entries) in &report.entries {
        println!("{table:24} {entries:>12}");
    }
    for Problem { table, key, message } in report.problems.iter().take(show) {
        println!("{table} {key}: {message}");
    }
    match report.problem_count {
        0 => println!("No problems."),
        count => println!("{count} problems."),
    }
}
