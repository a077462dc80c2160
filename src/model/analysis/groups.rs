//! Spans that have something in common: their operation, model or tool.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    figures::{SpanFigures, add_cost, add_tokens},
    lane::{self, Lane},
    layout::{Layout, Placed},
};
use crate::model::{
    ledger::{NanoUsd, TokenTotals},
    span::{OperationType, SpanHead, SpanStatus},
};

/// What spans come to that have something in common. Times are in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// How many there are.
    pub count: u64,
    /// Of them: not ended.
    pub running: u64,
    /// Of them: ended well.
    pub succeeded: u64,
    /// Of them: ended with an error.
    pub failed: u64,
    /// Of them: stopped.
    pub cancelled: u64,
    /// The time in which at least one was at work.
    pub wall_nanos: u64,
    /// Their durations together: more than `wall_nanos` where they overlap.
    pub total_nanos: u64,
    /// Their self times together.
    pub self_nanos: u64,
    /// Of that on the critical path.
    pub path_nanos: u64,
    /// Tokens that count at them; `None` where none does.
    pub tokens: Option<TokenTotals>,
    /// Cost that counts at them; `None` where none does.
    pub cost: Option<NanoUsd>,
}

/// Which model, and who runs it. A call that does not say has neither.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModelKey {
    /// The model.
    pub model: Option<String>,
    /// Who runs it.
    pub provider: Option<String>,
}

impl Group {
    /// The part of those that ended well or with an error that ended well; `None` where there are none.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        rate(self.succeeded, self.succeeded.saturating_add(self.failed))
    }

    fn add(&mut self, span: &Placed<'_>, figures: &SpanFigures) {
        self.count += 1;
        *match span.head.status {
            SpanStatus::Running => &mut self.running,
            SpanStatus::Ok => &mut self.succeeded,
            SpanStatus::Error => &mut self.failed,
            SpanStatus::Cancelled => &mut self.cancelled,
        } += 1;
        self.total_nanos = self.total_nanos.saturating_add(figures.nanos);
        self.self_nanos = self.self_nanos.saturating_add(figures.self_nanos);
        self.path_nanos = self.path_nanos.saturating_add(figures.path_nanos);
        add_tokens(&mut self.tokens, figures.own.tokens);
        add_cost(&mut self.cost, figures.own.cost);
    }
}

/// A part of a whole; `None` of nothing.
pub(super) fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| crate::model::stats::float(part) / crate::model::stats::float(whole))
}

pub(super) fn by_operation(layout: &Layout<'_>, figures: &[SpanFigures]) -> Vec<(OperationType, Group)> {
    grouped(layout, figures, |span, _| Some(span.head.operation_type))
}

/// Calls of models that say which; where several spans tell of one call, the one that counts.
pub(super) fn by_model(layout: &Layout<'_>, figures: &[SpanFigures]) -> Vec<(ModelKey, Group)> {
    grouped(layout, figures, |span, figures| {
        let details = &span.head.details;
        let key = || ModelKey { model: details.model.clone(), provider: details.provider.clone() };
        (calls_a_model(span.head.operation_type) && !figures.own.is_repeat).then(key)
    })
}

/// Calls of tools, by the tool; by the name of the span where it does not say.
pub(super) fn by_tool(layout: &Layout<'_>, figures: &[SpanFigures]) -> Vec<(String, Group)> {
    grouped(layout, figures, |span, _| {
        (span.head.operation_type == OperationType::ToolCall).then(|| tool_of(span.head).to_owned())
    })
}

/// The tool that a span calls, as it is called.
pub(super) fn tool_of(head: &SpanHead) -> &str {
    head.details.tool_name.as_deref().unwrap_or(&head.name)
}

const fn calls_a_model(operation: OperationType) -> bool {
    matches!(operation, OperationType::LlmCall | OperationType::Embedding | OperationType::Rerank)
}

/// Spans by a key; those that have none are left out. What took most comes first.
fn grouped<K: Ord + Clone>(
    layout: &Layout<'_>,
    figures: &[SpanFigures],
    key: impl Fn(&Placed<'_>, &SpanFigures) -> Option<K>,
) -> Vec<(K, Group)> {
    let mut groups: BTreeMap<K, (Group, Vec<Lane>)> = BTreeMap::new();
    for (span, figures) in layout.all().zip(figures) {
        if let Some(key) = key(&span, figures) {
            let (group, lanes) = groups.entry(key).or_default();
            group.add(&span, figures);
            lanes.push(span.lane);
        }
    }
    let whole = |(key, (mut group, mut lanes)): (K, (Group, Vec<Lane>))| {
        lanes.sort_unstable_by_key(|lane| lane.start);
        group.wall_nanos = lane::union(lanes);
        (key, group)
    };
    let mut groups: Vec<_> = groups.into_iter().map(whole).collect();
    // Stable: of two that took as long, the order of their keys stays.
    groups.sort_by_key(|(_, group)| Reverse((group.self_nanos, group.count)));
    groups
}
