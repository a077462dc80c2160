//! Placement of a trace's spans in one tree, whatever is missing, late or in a circle.
//!
//! Placement is derived from the spans and never stored. Every span appears exactly once, nothing
//! loops, and the same set of spans gives the same tree in whatever order it came.

use std::{cmp::Ordering, collections::HashMap};

use super::{SpanId, Timestamp, span::SpanHead, words::words};

words! {
    /// How a span came to its place in the tree.
    Placement {
        /// It names no parent.
        Root = 1 "ROOT",
        /// It stands below its parent.
        Child = 2 "CHILD",
        /// Its parent is not here yet, and the trace goes on.
        ProvisionalRoot = 3 "PROVISIONAL_ROOT",
        /// Its parent never came.
        Orphan = 4 "ORPHAN",
        /// It is its own ancestor; the earliest span of the circle stands at the top.
        CycleBroken = 5 "CYCLE_BROKEN",
    }
}

/// A span's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The span: its index among the heads that were placed.
    pub span: usize,
    /// The place of the node above, in pre-order.
    pub parent: Option<usize>,
    /// Levels above it.
    pub depth: u32,
    /// Nodes directly below it.
    pub child_count: u32,
    /// Nodes in its subtree, itself included: the next sibling stands this far on.
    pub subtree_size: usize,
    /// How it came here.
    pub placement: Placement,
}

/// The tree of a trace, in pre-order: parents before children, siblings by start and id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanTree {
    nodes: Vec<Node>,
}

impl SpanTree {
    /// Places the spans. No two may have the same id.
    #[must_use]
    pub fn place(heads: &[SpanHead], running: bool) -> Self {
        let refs: Vec<_> = heads.iter().collect();
        Self::place_refs(&refs, running)
    }

    /// As [`SpanTree::place`], of heads that stand anywhere.
    #[must_use]
    pub fn place_refs(heads: &[&SpanHead], running: bool) -> Self {
        let (parents, placements) = parents(heads, running);
        let children = Children::of(heads, &parents);
        let mut tree = Self { nodes: Vec::with_capacity(heads.len()) };
        tree.lay_out(&children, &placements);
        tree
    }

    /// All nodes, in pre-order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The places of the nodes at the top.
    pub fn roots(&self) -> impl Iterator<Item = usize> + '_ {
        self.siblings(0, self.nodes.len())
    }

    /// The places of the nodes directly below the node at `place`.
    pub fn children(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        let size = self.nodes.get(place).map_or(1, |node| node.subtree_size);
        self.siblings(place + 1, place + size)
    }

    fn siblings(&self, from: usize, end: usize) -> impl Iterator<Item = usize> + '_ {
        let next = move |place: &usize| {
            let size = self.nodes.get(*place).map_or(1, |node| node.subtree_size);
            Some(place + size).filter(|next| *next < end)
        };
        std::iter::successors(Some(from).filter(|first| *first < end), next)
    }

    /// Walks down from the roots without recursion: a chain may be as deep as the trace is long.
    fn lay_out(&mut self, children: &Children, placements: &[Placement]) {
        let mut open: Vec<(usize, Option<usize>, u32)> =
            children.roots().iter().rev().map(|root| (*root, None, 0)).collect();
        while let Some((span, parent, depth)) = open.pop() {
            let below = children.of_span(span);
            let place = self.nodes.len();
            self.nodes.push(Node {
                span,
                parent,
                depth,
                child_count: u32::try_from(below.len()).unwrap_or(u32::MAX),
                subtree_size: 1,
                placement: placements.get(span).copied().unwrap_or(Placement::Root),
            });
            open.extend(below.iter().rev().map(|child| (*child, Some(place), depth.saturating_add(1))));
        }
        self.sum_subtrees();
    }

    /// Children stand after their parents, so one pass from the end sums every subtree.
    fn sum_subtrees(&mut self) {
        for place in (0..self.nodes.len()).rev() {
            let Some((size, Some(parent))) =
                self.nodes.get(place).map(|node| (node.subtree_size, node.parent))
            else {
                continue;
            };
            if let Some(parent) = self.nodes.get_mut(parent) {
                parent.subtree_size += size;
            }
        }
    }
}

