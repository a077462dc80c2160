//! The heads of one trace, with what they add up to kept up to date span by span.

use std::collections::{HashMap, HashSet};

use super::{Below, MAX_DEPTH, Repeats, Spending, Spent, Summary};
use crate::model::{
    SpanId,
    span::{SpanHead, SpanStatus},
    tree::{Placement, SpanTree},
};

/// The spans of a trace that name no parent, by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Roots {
    /// Not ended.
    pub running: u64,
    /// Ended well.
    pub ok: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Stopped.
    pub cancelled: u64,
}

impl Roots {
    fn add(&mut self, head: &SpanHead) {
        if let Some(count) = self.count_of(head) {
            *count += 1;
        }
    }

    fn remove(&mut self, head: &SpanHead) {
        if let Some(count) = self.count_of(head) {
            *count = count.saturating_sub(1);
        }
    }

    /// The count of spans that stand as `head` does, where it is one of them.
    fn count_of(&mut self, head: &SpanHead) -> Option<&mut u64> {
        (head.parent_id.is_none() && !head.announced).then_some(match head.status {
            SpanStatus::Running => &mut self.running,
            SpanStatus::Ok => &mut self.ok,
            SpanStatus::Error => &mut self.failed,
            SpanStatus::Cancelled => &mut self.cancelled,
        })
    }
}

/// The heads of one trace with their summary, which follows every write without a walk over all.
///
/// A write that only adds (a new span, an end, tokens) updates the sums on its way up the tree. One
/// that takes something back (another parent, an earlier end) or closes a circle makes the whole be
/// computed anew, once for however many such writes come together: the result is always
/// [`Summary::of`] the heads.
#[derive(Debug, Clone, Default)]
pub struct TraceHeads {
    spans: HashMap<SpanId, Span>,
    /// Spans by the parent that they name, whether it is here or not.
    children: HashMap<SpanId, Vec<SpanId>>,
    summary: Summary,
    roots: Roots,
    spent: Spent,
    /// Once spans stand in a circle, every write computes the whole.
    circular: bool,
    /// The answers of models that spans name. Once two name the same, every write computes the whole.
    responses: HashSet<String>,
    repeated: bool,
    /// Whether the whole is to be computed when it is next asked for.
    stale: bool,
}

#[derive(Debug, Clone)]
struct Span {
    /// Apart, because the map moves its entries when it grows, and heads are large.
    head: Box<SpanHead>,
    /// Levels of its subtree, itself included, up to [`MAX_DEPTH`].
    height: u32,
    below: Below,
}

impl TraceHeads {
    /// The heads of a trace. Of two with the same id the later one counts.
    #[must_use]
    pub fn new(heads: impl IntoIterator<Item = SpanHead>) -> Self {
        let mut all = Self { stale: true, ..Self::default() };
        for head in heads {
            all.put(head);
        }
        all.compute();
        all
    }

    /// What they add up to.
    #[must_use]
    pub fn summary(&mut self) -> &Summary {
        if self.stale {
            self.compute();
        }
        &self.summary
    }

    /// The spans that name no parent.
    #[must_use]
    pub const fn roots(&self) -> Roots {
        self.roots
    }

    /// The head of a span.
    #[must_use]
    pub fn get(&self, id: SpanId) -> Option<&SpanHead> {
        self.spans.get(&id).map(|span| span.head.as_ref())
    }

    /// All heads, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &SpanHead> {
        self.spans.values().map(|span| span.head.as_ref())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Puts a head in its place, instead of the one with the same id.
    pub fn put(&mut self, head: SpanHead) {
        if let Some(old) = self.spans.get(&head.id) {
            self.roots.remove(&old.head);
        }
        self.roots.add(&head);
        match self.spans.get(&head.id).map(|span| only_adds(&span.head, &head)) {
            None if self.stale => {
                self.place(Span { head: Box::new(head), height: 1, below: Below::default() });
            }
            None => self.insert(head),
            // With repeats a span's own figures may not be in the sums, and cannot be taken back.
            Some(true) if !self.stale && !self.repeated => self.replace(head),
            Some(_) => {
                self.relink(&head);
                if let Some(span) = self.spans.get_mut(&head.id) {
                    *span.head = head;
                }
                self.stale = true;
            }
        }
    }

    fn place(&mut self, span: Span) {
        if let Some(parent) = span.head.parent_id {
            self.children.entry(parent).or_default().push(span.head.id);
        }
        self.spans.insert(span.head.id, span);
    }

