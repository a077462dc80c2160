//! `dendro import`: transcripts of conversations into a database.

use std::{
    fs::File,
    io::{Read, stdin},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;

use super::{
    exit::{Outcome, print},
    progress,
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
    service::{
        Services,
        import::{self, Defaults, FileReport, Format, Importer, Progress, Reader},
    },
};

/// Import transcripts of conversations
///
/// Each conversation becomes a conversation with its messages; each turn in which the agent did
/// something becomes a trace with a tree of spans (agent, model calls, tool calls). System prompts and
/// tools become component versions. Nothing that a file says is lost: what has no field of its own is
/// kept as metadata.
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

    /// What the files hold; `auto` tells it by each record
    #[arg(long, value_enum, default_value_t = FormatArg::Auto)]
    format: FormatArg,

    /// The model, for transcripts that name none
    #[arg(long, value_name = "NAME")]
    model: Option<String>,

    /// When conversations without times begin [default: when the file was last changed]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    base_time: Option<Timestamp>,

    /// Print at most this many problems
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    show: usize,
}

const AFTER_HELP: &str = "\
Forms (JSON or JSON lines, gzip or not, told by the content):
  openai      conversations {\"messages\": [...]} or bare lists of messages as the chat API has them, with
              tool calls, parts and reasoning
  simple      messages {\"role\", \"content\", \"timestamp\"}: a list or a line each make one conversation
  tau-bench   runs {\"task_id\", \"trial\", \"reward\", \"info\", \"traj\"}: the reward becomes a score

Times: where a transcript has none, none are made up. Its messages stand a microsecond apart, to keep
their order, from --base-time on, and the metadata says `\"times\": \"order only\"`.

Damage: a broken line, an unknown role, a result without its call and the like are told with file,
line, record and field, and left out; the rest goes in, and the exit code is 3.

Examples:
  dendro import chats.jsonl
  dendro import --strict --data /var/lib/dendro runs/*.json.gz
  zcat big.jsonl.gz | dendro import --model gpt-4o -";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    Auto,
    #[value(name = "openai")]
    OpenAi,
    Simple,
    TauBench,
}

impl FormatArg {
    fn format(self) -> Option<Format> {
        match self {
            Self::Auto => None,
            Self::OpenAi => Some(Format::OpenAi),
            Self::Simple => Some(Format::Simple),
            Self::TauBench => Some(Format::TauBench),
        }
    }
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    let date = DateTime::parse_from_rfc3339(text).ok().and_then(|date| Timestamp::from_date(date.to_utc()));
    date.ok_or_else(|| "not a time; one looks like 2024-05-15T15:00:00Z".to_owned())
}

pub(super) async fn run(args: ImportArgs, config: &Config) -> anyhow::Result<Outcome> {
    if config.store.engine == EngineKind::Memory {
        anyhow::bail!("the engine `memory` keeps nothing; import into a database on disk");
    }
    // All files are looked at before the first is read: a mistyped name must not show after an hour.
    let sources = args.files.iter().map(|file| Source::open(file)).collect::<anyhow::Result<Vec<_>>>()?;
    let database = Database::open(config).await?;
    let bar = progress::bytes(sources.iter().map(|source| source.bytes).sum());
    let mut total = FileReport::default();
    let mut shown = 0;
    for source in sources {
        let report = import_file(source, &args, config, (&database.services, &bar, &mut shown)).await?;
        total.add(&report);
        if total.stopped {
            break;
        }
    }
    bar.finish_and_clear();
    database.close().await?;
    print(&told(&total, shown.saturating_sub(args.show)))?;
    Ok(match total {
        _ if total.stopped => Outcome::Problems,
        _ if total.has_skipped() && total.written.found.conversations == 0 => Outcome::Problems,
        _ if total.has_skipped() => Outcome::Skipped,
        _ => Outcome::Done,
    })
}

async fn import_file(
    source: Source,
    args: &ImportArgs,
    config: &Config,
    (services, bar, shown): (&Services, &ProgressBar, &mut usize),
) -> anyhow::Result<FileReport> {
    let Source { name, input, base, .. } = source;
    let base = args.base_time.unwrap_or(base);
    let defaults = Defaults { model: args.model.clone() };
    let importer = Importer::new(services.clone(), Arc::new(config.records.clone()), base, defaults);
    let input = import::open(bar.wrap_read(input)).with_context(|| format!("cannot read {name}"))?;
    let reader = Reader::new(&name, input, args.format.format(), config.records.clone());
    bar.set_prefix(name.clone());
    let mut conversations = 0_u64;
    let report = import::run(&importer, reader, args.strict, |progress| match progress {
        Progress::Written(written) => {
            conversations += written.found.conversations;
            bar.set_message(format!("{conversations} conversations"));
        }
        Progress::Problem(problem) => {
            *shown += 1;
            if *shown <= args.show {
                bar.suspend(|| {
                    if args.strict {
                        eprintln!("dendro: {problem:#}");
                    } else {
                        eprintln!("dendro: {problem}");
                    }
                });
            }
        }
    });
    report.await.with_context(|| format!("cannot import {name} to its end; run the import again to go on"))
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

fn told(report: &FileReport, not_shown: usize) -> String {
    let mut lines = vec![format!("{:>26}{:>12}", "found", "new")];
    let (found, new) = (report.written.found.named(), report.written.new.named());
    lines.extend(
        found.iter().zip(new).map(|((name, found), (_, new))| format!("{name:14}{found:>12}{new:>12}")),
    );
    lines.push(format!("{:14}{:>12}", "skipped", report.skipped_messages + report.skipped_records));
    if report.has_skipped() {
        let (messages, records) = (report.skipped_messages, report.skipped_records);
        lines.push(format!("Skipped: {messages} messages and {records} records or rests of files."));
    }
    if not_shown > 0 {
        lines.push(format!("{not_shown} more problems are not shown; see --show."));
    }
    if report.stopped {
        lines.push("Stopped at the first problem; what came before it is in.".to_owned());
    }
    lines.join("\n") + "\n"
}
