//! Reading traces, their span trees, and bodies.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use super::Tracing;
use crate::{
    model::{
        Refusal, SpanId, Timestamp, TraceId,
        analysis::TraceAnalysis,
        evaluation::TraceDigest,
        span::{PartBlocks, SpanBody, SpanHead},
        summary::Summary,
        trace::{Trace, TraceBody},
        tree::{Node, SpanTree},
    },
    service::{ServiceError, ServiceResult},
    store::{
        StoreError, StoreResult, keyspace,
        spans::{BODY_PARTS, BodyRequest, StoredSpans},
    },
};

/// A trace with all its heads and their tree.
#[derive(Debug, Clone)]
pub struct TraceSpans {
    /// The trace.
    pub trace: Trace,
    /// The heads; a tree's node names them by their index. Shared, because an answer may hold on to some.
    pub heads: Vec<Arc<SpanHead>>,
    /// Their places.
    pub tree: SpanTree,
    /// The place of each head in the tree, by its index.
    places: Vec<usize>,
    /// What it tells, once somebody has asked.
    analysis: OnceLock<Arc<TraceAnalysis>>,
}

impl TraceSpans {
    fn new(trace: Trace, heads: Vec<SpanHead>) -> Self {
        let tree = SpanTree::place(&heads, !trace.status.is_final());
        let heads: Vec<_> = heads.into_iter().map(Arc::new).collect();
        let mut places = vec![0; heads.len()];
        for (place, node) in tree.nodes().iter().enumerate() {
            if let Some(slot) = places.get_mut(node.span) {
                *slot = place;
            }
        }
        Self { trace, heads, tree, places, analysis: OnceLock::new() }
    }

    /// The node at a place of the pre-order, with its head.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<(&Node, &Arc<SpanHead>)> {
        let node = self.tree.nodes().get(place)?;
        Some((node, self.heads.get(node.span)?))
    }

    /// What the span at a place and all below it add up to: a walk over them.
    #[must_use]
    pub fn subtree_summary(&self, place: usize) -> Summary {
        let size = self.tree.nodes().get(place).map_or(0, |node| node.subtree_size);
        let places = place..place.saturating_add(size);
        Summary::of(places.filter_map(|place| self.at(place)).map(|(_, head)| head.as_ref()))
    }

    /// What the trace tells at the moment `now`; of several moments, the first that was asked for.
    fn analysis(&self, now: Timestamp) -> &Arc<TraceAnalysis> {
        self.analysis.get_or_init(|| {
            let heads: Vec<_> = self.heads.iter().map(AsRef::as_ref).collect();
            Arc::new(TraceAnalysis::of(&self.trace, &heads, &self.tree, now))
        })
    }

    /// The place of a span in the pre-order: a walk over the heads.
    #[must_use]
    pub fn place_of(&self, id: SpanId) -> Option<usize> {
        let index = self.heads.iter().position(|head| head.id == id)?;
        self.places.get(index).copied()
    }
}

/// A span whose body is wanted: its trace, itself, and where its head says the body is.
pub type BodyKey = (TraceId, SpanId, PartBlocks);

/// How often bodies are looked for. A trace would have to be merged between every two of them.
const READ_ATTEMPTS: usize = 8;

impl Tracing {
    /// The traces with these ids, in their order.
    pub async fn traces(&self, ids: &[TraceId]) -> ServiceResult<Vec<Option<Trace>>> {
        Ok(self.context.store.get_many(keyspace::TRACE, ids).await?)
    }

    /// The large fields of these traces, in their order; `None` where there is no such trace.
    pub async fn trace_bodies(&self, ids: &[TraceId]) -> ServiceResult<Vec<Option<TraceBody>>> {
        let parts_of = |id: &TraceId| BODY_PARTS.map(|part| (*id, part));
        let keys: Vec<_> = ids.iter().flat_map(parts_of).collect();
        let parts = self.context.store.get_many(keyspace::TRACE_BODY, &keys).await?;
        Ok(parts.chunks(BODY_PARTS.len()).map(whole_body).collect())
    }

