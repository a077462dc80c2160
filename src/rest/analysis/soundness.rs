//! How sound a tree is.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::spans::SpanRef;
use crate::{
    model::analysis::{Fault, TreeFault},
    rest::{scalar::millis, words},
    service::tracing::TraceSpans,
};

/// How sound a tree is. Spans may come late, never, in circles, and with the times of another clock: what of that is
/// found, by span.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct TreeFigures {
    /// Whether the tree can be taken for what happened: it has none of the faults but `NO_DURATION`.
    is_sound: bool,
    /// How many spans stand at the top.
    root_count: u64,
    /// Levels of the tree.
    depth: u32,
    /// Each kind of fault that is found, with how many spans have it.
    fault_counts: Vec<FaultCountFigures>,
    /// The faults, in the order of the tree.
    faults: Vec<FaultFigures>,
}

/// How often a kind of fault is found.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::rest) struct FaultCountFigures {
    /// The kind.
    kind: words::TreeFault,
    /// Spans that have it.
    count: u64,
}

/// Something that is not sound about a span.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct FaultFigures {
    /// The span.
    span: SpanRef,
    /// What it is.
    kind: words::TreeFault,
    /// By how much, in milliseconds, where it is about times: how long before or after, or how long it took.
    by_ms: Option<f64>,
    /// The parent that is not here, where it is about that.
    missing_parent_id: Option<Uuid>,
}

impl TreeFigures {
    pub(super) fn of(spans: &TraceSpans, found: &[Fault], most: usize) -> Self {
        let mut counts: BTreeMap<TreeFault, u64> = BTreeMap::new();
        for fault in found {
            *counts.entry(fault.kind).or_default() += 1;
        }
        let count = |(kind, count): (TreeFault, u64)| FaultCountFigures { kind: kind.into(), count };
        let levels = spans.tree.nodes().iter().map(|node| node.depth.saturating_add(1));
        Self {
            is_sound: !found.iter().any(|fault| fault.kind.is_grave()),
            root_count: spans.tree.roots().count() as u64,
            depth: levels.max().unwrap_or(0),
            fault_counts: counts.into_iter().map(count).collect(),
            faults: found.iter().take(most).filter_map(|fault| FaultFigures::of(spans, fault)).collect(),
        }
    }
}

impl FaultFigures {
    fn of(spans: &TraceSpans, fault: &Fault) -> Option<Self> {
        Some(Self {
            span: SpanRef::at(spans, fault.place)?,
            kind: fault.kind.into(),
            by_ms: fault.nanos.map(millis),
            missing_parent_id: fault.missing_parent.map(|id| id.uuid()),
        })
    }
}
