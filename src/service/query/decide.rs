//! Deciding which of some traces fulfil a condition: by their rows first, then by what is read for those that the rows
//! leave open.

use std::{collections::HashMap, sync::Arc};

use super::{Queries, QueryLimits};
use crate::{
    model::{
        ConversationId,
        query::{SpanCondition, SpansView, TraceCondition, TraceView},
        score::Score,
        span::SpanHead,
        trace::Trace,
        tree::Node,
    },
    service::{
        ServiceResult,
        tracing::{BodyKey, TraceSpans, trace_name},
    },
    store::{
        Direction,
        keyspace::{self, Deleted, score_roots},
        prefix,
    },
};

/// What a page has looked at so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) traces: usize,
    /// Spans whose heads were read.
    pub(super) spans: usize,
}

impl Spent {
    /// Whether a page may look at no more.
    pub(super) const fn is_used_up(self, limits: &QueryLimits) -> bool {
        self.traces >= limits.traces_per_page || self.spans >= limits.spans_per_page
    }
}

/// What was decided of some traces.
pub(super) struct Decided {
    /// Whether each fulfils the condition: of the first ones, where more heads would have had to be read than may be.
    pub(super) held: Vec<bool>,
    /// Spans whose heads were read for it.
    pub(super) spans: usize,
}

/// Scores of one trace that are looked at.
const SCORES_PER_TRACE: usize = 1_000;

/// Spans whose attributes are read at a time.
const ATTRIBUTES_AT_ONCE: usize = 2_000;

/// What is known of a trace.
#[derive(Default)]
pub(super) struct Known {
    pub(super) spans: Option<Arc<TraceSpans>>,
    pub(super) scores: Option<Vec<Score>>,
    pub(super) attributes: HashMap<crate::model::SpanId, Option<serde_json::Value>>,
}

impl Known {
    /// Asks `judge` with all that is known.
    pub(super) fn with_view<T>(
        &self,
        row: &Trace,
        tags: Option<&[String]>,
        judge: impl FnOnce(&TraceView<'_>) -> T,
    ) -> T {
        let view = self.spans.as_ref().map(|spans| SpansView {
            spans: (0..spans.tree.nodes().len())
                .filter_map(|place| spans.at(place))
                .map(|(node, head)| (node, head.as_ref()))
                .collect(),
            attributes: &self.attributes,
        });
        let name = trace_name(row);
        judge(&TraceView { row, name, tags, spans: view.as_ref(), scores: self.scores.as_deref() })
    }

    /// The spans in the order of their tree, each with its place in it, and with whether it fulfils a condition, as far
    /// as is known.
    pub(super) fn judged(&self, condition: &SpanCondition) -> Vec<JudgedSpan<'_>> {
        let Some(spans) = &self.spans else { return Vec::new() };
        let judged = (0..spans.tree.nodes().len()).filter_map(|place| {
            let (node, head) = spans.at(place)?;
            let attributes = self.attributes.get(&head.id);
            let verdict = condition.judge(head, node, attributes, self.scores.as_deref());
            Some(JudgedSpan { place, node, head, verdict })
        });
        judged.collect()
    }
}

/// A span, with whether it fulfils a condition.
pub(super) struct JudgedSpan<'a> {
    /// Its place in the tree.
    pub(super) place: usize,
    pub(super) node: &'a Node,
    pub(super) head: &'a SpanHead,
    /// `None`: what is known does not tell.
    pub(super) verdict: Option<bool>,
}