    /// The spans of these traces with their trees: a fixed number of calls to the engine.
    pub async fn spans(&self, ids: &[TraceId]) -> ServiceResult<Vec<Option<Arc<TraceSpans>>>> {
        self.check_spans_at_once(ids).await?;
        let found = self.context.store.trace_spans(ids).await?;
        let placed = found
            .into_iter()
            .map(|spans| spans.map(|spans| Arc::new(TraceSpans::new(spans.trace, spans.heads))));
        Ok(placed.collect())
    }

    /// As [`Tracing::spans`], with no tree.
    pub(in crate::service) async fn stored_spans(
        &self,
        ids: &[TraceId],
    ) -> ServiceResult<Vec<Option<StoredSpans>>> {
        self.check_spans_at_once(ids).await?;
        Ok(self.context.store.trace_spans(ids).await?)
    }

    /// What a trace tells that has been read. It is found out once, whoever asks for how many of its figures.
    #[must_use]
    pub fn analysis(&self, spans: &TraceSpans) -> Arc<TraceAnalysis> {
        Arc::clone(spans.analysis(self.context.now()))
    }

    /// These traces with what is kept of their analyses, in their order: one call to the engine. Who asks sees to
    /// it that not too much is read at once.
    pub(in crate::service) async fn digests(
        &self,
        ids: &[TraceId],
    ) -> ServiceResult<Vec<Option<(Trace, TraceDigest)>>> {
        let now = self.context.now();
        let digest = |found: StoredSpans| {
            let StoredSpans { trace, heads } = found;
            let heads: Vec<_> = heads.iter().collect();
            let tree = SpanTree::place_refs(&heads, !trace.status.is_final());
            let digest = TraceDigest::of(&TraceAnalysis::of(&trace, &heads, &tree, now));
            (trace, digest)
        };
        Ok(self.context.store.trace_spans(ids).await?.into_iter().map(|found| found.map(digest)).collect())
    }

    /// Refuses to read more spans than fit. The rows tell how many there are; one trace is small enough
    /// by the limit that it is written under.
    async fn check_spans_at_once(&self, ids: &[TraceId]) -> ServiceResult<()> {
        if ids.len() < 2 {
            return Ok(());
        }
        let rows = self.traces(ids).await?;
        let spans: u64 = rows.iter().flatten().map(|trace| trace.summary.span_count).sum();
        let most = self.context.lists.spans_at_once;
        if spans <= most as u64 {
            return Ok(());
        }
        let message = format!(
            "the {} traces asked for have {spans} spans together; {most} is the most at once. Ask for the trees of \
             fewer traces",
            ids.len()
        );
        Err(Refusal::limit("spans", message).into())
    }

    /// Chooses from a trace and the heads of its spans, which are not read where they are at hand; nothing
    /// where there is no such trace.
    pub async fn choose_heads<T: Default>(
        &self,
        id: TraceId,
        choose: impl FnOnce(&Trace, &[&SpanHead]) -> T,
    ) -> ServiceResult<T> {
        Ok(self.context.store.choose_heads(id, choose).await?.unwrap_or_default())
    }

    /// The heads of a trace's spans, in no order; none where there is no such trace.
    pub async fn heads(&self, id: TraceId) -> ServiceResult<Vec<SpanHead>> {
        let found = self.context.store.trace_spans(&[id]).await?.pop().flatten();
        Ok(found.map(|spans| spans.heads).unwrap_or_default())
    }

    /// The bodies of these spans of one trace, by span. A span without a body is left out.
    pub async fn bodies_of(
        &self,
        id: TraceId,
        heads: &[&SpanHead],
    ) -> ServiceResult<HashMap<SpanId, SpanBody>> {
        let wanted = heads.iter().map(|head| (id, head.id, head.part_blocks())).collect();
        let bodies = self.span_bodies(wanted, 0).await?;
        Ok(bodies.into_iter().map(|((_, span), body)| (span, body)).collect())
    }

