//! The roots that read traces and spans.

use async_graphql::{Context, ID, Object};

use super::{
    Trace,
    filter::{TraceFilterInput, TraceOrder},
};
use crate::graphql::{
    error::Result,
    ids,
    page::{self, Connection},
    request,
    scalar::Given,
    span::Span,
};

/// Traces and spans.
#[derive(Default)]
pub(in crate::graphql) struct TraceQuery;

/// See [`TraceQuery`].
#[Object]
impl TraceQuery {
    /// The trace with this ID; null where there is none.
    async fn trace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The trace's global ID or UUID.")] id: ID,
    ) -> Result<Option<Trace>> {
        Trace::load(ctx, ids::read("id", &id)?).await
    }

    /// Traces, the newest first by default.
    async fn traces(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Traces of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which traces.")] filter: Option<TraceFilterInput>,
        #[graphql(desc = "Which come first.", default)] order_by: TraceOrder,
    ) -> Result<Connection<Trace>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let filter = filter.unwrap_or_default().into_model()?;
        let tracing = &data.services.tracing;
        let page = tracing.list_traces(&filter, order_by.into(), &request).await?;
        let total = if page::is_counted(ctx) { tracing.count_traces(&filter).await? } else { None };
        Ok(Connection::new(page.map(Trace::new), &request, total))
    }

    /// The span with this ID; null where there is none.
    async fn span(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The span's global ID, or its UUID together with `traceId`.")] id: ID,
        #[graphql(desc = "The span's trace: its global ID or UUID.")] trace_id: Option<ID>,
    ) -> Result<Option<Span>> {
        let (trace, span) = ids::read_span(("id", &id), ("traceId", trace_id.as_ref()))?;
        Span::load(ctx, trace, span).await
    }
}
