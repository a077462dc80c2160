//! `dendro import`: transcripts of conversations, and OTLP, into a database.

use std::{
    fs::File,
    io::{BufRead, Read, stdin},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;

use super::{
    exit::{Outcome, print},
    moment, progress,
    settings::DatabaseArgs,
};
use crate::{
    app::Database,
    config::Config,
    engine::EngineKind,
    model::{
        Timestamp,
        clock::{Clock, SystemClock},
    },
    otlp::import::{self as otlp, Report},
    service::import::{self, Defaults, FileReport, Format, Importer, Problem, Progress, Reader},
};

/// Import transcripts of conversations, and OpenTelemetry's OTLP
///
/// Of transcripts, each conversation becomes a conversation with its messages; each turn in which the
/// agent did something becomes a trace with a tree of spans (agent, model calls, tool calls). System
/// prompts and tools become component versions. Nothing that a file says is lost: what has no field of its
/// own is kept as metadata. OTLP goes in as if it were sent to the server.
///
/// Ids follow from the content. Importing a file again changes nothing; after an import that was cut
/// short it adds what is missing. The database must not be open elsewhere.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,

    /// The files; `-` reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Stop at the first damaged record instead of leaving it out; nothing of it is stored
    #[arg(long)]
    strict: bool,

    /// What the files hold; `auto` tells it by their beginning, and of transcripts by each record
    #[arg(long, value_enum, default_value_t = FormatArg::Auto)]
    format: FormatArg,

    /// The model, for transcripts that name none
    #[arg(long, value_name = "NAME")]
    model: Option<String>,

    /// When conversations without times begin [default: when the file was last changed]
    #[arg(long, value_name = "TIME", value_parser = moment::time)]
    base_time: Option<Timestamp>,

    /// Print at most this many problems
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    show: usize,
}