    fn insert(&mut self, head: SpanHead) {
        let id = head.id;
        let waiting = self.children.get(&id).map(Vec::as_slice).unwrap_or_default();
        let mut span = Span { head: Box::new(head), height: 1, below: Below::default() };
        for child in waiting.iter().filter_map(|child| self.spans.get(child)) {
            span.height = span.height.max(child.height.saturating_add(1).min(MAX_DEPTH));
            span.below = span.below.with(child.below.and(&child.head, true));
        }
        if let Some(response) = &span.head.details.response_id {
            self.repeated |= !self.responses.insert(response.clone());
        }
        // Only a span that others waited for can close a circle.
        self.circular = self.circular
            || span.head.parent_id == Some(id)
            || (!waiting.is_empty() && self.leads_to(&span.head, id));
        self.summary.add(&span.head);
        self.spent.add(&Spending::of(&span.head).counted(span.below));
        self.summary.depth = self.summary.depth.max(span.height);
        self.place(span);
        self.settle(id);
    }

    /// Whether the way up from `head` comes to `id`. There must be no circle yet: it would not end.
    fn leads_to(&self, head: &SpanHead, id: SpanId) -> bool {
        let mut at = head.parent_id;
        while let Some(above) = at {
            if above == id {
                return true;
            }
            at = self.spans.get(&above).and_then(|span| span.head.parent_id);
        }
        false
    }

    fn replace(&mut self, head: SpanHead) {
        let id = head.id;
        let Some(span) = self.spans.get_mut(&id) else { return };
        self.summary.remove_counts(&span.head);
        self.spent.remove(&Spending::of(&span.head).counted(span.below));
        self.summary.add(&head);
        self.spent.add(&Spending::of(&head).counted(span.below));
        *span.head = head;
        self.settle(id);
    }

    /// Brings what lies above up to date with the span; everything, later, where there is a circle or a
    /// call that several spans tell of.
    fn settle(&mut self, id: SpanId) {
        if self.circular || self.repeated {
            self.stale = true;
        } else {
            self.propagate(id);
            self.summary.set_spent(&self.spent);
        }
    }

    /// Tells the spans above what is below them, as far up as that is news.
    fn propagate(&mut self, id: SpanId) {
        let Some(span) = self.spans.get(&id) else { return };
        let mut below = span.below.and(&span.head, true);
        let (mut height, mut at) = (span.height, span.head.parent_id);
        while let Some(parent) = at.and_then(|id| self.spans.get_mut(&id)) {
            height = height.saturating_add(1).min(MAX_DEPTH);
            let news = Below {
                tokens: below.tokens && !parent.below.tokens,
                cost: below.cost && !parent.below.cost,
            };
            if height <= parent.height && news == Below::default() {
                return;
            }
            let counted = Spending::of(&parent.head).counted(parent.below);
            parent.height = parent.height.max(height);
            parent.below = parent.below.with(below);
            let now_counted = Spending::of(&parent.head).counted(parent.below);
            self.spent.remove(&counted);
            self.spent.add(&now_counted);
            self.summary.depth = self.summary.depth.max(parent.height);
            below = below.and(&parent.head, true);
            (height, at) = (parent.height, parent.head.parent_id);
        }
    }

    fn relink(&mut self, head: &SpanHead) {
        let old = self.spans.get(&head.id).and_then(|span| span.head.parent_id);
        if old == head.parent_id {
            return;
        }
        if let Some(siblings) = old.and_then(|old| self.children.get_mut(&old)) {
            siblings.retain(|id| *id != head.id);
        }
        if let Some(parent) = head.parent_id {
            self.children.entry(parent).or_default().push(head.id);
        }
    }

    /// Computes everything from the heads.
    fn compute(&mut self) {
        self.summary = Summary::of(self.spans.values().map(|span| span.head.as_ref()));
        self.spent = Spent::default();
        let ids: Vec<SpanId> = self.spans.keys().copied().collect();
        let heads: Vec<&SpanHead> = ids.iter().filter_map(|id| self.get(*id)).collect();
        let tree = SpanTree::place_refs(&heads, true);
        let repeats = Repeats::among(heads.iter().copied());
        let responses = heads.iter().filter_map(|head| head.details.response_id.clone()).collect();
        let circular = tree.nodes().iter().any(|node| node.placement == Placement::CycleBroken);
        let mut state = vec![(1_u32, Below::default()); tree.nodes().len()];
        for (place, node) in tree.nodes().iter().enumerate().rev() {
            let (height, below) = state.get(place).copied().unwrap_or_default();
            let Some(head) = heads.get(node.span) else { continue };
            if let Some(parent) = node.parent.and_then(|parent| state.get_mut(parent)) {
                parent.0 = parent.0.max(height.saturating_add(1).min(MAX_DEPTH));
                parent.1 = parent.1.with(below.and(head, repeats.counts(head)));
            }
        }
        for (node, (height, below)) in tree.nodes().iter().zip(state) {
            if let Some(span) = ids.get(node.span).and_then(|id| self.spans.get_mut(id)) {
                (span.height, span.below) = (height, below);
                if repeats.counts(&span.head) {
                    self.spent.add(&Spending::of(&span.head).counted(below));
                }
            }
        }
        self.circular = circular;
        self.repeated = !repeats.spans.is_empty();
        self.responses = responses;
        self.stale = false;
    }
}

