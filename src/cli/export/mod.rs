//! `dendro export`: traces as OTLP, or a table of what there is, into a file or to standard output.

mod condition;
mod output;
mod table;

use std::{fmt::Display, path::PathBuf};

use clap::{Args, CommandFactory, ValueEnum, builder::PossibleValue, error::ErrorKind};
use futures_util::TryStreamExt;
use indicatif::ProgressBar;

use self::output::{Output, is_closed, is_standard};

use super::{
    exit::{Outcome, print},
    moment, progress,
    settings::DatabaseArgs,
};
use crate::{
    app::Database,
    config::Config,
    export::Format,
    model::{Timestamp, TraceId, query::TraceCondition},
    otlp::{Encoding, export::Exporter},
    service::{
        ingest::conversation_id,
        query::Selection,
        tables::{RowFilter, Table},
        tracing::{TraceFilter, TracePiece},
    },
};

/// Export traces as OpenTelemetry's OTLP, or tables as JSON lines, CSV or Parquet
///
/// Without `--table`, writes requests as the OpenTelemetry Collector's file exporter does, so that the Collector, other
/// systems and `dendro import` can read them. Spans that came by OTLP go out as they came: attributes with
/// their types, events, links, resource and scope. Spans that were recorded through the API get
/// OpenTelemetry's attributes `gen_ai.*`, and what OTLP has no words for stands in attributes `dendro.*`, which
/// `dendro import` understands.
///
/// With `--table`, writes the rows of a table, for notebooks, databases and spreadsheets: docs/export.md tells the
/// columns. The database must not be open elsewhere; a server gives the same tables at
/// /api/v1/export/{table}.{jsonl|csv|parquet}.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,

    /// Write this table instead of OTLP
    #[arg(long, value_enum)]
    table: Option<TableArg>,

    /// How it is written [default: otlp-json, or jsonl for a table]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,

    /// Where to write; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    /// Only this trace, or what belongs to it: its UUID or 32 hexadecimal digits; can be given several times
    #[arg(long, value_name = "ID", value_parser = trace_id)]
    trace: Vec<TraceId>,

    /// Only traces that started at this day or time or later; of messages and scores those made then
    #[arg(long, value_name = "DATE", value_parser = moment::day)]
    from: Option<Timestamp>,

    /// Only traces that started before this day or time; of messages and scores those made before it
    #[arg(long, value_name = "DATE", value_parser = moment::day)]
    to: Option<Timestamp>,

    /// Only traces of this conversation, or what belongs to it: its UUID, or the id that the application gave it
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,

    /// Only traces that fulfil this condition, or what belongs to them: JSON, as `where` of a query has it, or `@FILE`
    #[arg(long = "where", value_name = "JSON")]
    condition: Option<String>,

    /// Pack what is written
    #[arg(long)]
    gzip: bool,
}

const AFTER_HELP: &str = "\
Forms:
  otlp-json      a line a request (ExportTraceServiceRequest), each of one trace; what would make a line
                 longer than a mebibyte, which the Collector reads where nothing else is configured, goes
                 into further lines, span by span
  otlp-protobuf  each request behind its length: four bytes, the most significant first, as the
                 Collector's file exporter writes them with `format: proto`
  jsonl          of a table: a JSON object a row
  csv            of a table: RFC 4180, with a line of names
  parquet        of a table: Apache Parquet, packed by zstd

Running spans have endTimeUnixNano 0. Ids of spans are cut to the eight bytes that OTLP has: the last
ones where the others are zero, else the first of their BLAKE3 hash, and the whole id is in
`dendro.span.id`. What came in records of logs stands in events of its span. Costs that were computed
are left out, and so are scores and conversations.

Examples:
  dendro export -o traces.jsonl
  dendro export --from 2026-01-01 --to 2026-02-01 --gzip -o january.jsonl.gz
  dendro export --trace 4bf92f3577b34da6a3ce929d0e0e4736 | jq
  dendro export --format otlp-protobuf --conversation chat-42 -o chat.pb
  dendro export --table spans --format parquet -o spans.parquet
  dendro export --table scores --format csv --from 2026-01-01 | head
  dendro export --table spans --where '{\"models\": [\"gpt-4o\"], \"costUsd\": {\"min\": 0.05}}'
  dendro export --where @failed-searches.json -o failed.jsonl";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    OtlpJson,
    OtlpProtobuf,
    Jsonl,
    Csv,
    Parquet,
}

/// What is written.
enum Form {
    Otlp(Encoding),
    Table(Table, Format),
}

