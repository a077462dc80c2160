//! What can be set: one struct a section, each with its defaults and why, read in one place and checked
//! once. Sections that bound a part of the program are declared beside that part. This module starts
//! nothing and must not know how a setting is used.

pub mod limits;
mod log;
mod models;
mod origin;
mod otlp;
mod prices;
mod read;
mod server;
mod store;

use serde::{Deserialize, Serialize};

pub use self::{
    limits::Limits,
    log::{LogConfig, LogFormat},
    otlp::{OtlpConfig, Port},
    prices::PricesConfig,
    read::{CONFIG_FILE, Flags, ReadError, read},
    server::ServerConfig,
    store::DatabaseConfig,
};
use crate::{
    graphql::page::PageLimits,
    llm::ModelsConfig,
    model::limits::RecordLimits,
    search::SearchConfig,
    service::{
        agents::AgentsConfig, evaluations::EvaluationConfig, ingest::IngestConfig, listing::ListLimits,
        query::QueryLimits, series::SeriesLimits,
    },
    tools::{ToolsConfig, WrongSetting},
};

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the server listens and whom it lets in.
    pub server: ServerConfig,
    /// Where data lies and how it is kept.
    pub store: DatabaseConfig,
    /// What one client may ask of the API.
    pub limits: Limits,
    /// How large single records may be.
    pub records: RecordLimits,
    /// How much is read at once.
    pub lists: ListLimits,
    /// How much a query may look at.
    pub query: QueryLimits,
    /// How much of the series is read at once.
    pub series: SeriesLimits,
    /// How long pages of lists may be.
    pub pages: PageLimits,
    /// The index of texts.
    pub search: SearchConfig,
    /// How reports of other systems are taken.
    pub ingest: IngestConfig,
    /// How agents are run.
    pub agents: AgentsConfig,
    /// How much is evaluated at once.
    pub evaluation: EvaluationConfig,
    /// OpenTelemetry's ports, and what a sender may send.
    pub otlp: OtlpConfig,
    /// What model calls cost.
    pub prices: PricesConfig,
    /// The tools that agents may call.
    pub tools: ToolsConfig,
    /// Providers of models, and how they are called.
    pub models: ModelsConfig,
    /// What is logged, and how.
    pub log: LogConfig,
}

/// A setting that is of the right kind and cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct Fault {
    /// The key: `store.queue.writes`.
    pub key: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Fault {
    fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self { key, message: message.into() }
    }
}

impl Config {
    /// Checks what the types cannot say. The first fault is told.
    pub fn check(&self) -> Result<(), Fault> {
        self.server.check()?;
        self.store.check()?;
        self.check_limits()?;
        self.otlp.check(&self.server)?;
        self.prices.check()?;
        self.tools.check().map_err(|WrongSetting { key, message }| Fault { key, message })?;
        models::check(&self.models)?;
        self.log.check()
    }

    fn check_limits(&self) -> Result<(), Fault> {
        at_least("limits.connections", self.limits.connections, 1)?;
        at_least("limits.body_bytes", self.limits.body_bytes, 1 << 10)?;
        at_least("limits.running", self.limits.running, 1)?;
        at_least("limits.document.bytes", self.limits.document.bytes, 1 << 10)?;
        at_least("limits.errors.count", self.limits.errors.count, 1)?;
        at_least("lists.scanned_per_page", self.lists.scanned_per_page, 100)?;
        at_least("lists.spans_at_once", self.lists.spans_at_once, 1)?;
        at_least("lists.span_body_bytes_at_once", self.lists.span_body_bytes_at_once, 1 << 20)?;
        at_least("query.traces_per_page", self.query.traces_per_page, 100)?;
        at_least("query.spans_per_page", self.query.spans_per_page, 1)?;
        at_least("query.sorted", self.query.sorted, 1)?;
        at_least("query.texts", self.query.texts, 1)?;
        at_least("series.points", self.series.points, 1)?;
        at_least("series.cells", self.series.cells, 1)?;
        at_least("lists.conversations_at_once", self.lists.conversations_at_once, 1)?;
        at_least("lists.traces_at_once", self.lists.traces_at_once, 1)?;
        at_least("lists.exports_at_once", self.lists.exports_at_once, 1)?;
        at_least("pages.most", self.pages.most, 1)?;
        at_least("pages.most_spans", self.pages.most_spans, 1)?;
        at_least("pages.most_tree_spans", self.pages.most_tree_spans, 1)?;
        at_least("pages.most_writes", self.pages.most_writes, 1)?;
        // A name stands in a key beside a conversation's or a component's other parts.
        between("records.name_bytes", self.records.name_bytes, 16, crate::engine::MAX_KEY_BYTES / 2)?;
        between("records.document_bytes", self.records.document_bytes, 1 << 10, MAX_DOCUMENT_BYTES)?;
        between("search.text_bytes", self.search.text_bytes, 1 << 10, MAX_DOCUMENT_BYTES)?;
        between("search.writer_bytes", self.search.writer_bytes, 15_000_000, 1 << 30)?;
        at_least("search.query_bytes", self.search.query_bytes, 10)?;
        between("search.query_words", self.search.query_words, 1, 1_000)?;
        at_least("agents.running", self.agents.running, 1)?;
        self.agents.tracing.check().map_err(|refusal| Fault::new("agents.tracing", refusal.to_string()))?;
        let experiments = &self.agents.experiments;
        at_least("agents.experiments.running", experiments.running, 1)?;
        at_least("agents.experiments.parallelism", experiments.parallelism as usize, 1)?;
        at_least("agents.experiments.attempts", experiments.attempts as usize, 1)?;
        at_least("records.dataset_items", self.records.dataset_items, 1)?;
        between("records.dataset_item_bytes", self.records.dataset_item_bytes, 1 << 10, MAX_DOCUMENT_BYTES)?;
        at_least("evaluation.at_once", self.evaluation.at_once, 1)?;
        at_least("evaluation.unfinished", self.evaluation.unfinished, 1)?;
        at_least("evaluation.evaluators", self.evaluation.evaluators, 1)?;
        at_least("records.plan_steps", self.records.plan_steps, 1)?;
        at_least("records.trace_spans", self.records.trace_spans, 1)
    }
}

/// Bytes of a document at most: several stand in one record, which an engine takes whole.
const MAX_DOCUMENT_BYTES: usize = crate::engine::MAX_VALUE_BYTES / 8;

fn at_least(key: &'static str, value: usize, least: usize) -> Result<(), Fault> {
    if value < least { Err(Fault::new(key, format!("{value} is too few; at least {least}"))) } else { Ok(()) }
}

fn between(key: &'static str, value: usize, least: usize, most: usize) -> Result<(), Fault> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(Fault::new(key, format!("{value} is not between {least} and {most}")))
    }
}
