//! Traces, their spans and their bodies.

use super::Check;
use crate::{
    model::{TraceId, summary::Summary},
    store::{StoreResult, keyspace, spans::BodyRequest},
};

impl Check<'_> {
    /// Traces add up to their summaries; blocks belong to traces; heads' bodies are where they say.
    pub(super) async fn spans(&mut self) -> StoreResult<()> {
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
}