impl ExportArgs {
    /// What is asked for, if it fits together.
    fn form(&self) -> Result<Form, &'static str> {
        use FormatArg::{Csv, Jsonl, OtlpJson, OtlpProtobuf, Parquet};
        match (self.table, self.format) {
            (None, None | Some(OtlpJson)) => Ok(Form::Otlp(Encoding::Json)),
            (None, Some(OtlpProtobuf)) => Ok(Form::Otlp(Encoding::Protobuf)),
            (None, Some(Jsonl | Csv | Parquet)) => {
                Err("--format jsonl, csv and parquet are of tables: name one, as in `--table spans`")
            }
            (Some(table), None | Some(Jsonl)) => Ok(Form::Table(table.0, Format::JsonLines)),
            (Some(table), Some(Csv)) => Ok(Form::Table(table.0, Format::Csv)),
            (Some(_), Some(Parquet)) if self.gzip => {
                Err("--gzip: what Parquet holds is packed already, and nobody reads it packed once more")
            }
            (Some(table), Some(Parquet)) => Ok(Form::Table(table.0, Format::Parquet)),
            (Some(_), Some(OtlpJson | OtlpProtobuf)) => {
                Err("--format otlp-json and otlp-protobuf are of whole traces: leave --table out")
            }
        }
    }
}

/// A table by its name.
#[derive(Debug, Clone, Copy)]
struct TableArg(Table);

impl ValueEnum for TableArg {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [TableArg; Table::ALL.len()] = [
            TableArg(Table::Traces),
            TableArg(Table::Spans),
            TableArg(Table::Messages),
            TableArg(Table::Scores),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

fn trace_id(text: &str) -> Result<TraceId, String> {
    text.parse().map_err(|_| "not the id of a trace; one has 32 hexadecimal digits".to_owned())
}

impl ExportArgs {
    fn selection(&self, condition: Option<TraceCondition>) -> Selection {
        let filter = TraceFilter {
            conversation_id: self.conversation.as_deref().map(conversation_id),
            started_from: self.from,
            started_before: self.to,
            ..TraceFilter::default()
        };
        let condition = condition.unwrap_or_else(TraceCondition::any).and(filter.into());
        Selection { ids: self.trace.clone(), condition, ..Selection::default() }
    }

    fn rows(&self, condition: Option<TraceCondition>) -> RowFilter {
        RowFilter {
            traces: self.trace.clone(),
            conversation: self.conversation.as_deref().map(conversation_id),
            from: self.from,
            before: self.to,
            condition,
            ordering: None,
        }
    }
}

/// Ends the program as any other misuse does: with the usage, and the code for it.
fn misused(kind: ErrorKind, message: impl Display) -> ! {
    super::Cli::command().error(kind, message).exit()
}

/// What was exported.
#[derive(Default)]
struct Counts {
    traces: u64,
    spans: u64,
}

pub(super) async fn run(args: ExportArgs, config: &Config) -> anyhow::Result<Outcome> {
    let form = args.form().unwrap_or_else(|message| misused(ErrorKind::ArgumentConflict, message));
    let condition = args.condition.as_deref().map(condition::read).transpose();
    let condition = condition.unwrap_or_else(|message| misused(ErrorKind::ValueValidation, message));
    let encoding = match form {
        Form::Otlp(encoding) => encoding,
        Form::Table(table, format) => return table::run(&args, condition, config, (table, format)).await,
    };
    // Before the file is made, so that a mistyped folder of the database, or a condition that is refused, does not
    // empty it.
    let database = Database::open_existing(config).await?;
    let pieces = database.services.queries.whole_traces(args.selection(condition)).await?;
    let mut output = Output::open(&args.output, args.gzip)?;
    let bar = progress::counter();
    bar.set_prefix("traces");
    let mut exporter = Exporter::new(encoding);
    let written = write(pieces, &mut exporter, &mut output, &bar).await;
    bar.finish_and_clear();
    let written = match written.and_then(|counts| Ok((counts, output.end()?))) {
        Ok((counts, ())) => Some(counts),
        // Whoever reads has seen enough, as `head` has.
        Err(error) if is_closed(&error) => None,
        Err(error) => return Err(error.context(format!("cannot write {}", args.output.display()))),
    };
    database.close().await?;
    if let Some(Counts { traces, spans }) = written {
        let told = format!("{traces} traces with {spans} spans in {} requests.\n", exporter.requests());
        if is_standard(&args.output) { eprint!("{told}") } else { print(&told)? }
    }
    Ok(Outcome::Done)
}

async fn write(
    pieces: impl futures_util::Stream<Item = crate::service::ServiceResult<TracePiece>>,
    exporter: &mut Exporter,
    output: &mut Output,
    bar: &ProgressBar,
) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    let mut pieces = std::pin::pin!(pieces);
    while let Some(piece) = pieces.try_next().await? {
        output.write_all(&exporter.write(&piece))?;
        counts.spans += piece.spans.len() as u64;
        counts.traces += u64::from(piece.is_last);
        bar.set_position(counts.traces);
        bar.set_message(format!("{} spans", counts.spans));
    }
    Ok(counts)
}
