//! The consistency check: every index entry follows from its record, every record has its entries,
//! and what is derived (summaries, counters, references) equals what it is derived from.
//!
//! It reads page by page, so its memory does not grow with the database, and it changes nothing.

use std::collections::BTreeMap;

use super::{
    Store, StoreResult,
    codec::{self, Record},
    index::{IndexEntry, Indexed},
    key::Key,
    keyspace::{self, Nothing, Table},
    spans::BodyRequest,
};
use crate::{
    engine::{KeyRange, ScanRequest, Tree},
    model::{
        TraceId, component::ComponentVersion, conversation::Conversation, message::Message, plan::Plan,
        score::Score, summary::Summary, trace::Trace,
    },
};

/// Entries read at a time.
const PAGE: usize = 1_000;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The table.
    pub table: &'static str,
    /// The key, in hexadecimal digits.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct CheckReport {
    /// Entries of each table, in the order of the keyspace.
    pub entries: Vec<(&'static str, u64)>,
    /// What is wrong; the first [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// How much is wrong in all.
    pub problem_count: u64,
}

/// Problems that a report names.
pub const MAX_PROBLEMS: usize = 1_000;

/// Told how a check goes on.
pub type CheckProgress<'a> = &'a (dyn Fn(&'static str, u64) + Send + Sync);

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problem_count == 0
    }

    fn note(&mut self, table: &'static str, key: &[u8], message: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < MAX_PROBLEMS {
            let key = key.iter().map(|byte| format!("{byte:02x}")).collect();
            self.problems.push(Problem { table, key, message: message.into() });
        }
    }
}

impl Store {
    /// Checks every table; `progress` is told the table and the entries read of it so far. Run it while nothing writes: a write between two reads looks like damage.
    pub async fn check(&self, progress: CheckProgress<'_>) -> StoreResult<CheckReport> {
        let mut check = Check { store: self, report: CheckReport::default(), progress };
        check.indexed::<Conversation>().await?;
        check.indexed::<Message>().await?;
        check.indexed::<Plan>().await?;
        check.indexed::<Trace>().await?;
        check.messages().await?;
        check.lineages().await?;
        check.spans().await?;
        check.components().await?;
        check.scores().await?;
        check.plain(keyspace::TRACE_BODY).await?;
        Ok(check.report)
    }
}

struct Check<'a> {
    store: &'a Store,
    report: CheckReport,
    progress: CheckProgress<'a>,
}

