//! Traces, their spans and their bodies.

use std::collections::{HashMap, HashSet};

use super::{Check, PAGE};
use crate::{
    engine::ScanRequest,
    model::{SpanId, TraceId, span::SpanHead, summary::Summary},
    store::{
        Store, StoreError, StoreResult, codec,
        key::Key,
        keyspace::{self, Deleted},
        spans::{BodyBlock, START_PART, StoredSpans},
    },
};

/// How often a trace is looked at before something counts as wrong: blocks may be merged meanwhile.
const LOOKS: usize = 3;

/// Bytes of bodies that are unpacked at a time.
const BODY_BYTES: usize = 4 << 20;

impl Check<'_> {
    /// Traces add up to their summaries; blocks belong to traces; heads' bodies are where they say.
    pub(super) async fn spans(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(traces) = self.page(keyspace::TRACE, &mut from).await? {
            for (raw, id, _) in &traces {
                self.trace(raw, *id).await?;
            }
            let starts: Vec<_> = traces.iter().map(|(_, id, _)| (*id, START_PART)).collect();
            let bodies = self.readable(keyspace::TRACE_BODY, &starts).await?;
            for ((raw, ..), _) in traces.iter().zip(bodies).filter(|(_, body)| body.is_none()) {
                self.report.note("trace", raw, "its body is missing");
            }
        }
        let mut from = None;
        while let Some(blocks) = self.page(keyspace::SPAN_HEAD, &mut from).await? {
            for (raw, (_, revision), block) in &blocks {
                if block.0.iter().map(|head| head.revision).max() != Some(*revision) {
                    self.report.note("span_head", raw, "its key is not the highest revision in it");
                }
            }
            let keys = blocks.into_iter().map(|(raw, (id, _), _)| (raw, id));
            self.have_traces(keyspace::SPAN_HEAD.name, keys.collect()).await?;
        }
        let mut from = None;
        while let Some(parts) = self.page(keyspace::TRACE_BODY, &mut from).await? {
            let keys = parts.into_iter().map(|(raw, (id, _), _)| (raw, id));
            self.have_traces(keyspace::TRACE_BODY.name, keys.collect()).await?;
        }
        self.body_blocks().await
    }

    /// The keys of blocks of bodies; what is in them is looked at trace by trace.
    async fn body_blocks(&mut self) -> StoreResult<()> {
        let name = keyspace::SPAN_BODY.name;
        let mut range = crate::engine::KeyRange::all();
        loop {
            let request =
                ScanRequest { limit: PAGE, max_bytes: BODY_BYTES, ..self.store.scan_of(name, range.clone()) };
            let page = crate::engine::scan(self.store.engine().as_ref(), request).await?;
            let Some(last) = page.entries.last() else { return Ok(()) };
            range = range.after(&last.key);
            self.count(name, page.entries.len() as u64);
            let mut keys = Vec::with_capacity(page.entries.len());
            for entry in page.entries {
                match <(TraceId, u64)>::decode(&entry.key) {
                    Some((id, _)) => keys.push((entry.key.to_vec(), id)),
                    None => self.report.note(name, &entry.key, "not a key of this table"),
                }
            }
            self.have_traces(name, keys).await?;
        }
    }

    async fn have_traces(&mut self, table: &'static str, keys: Vec<(Vec<u8>, TraceId)>) -> StoreResult<()> {
        let mut ids: Vec<_> = keys.iter().map(|(_, id)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        let rows = self.readable(keyspace::TRACE, &ids).await?;
        let gone = ids.into_iter().zip(rows).filter(|(_, row)| row.is_none());
        let gone: Vec<_> = gone.map(|(id, _)| Deleted::Trace(id)).collect();
        let goes_on = self.deleted(&gone).await?;
        let lost = gone.into_iter().zip(goes_on).filter(|(_, goes_on)| !goes_on);
        let gone: HashSet<_> = lost.map(|(trace, _)| trace).collect();
        for (raw, _) in keys.iter().filter(|(_, id)| gone.contains(&Deleted::Trace(*id))) {
            self.report.note(table, raw, "its trace does not exist");
        }
        Ok(())
    }

    async fn trace(&mut self, raw: &[u8], id: TraceId) -> StoreResult<()> {
        let mut faults = Vec::new();
        for _ in 0..LOOKS {
            faults = faults_of(self.store, id).await?;
            if faults.is_empty() {
                return Ok(());
            }
        }
        for fault in faults {
            self.report.note("trace", raw, fault);
        }
        Ok(())
    }
}

/// What is wrong with a trace and its spans.
async fn faults_of(store: &Store, id: TraceId) -> StoreResult<Vec<String>> {
    let found = match store.trace_spans(&[id]).await {
        // What cannot be read is told where its table is read.
        Err(StoreError::Damaged { .. }) => return Ok(Vec::new()),
        found => found?.pop().flatten(),
    };
    let Some(StoredSpans { trace, heads }) = found else { return Ok(Vec::new()) };
    let mut faults = Vec::new();
    if Summary::of(&heads) != trace.summary {
        faults.push("its summary is not what its spans add up to".to_owned());
    }
    if heads.iter().any(|head| head.revision > trace.revision) {
        faults.push("a span has a revision that the trace has not reached".to_owned());
    }
    let (parts, unread) = parts(store, id).await?;
    faults.extend(unread);
    faults.extend(heads.iter().filter_map(|head| body_fault(head, &parts)));
    let known: HashSet<_> = heads.iter().map(|head| head.id).collect();
    let strange = parts.keys().find(|(_, span)| !known.contains(span));
    faults.extend(strange.map(|(_, span)| format!("there is a body of span {span}, but no such span")));
    Ok(faults)
}

/// What there is of a body in one block.
#[derive(Default)]
struct Part {
    events: usize,
    links: usize,
}

type Parts = HashMap<(u64, SpanId), Part>;

/// What there is of all bodies, by block and span, and what cannot be read.
async fn parts(store: &Store, id: TraceId) -> StoreResult<(Parts, Vec<String>)> {
    let name = keyspace::SPAN_BODY.name;
    let (mut parts, mut unread) = (Parts::new(), Vec::new());
    let mut range = crate::store::prefix(&id);
    loop {
        let request = ScanRequest { max_bytes: BODY_BYTES, ..store.scan_of(name, range.clone()) };
        let page = crate::engine::scan(store.engine().as_ref(), request).await?;
        let Some(last) = page.entries.last() else { return Ok((parts, unread)) };
        range = range.after(&last.key);
        for entry in &page.entries {
            let Some((_, at)) = <(TraceId, u64)>::decode(&entry.key) else { continue };
            match codec::decode::<BodyBlock>(name, &entry.value) {
                Err(error) => unread.push(error.to_string()),
                Ok(block) => {
                    for (span, body) in block.0 {
                        let part = parts.entry((at, span)).or_default();
                        part.events += body.events.len();
                        part.links += body.links.len();
                    }
                }
            }
        }
    }
}

fn body_fault(head: &SpanHead, parts: &Parts) -> Option<String> {
    let (mut events, mut links) = (0, 0);
    for at in head.part_blocks().iter() {
        let Some(part) = parts.get(&(at, head.id)) else {
            return Some(format!("a part of the body of span {} is missing", head.id));
        };
        events += part.events;
        links += part.links;
    }
    let counted = (head.event_count as usize, head.link_count as usize);
    (counted != (events, links))
        .then(|| format!("span {} counts other events or links than its body has", head.id))
}
