//! `dendro reprice`: costs at the prices that hold now.

use std::path::PathBuf;

use clap::Args;

use super::{
    exit::{Outcome, print},
    moment, progress,
    settings::DatabaseArgs,
};
use crate::{
    app::Database,
    config::{Config, Flags},
    model::{Timestamp, ledger::NanoUsd},
    service::tracing::{ModelCosts, Repriced, Repricing},
};

/// Compute costs anew at the prices that hold now
///
/// Spans keep the cost that was computed when they came. This goes over all traces and computes every
/// cost anew that was computed, or that nobody knew, by the table of prices that comes with this version,
/// or by one of your own. Costs that were reported stay. Only what changes is written; cut short, it can be
/// run again. The database must not be open elsewhere.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct RepriceArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// A table of prices of your own, in the form of src/model/prices/table.json [default: prices.file of
    /// the settings, else the table that comes with Dendro]
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// Only traces that started at this day or time or later
    #[arg(long, value_name = "DATE", value_parser = moment::day)]
    from: Option<Timestamp>,

    /// Only this model, in any case of its letters; can be given several times
    #[arg(long, value_name = "NAME")]
    model: Vec<String>,

    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

const AFTER_HELP: &str = "\
The sums are over spans; a trace counts a call once that several spans tell of.

A server goes by prices.file of its settings for the spans that come to it:

  [prices]
  file = \"prices.json\"

Examples:
  dendro reprice --dry-run                                what would change
  dendro reprice --from 2026-01-01 --model gpt-4o         one model, this year
  dendro reprice --prices prices.json --data /var/lib/dendro";

impl RepriceArgs {
    pub(super) fn settings(&self, flags: &mut Flags) {
        self.database.settings(flags);
        flags.set("prices.file", self.prices.as_ref());
    }
}

pub(super) async fn run(args: RepriceArgs, config: &Config) -> anyhow::Result<Outcome> {
    let database = Database::open_existing(config).await?;
    let bar = progress::counter();
    bar.set_prefix("traces");
    let repricing = Repricing { started_from: args.from, models: args.model, dry_run: args.dry_run };
    let repriced = database
        .services
        .tracing
        .reprice(&repricing, |repriced| {
            bar.set_position(repriced.traces);
            bar.set_message(format!("{} spans changed", repriced.changed_spans));
        })
        .await;
    bar.finish_and_clear();
    let repriced = repriced?;
    database.close().await?;
    let version = config.prices.table()?.version().to_owned();
    print(&told(&repriced, &version, args.dry_run))?;
    Ok(Outcome::Done)
}

fn told(repriced: &Repriced, version: &str, dry_run: bool) -> String {
    let mut lines = vec![format!("{:40}{:>10}{:>18}{:>18}", "model", "spans", "before USD", "now USD")];
    let line = |name: &str, costs: &ModelCosts| {
        let (before, now) = (
            dollars(costs.before, costs.unknown_before == costs.spans),
            dollars(costs.now, costs.unknown_now == costs.spans),
        );
        format!("{name:40}{:>10}{before:>18}{now:>18}", costs.spans)
    };
    lines.extend(repriced.models.iter().map(|(name, costs)| {
        let name = if name.is_empty() { "(no model)" } else { name };
        line(name, costs)
    }));
    lines.push(line("total", &repriced.total()));
    let Repriced { traces, changed_traces, changed_spans, confirmed_spans, reported_spans, .. } = repriced;
    lines.push(format!("Prices: {version}."));
    let verb = if dry_run { "would get" } else { "got" };
    lines.push(format!(
        "{changed_spans} spans {verb} another cost, {confirmed_spans} the same by other prices."
    ));
    lines.push(format!("{changed_traces} of {traces} traces changed; {reported_spans} reported costs stay."));
    if dry_run {
        lines.push("Nothing was written.".to_owned());
    }
    lines.join("\n") + "\n"
}

/// An amount with all its digits: sums of small prices show only there.
fn dollars(amount: NanoUsd, is_unknown: bool) -> String {
    if is_unknown { "unknown".to_owned() } else { format!("{:.9}", amount.dollars()) }
}