/// The order of siblings: by start, then by id.
fn sibling_order(a: &SpanHead, b: &SpanHead) -> Ordering {
    rank(a).cmp(&rank(b))
}

fn rank(head: &SpanHead) -> (Timestamp, SpanId) {
    (head.start_time, head.id)
}

/// Each span's parent, without circles, and how it came to its place.
fn parents(heads: &[&SpanHead], running: bool) -> (Vec<Option<usize>>, Vec<Placement>) {
    let by_id: HashMap<SpanId, usize> =
        heads.iter().enumerate().map(|(index, head)| (head.id, index)).collect();
    let missing = if running { Placement::ProvisionalRoot } else { Placement::Orphan };
    let (mut parents, mut placements): (Vec<_>, Vec<_>) = heads
        .iter()
        .map(|head| match head.parent_id.map(|id| by_id.get(&id).copied()) {
            // Whether it has a parent is known once it comes itself.
            None if head.announced => (None, missing),
            None => (None, Placement::Root),
            Some(None) => (None, missing),
            Some(parent) => (parent, Placement::Child),
        })
        .unzip();
    for first in cycle_starts(heads, &parents) {
        if let (Some(parent), Some(placement)) = (parents.get_mut(first), placements.get_mut(first)) {
            *parent = None;
            *placement = Placement::CycleBroken;
        }
    }
    (parents, placements)
}

/// Of every circle, the span that comes first.
fn cycle_starts(heads: &[&SpanHead], parents: &[Option<usize>]) -> Vec<usize> {
    const UNSEEN: usize = 0;
    let mut starts = Vec::new();
    // The walk in which each span was first met, from 1.
    let mut met = vec![UNSEEN; heads.len()];
    for start in 0..heads.len() {
        let walk = start + 1;
        let mut at = Some(start);
        while let Some(span) = at {
            match met.get_mut(span) {
                Some(seen) if *seen == UNSEEN => *seen = walk,
                Some(seen) if *seen == walk => {
                    starts.extend(first_of_cycle(heads, parents, span));
                    break;
                }
                _ => break,
            }
            at = parents.get(span).copied().flatten();
        }
    }
    starts
}

fn first_of_cycle(heads: &[&SpanHead], parents: &[Option<usize>], member: usize) -> Option<usize> {
    let next = |span: &usize| parents.get(*span).copied().flatten().filter(|next| *next != member);
    std::iter::successors(Some(member), next).min_by_key(|span| heads.get(*span).map(|head| rank(head)))
}

/// Children of every span in sibling order, in one flat list.
struct Children {
    /// Roots first, then the children of span 0, 1, …
    flat: Vec<usize>,
    /// Where the children of each span start in `flat`; one entry more than spans.
    starts: Vec<usize>,
}

impl Children {
    fn of(heads: &[&SpanHead], parents: &[Option<usize>]) -> Self {
        let mut flat: Vec<usize> = (0..heads.len()).collect();
        let group = |span: &usize| parents.get(*span).copied().flatten().map_or(0, |parent| parent + 1);
        flat.sort_unstable_by(|a, b| {
            group(a).cmp(&group(b)).then_with(|| match (heads.get(*a), heads.get(*b)) {
                (Some(a), Some(b)) => sibling_order(a, b),
                _ => Ordering::Equal,
            })
        });
        let mut starts = vec![0; heads.len() + 2];
        for span in &flat {
            if let Some(start) = starts.get_mut(group(span) + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self { flat, starts }
    }

    fn group(&self, group: usize) -> &[usize] {
        let start = self.starts.get(group).copied().unwrap_or(0);
        let end = self.starts.get(group + 1).copied().unwrap_or(start);
        self.flat.get(start..end).unwrap_or_default()
    }

    fn roots(&self) -> &[usize] {
        self.group(0)
    }

    fn of_span(&self, span: usize) -> &[usize] {
        self.group(span + 1)
    }
}
