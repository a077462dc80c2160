//! The roots of queries.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{spans::SpanWhere, traces::TraceWhere};
use crate::{
    graphql::{
        error::Result,
        ids,
        page::{self, Connection},
        request,
        scalar::{BigInt, Given},
        span::Span,
        trace::Trace,
    },
    model::{
        page::Page,
        query::{OrderDirection, QuerySource, SpanOrderField, TraceCondition, TraceOrderField},
    },
    service::query::{Plan, SpanOrdering, TraceOrdering},
};

/// How traces are ordered.
#[derive(InputObject)]
struct TraceOrderInput {
    /// By what. But for the start, only traces that are over are listed, a moment after their end.
    #[graphql(default_with = "TraceOrderField::StartTime")]
    field: TraceOrderField,
    /// Which end comes first.
    #[graphql(default_with = "OrderDirection::Descending")]
    direction: OrderDirection,
}

/// How spans are ordered. Whatever the order, the same are found.
#[derive(InputObject)]
struct SpanOrderInput {
    /// By what. What a span does not have counts as less than anything. By a figure, equal ones come by their start.
    #[graphql(default_with = "SpanOrderField::StartTime")]
    field: SpanOrderField,
    /// Which end comes first.
    #[graphql(default_with = "OrderDirection::Descending")]
    direction: OrderDirection,
}

fn ordering(input: Option<TraceOrderInput>) -> TraceOrdering {
    input.map_or_else(TraceOrdering::default, |TraceOrderInput { field, direction }| TraceOrdering {
        field,
        direction,
    })
}

/// Queries by conditions.
#[derive(Default)]
pub(in crate::graphql) struct ConditionQuery;

/// See [`ConditionQuery`].
#[Object]
impl ConditionQuery {
    /// Traces that fulfil a condition: of everything that their summaries, spans, attributes, components, scores and
    /// texts tell. One that would have to look at too much is refused, with what to ask instead; a page that found
    /// little for all it looked at ends early, and goes on from its end cursor.
    async fn query_traces(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "where", desc = "The condition; absent: any trace.")] condition: Option<TraceWhere>,
        #[graphql(desc = "Which come first; absent: those that started last.")] order_by: Option<
            TraceOrderInput,
        >,
        #[graphql(desc = "Traces of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Trace>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let condition = condition.unwrap_or_default().read("where")?;
        let page = data.services.queries.traces(&condition, ordering(order_by), &request).await?;
        Ok(Connection::new(page.map(Trace::new), &request, None))
    }

    /// Spans that fulfil a condition, in the order of their traces and of each trace's tree, or by a figure. By a figure,
    /// each page looks at all spans that may be meant: where those are too many, it is refused with what to ask instead.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn query_spans(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "where", desc = "The condition; absent: any span.")] condition: Option<SpanWhere>,
        #[graphql(desc = "Only in traces that fulfil this.")] traces: Option<TraceWhere>,
        #[graphql(desc = "Which come first; absent: those of the trace that started last.")] order_by: Option<
            SpanOrderInput,
        >,
        #[graphql(desc = "Spans of the page at most.", default_with = "page::default_first()")] first: Option<
            Given<i32>,
        >,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Span>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let condition = condition.unwrap_or_default().read("where")?;
        let traces = traces.map_or_else(|| Ok(TraceCondition::any()), |traces| traces.read("traces"))?;
        let ordering = order_by.map_or_else(SpanOrdering::default, |SpanOrderInput { field, direction }| {
            SpanOrdering { field, direction }
        });
        let Page { items, has_next, end } =
            data.services.queries.spans(&condition, &traces, ordering, &request).await?;
        let items = items.into_iter();
        let items =
            items.filter_map(|(cursor, found)| Some((cursor, Span::placed(&found.spans, found.place)?)));
        let page = Page { items: items.collect(), has_next, end };
        Ok(Connection::new(page, &request, None))
    }

    /// How `queryTraces` would answer a condition: where it would look, and at how much. It is told also of one that
    /// would be refused.
    async fn explain_trace_query(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "where", desc = "The condition; absent: any trace.")] condition: Option<TraceWhere>,
        #[graphql(desc = "Which come first; absent: those that started last.")] order_by: Option<
            TraceOrderInput,
        >,
    ) -> Result<QueryPlan> {
        let data = request::of(ctx)?;
        let condition = condition.unwrap_or_default().read("where")?;
        let plan = data.services.queries.explain(&condition, ordering(order_by)).await?;
        Ok(QueryPlan::of(&plan, &format!("{condition:?}")))
    }
}

/// How a query is answered.
#[derive(SimpleObject)]
struct QueryPlan {
    /// Tells plans apart.
    id: ID,
    /// Where it looks for traces.
    source: QuerySource,
    /// Traces that it looks at, for all pages together: counted up to 10,000, or to as many as may be put in order; up
    /// to some 200 where `source` is `TEXT`.
    trace_count: BigInt,
    /// Whether there may be more.
    has_more_traces: bool,
    /// Spans of them that it would have to look at, by how many traces have on average; null: it looks at none.
    span_estimate: Option<BigInt>,
    /// Whether it reads the attributes of spans that their other fields do not decide on.
    reads_attributes: bool,
    /// Whether what is found is put in order in memory.
    sorts: bool,
}

impl QueryPlan {
    fn of(plan: &Plan, condition: &str) -> Self {
        Self {
            id: ids::of_content(&format!("plan {condition} {:?}", plan.kind)),
            source: plan.kind,
            trace_count: BigInt(plan.traces),
            has_more_traces: plan.more,
            span_estimate: plan.spans.map(BigInt),
            reads_attributes: plan.reads_attributes,
            sorts: plan.sorts,
        }
    }
}
