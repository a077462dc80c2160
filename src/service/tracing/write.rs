//! Starting traces, writing spans, ending both.

use std::collections::HashMap;

use futures_util::{StreamExt, stream};

use super::Tracing;
use crate::{
    model::{
        Json, Refusal, TraceId,
        limits::RecordLimits,
        refusal::Entity,
        span::{SpanHead, SpanOp},
        summary::Summary,
        text::shortened,
        trace::{
            Claims, NewTrace, PREVIEW_BYTES, Trace, TraceBody, TraceCompletion, TraceOrigin, TraceStatus,
        },
    },
    service::{Context, ServiceError, ServiceResult, deletion},
    store::{
        Touched, Tx,
        keyspace::{self, Deleted},
        spans::{START_PART, STATE_PART, TraceWrite},
    },
};

/// A write to a span of any trace.
#[derive(Debug, Clone)]
pub struct SpanWrite {
    /// The trace.
    pub trace_id: TraceId,
    /// What is written.
    pub op: SpanOp,
}

/// A span after a write to it.
#[derive(Debug, Clone)]
pub struct WrittenSpan {
    /// The trace after the write.
    pub trace: Trace,
    /// The span after the write.
    pub head: SpanHead,
}

/// Traces that one call writes to at the same time.
const TRACES_AT_ONCE: usize = 64;

/// Puts a new trace into a transaction: its row, its index entries, its large fields. Whether the
/// conversation that it names exists is the caller's to check.
pub async fn start(context: &Context, tx: &mut Tx<'_>, new: NewTrace) -> ServiceResult<Trace> {
    check(&new, &context.limits)?;
    let now = context.now();
    let id = new.id.unwrap_or_else(|| context.new_id());
    if tx.get(keyspace::TRACE, &id).await?.is_some() {
        return Err(Refusal::already_exists("traceId", Entity::Trace, id).into());
    }
    deletion::refuse_pending(tx, "traceId", Deleted::Trace(id)).await?;
    let preview = |text: &Option<String>| text.as_deref().map(|text| shortened(text, PREVIEW_BYTES));
    let trace = Trace {
        id,
        name: new.name,
        conversation_id: new.conversation_id,
        message_id: new.message_id,
        turn_id: new.turn_id,
        user_id: new.user_id,
        session_id: new.session_id,
        status: TraceStatus::Running,
        start_time: new.start_time.unwrap_or(now),
        end_time: None,
        input_preview: preview(&new.body.user_input),
        output_preview: preview(&new.body.final_output),
        last_activity_at: now,
        revision: 1,
        summary: Summary::default(),
        block_count: 0,
        origin: TraceOrigin::Started,
        settled: false,
        claims: Claims::default(),
        replay_of: new.replay_of,
    };
    tx.put_indexed(None, &trace)?;
    tx.put(keyspace::TRACE_BODY, &(id, START_PART), &new.body)?;
    tx.touch(Touched::Trace { id, revision: trace.revision });
    Ok(trace)
}

fn check(new: &NewTrace, limits: &RecordLimits) -> Result<(), Refusal> {
    limits.optional_name("name", new.name.as_deref())?;
    limits.optional_name("userId", new.user_id.as_deref())?;
    limits.optional_name("sessionId", new.session_id.as_deref())?;
    let body = &new.body;
    limits.text("userInput", body.user_input.as_deref())?;
    limits.text("finalOutput", body.final_output.as_deref())?;
    let document = |field, json: &Option<Json>| limits.document(field, json.as_ref());
    document("initialMemoryState", &body.initial_memory_state)?;
    document("initialConversationState", &body.initial_conversation_state)?;
    document("systemConfig", &body.system_config)?;
    limits.object("metadata", body.metadata.as_ref())
}

impl Tracing {
    /// Starts a trace. The conversation that it names must exist; it counts as active now.
    pub async fn start_trace(&self, mut new: NewTrace) -> ServiceResult<Trace> {
        let context = &self.context;
        // Chosen here, so that a transaction that runs again starts the same trace.
        new.id.get_or_insert_with(|| context.new_id());
        let _turn = match &new.conversation_id {
            Some(id) => Some(context.store.turn(id.bytes()).await),
            None => None,
        };
        let trace = context.store.transact::<_, ServiceError, _>(|tx| {
            let new = new.clone();
            Box::pin(async move {
                if let Some(id) = new.conversation_id {
                    let conversation = tx.get(keyspace::CONVERSATION, &id).await?;
                    let conversation = conversation
                        .ok_or_else(|| Refusal::not_found("conversationId", Entity::Conversation, id))?;
                    let mut active = conversation.clone();
                    active.last_activity_at = active.last_activity_at.max(context.now());
                    active.revision += 1;
                    tx.put_indexed(Some(&conversation), &active)?;
                    tx.touch(Touched::Conversation { id, revision: active.revision });
                }
                start(context, tx, new).await
            })
        });
        trace.await
    }

