//! `dendro dataset`: datasets from files and into files.

use std::{
    fs::File,
    io::{BufWriter, ErrorKind, Read, Write, stdin, stdout},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};

use super::{
    exit::{Outcome, print},
    settings::DatabaseArgs,
};
use crate::{
    app::Database,
    config::{Config, Flags},
    engine::EngineKind,
    model::{
        dataset::{Dataset, NewDataset},
        page::PageRequest,
    },
    service::{
        datasets::{FileFormat, read_items, to_line},
        import,
    },
};

/// Import datasets from files, and export them
///
/// A dataset holds inputs, with what is expected for them, that versions of agents are tried out on. The database must
/// not be open elsewhere.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dendro dataset import questions.csv --name support
  dendro dataset export --name support -o support.jsonl")]
pub(super) struct DatasetArgs {
    #[command(subcommand)]
    command: DatasetCommand,
}

#[derive(Debug, Subcommand)]
enum DatasetCommand {
    Import(ImportArgs),
    Export(ExportArgs),
}

/// Add a file's items to a dataset, which is made where there is none
///
/// What is new makes a version of the dataset; of a file of more than 8 MiB, several. An item that says the same as one
/// that is there changes nothing, so importing a file again does not either.
#[derive(Debug, Args)]
#[command(after_help = "\
Forms (packed with gzip or zstd, or not, told by the content):
  json  JSON lines or a JSON list: objects with `input`, and perhaps `expected`, `metadata` (an object) and
        `itemId` (a UUID), or texts, which are inputs. Other members go into the metadata.
  csv   the first line names the columns: `input`, and perhaps `expected` and `itemId`. Other columns go
        into the metadata.

What cannot be an item is told with its line and left out; the rest goes in, and the exit code is 3.

Examples:
  dendro dataset import questions.csv --name support
  dendro dataset import --name support --data /var/lib/dendro more.jsonl
  zcat big.jsonl.gz | dendro dataset import --name big -")]
struct ImportArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// The file; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The name of the dataset
    #[arg(long, value_name = "NAME")]
    name: String,

    /// What the dataset is for, in words, where it is made
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// How the items are written; `auto` takes what is called .csv or .csv.gz as csv, and anything else as json
    #[arg(long, value_enum, default_value_t = FormatArg::Auto)]
    format: FormatArg,

    /// Print at most this many problems
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    show: usize,
}

/// Write a dataset as JSON lines
///
/// `dendro dataset import` reads them again as they are, ids included.
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    after_help = "\
Examples:
  dendro dataset export --name support -o support.jsonl
  dendro dataset export --name support --version 3 | jq .input"
)]
struct ExportArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// The name of the dataset
    #[arg(long, value_name = "NAME")]
    name: String,

    /// The version of the dataset [default: the newest]
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,

    /// Where to write; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    Auto,
    Json,
    Csv,
}

impl FormatArg {
    fn of(self, file: &Path) -> FileFormat {
        let name = file.to_string_lossy().to_ascii_lowercase();
        match self {
            Self::Csv => FileFormat::Csv,
            Self::Auto if [".csv", ".csv.gz"].iter().any(|end| name.ends_with(end)) => FileFormat::Csv,
            Self::Json | Self::Auto => FileFormat::Json,
        }
    }
}

impl DatasetArgs {
    pub(super) fn settings(&self, flags: &mut Flags) {
        match &self.command {
            DatasetCommand::Import(args) => args.database.settings(flags),
            DatasetCommand::Export(args) => args.database.settings(flags),
        }
    }
}

pub(super) async fn run(args: DatasetArgs, config: &Config) -> anyhow::Result<Outcome> {
    match args.command {
        DatasetCommand::Import(args) => Box::pin(import_file(args, config)).await,
        DatasetCommand::Export(args) => Box::pin(export(args, config)).await,
    }
}

