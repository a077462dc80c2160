//! What one trace counts, by everything that it and its spans have in common with others.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bincode::{Decode, Encode};

use super::{Cell, Counted, Dimension, FoundBy, Measure, Ranking, Resolution, ScoreMeasure};
use crate::model::{
    Timestamp,
    component::ComponentRef,
    ledger::NanoUsd,
    score::Score,
    span::{OperationType, SpanHead, SpanStatus},
    summary::{self, MAX_COMPONENTS, MAX_MODELS, Share},
    trace::{Trace, TraceStatus},
    tree::SpanTree,
};

/// Names of scores that a trace counts; the first ones, sorted.
pub const MAX_SCORE_NAMES: usize = 32;

/// Tools that a trace counts; the first ones, sorted.
const MAX_TOOLS: usize = 64;

/// Tools that a trace can be found by; the first ones, sorted.
pub const MAX_FOUND_TOOLS: usize = 1_000;

/// What one trace counts. A pure function of the trace, its heads, its scores and the tags of its conversation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Facts {
    /// When the trace started: which stretches of time it counts in.
    pub start: Timestamp,
    /// The trace itself.
    trace: Measure,
    /// All its spans.
    spans: Measure,
    /// Its scores and those of its spans, by name, sorted.
    scores: Vec<(String, ScoreMeasure)>,
    /// What it is counted by.
    groups: Vec<Group>,
    /// What it can be found by, sorted.
    found_by: Vec<(FoundBy, String)>,
    /// Where it stands among others, by ranking.
    ranks: Vec<(Ranking, u64)>,
}

/// One thing that a trace is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Group {
    dimension: Dimension,
    value: String,
    /// The spans that have to do with it; `None`: all of the trace.
    spans: Option<Measure>,
}

impl Facts {
    /// What a trace that is over counts.
    #[must_use]
    pub fn of(trace: &Trace, heads: &[SpanHead], tags: &[String], scores: &[Score]) -> Self {
        let refs: Vec<_> = heads.iter().collect();
        let tree = SpanTree::place_refs(&refs, false);
        let shares = summary::shares(&refs, &tree);
        let mut whole = Measure::default();
        whole.add(&counted_trace(trace));
        let mut groups = SpanGroups::default();
        let mut spans = Measure::default();
        for (node, share) in tree.nodes().iter().zip(&shares) {
            let Some(head) = refs.get(node.span) else { continue };
            let counted = counted_span(head, share);
            spans.add(&counted);
            groups.add(head, &counted, share);
        }
        groups.add_components(&refs, &tree, &summary::with_below(&shares, &tree));
        let mut all = groups.finish();
        let common = |dimension, value: String| Group { dimension, value, spans: None };
        all.push(common(Dimension::All, String::new()));
        all.extend(trace.user_id.iter().map(|user| common(Dimension::User, user.clone())));
        all.extend(tags.iter().map(|tag| common(Dimension::Tag, tag.clone())));
        all.sort_unstable_by(|a, b| (a.dimension, &a.value).cmp(&(b.dimension, &b.value)));
        all.dedup_by(|a, b| (a.dimension, &a.value) == (b.dimension, &b.value));
        Self {
            start: trace.start_time,
            trace: whole,
            spans,
            scores: measured(scores),
            groups: all,
            found_by: found_by(trace, heads, scores),
            ranks: ranks(trace),
        }
    }

    /// What the trace is counted by.
    pub fn places(&self) -> impl Iterator<Item = (Dimension, &str)> {
        self.groups.iter().map(|group| (group.dimension, group.value.as_str()))
    }

    /// Where it counts: how long the stretch of time is, by what, when the stretch starts, and the value.
    pub fn cells(
        &self,
        resolution: Resolution,
    ) -> impl Iterator<Item = (Resolution, Dimension, Timestamp, String)> {
        let start = resolution.start_of(self.start);
        self.places().map(move |(dimension, value)| (resolution, dimension, start, value.to_owned()))
    }

    /// What it can be found by.
    pub fn found_by(&self) -> impl Iterator<Item = (FoundBy, &str)> {
        self.found_by.iter().map(|(by, value)| (*by, value.as_str()))
    }

    /// Where it stands among others.
    pub fn ranks(&self) -> impl Iterator<Item = (Ranking, u64)> {
        self.ranks.iter().copied()
    }

    /// Counts the trace in the cell of one of its places.
    pub fn count_in(&self, cell: &mut Cell, dimension: Dimension, value: &str) {
        if let Some(spans) = self.spans_of(dimension, value) {
            cell.traces.merge(&self.trace);
            cell.spans.merge(spans);
            cell.merge_scores(&self.scores);
        }
    }

    fn spans_of(&self, dimension: Dimension, value: &str) -> Option<&Measure> {
        let known = |group: &Group| (group.dimension, group.value.as_str()).cmp(&(dimension, value));
        let place = self.groups.binary_search_by(known).ok()?;
        self.groups.get(place).map(|group| group.spans.as_ref().unwrap_or(&self.spans))
    }
}