impl Check<'_> {
    /// Every record of a table, page by page: those that cannot be read are noted and left out.
    async fn page<K: Key, R: Record>(
        &mut self,
        table: Table<K, R>,
        from: &mut Option<Vec<u8>>,
    ) -> StoreResult<Option<Vec<(Vec<u8>, K, R)>>> {
        let range = match from.take() {
            None => KeyRange::all(),
            Some(key) => KeyRange::all().after(&key),
        };
        let tree: Tree = self.store.tree(table.name);
        let request = ScanRequest { max_bytes: 16 << 20, ..ScanRequest::forward(&tree, range, PAGE) };
        let page = crate::engine::scan(self.store.engine().as_ref(), request).await?;
        let Some(last) = page.entries.last() else { return Ok(None) };
        *from = Some(last.key.to_vec());
        self.count(table.name, page.entries.len() as u64);
        let mut records = Vec::with_capacity(page.entries.len());
        for entry in page.entries {
            match (K::decode(&entry.key), codec::decode(table.name, &entry.value)) {
                (None, _) => self.report.note(table.name, &entry.key, "not a key of this table"),
                (_, Err(error)) => self.report.note(table.name, &entry.key, error.to_string()),
                (Some(key), Ok(record)) => records.push((entry.key.to_vec(), key, record)),
            }
        }
        Ok(Some(records))
    }

    fn count(&mut self, table: &'static str, more: u64) {
        let known = self.report.entries.iter_mut().find(|(name, _)| *name == table);
        let total = if let Some((_, count)) = known {
            *count += more;
            *count
        } else {
            self.report.entries.push((table, more));
            more
        };
        (self.progress)(table, total);
    }

    /// A table that nothing is derived from: its entries must be readable.
    async fn plain<K: Key, R: Record>(&mut self, table: Table<K, R>) -> StoreResult<()> {
        let mut from = None;
        while self.page(table, &mut from).await?.is_some() {}
        Ok(())
    }

    /// A table with indexes: records have their entries, and entries follow from records.
    async fn indexed<E: Indexed>(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(records) = self.page(E::TABLE, &mut from).await? {
            for (raw, _, record) in &records {
                if record.key().encode() != *raw {
                    self.report.note(E::TABLE.name, raw, "the record names another key than its own");
                }
            }
            self.entries_exist(&records).await?;
        }
        for index in E::INDEXES {
            self.entries_follow::<E>(index).await?;
        }
        Ok(())
    }

    async fn entries_exist<E: Indexed>(&mut self, records: &[(Vec<u8>, E::Key, E)]) -> StoreResult<()> {
        let mut wanted: BTreeMap<&'static str, Vec<(Vec<u8>, &[u8])>> = BTreeMap::new();
        for (raw, _, record) in records {
            for entry in record.entries() {
                wanted.entry(entry.table).or_default().push((entry.key, raw));
            }
        }
        for (index, entries) in wanted {
            let keys = entries.iter().map(|(key, _)| key.clone()).collect();
            let found = self.store.engine().get_many(&self.store.tree(index), keys).await?;
            for ((_, raw), _) in entries.iter().zip(found).filter(|(_, found)| found.is_none()) {
                self.report.note(E::TABLE.name, raw, format!("its entry in `{index}` is missing"));
            }
        }
        Ok(())
    }

    async fn entries_follow<E: Indexed>(&mut self, index: &'static str) -> StoreResult<()> {
        let mut from = None;
        while let Some(entries) = self.page(raw_index(index), &mut from).await? {
            let (mut raws, mut keys) = (Vec::new(), Vec::new());
            for (raw, _, _) in entries {
                match E::record_key(&raw) {
                    Some(key) => {
                        raws.push(raw);
                        keys.push(key);
                    }
                    None => self.report.note(index, &raw, "not a key of this index"),
                }
            }
            let records = self.store.get_many(E::TABLE, &keys).await?;
            for (raw, record) in raws.into_iter().zip(records) {
                let entry = IndexEntry { table: index, key: raw };
                if !record.is_some_and(|record| record.entries().contains(&entry)) {
                    self.report.note(index, &entry.key, "no record has this entry");
                }
            }
        }
        Ok(())
    }

    /// Messages have addresses, ordinals without gaps, and their calls can be found.
    async fn messages(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(records) = self.page(keyspace::MESSAGE, &mut from).await? {
            for (raw, _, message) in &records {
                self.message(raw, message).await?;
            }
        }
        let mut from = None;
        while let Some(addresses) = self.page(keyspace::MESSAGE_ADDRESS, &mut from).await? {
            for (raw, id, address) in &addresses {
                let key = (address.conversation_id, address.ordinal);
                let message = self.store.get(keyspace::MESSAGE, &key).await?;
                if message.is_none_or(|message| message.id != *id) {
                    self.report.note("message_address", raw, "another message, or none, is at this address");
                }
            }
        }
        let mut from = None;
        while let Some(calls) = self.page(keyspace::TOOL_CALL, &mut from).await? {
            for (raw, (conversation, call_id), address) in &calls {
                let message = self.store.get(keyspace::MESSAGE, &(*conversation, address.ordinal)).await?;
                let makes =
                    |message: &Message| message.tool_calls.iter().any(|call| call.call_id == *call_id);
                if !message.as_ref().is_some_and(makes) {
                    self.report.note("tool_call", raw, "the message does not make this call");
                }
            }
        }
        Ok(())
    }

    async fn message(&mut self, raw: &[u8], message: &Message) -> StoreResult<()> {
        let address = self.store.get(keyspace::MESSAGE_ADDRESS, &message.id).await?;
        let here = (message.conversation_id, message.ordinal);
        if address.map(|address| (address.conversation_id, address.ordinal)) != Some(here) {
            self.report.note("message", raw, "its address leads elsewhere");
        }
        let conversation = self.store.get(keyspace::CONVERSATION, &message.conversation_id).await?;
        match conversation {
            None => self.report.note("message", raw, "its conversation does not exist"),
            Some(conversation) => {
                let own = conversation.first_ordinal..conversation.next_ordinal;
                if !own.contains(&message.ordinal) || message.revision > conversation.revision {
                    self.report.note("message", raw, "its conversation does not count it");
                }
            }
        }
        Ok(())
    }

    async fn lineages(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(records) = self.page(keyspace::LINEAGE, &mut from).await? {
            for (raw, id, lineage) in &records {
                let Some(conversation) = self.store.get(keyspace::CONVERSATION, id).await? else {
                    self.report.note("lineage", raw, "its conversation does not exist");
                    continue;
                };
                let shared: u64 = lineage.segments.iter().map(|segment| segment.end - segment.start).sum();
                if shared != conversation.first_ordinal {
                    self.report.note("lineage", raw, "it does not cover the history before the fork");
                }
            }
        }
        Ok(())
    }

    /// Traces add up to their summaries; blocks belong to traces; heads' bodies are where they say.
    async fn spans(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(traces) = self.page(keyspace::TRACE, &mut from).await? {
            for (raw, id, _) in &traces {
                self.trace(raw, *id).await?;
            }
        }
        let mut known: Option<(TraceId, bool)> = None;
        let mut from = None;
        while let Some(blocks) = self.page(keyspace::SPAN_HEAD, &mut from).await? {
            for (raw, (id, revision), block) in &blocks {
                self.block_has_trace("span_head", raw, *id, &mut known).await?;
                if block.0.iter().map(|head| head.revision).max() != Some(*revision) {
                    self.report.note("span_head", raw, "its key is not the highest revision in it");
                }
            }
        }
        let mut from = None;
        while let Some(blocks) = self.page(keyspace::SPAN_BODY, &mut from).await? {
            for (raw, (id, _), _) in &blocks {
                self.block_has_trace("span_body", raw, *id, &mut known).await?;
            }
        }
        Ok(())
    }

    async fn block_has_trace(
        &mut self,
        table: &'static str,
        raw: &[u8],
        id: TraceId,
        known: &mut Option<(TraceId, bool)>,
    ) -> StoreResult<()> {
        let exists = match known {
            Some((last, exists)) if *last == id => *exists,
            _ => self.store.get(keyspace::TRACE, &id).await?.is_some(),
        };
        *known = Some((id, exists));
        if !exists {
            self.report.note(table, raw, "its trace does not exist");
        }
        Ok(())
    }

    async fn trace(&mut self, raw: &[u8], id: TraceId) -> StoreResult<()> {
        let Some(spans) = self.store.trace_spans(&[id]).await?.pop().flatten() else { return Ok(()) };
        if Summary::of(&spans.heads) != spans.trace.summary {
            self.report.note("trace", raw, "its summary is not what its spans add up to");
        }
        for heads in spans.heads.chunks(256) {
            let wanted = heads.iter().map(|head| (head.id, head.body_blocks.clone())).collect();
            let request = BodyRequest { trace_id: id, spans: wanted };
            match self.store.span_bodies(&[request]).await {
                Err(error) => self.report.note("trace", raw, format!("a body cannot be read: {error}")),
                Ok(bodies) => {
                    let lost = |head: &&crate::model::span::SpanHead| {
                        !head.body_blocks.is_empty() && !bodies.contains_key(&(id, head.id))
                    };
                    if let Some(head) = heads.iter().find(lost) {
                        self.report.note("trace", raw, format!("the body of span {} is missing", head.id));
                    }
                }
            }
        }
        Ok(())
    }

    async fn components(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(versions) = self.page(keyspace::COMPONENT_VERSION, &mut from).await? {
            for (raw, _, version) in &versions {
                self.component_version(raw, version).await?;
            }
        }
        let mut from = None;
        while let Some(components) = self.page(keyspace::COMPONENT, &mut from).await? {
            for (raw, id, component) in &components {
                let targets = component.labels.iter().map(|(_, hash)| *hash).chain([component.newest]);
                let keys: Vec<_> = targets.map(|hash| (id.clone(), hash)).collect();
                let found = self.store.get_many(keyspace::COMPONENT_VERSION, &keys).await?;
                if found.iter().any(Option::is_none) {
                    self.report.note("component", raw, "a label, or the newest version, leads nowhere");
                }
                let by_type = (component.component_type.code(), id.clone());
                if self.store.get(keyspace::COMPONENT_BY_TYPE, &by_type).await?.is_none() {
                    self.report.note("component", raw, "its entry in `component_by_type` is missing");
                }
            }
        }
        self.plain(keyspace::COMPONENT_BY_TYPE).await?;
        self.plain(keyspace::COMPONENT_VERSION_BY_SEQUENCE).await
    }

    async fn component_version(&mut self, raw: &[u8], version: &ComponentVersion) -> StoreResult<()> {
        let by_sequence = (version.component_id.clone(), version.sequence);
        let hash = self.store.get(keyspace::COMPONENT_VERSION_BY_SEQUENCE, &by_sequence).await?;
        if hash != Some(version.version_hash) {
            self.report.note("component_version", raw, "its place in the sequence leads elsewhere");
        }
        if crate::model::component::VersionHash::of(&version.definition) != Ok(version.version_hash) {
            self.report.note("component_version", raw, "its hash is not that of its definition");
        }
        if self.store.get(keyspace::COMPONENT, &version.component_id).await?.is_none() {
            self.report.note("component_version", raw, "its component does not exist");
        }
        Ok(())
    }

    async fn scores(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(scores) = self.page(keyspace::SCORE, &mut from).await? {
            for (raw, _, score) in &scores {
                self.score(raw, score).await?;
            }
        }
        let mut from = None;
        while let Some(addresses) = self.page(keyspace::SCORE_ADDRESS, &mut from).await? {
            for (raw, id, address) in &addresses {
                let key = keyspace::ScoreKey::decode(&address.0);
                let score = match key {
                    Some(key) => self.store.get(keyspace::SCORE, &key).await?,
                    None => None,
                };
                if score.is_none_or(|score| score.id != *id) {
                    self.report.note("score_address", raw, "another score, or none, is at this address");
                }
            }
        }
        Ok(())
    }

    async fn score(&mut self, raw: &[u8], score: &Score) -> StoreResult<()> {
        let address = self.store.get(keyspace::SCORE_ADDRESS, &score.id).await?;
        if address.is_none_or(|address| address.0 != raw) {
            self.report.note("score", raw, "its address leads elsewhere");
        }
        Ok(())
    }
}

/// An index by its name, its keys as raw bytes.
fn raw_index(name: &'static str) -> Table<RawKey, Nothing> {
    Table::named(name)
}

/// A key as its bytes.
struct RawKey;

impl Key for RawKey {
    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(_: &[u8]) -> Option<Self> {
        Some(Self)
    }
}
