//! `dendro check`: is the database consistent?

use clap::Args;

use super::{
    exit::{Outcome, print},
    progress,
    settings::DatabaseArgs,
};
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
    tell(&report, args.show)?;
    database.close().await?;
    Ok(if report.is_clean() { Outcome::Done } else { Outcome::Problems })
}

fn tell(report: &CheckReport, show: usize) -> std::io::Result<()> {
    let entries = report.entries.iter().map(|(table, entries)| format!("{table:30} {entries:>12}\n"));
    let problems = report.problems.iter().take(show);
    let problems = problems.map(|Problem { table, key, message }| format!("{table} {key}: {message}\n"));
    let end = match report.problem_count {
        0 => "No problems.\n".to_owned(),
        1 => "1 problem.\n".to_owned(),
        count => format!("{count} problems.\n"),
    };
    print(&entries.chain(problems).chain([end]).collect::<String>())
}