fn found_by(trace: &Trace, heads: &[SpanHead], scores: &[Score]) -> Vec<(FoundBy, String)> {
    let models = trace.summary.models.iter().map(|model| (FoundBy::Model, model.clone()));
    let components = &trace.summary.components;
    let components = components.iter().map(|used| (FoundBy::Component, used.component_id.clone()));
    let calls = heads.iter().filter(|head| head.operation_type == OperationType::ToolCall);
    let tools: BTreeSet<_> = calls.filter_map(|head| head.details.tool_name.clone()).collect();
    let tools = tools.into_iter().take(MAX_FOUND_TOOLS).map(|tool| (FoundBy::Tool, tool));
    let names: BTreeSet<_> = scores.iter().map(|score| score.name.clone()).collect();
    let names = names.into_iter().map(|name| (FoundBy::Score, name));
    let mut all: Vec<_> = models.chain(components).chain(tools).chain(names).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn ranks(trace: &Trace) -> Vec<(Ranking, u64)> {
    Ranking::ALL.iter().filter_map(|ranking| Some((*ranking, ranking.of(trace)?))).collect()
}

fn counted_trace(trace: &Trace) -> Counted {
    let (tokens, summary) = (trace.summary.tokens, &trace.summary);
    Counted {
        failed: trace.status == TraceStatus::Failed,
        cancelled: trace.status == TraceStatus::Cancelled,
        tokens: (tokens.total() > 0).then_some(tokens),
        cost: summary.cost_known.then_some(summary.cost.nanos()),
        duration: trace.end_time.map(|end| end.nanos_since(trace.start_time)),
        first_token: None,
    }
}

fn counted_span(head: &SpanHead, share: &Share) -> Counted {
    Counted {
        failed: head.status == SpanStatus::Error,
        cancelled: head.status == SpanStatus::Cancelled,
        tokens: share.tokens,
        cost: share.cost.map(NanoUsd::nanos),
        duration: head.duration_nanos(),
        first_token: head.details.time_to_first_token_nanos,
    }
}

fn measured(scores: &[Score]) -> Vec<(String, ScoreMeasure)> {
    let mut by_name: BTreeMap<&str, ScoreMeasure> = BTreeMap::new();
    for score in scores {
        by_name.entry(&score.name).or_default().add(&score.value);
    }
    by_name.into_iter().take(MAX_SCORE_NAMES).map(|(name, measure)| (name.to_owned(), measure)).collect()
}

/// Spans by what they have in common.
#[derive(Default)]
struct SpanGroups {
    models: BTreeMap<String, Measure>,
    operations: BTreeMap<OperationType, Measure>,
    tools: BTreeMap<String, Measure>,
    components: BTreeMap<String, Measure>,
    versions: BTreeMap<String, Measure>,
}

impl SpanGroups {
    fn add(&mut self, head: &SpanHead, counted: &Counted, share: &Share) {
        self.operations.entry(head.operation_type).or_default().add(counted);
        // Of several spans that tell of one call, one counts as a call.
        if let Some(model) = head.details.model.as_ref().filter(|_| !share.is_repeat) {
            self.models.entry(model.clone()).or_default().add(counted);
        }
        if let Some(tool) =
            head.details.tool_name.as_ref().filter(|_| head.operation_type == OperationType::ToolCall)
        {
            self.tools.entry(tool.clone()).or_default().add(counted);
        }
    }

    /// Counts the uses of components and their versions. A use is a span that names one, and that stands below no
    /// other that names it; what it used and cost is that of everything below it, too.
    fn add_components(&mut self, heads: &[&SpanHead], tree: &SpanTree, sums: &[Share]) {
        // What is in use where the walk is, and which of it each span above began, with where its subtree ends.
        let mut in_use: HashSet<String> = HashSet::new();
        let mut open: Vec<(usize, Vec<String>)> = Vec::new();
        for (place, (node, sum)) in tree.nodes().iter().zip(sums).enumerate() {
            while let Some((_, ended)) = open.pop_if(|(end, _)| place >= *end) {
                for key in &ended {
                    in_use.remove(key);
                }
            }
            let Some(head) = heads.get(node.span).filter(|head| !head.components.is_empty()) else {
                continue;
            };
            let counted = counted_span(head, sum);
            let mut begun = Vec::new();
            for component in &head.components {
                let id = component.component_id.clone();
                for (measures, key) in
                    [(&mut self.versions, version_key(component)), (&mut self.components, id)]
                {
                    if in_use.insert(key.clone()) {
                        measures.entry(key.clone()).or_default().add(&counted);
                        begun.push(key);
                    }
                }
            }
            open.push((place + node.subtree_size, begun));
        }
    }

    fn finish(self) -> Vec<Group> {
        let groups = |dimension, measures: BTreeMap<String, Measure>, most: usize| {
            let group = move |(value, spans)| Group { dimension, value, spans: Some(spans) };
            measures.into_iter().take(most).map(group)
        };
        let operations = self.operations.into_iter().map(|(kind, spans)| (kind.text().to_owned(), spans));
        groups(Dimension::Model, self.models, MAX_MODELS)
            .chain(groups(Dimension::Operation, operations.collect(), usize::MAX))
            .chain(groups(Dimension::Tool, self.tools, MAX_TOOLS))
            .chain(groups(Dimension::Component, self.components, MAX_COMPONENTS))
            .chain(groups(Dimension::Version, self.versions, MAX_COMPONENTS))
            .collect()
    }
}

/// How a version is named among the values of its dimension.
#[must_use]
pub fn version_key(version: &ComponentRef) -> String {
    format!("{}@{}", version.component_id, version.version_hash)
}
