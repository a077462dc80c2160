//! A whole trace as columns: one list a field instead of one object a span.
//!
//! A list is written as text in one go, without a value for each of its numbers.

use std::{borrow::Cow, collections::HashMap, marker::PhantomData, sync::Arc};

use async_graphql::{
    ContextSelectionSet, ID, Object, OutputType, Positioned, ServerResult, Value, parser::types::Field,
    registry::Registry,
};
use bytes::Bytes;
use serde::Serialize;

use crate::{
    graphql::{
        ids::{self, GlobalId},
        scalar::{BigInt, DateTime, PlainId, int, millis},
        text,
    },
    model::{
        ledger::NanoUsd,
        span::{OperationType, SpanHead, SpanStatus},
        tree::{Node, Placement},
    },
    service::tracing::TraceSpans,
};

/// All spans of a trace as columns.
pub(in crate::graphql) struct TraceSkeleton(pub Arc<TraceSpans>);

/// All spans of a trace as columns, in pre-order: entry `i` of every list is of the same span, parents
/// stand before their children, and siblings by their start.
#[Object]
impl TraceSkeleton {
    /// Tells the skeletons of traces apart.
    async fn id(&self) -> ID {
        ids::part(&GlobalId::Trace(self.0.trace.id), "skeleton", 0)
    }

    /// How many spans there are: the length of every list but `names`.
    async fn span_count(&self) -> i32 {
        int(self.0.heads.len())
    }

    /// The moment from which `startOffsetsMs` count: the start of the trace.
    async fn start_time(&self) -> DateTime {
        DateTime(self.0.trace.start_time)
    }

    /// The revision of the trace that the lists show.
    async fn revision(&self) -> BigInt {
        BigInt(self.0.trace.revision)
    }

    /// The IDs of the spans.
    async fn span_ids(&self) -> Column<PlainId> {
        self.column(|_, head| head.id.uuid())
    }

    /// For each span the index of the span above it; -1 at the top.
    async fn parents(&self) -> Column<i32> {
        self.column(|node, _| node.parent.map_or(-1, int))
    }

    /// Levels above each span.
    async fn depths(&self) -> Column<i32> {
        self.column(|node, _| node.depth)
    }

    /// How many spans each subtree has, its top included: the next sibling stands this far on.
    async fn subtree_sizes(&self) -> Column<i32> {
        self.column(|node, _| node.subtree_size)
    }

    /// How each span came to its place.
    async fn placements(&self) -> Column<Placement> {
        self.column(|node, _| node.placement.text())
    }

    /// Every name once, in the order of first appearance.
    async fn names(&self) -> Vec<&str> {
        let mut names: Vec<(&str, usize)> = self.dictionary().into_iter().collect();
        names.sort_unstable_by_key(|(_, index)| *index);
        names.into_iter().map(|(name, _)| name).collect()
    }

    /// For each span the index of its name in `names`.
    async fn name_indexes(&self) -> Column<i32> {
        let names = self.dictionary();
        self.column(|_, head| names.get(head.name.as_str()).copied().unwrap_or_default())
    }

    /// What kind of operation each span is.
    async fn operation_types(&self) -> Column<OperationType> {
        self.column(|_, head| head.operation_type.text())
    }

    /// Where each span stands.
    async fn statuses(&self) -> Column<SpanStatus> {
        self.column(|_, head| head.status.text())
    }

    /// Milliseconds from `startTime` to the start of each span; negative where a span started before.
    async fn start_offsets_ms(&self) -> Column<f64> {
        let start = self.0.trace.start_time;
        self.column(|_, head| {
            let after = millis(head.start_time.nanos_since(start));
            if after > 0.0 { after } else { -millis(start.nanos_since(head.start_time)) }
        })
    }

    /// How long each span took, in milliseconds; null while it goes on.
    async fn durations_ms(&self) -> Column<Option<f64>> {
        self.column(|_, head| head.duration_nanos().map(millis))
    }

    /// Tokens of each span, cached and reasoning ones included; null where none were reported.
    async fn total_tokens(&self) -> Column<Option<BigInt>> {
        self.column(|_, head| {
            let ledger = &head.ledger;
            ledger.reports_tokens().then(|| ledger.totals().total().to_string())
        })
    }

    /// What each span cost, in US dollars; null where nobody knows.
    async fn costs_usd(&self) -> Column<Option<f64>> {
        self.column(|_, head| head.ledger.cost.map(NanoUsd::dollars))
    }
}

impl TraceSkeleton {
    fn dictionary(&self) -> HashMap<&str, usize> {
        let mut names = HashMap::new();
        for (_, head) in self.spans() {
            let next = names.len();
            names.entry(head.name.as_str()).or_insert(next);
        }
        names
    }

    fn spans(&self) -> impl Iterator<Item = (&Node, &SpanHead)> {
        self.0.tree.nodes().iter().filter_map(|node| Some((node, self.0.heads.get(node.span)?.as_ref())))
    }

    /// A list with what `entry` says of each span; it must be written as a `T` is.
    fn column<T, E: Serialize>(&self, entry: impl Fn(&Node, &SpanHead) -> E) -> Column<T> {
        let mut text = Vec::with_capacity(self.0.heads.len() * 8);
        text.push(b'[');
        for (index, (node, head)) in self.spans().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            text::write_serialised(&entry(node, head), &mut text);
        }
        text.push(b']');
        Column { text: text.into(), of: PhantomData }
    }
}

/// A list whose text is ready.
struct Column<T> {
    text: Bytes,
    of: PhantomData<fn() -> T>,
}

impl<T: OutputType + 'static> OutputType for Column<T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(text::raw(self.text.clone()))
    }
}
