//! The roots that write spans.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::{
    Span,
    inputs::{CompleteSpanInput, CreateSpanInput, SpanWriteInput, UpdateSpanInput},
};
use crate::{
    graphql::{
        error::{self, Failure, Result},
        payload::{outcome, payload},
        refusal::Refusal,
        request::{self, RequestData},
        trace::Trace,
    },
    model,
    service::tracing::{SpanWrite, WrittenSpan},
};

/// Writes to spans.
#[derive(Default)]
pub(in crate::graphql) struct SpanMutation;

/// See [`SpanMutation`].
#[Object]
impl SpanMutation {
    /// Adds a span to a trace. The span may have ended already.
    async fn create_span(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new span.")] input: CreateSpanInput,
    ) -> Result<CreateSpanPayload> {
        let data = request::of(ctx)?;
        Ok(write(data, input.into_write(false, || new_id(data))).await?.into())
    }

    /// Adds many spans, of one trace or of many. Each has its own outcome: a refused one does not hold up
    /// the others. All that is not refused is durable when this answers.
    async fn create_spans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new spans.")] input: CreateSpansInput,
    ) -> Result<CreateSpansPayload> {
        let data = request::of(ctx)?;
        let again = input.replace;
        let writes = input.spans.into_iter().map(|span| span.into_write(again, || new_id(data)));
        Ok(CreateSpansPayload { results: write_all(data, "spans", writes.collect()).await? })
    }

    /// Changes a span that has not ended.
    async fn update_span(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateSpanInput,
    ) -> Result<UpdateSpanPayload> {
        Ok(write(request::of(ctx)?, input.into_write()).await?.into())
    }

    /// Ends a span. It ends once: a second end is refused.
    async fn complete_span(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The end.")] input: CompleteSpanInput,
    ) -> Result<CompleteSpanPayload> {
        Ok(write(request::of(ctx)?, input.into_write()).await?.into())
    }

    /// Writes to many spans at once: creates, changes and ends them, in the order given. Each write has its
    /// own outcome: a refused one does not hold up the others.
    async fn write_spans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The writes.")] input: WriteSpansInput,
    ) -> Result<WriteSpansPayload> {
        let data = request::of(ctx)?;
        let writes = input.writes.into_iter().map(|write| write.into_write(|| new_id(data)));
        Ok(WriteSpansPayload { results: write_all(data, "writes", writes.collect()).await? })
    }
}

/// New spans.
#[derive(InputObject)]
struct CreateSpansInput {
    /// The spans.
    spans: Vec<CreateSpanInput>,
    /// Whether a span that is there already is taken as sent again, the last one winning; otherwise it is
    /// refused.
    #[graphql(default)]
    replace: bool,
}

/// Writes to spans.
#[derive(InputObject)]
struct WriteSpansInput {
    /// The writes, in order.
    writes: Vec<SpanWriteInput>,
}

payload!(
    /// A span that was added.
    CreateSpanPayload {
        /// The span; null where it was refused.
        span: Span
    }
);

payload!(
    /// A span that was changed.
    UpdateSpanPayload {
        /// The span as it stands; null where the change was refused.
        span: Span
    }
);

payload!(
    /// A span that was ended.
    CompleteSpanPayload {
        /// The span as it stands; null where the end was refused.
        span: Span
    }
);

/// Spans that were added.
#[derive(SimpleObject)]
struct CreateSpansPayload {
    /// The outcome of each span, in the order of the input.
    results: Vec<SpanWritePayload>,
}

/// Spans that were written to.
#[derive(SimpleObject)]
struct WriteSpansPayload {
    /// The outcome of each write, in the order of the input.
    results: Vec<SpanWritePayload>,
}

/// What became of one write: it was done, it was refused, or it failed and can be sent again.
struct SpanWritePayload(Result<Result<Span, model::Refusal>>);

/// The outcome of one write of a batch.
#[Object]
impl SpanWritePayload {
    /// The span as it stands; null where the write was refused.
    fn span(&self) -> Result<Option<&Span>> {
        Ok(self.0.as_ref().map_err(Failure::clone)?.as_ref().ok())
    }

    /// Why the write was refused.
    fn refusal(&self) -> Result<Option<Refusal>> {
        Ok(self.0.as_ref().map_err(Failure::clone)?.as_ref().err().cloned().map(Refusal::from))
    }
}

fn new_id(data: &RequestData) -> model::SpanId {
    data.services.tracing.new_span_id()
}

impl From<WrittenSpan> for Span {
    fn from(written: WrittenSpan) -> Self {
        Self::alone(Trace::new(written.trace), written.head)
    }
}

async fn write(
    data: &RequestData,
    write: Result<SpanWrite, model::Refusal>,
) -> Result<Result<Span, model::Refusal>> {
    let tracing = &data.services.tracing;
    Ok(outcome(write, async |write| tracing.write_span(write).await).await?.map(Span::from))
}

/// Does those writes that could be read; refusals name the item.
async fn write_all(
    data: &RequestData,
    field: &str,
    writes: Vec<Result<SpanWrite, model::Refusal>>,
) -> Result<Vec<SpanWritePayload>> {
    if writes.len() > data.limits.most_writes {
        let message = format!("{} items, {} are allowed", writes.len(), data.limits.most_writes);
        return Err(model::Refusal::limit(field, message).into());
    }
    let (mut readable, mut outcomes) = (Vec::with_capacity(writes.len()), Vec::with_capacity(writes.len()));
    for write in writes {
        outcomes.push(match write {
            Ok(write) => {
                readable.push(write);
                None
            }
            Err(refusal) => Some(Ok(Err(refusal))),
        });
    }
    let mut written = data.services.tracing.write_spans(readable).await.into_iter();
    let done = |written| Ok(error::expected(written)?.map(Span::from));
    let outcome = |(index, outcome): (usize, Option<_>)| {
        let outcome = outcome.or_else(|| written.next().map(done)).unwrap_or(Err(Failure::Internal));
        let numbered = |refusal: model::Refusal| refusal.below(&format!("{field}.{index}"));
        SpanWritePayload(outcome.map(|outcome| outcome.map_err(numbered)))
    };
    Ok(outcomes.into_iter().enumerate().map(outcome).collect())
}