async fn import_file(args: ImportArgs, config: &Config) -> anyhow::Result<Outcome> {
    if config.store.engine == EngineKind::Memory {
        anyhow::bail!("the engine `memory` keeps nothing; import into a database on disk");
    }
    // Before the database is made, so that a mistyped name leaves none.
    let name = args.file.display().to_string();
    let file = open(&args.file).with_context(|| format!("cannot open {name}"))?;
    let input = import::open(file).with_context(|| format!("cannot read {name}"))?;
    let items = read_items(&name, input, args.format.of(&args.file));
    let items = items.map_err(|refusal| anyhow::anyhow!("{name}: {refusal}"))?;
    let database = Database::open(config).await?;
    let dataset = named_or_new(&database, &args).await?;
    let mut told = 0_usize;
    let imported = database.services.datasets.import(dataset.id, items, |place, problem| {
        told += 1;
        if told <= args.show {
            eprintln!("dendro: {name}, {place}: {problem}");
        }
    });
    let imported = imported.await?;
    database.close().await?;
    let version = imported.dataset.as_ref().map_or(dataset.version, |dataset| dataset.version);
    let items = imported.dataset.as_ref().map_or(dataset.item_count, |dataset| dataset.item_count);
    print(&format!(
        "{} added, {} unchanged, {} refused; `{}` is at version {version} with {items} items.\n",
        imported.added, imported.unchanged, imported.refused, args.name
    ))?;
    if told > args.show {
        print(&format!("{} more problems are not shown; see --show.\n", told - args.show))?;
    }
    Ok(match (imported.refused, imported.added + imported.unchanged) {
        (0, _) => Outcome::Done,
        (_, 0) => Outcome::Problems,
        _ => Outcome::Skipped,
    })
}

fn open(path: &Path) -> std::io::Result<Box<dyn Read + Send>> {
    if path == Path::new("-") {
        return Ok(Box::new(stdin()));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(std::io::Error::new(ErrorKind::IsADirectory, "it is a folder; name a file in it"));
    }
    Ok(Box::new(file))
}

async fn named_or_new(database: &Database, args: &ImportArgs) -> anyhow::Result<Dataset> {
    let datasets = &database.services.datasets;
    if let Some(dataset) = datasets.named(&args.name).await? {
        return Ok(dataset);
    }
    let (name, description) = (args.name.clone(), args.description.clone());
    Ok(datasets.create(NewDataset { id: None, name, description }).await?)
}

/// Items that are read at a time.
const PAGE: usize = 500;

async fn export(args: ExportArgs, config: &Config) -> anyhow::Result<Outcome> {
    let database = Database::open_existing(config).await?;
    let found = database.services.datasets.named(&args.name).await?;
    let dataset = found.with_context(|| format!("there is no dataset `{}`", args.name))?;
    let version = dataset.version_number("--version", args.version)?;
    let is_standard = args.output == Path::new("-");
    let output: Box<dyn Write> = if is_standard {
        Box::new(stdout())
    } else {
        let name = args.output.display();
        Box::new(File::create(&args.output).with_context(|| format!("cannot write {name}"))?)
    };
    let written = write(&database, (&dataset, version), BufWriter::new(output)).await;
    database.close().await?;
    let count = match written {
        Ok(count) => count,
        // Whoever reads has seen enough, as `head` has.
        Err(error) if is_closed(&error) => return Ok(Outcome::Done),
        Err(error) => return Err(error.context(format!("cannot write {}", args.output.display()))),
    };
    let told = format!("{count} items of version {version} of `{}`.\n", dataset.name);
    if is_standard {
        eprint!("{told}");
    } else {
        print(&told)?;
    }
    Ok(Outcome::Done)
}

async fn write(
    database: &Database,
    (dataset, version): (&Dataset, u64),
    mut output: impl Write,
) -> anyhow::Result<u64> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = PageRequest { first: PAGE, after };
        let page = database.services.datasets.items_of(&[(dataset.id, version)], &page).await?.pop();
        let Some(page) = page else { break };
        for (_, item) in &page.items {
            output.write_all(to_line(item).as_bytes())?;
            count += 1;
        }
        if !page.has_next {
            break;
        }
        after = page.end.map(|cursor| cursor.encode());
    }
    output.flush()?;
    Ok(count)
}

fn is_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
