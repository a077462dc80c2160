//! `dendro export`: traces as OTLP, into a file or to standard output.

use std::{
    fs::File,
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use flate2::{Compression, write::GzEncoder};
use futures_util::TryStreamExt;
use indicatif::ProgressBar;

use super::{
    exit::{Outcome, print},
    moment, progress,
    settings::DatabaseArgs,
};
use crate::{
    app::Database,
    config::Config,
    model::{Timestamp, TraceId},
    otlp::{Encoding, export::Exporter},
    service::{
        ingest::conversation_id,
        tracing::{Selection, TraceFilter, TracePiece},
    },
};

/// Export traces as OpenTelemetry's OTLP
///
/// Writes requests as the OpenTelemetry Collector's file exporter does, so that the Collector, other
/// systems and `dendro import` can read them. Spans that came by OTLP go out as they came: attributes with
/// their types, events, links, resource and scope. Spans that were recorded through the API get
/// OpenTelemetry's attributes `gen_ai.*`, and what OTLP has no words for stands in attributes `dendro.*`, which
/// `dendro import` understands. The database must not be open elsewhere.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,

    /// How the requests are written
    #[arg(long, value_enum, default_value_t = FormatArg::OtlpJson)]
    format: FormatArg,

    /// Where to write; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    /// Only this trace: its UUID or 32 hexadecimal digits; can be given several times
    #[arg(long, value_name = "ID", value_parser = trace_id)]
    trace: Vec<TraceId>,

    /// Only traces that started at this day or time or later
    #[arg(long, value_name = "DATE", value_parser = moment::day)]
    from: Option<Timestamp>,

    /// Only traces that started before this day or time
    #[arg(long, value_name = "DATE", value_parser = moment::day)]
    to: Option<Timestamp>,

    /// Only traces of this conversation: its UUID, or the id that the application gave it
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,

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

Running spans have endTimeUnixNano 0. Ids of spans are cut to the eight bytes that OTLP has: the last
ones where the others are zero, else the first of their BLAKE3 hash, and the whole id is in
`dendro.span.id`. What came in records of logs stands in events of its span. Costs that were computed
are left out, and so are scores and conversations.

Examples:
  dendro export -o traces.jsonl
  dendro export --from 2026-01-01 --to 2026-02-01 --gzip -o january.jsonl.gz
  dendro export --trace 4bf92f3577b34da6a3ce929d0e0e4736 | jq
  dendro export --format otlp-protobuf --conversation chat-42 -o chat.pb";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    OtlpJson,
    OtlpProtobuf,
}

impl FormatArg {
    const fn encoding(self) -> Encoding {
        match self {
            Self::OtlpJson => Encoding::Json,
            Self::OtlpProtobuf => Encoding::Protobuf,
        }
    }
}

fn trace_id(text: &str) -> Result<TraceId, String> {
    text.parse().map_err(|_| "not the id of a trace; one has 32 hexadecimal digits".to_owned())
}

impl ExportArgs {
    fn selection(&self) -> Selection {
        let filter = TraceFilter {
            conversation_id: self.conversation.as_deref().map(conversation_id),
            started_from: self.from,
            started_before: self.to,
            ..TraceFilter::default()
        };
        Selection { ids: self.trace.clone(), filter }
    }
}

/// What was exported.
#[derive(Default)]
struct Counts {
    traces: u64,
    spans: u64,
}

pub(super) async fn run(args: ExportArgs, config: &Config) -> anyhow::Result<Outcome> {
    // Before the file is made, so that a mistyped folder of the database does not empty it.
    let database = Database::open_existing(config).await?;
    let mut output = Output::open(&args.output, args.gzip)?;
    let bar = progress::counter();
    bar.set_prefix("traces");
    let mut exporter = Exporter::new(args.format.encoding());
    let pieces = database.services.tracing.whole_traces(args.selection());
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

fn is_standard(output: &Path) -> bool {
    output == Path::new("-")
}

fn is_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Where the bytes go.
enum Output {
    Plain(BufWriter<Box<dyn Write>>),
    Packed(GzEncoder<BufWriter<Box<dyn Write>>>),
}

impl Output {
    fn open(path: &Path, gzip: bool) -> anyhow::Result<Self> {
        let name = path.display();
        let inner: Box<dyn Write> = if is_standard(path) {
            Box::new(io::stdout())
        } else {
            Box::new(File::create(path).with_context(|| format!("cannot write {name}"))?)
        };
        let inner = BufWriter::new(inner);
        Ok(if gzip {
            Self::Packed(GzEncoder::new(inner, Compression::default()))
        } else {
            Self::Plain(inner)
        })
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Packed(out) => out.write_all(bytes),
        }
    }

    /// Writes what is left.
    fn end(self) -> io::Result<()> {
        match self {
            Self::Plain(mut out) => out.flush(),
            Self::Packed(out) => out.finish()?.flush(),
        }
    }
}