    /// Adds how things stood when a trace started, where that is read while it goes on. Written once; durable when it
    /// returns.
    pub(in crate::service) async fn record_state(&self, id: TraceId, state: TraceBody) -> ServiceResult<()> {
        let (limits, state) = (&self.context.limits, &state);
        limits.document("initialConversationState", state.initial_conversation_state.as_ref())?;
        let recorded = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                // Read, so that nothing is left of a trace that is deleted meanwhile.
                let found = tx.get(keyspace::TRACE, &id).await?;
                found.ok_or_else(|| Refusal::not_found("traceId", Entity::Trace, id))?;
                tx.put(keyspace::TRACE_BODY, &(id, STATE_PART), state)?;
                Ok(())
            })
        });
        recorded.await
    }

    /// Ends a trace. It ends once: a second end is refused.
    pub async fn complete_trace(&self, id: TraceId, completion: TraceCompletion) -> ServiceResult<Trace> {
        self.context.limits.text("finalOutput", completion.final_output.as_deref())?;
        let write = TraceWrite { complete: Some(completion), ..TraceWrite::default() };
        let written = self.context.store.write_trace(id, &write, &self.context.rules()).await??;
        Ok(written.trace)
    }

    /// Writes spans of a trace as their sender knows them and ends it, in one commit. A refused span is
    /// left out, and the first refusal answered; the rest is written.
    pub async fn record_end(
        &self,
        id: TraceId,
        ops: Vec<SpanOp>,
        completion: TraceCompletion,
    ) -> ServiceResult<Trace> {
        let limits = &self.context.limits;
        limits.text("finalOutput", completion.final_output.as_deref())?;
        for (index, op) in ops.iter().enumerate() {
            op.check(limits).map_err(|refusal| refusal.below(&format!("spans.{index}")))?;
        }
        let write = TraceWrite { ops, complete: Some(completion), ..TraceWrite::default() };
        let written = self.context.store.write_trace(id, &write, &self.context.rules()).await??;
        for (index, outcome) in written.outcomes.into_iter().enumerate() {
            outcome.map_err(|refusal| refusal.below(&format!("spans.{index}")))?;
        }
        Ok(written.trace)
    }

    /// Writes to spans, of one trace or of many. Each write has its own outcome, in order; a refused one
    /// does not hold up the others. Durable when it returns.
    pub async fn write_spans(&self, writes: Vec<SpanWrite>) -> Vec<ServiceResult<WrittenSpan>> {
        let mut outcomes: Vec<Option<ServiceResult<WrittenSpan>>> = Vec::with_capacity(writes.len());
        let mut by_trace: HashMap<TraceId, (Vec<usize>, TraceWrite)> = HashMap::new();
        for (index, write) in writes.into_iter().enumerate() {
            if let Err(refusal) = write.op.check(&self.context.limits) {
                outcomes.push(Some(Err(refusal.into())));
                continue;
            }
            let (indexes, trace) = by_trace.entry(write.trace_id).or_default();
            indexes.push(index);
            trace.ops.push(write.op);
            outcomes.push(None);
        }
        let write = |(id, (indexes, write))| async move { (indexes, self.write_one_trace(id, write).await) };
        let mut written = stream::iter(by_trace).map(write).buffer_unordered(TRACES_AT_ONCE);
        while let Some((indexes, results)) = written.next().await {
            for (index, result) in indexes.into_iter().zip(results) {
                if let Some(outcome) = outcomes.get_mut(index) {
                    *outcome = Some(result);
                }
            }
        }
        let unknown = || Err(ServiceError::Store(crate::store::StoreError::Closed));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unknown)).collect()
    }

    async fn write_one_trace(&self, id: TraceId, write: TraceWrite) -> Vec<ServiceResult<WrittenSpan>> {
        let count = write.ops.len();
        let context = &self.context;
        let written = context.store.write_trace(id, &write, &context.rules()).await;
        let written = match written {
            Ok(Ok(written)) => written,
            Ok(Err(refusal)) => return vec![Err(refusal.into()); count],
            Err(error) => return vec![Err(error.into()); count],
        };
        let trace = written.trace;
        let outcome =
            |outcome: Result<SpanHead, Refusal>| Ok(WrittenSpan { trace: trace.clone(), head: outcome? });
        written.outcomes.into_iter().map(outcome).collect()
    }

    /// Writes to one span.
    pub async fn write_span(&self, write: SpanWrite) -> ServiceResult<WrittenSpan> {
        let unknown = || Err(ServiceError::Store(crate::store::StoreError::Closed));
        self.write_spans(vec![write]).await.pop().unwrap_or_else(unknown)
    }
}
