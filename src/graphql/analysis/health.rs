//! How sound a tree is.

use std::collections::BTreeMap;

use async_graphql::{Context, Object, SimpleObject};

use super::{TraceAnalysis, default_first, most};
use crate::{
    graphql::{
        error::Result,
        scalar::{Given, PlainId, int, millis},
        span::Span,
    },
    model::analysis::{Fault, TreeFault},
};

/// How sound a tree is.
pub(super) struct TreeFigures(pub TraceAnalysis);

/// How sound a tree is. Spans may come late, never, in circles, and with the times of another clock: what of that is
/// found, by span.
#[Object]
impl TreeFigures {
    /// Whether the tree can be taken for what happened: it has none of the faults but `NO_DURATION`.
    async fn is_sound(&self) -> bool {
        !self.found().iter().any(|fault| fault.kind.is_grave())
    }

    /// How many spans stand at the top.
    async fn root_count(&self) -> i32 {
        int(self.0.spans.tree.roots().count())
    }

    /// Levels of the tree.
    async fn depth(&self) -> i32 {
        int(self.0.spans.tree.nodes().iter().map(|node| node.depth.saturating_add(1)).max().unwrap_or(0))
    }

    /// Each kind of fault that is found, with how many spans have it.
    async fn fault_counts(&self) -> Vec<FaultCountFigures> {
        let mut counts: BTreeMap<TreeFault, usize> = BTreeMap::new();
        for fault in self.found() {
            *counts.entry(fault.kind).or_default() += 1;
        }
        counts.into_iter().map(|(kind, count)| FaultCountFigures { kind, count: int(count) }).collect()
    }

    /// The faults, in the order of the tree.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn faults(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Faults at most.", default_with = "default_first()")] first: Option<Given<i32>>,
        #[graphql(desc = "Of these kinds; an empty list means any.")] kinds: Option<Vec<TreeFault>>,
    ) -> Result<Vec<FaultFigures>> {
        let kinds = kinds.unwrap_or_default();
        let meant = self.found().iter().filter(|fault| kinds.is_empty() || kinds.contains(&fault.kind));
        Ok(meant.take(most(ctx, first)?).filter_map(|fault| FaultFigures::of(&self.0, fault)).collect())
    }
}

impl TreeFigures {
    fn found(&self) -> &[Fault] {
        &self.0.analysis.faults
    }
}

/// How often a kind of fault is found.
#[derive(SimpleObject)]
struct FaultCountFigures {
    /// The kind.
    kind: TreeFault,
    /// Spans that have it.
    count: i32,
}

/// Something that is not sound about a span.
#[derive(SimpleObject)]
struct FaultFigures {
    /// The span.
    span: Span,
    /// What it is.
    kind: TreeFault,
    /// By how much, in milliseconds, where it is about times: how long before or after, or how long it took.
    by_ms: Option<f64>,
    /// The ID of the parent that is not here, where it is about that.
    missing_parent_id: Option<PlainId>,
}

impl FaultFigures {
    fn of(of: &TraceAnalysis, fault: &Fault) -> Option<Self> {
        Some(Self {
            span: Span::placed(&of.spans, fault.place)?,
            kind: fault.kind,
            by_ms: fault.nanos.map(millis),
            missing_parent_id: fault.missing_parent.map(|id| PlainId(id.uuid())),
        })
    }
}