/// Whether going from `old` to `new` only adds to what the sums know.
fn only_adds(old: &SpanHead, new: &SpanHead) -> bool {
    old.parent_id == new.parent_id
        && old.start_time == new.start_time
        && old.end_time.is_none_or(|end| new.end_time >= Some(end))
        && (!old.ledger.reports_tokens() || new.ledger.reports_tokens())
        && (old.ledger.cost.is_none() || new.ledger.cost.is_some())
        && (old.details.model.is_none() || old.details.model == new.details.model)
        && old.details.response_id == new.details.response_id
        && old.announced == new.announced
        && old.components.iter().all(|component| new.components.contains(component))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{
        Timestamp,
        component::{ComponentRef, VersionHash},
        ledger::{Ledger, NanoUsd, TokenCounts},
        span::{Attached, OperationType, SpanDetails},
    };

    fn head(
        id: u8,
        parent: Option<u8>,
        start: i64,
        tokens: Option<u64>,
        cost: Option<i64>,
        end: Option<i64>,
    ) -> SpanHead {
        let id_of = |id| SpanId::from_bytes([id; 16]);
        SpanHead {
            id: id_of(id),
            parent_id: parent.map(id_of),
            operation_type: OperationType::LlmCall,
            name: format!("{tokens:?}"),
            start_time: Timestamp::from_nanos(start),
            end_time: end.map(Timestamp::from_nanos),
            status: if end.is_some() { SpanStatus::Error } else { SpanStatus::Running },
            status_message: None,
            details: SpanDetails {
                model: tokens.map(|tokens| format!("m{}", tokens % 20)),
                ..SpanDetails::default()
            },
            ledger: Ledger {
                tokens: TokenCounts { input: tokens, ..TokenCounts::default() },
                cost: cost.map(NanoUsd::from_nanos),
                ..Ledger::default()
            },
            components: tokens
                .into_iter()
                .map(|tokens| ComponentRef {
                    component_id: tokens.to_string(),
                    version_hash: VersionHash::from_bytes([0; 32]),
                })
                .collect(),
            event_count: 0,
            link_count: 0,
            revision: 0,
            body_blocks: Vec::new(),
            attached: Attached::default(),
            announced: false,
            fingerprint: 0,
        }
    }

    fn any_head() -> impl Strategy<Value = SpanHead> {
        (
            0..14_u8,
            prop::option::weighted(0.8, 0..16_u8),
            0..4_i64,
            prop::option::of(prop_oneof![9 => 1..50_u64, 1 => Just(u64::MAX)]),
            prop::option::of(prop_oneof![9 => 0..9_i64, 1 => Just(i64::MAX)]),
            prop::option::of(4..6_i64),
            (prop::option::weighted(0.1, 0..3_u8), prop::bool::weighted(0.1)),
        )
            .prop_map(|(id, parent, start, tokens, cost, end, (response, announced))| {
                let mut head = head(id, parent, start, tokens, cost, end);
                head.details.response_id = response.map(|response| response.to_string());
                head.announced = announced;
                head
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn the_kept_summary_is_the_computed_one(heads in prop::collection::vec((any_head(), any::<bool>()), 0..40)) {
            let mut kept = TraceHeads::default();
            for (head, ask) in heads {
                kept.put(head);
                let computed = Summary::of(kept.iter());
                if ask {
                    prop_assert_eq!(kept.summary(), &computed);
                    let mut read = TraceHeads::new(kept.iter().cloned());
                    prop_assert_eq!(read.summary(), &computed);
                }
            }
        }

        #[test]
        fn the_tree_is_the_same_in_any_order(heads in prop::collection::vec(any_head(), 0..40), seed in any::<u64>()) {
            let kept = TraceHeads::new(heads);
            let mut sorted: Vec<_> = kept.iter().cloned().collect();
            sorted.sort_by_key(|head| head.id);
            let mut shuffled = sorted.clone();
            shuffled.sort_by_key(|head| blake3::hash(&[head.id.bytes().as_slice(), &seed.to_le_bytes()].concat()).as_bytes().to_vec());
            let ids = |heads: &[SpanHead]| -> Vec<_> {
                let tree = SpanTree::place(heads, false);
                tree.nodes().iter().map(|node| (heads[node.span].id, node.parent, node.depth, node.child_count, node.subtree_size, node.placement)).collect()
            };
            let order = ids(&sorted);
            prop_assert_eq!(&order, &ids(&shuffled));
            let mut seen: Vec<_> = order.iter().map(|node| node.0).collect();
            seen.sort();
            prop_assert_eq!(seen, sorted.iter().map(|head| head.id).collect::<Vec<_>>());
        }
    }
}