const AFTER_HELP: &str = "\
Forms (JSON or JSON lines; gzip, zstd or neither, told by the content):
  openai         conversations {\"messages\": [...]} or bare lists of messages as the chat API has them, with
                 tool calls, parts and reasoning
  simple         messages {\"role\", \"content\", \"timestamp\"}: a list or a line each make one conversation
  tau-bench      runs {\"task_id\", \"trial\", \"reward\", \"info\", \"traj\"}: the reward becomes a score
  otlp-json      requests {\"resourceSpans\": [...]} or {\"resourceLogs\": [...]}
  otlp-protobuf  one request, or many, each behind its length in four bytes, the most significant first:
                 as the OpenTelemetry Collector's file exporter and `dendro export` write them
  Requests that the Collector's file exporter packs one by one (`compression: zstd`) are told by their beginning.

Times: where a transcript has none, none are made up. Its messages stand a microsecond apart, to keep
their order, from --base-time on, and the metadata says `\"times\": \"order only\"`.

Damage: a broken line, an unknown role, a result without its call, a span without an id and the like are
told with file, line, record and field, and left out; the rest goes in, and the exit code is 3.

Examples:
  dendro import chats.jsonl
  dendro import traces.jsonl.gz logs.jsonl.gz
  dendro import --strict --data /var/lib/dendro runs/*.json.gz
  zcat big.jsonl.gz | dendro import --model gpt-4o -";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    Auto,
    #[value(name = "openai")]
    OpenAi,
    Simple,
    TauBench,
    OtlpJson,
    OtlpProtobuf,
}

/// What a file holds.
#[derive(Debug, Clone, Copy)]
enum Holds {
    /// Transcripts; `None`: of whatever form.
    Transcripts(Option<Format>),
    Otlp(otlp::Form),
}

impl FormatArg {
    /// What a file holds, which begins with what is looked at where nobody says.
    fn of(self, input: Input) -> (Holds, Input) {
        match self {
            Self::Auto => {
                let (form, input) = otlp::detect(input);
                (form.map_or(Holds::Transcripts(None), Holds::Otlp), input)
            }
            Self::OpenAi => (Holds::Transcripts(Some(Format::OpenAi)), input),
            Self::Simple => (Holds::Transcripts(Some(Format::Simple)), input),
            Self::TauBench => (Holds::Transcripts(Some(Format::TauBench)), input),
            Self::OtlpJson => Self::otlp(otlp::Form::Json, input),
            Self::OtlpProtobuf => Self::otlp(otlp::Form::Protobuf, input),
        }
    }

    /// OTLP of a form that somebody says, which may be packed one by one.
    fn otlp(form: otlp::Form, input: Input) -> (Holds, Input) {
        let (found, input) = otlp::detect(input);
        (Holds::Otlp(found.filter(|found| *found == otlp::Form::Packed).unwrap_or(form)), input)
    }
}

/// A file's bytes, unpacked.
type Input = Box<dyn BufRead + Send>;

pub(super) async fn run(args: ImportArgs, config: &Config) -> anyhow::Result<Outcome> {
    if config.store.engine == EngineKind::Memory {
        anyhow::bail!("the engine `memory` keeps nothing; import into a database on disk");
    }
    // All files are looked at before the first is read: a mistyped name must not show after an hour.
    let sources = args.files.iter().map(|file| Source::open(file)).collect::<anyhow::Result<Vec<_>>>()?;
    let database = Database::open(config).await?;
    let bar = progress::bytes(sources.iter().map(|source| source.bytes).sum());
    let mut import = Import { args: &args, config, database: &database, bar: &bar, told: 0 };
    let (mut transcripts, mut otlp) = (FileReport::default(), None::<Report>);
    for source in sources {
        match import.file(source).await? {
            OfFile::Transcripts(report) => transcripts.add(&report),
            OfFile::Otlp(report) => otlp.get_or_insert_default().add(&report),
        }
        if transcripts.stopped || otlp.is_some_and(|otlp| otlp.stopped) {
            break;
        }
    }
    bar.finish_and_clear();
    let not_shown = import.told.saturating_sub(args.show);
    database.close().await?;
    print(&told(&transcripts, otlp.as_ref(), not_shown))?;
    let otlp = otlp.unwrap_or_default();
    let has_taken = transcripts.written.found.conversations > 0 || otlp.has_taken();
    let has_skipped = transcripts.has_skipped() || otlp.has_skipped();
    Ok(match (transcripts.stopped || otlp.stopped, has_skipped, has_taken) {
        (true, ..) | (_, true, false) => Outcome::Problems,
        (false, true, true) => Outcome::Skipped,
        (false, false, _) => Outcome::Done,
    })
}

/// An import under way.
struct Import<'a> {
    args: &'a ImportArgs,
    config: &'a Config,
    database: &'a Database,
    bar: &'a ProgressBar,
    /// Problems that were told, shown or not.
    told: usize,
}

/// What came of a file.
enum OfFile {
    Transcripts(FileReport),
    Otlp(Report),
}

impl Import<'_> {
    async fn file(&mut self, source: Source) -> anyhow::Result<OfFile> {
        let Source { name, input, base, .. } = source;
        let input = import::open(self.bar.wrap_read(input)).with_context(|| format!("cannot read {name}"))?;
        self.bar.set_prefix(name.clone());
        let cut_short = || format!("cannot import {name} to its end; run the import again to go on");
        Ok(match self.args.format.of(input) {
            (Holds::Transcripts(format), input) => OfFile::Transcripts(
                self.transcripts(&name, input, (format, base)).await.with_context(cut_short)?,
            ),
            (Holds::Otlp(form), input) => {
                OfFile::Otlp(self.otlp(&name, input, form).await.with_context(cut_short)?)
            }
        })
    }

    async fn transcripts(
        &mut self,
        name: &str,
        input: Input,
        (format, base): (Option<Format>, Timestamp),
    ) -> anyhow::Result<FileReport> {
        let base = self.args.base_time.unwrap_or(base);
        let defaults = Defaults { model: self.args.model.clone() };
        let (services, limits) = (self.database.services.clone(), self.config.records.clone());
        let importer = Importer::new(services, Arc::new(limits.clone()), base, defaults);
        let reader = Reader::new(name, input, format, limits);
        let (bar, mut conversations) = (self.bar, 0_u64);
        let report = import::run(&importer, reader, self.args.strict, |progress| match progress {
            Progress::Written(written) => {
                conversations += written.found.conversations;
                bar.set_message(format!("{conversations} conversations"));
            }
            Progress::Problem(problem) => self.tell(problem),
        });
        Ok(report.await?)
    }

    async fn otlp(&mut self, name: &str, input: Input, form: otlp::Form) -> anyhow::Result<Report> {
        let importer = otlp::Importer::new(self.database.services.ingest.clone(), Database::clock());
        let reader = otlp::Reader::new(name, input, form);
        let (bar, mut spans) = (self.bar, 0_u64);
        let report = otlp::run(&importer, reader, self.args.strict, |progress| match progress {
            otlp::Progress::Written(written) => {
                spans += written.spans;
                bar.set_message(format!("{spans} spans"));
            }
            otlp::Progress::Problem(problem) => self.tell(problem),
        });
        Ok(report.await?)
    }

    /// Tells of something that was left out, if not too much was told already.
    fn tell(&mut self, problem: &Problem) {
        self.told += 1;
        if self.told <= self.args.show {
            self.bar.suspend(|| {
                if self.args.strict {
                    eprintln!("dendro: {problem:#}");
                } else {
                    eprintln!("dendro: {problem}");
                }
            });
        }
    }
}

/// A file that can be read.
struct Source {
    name: String,
    input: Box<dyn Read + Send>,
    bytes: u64,
    /// When its conversations begin, if they do not say so.
    base: Timestamp,
}

impl Source {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let now = SystemClock.now();
        if path == Path::new("-") {
            return Ok(Self { name: "-".to_owned(), input: Box::new(stdin()), bytes: 0, base: now });
        }
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let metadata = file.metadata().with_context(|| format!("cannot open {name}"))?;
        if metadata.is_dir() {
            anyhow::bail!("{name} is a folder; name the files in it");
        }
        let changed =
            metadata.modified().ok().and_then(|time| Timestamp::from_date(DateTime::<Utc>::from(time)));
        Ok(Self { name, input: Box::new(file), bytes: metadata.len(), base: changed.unwrap_or(now) })
    }
}

fn told(transcripts: &FileReport, otlp: Option<&Report>, not_shown: usize) -> String {
    let mut lines = vec![format!("{:>26}{:>12}", "found", "new")];
    let mut line = |name: &str, found: u64, new: u64| lines.push(format!("{name:14}{found:>12}{new:>12}"));
    let (mut items, mut records) = (transcripts.skipped_messages, transcripts.skipped_records);
    // Spans are those of both: what was not imported is not told of.
    let of_otlp = otlp.copied().unwrap_or_default();
    let (found, new) = (transcripts.written.found.named(), transcripts.written.new.named());
    for ((name, found), (_, new)) in found.into_iter().zip(new) {
        let is_spans = name == "spans";
        if otlp.is_none() || found > 0 || (is_spans && of_otlp.spans > 0) {
            let more = if is_spans { (of_otlp.spans, of_otlp.new_spans) } else { (0, 0) };
            line(name, found + more.0, new + more.1);
        }
    }
    if otlp.is_some() {
        line("log records", of_otlp.log_records, of_otlp.new_log_records);
        items += of_otlp.skipped_items;
        records += of_otlp.skipped_requests;
    }
    lines.push(format!("{:14}{:>12}", "skipped", items + records));
    if items + records > 0 {
        let items_of = if otlp.is_some() { "messages, spans or log records" } else { "messages" };
        lines.push(format!("Skipped: {items} {items_of} and {records} records or rests of files."));
    }
    if not_shown > 0 {
        lines.push(format!("{not_shown} more problems are not shown; see --show."));
    }
    if transcripts.stopped || of_otlp.stopped {
        lines.push("Stopped at the first problem; what came before it is in.".to_owned());
    }
    lines.join("\n") + "\n"
}
