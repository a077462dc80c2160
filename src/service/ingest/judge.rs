//! Judgements that came with spans, as scores: the same judgement sent again is the same score.

use crate::{
    model::{
        ScoreId, SpanId, Timestamp, TraceId,
        score::{NewScore, ScoreTarget},
    },
    semconv::{Judged, Judgement},
    service::{Context, ServiceError, ServiceResult, scores::Scores},
    store::keyspace,
};

/// Records a judgement that came with a span.
pub(super) async fn record(
    scores: &Scores,
    context: &Context,
    (trace_id, span_id): (TraceId, SpanId),
    judgement: Judgement,
) -> ServiceResult<()> {
    let target = match judgement.of {
        Judged::Span => ScoreTarget::Span(trace_id, span_id),
        Judged::Trace => ScoreTarget::Trace(trace_id),
        Judged::Conversation => {
            let trace = context.store.get(keyspace::TRACE, &trace_id).await?;
            match trace.and_then(|trace| trace.conversation_id) {
                Some(id) => ScoreTarget::Conversation(id),
                None => ScoreTarget::Trace(trace_id),
            }
        }
    };
    let id = id_of((trace_id, span_id), &judgement);
    let Judgement { name, value, comment, source, .. } = judgement;
    let new = NewScore {
        id: Some(id),
        target,
        name,
        value,
        comment,
        source,
        evaluator: None,
        judged_in: None,
        judged_revision: None,
    };
    match scores.record(new).await {
        Ok(_) => Ok(()),
        Err(ServiceError::Refused(refusal)) => Err(refusal.below("evaluation").into()),
        Err(error) => Err(error),
    }
}

/// The id of a judgement: of what it judges, its name, who judges, and when.
fn id_of((trace, span): (TraceId, SpanId), judgement: &Judgement) -> ScoreId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(trace.bytes()).update(span.bytes());
    hasher.update(&[judgement.of as u8, judgement.source.code()]);
    hasher.update(judgement.name.as_bytes());
    hasher.update(&judgement.time.map_or(0, Timestamp::nanos).to_be_bytes());
    let bytes = hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default();
    uuid::Builder::from_custom_bytes(bytes).into_uuid().into()
}