    /// The bodies of these spans: few calls to the engine, whatever their number. A span without a body is
    /// left out. `held`: bytes of bodies that the caller has already, which count with them.
    pub async fn span_bodies(
        &self,
        wanted: Vec<BodyKey>,
        held: usize,
    ) -> ServiceResult<HashMap<(TraceId, SpanId), SpanBody>> {
        let mut by_trace: HashMap<TraceId, Vec<(SpanId, PartBlocks)>> = HashMap::new();
        for (trace_id, span_id, blocks) in wanted {
            by_trace.entry(trace_id).or_default().push((span_id, blocks));
        }
        let mut requests: Vec<_> =
            by_trace.into_iter().map(|(trace_id, spans)| BodyRequest { trace_id, spans }).collect();
        let mut as_stored = false;
        for _ in 1..READ_ATTEMPTS {
            match self.read_bodies(&requests, held).await {
                // Blocks were merged since the heads were read: the heads know where they are now.
                Err(StoreError::Conflict) => {
                    let moved = self.readdress(&mut requests).await?;
                    // The heads that were given may be ahead of what is stored: those that a writer has in
                    // memory name blocks that are still queued. Only what was read twice is damaged.
                    if as_stored && !moved {
                        let message = "a block that a span names is missing".to_owned();
                        return Err(StoreError::Damaged { table: keyspace::SPAN_BODY.name, message }.into());
                    }
                    as_stored = true;
                }
                bodies => return bodies.map_err(|error| self.too_much(error)),
            }
        }
        self.read_bodies(&requests, held).await.map_err(|error| self.too_much(error))
    }

    async fn read_bodies(
        &self,
        requests: &[BodyRequest],
        held: usize,
    ) -> StoreResult<HashMap<(TraceId, SpanId), SpanBody>> {
        let most = self.context.lists.span_body_bytes_at_once.saturating_sub(held);
        self.context.store.span_bodies(requests, most).await
    }

    /// Bodies that do not fit are the caller's to mend.
    fn too_much(&self, error: StoreError) -> ServiceError {
        let StoreError::TooMuch { .. } = error else { return error.into() };
        let message = format!(
            "the bodies of the spans asked for take more than {} bytes, the most at once. Ask for fewer spans, \
             or for pages of `spans`",
            self.context.lists.span_body_bytes_at_once
        );
        Refusal::limit("spans", message).into()
    }

    /// Asks the heads again where the bodies are. Answers whether one is elsewhere than was thought.
    async fn readdress(&self, requests: &mut Vec<BodyRequest>) -> ServiceResult<bool> {
        let ids: Vec<_> = requests.iter().map(|request| request.trace_id).collect();
        let found = self.context.store.trace_spans(&ids).await?;
        let mut moved = false;
        for (request, spans) in requests.iter_mut().zip(found) {
            let wanted: BTreeMap<_, _> = std::mem::take(&mut request.spans).into_iter().collect();
            let heads = spans.map(|spans| spans.heads).unwrap_or_default();
            let current = heads.into_iter().filter(|head| wanted.contains_key(&head.id));
            request.spans = current.map(|head| (head.id, head.part_blocks())).collect();
            moved |= request.spans.iter().cloned().collect::<BTreeMap<_, _>>() != wanted;
        }
        requests.retain(|request| !request.spans.is_empty());
        Ok(moved)
    }
}

/// The parts put together; of two that have a field, the first.
fn whole_body(parts: &[Option<TraceBody>]) -> Option<TraceBody> {
    parts.iter().flatten().cloned().reduce(|known, more| TraceBody {
        user_input: known.user_input.or(more.user_input),
        final_output: known.final_output.or(more.final_output),
        initial_conversation_state: known.initial_conversation_state.or(more.initial_conversation_state),
        ..known
    })
}
