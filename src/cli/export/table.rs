//! `dendro export --table`: the rows of a table.

use anyhow::Context as _;
use indicatif::ProgressBar;

use super::{ExportArgs, Output, is_closed, is_standard};
use crate::{
    app::Database,
    cli::{
        exit::{Outcome, print},
        progress,
    },
    config::Config,
    export::{Format, Writer},
    model::query::TraceCondition,
    service::tables::{Rows, Table},
};

pub(super) async fn run(
    args: &ExportArgs,
    condition: Option<TraceCondition>,
    config: &Config,
    (table, format): (Table, Format),
) -> anyhow::Result<Outcome> {
    // Before the file is made, so that a mistyped folder of the database, or a condition that is refused, does not
    // empty it.
    let database = Database::open_existing(config).await?;
    let rows = database.services.tables.rows(table, &args.rows(condition)).await?;
    let mut output = Output::open(&args.output, args.gzip)?;
    let bar = progress::counter();
    bar.set_prefix(table.name());
    let written = write(rows, Writer::new(format, table.columns())?, &mut output, &bar).await;
    bar.finish_and_clear();
    let written = match written.and_then(|count| Ok((count, output.end()?))) {
        Ok((count, ())) => Some(count),
        Err(error) if is_closed(&error) => None,
        Err(error) => return Err(error.context(format!("cannot write {}", args.output.display()))),
    };
    database.close().await?;
    if let Some(count) = written {
        let told = format!("{count} rows of {table}.\n");
        if is_standard(&args.output) { eprint!("{told}") } else { print(&told)? }
    }
    Ok(Outcome::Done)
}

async fn write(
    mut rows: Rows,
    mut writer: Writer,
    output: &mut Output,
    bar: &ProgressBar,
) -> anyhow::Result<u64> {
    let mut count = 0;
    while let Some(rows) = rows.next().await? {
        count += rows.len() as u64;
        output.write_all(&writer.write(rows)?)?;
        bar.set_position(count);
    }
    output.write_all(&writer.finish().context("the table is not whole")?)?;
    Ok(count)
}