impl Queries {
    /// Whether each trace fulfils the condition. No more than `most` heads are read for it, unless the first trace that
    /// needs them has more.
    pub(super) async fn decide(
        &self,
        condition: &TraceCondition,
        rows: &[&Trace],
        most: usize,
    ) -> ServiceResult<Decided> {
        let needs = condition.needs();
        let tags = if needs.tags { self.tags(rows).await? } else { HashMap::new() };
        let tags_of = |row: &Trace| {
            let of = |id| tags.get(&id).map_or(&[] as &[String], Vec::as_slice);
            needs.tags.then(|| row.conversation_id.map_or(&[] as &[String], of))
        };
        let nothing = Known::default();
        let mut verdicts: Vec<Option<bool>> = rows
            .iter()
            .map(|row| nothing.with_view(row, tags_of(row), |view| condition.judge(view)))
            .collect();
        // As many of the open ones as the heads that may be read allow, and one at least.
        let (mut open, mut spans, mut decided) = (Vec::new(), 0_usize, rows.len());
        for (index, (row, verdict)) in rows.iter().zip(&verdicts).enumerate() {
            if verdict.is_some() {
                continue;
            }
            let more = usize::try_from(row.summary.span_count).unwrap_or(usize::MAX);
            if needs.heads && !open.is_empty() && spans.saturating_add(more) > most {
                decided = index;
                break;
            }
            spans = spans.saturating_add(more);
            open.push(index);
        }
        let open_rows: Vec<_> = open.iter().filter_map(|index| rows.get(*index).copied()).collect();
        let mut known = self.known(condition, &open_rows).await?;
        loop {
            let mut undecided: Vec<(usize, BodyKey)> = Vec::new();
            for (place, (index, row)) in open.iter().zip(&open_rows).enumerate() {
                let Some(known) = known.get(place) else { continue };
                let verdict = known.with_view(row, tags_of(row), |view| {
                    let verdict = condition.judge(view);
                    if verdict.is_none() && undecided.len() < ATTRIBUTES_AT_ONCE {
                        undecided.extend(attributes_wanted(condition, view).map(|wanted| (place, wanted)));
                    }
                    verdict
                });
                if let Some(slot) = verdicts.get_mut(*index) {
                    *slot = verdict;
                }
            }
            if undecided.is_empty() {
                break;
            }
            undecided.truncate(ATTRIBUTES_AT_ONCE);
            self.read_attributes(undecided, &mut known).await?;
        }
        // What nothing tells of does not fulfil it.
        let held = verdicts.into_iter().take(decided).map(|verdict| verdict == Some(true)).collect();
        Ok(Decided { held, spans: if needs.heads { spans } else { 0 } })
    }

    /// Reads what the condition needs of traces, but for bodies.
    pub(super) async fn known(
        &self,
        condition: &TraceCondition,
        rows: &[&Trace],
    ) -> ServiceResult<Vec<Known>> {
        let needs = condition.needs();
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let mut known: Vec<Known> = ids.iter().map(|_| Known::default()).collect();
        if needs.heads && !ids.is_empty() {
            for (known, spans) in known.iter_mut().zip(self.tracing.spans(&ids).await?) {
                known.spans = spans;
            }
        }
        if needs.scores && !ids.is_empty() {
            let ranges = ids.iter().flat_map(|id| {
                score_roots(&Deleted::Trace(*id))
                    .into_iter()
                    .map(|root| (prefix(&root), Direction::Forward, SCORES_PER_TRACE))
            });
            let pages = self.context.store.scan_many(keyspace::SCORE, ranges.collect()).await?;
            for (known, pages) in known.iter_mut().zip(pages.chunks(2)) {
                let scores = pages.iter().flat_map(|page| &page.items).map(|found| found.record.clone());
                known.scores = Some(scores.collect());
            }
        }
        Ok(known)
    }

    /// Reads attributes of spans, each with the place of its trace among what is known.
    pub(super) async fn read_attributes(
        &self,
        wanted: Vec<(usize, BodyKey)>,
        known: &mut [Known],
    ) -> ServiceResult<()> {
        for some in wanted.chunks(ATTRIBUTES_AT_ONCE) {
            let keys = some.iter().map(|(_, key)| key.clone()).collect();
            let bodies = self.tracing.span_bodies(keys, 0).await?;
            for (place, (trace, span, _)) in some {
                let attributes = bodies.get(&(*trace, *span)).and_then(SpansView::attributes_of);
                if let Some(known) = known.get_mut(*place) {
                    known.attributes.insert(*span, attributes);
                }
            }
        }
        Ok(())
    }

    async fn tags(&self, rows: &[&Trace]) -> ServiceResult<HashMap<ConversationId, Vec<String>>> {
        let mut ids: Vec<_> = rows.iter().filter_map(|row| row.conversation_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let found = self.context.store.get_many(keyspace::CONVERSATION, &ids).await?;
        Ok(found.into_iter().flatten().map(|conversation| (conversation.id, conversation.tags)).collect())
    }
}

/// The spans whose bodies would tell more.
pub(super) fn attributes_wanted<'a>(
    condition: &TraceCondition,
    view: &'a TraceView<'_>,
) -> impl Iterator<Item = BodyKey> + use<'a> {
    let mut ids = Vec::new();
    condition.undecided_spans(view, &mut ids);
    let wanted: std::collections::HashSet<_> = ids.into_iter().collect();
    let trace = view.row.id;
    let spans = view.spans.into_iter().flat_map(|spans| &spans.spans);
    spans
        .filter(move |(_, head)| wanted.contains(&head.id))
        .map(move |(_, head)| (trace, head.id, head.part_blocks()))
}
