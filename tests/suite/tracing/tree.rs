//! Whatever order a trace's spans come in, however often, and whichever are lost: the same spans give
//! the same tree, each of them in it once.

use std::collections::{BTreeMap, BTreeSet};

use dendro::{
    model::{SpanId, Timestamp, span::NewSpan, tree::Placement},
    service::tracing::Tracing,
};
use proptest::prelude::*;

use crate::support::{
    property::holds,
    spans::{completed, record, span, span_id, start, trace_id, writes},
    store::{TestStore, restless},
};

/// A span as its sender knows it: its number, its parent's, when it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    number: u64,
    parent: Option<u64>,
    start: i64,
}

/// How the spans come: in which order, and how many at a time.
#[derive(Debug, Clone)]
struct Delivery {
    order: Vec<Sent>,
    sizes: Vec<usize>,
    /// Whether the trace ends first, so that all its spans are late.
    late: bool,
}

/// Parents may be missing, or the span itself, or one of its own descendants.
fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let span = (prop::option::weighted(0.85, 0..16_u64), 0..4_i64);
    prop::collection::vec(span, 1..14).prop_map(|spans| {
        let sent = |(number, (parent, start))| Sent { number, parent, start };
        (0..).zip(spans).map(sent).collect()
    })
}

fn delivery(spans: Vec<Sent>) -> impl Strategy<Value = Delivery> {
    let twice = spans.iter().chain(&spans).chain(&spans).copied().collect::<Vec<_>>();
    let count = twice.len();
    // Every span at least once, and some again: the first of each kind is kept wherever it falls.
    let shuffled = (Just(twice).prop_shuffle(), prop::collection::vec(any::<bool>(), count));
    let order = shuffled.prop_map(|(order, again)| {
        let mut seen = BTreeSet::new();
        let kept = |(span, again): &(Sent, bool)| seen.insert(span.number) || *again;
        order.into_iter().zip(again).filter(kept).map(|(span, _)| span).collect()
    });
    (order, prop::collection::vec(1..6_usize, 1..6), any::<bool>())
        .prop_map(|(order, sizes, late)| Delivery { order, sizes, late })
}

fn scene() -> impl Strategy<Value = (Vec<Sent>, Delivery, Delivery)> {
    (sent(), prop::collection::vec(any::<bool>(), 14)).prop_flat_map(|(mut spans, lost)| {
        // Some never come.
        let mut lost = lost.into_iter();
        spans.retain(|span| span.number == 0 || !lost.next().unwrap_or(false));
        (Just(spans.clone()), delivery(spans.clone()), delivery(spans))
    })
}

/// A node as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    span: SpanId,
    parent: Option<SpanId>,
    depth: u32,
    children: u32,
    size: usize,
    placement: Placement,
}

#[test]
fn the_same_spans_give_the_same_tree() {
    holds(800, scene(), async |(spans, one, other)| {
        let bed = TestStore::in_memory().config(restless()).open().await;
        for (number, delivery) in [(1, one), (2, other)] {
            let trace = trace_id(number);
            start(&bed.tracing, trace).await;
            if delivery.late {
                bed.tracing.complete_trace(trace, completed()).await.unwrap();
            }
            deliver(&bed.tracing, number, &delivery).await;
            if !delivery.late {
                assert_eq!(tree(&bed.tracing, number).await, expected(&spans, true));
                bed.tracing.complete_trace(trace, completed()).await.unwrap();
            }
            assert_eq!(tree(&bed.tracing, number).await, expected(&spans, false));
            bed.store().merge_trace(trace).await.unwrap();
            assert_eq!(tree(&bed.tracing, number).await, expected(&spans, false));
        }
        bed.assert_consistent().await;
    });
}

async fn deliver(tracing: &Tracing, trace: u64, delivery: &Delivery) {
    let mut rest = delivery.order.as_slice();
    let mut sizes = delivery.sizes.iter().cycle();
    while !rest.is_empty() {
        let (call, later) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        let op = |sent: &Sent| {
            record(NewSpan {
                parent_id: sent.parent.map(span_id),
                start_time: Some(Timestamp::from_nanos(sent.start)),
                ..span(sent.number)
            })
        };
        let written = tracing.write_spans(writes(trace_id(trace), call.iter().map(op))).await;
        assert!(written.iter().all(Result::is_ok));
        rest = later;
    }
}

async fn tree(tracing: &Tracing, trace: u64) -> Vec<Seen> {
    let spans = tracing.spans(&[trace_id(trace)]).await.unwrap().pop().flatten().unwrap();
    let seen = |place| {
        let (node, head) = spans.at(place).unwrap();
        assert_eq!(spans.place_of(head.id), Some(place));
        Seen {
            span: head.id,
            parent: node.parent.map(|parent| spans.at(parent).unwrap().1.id),
            depth: node.depth,
            children: node.child_count,
            size: node.subtree_size,
            placement: node.placement,
        }
    };
    (0..spans.tree.nodes().len()).map(seen).collect()
}

/// The tree as one would draw it by hand.
fn expected(spans: &[Sent], running: bool) -> Vec<Seen> {
    let by_number: BTreeMap<u64, Sent> = spans.iter().map(|span| (span.number, *span)).collect();
    let place = |span: &Sent| match span.parent {
        None => (None, Placement::Root),
        Some(parent) if !by_number.contains_key(&parent) => {
            (None, if running { Placement::ProvisionalRoot } else { Placement::Orphan })
        }
        Some(_) if first_of_circle(&by_number, *span) => (None, Placement::CycleBroken),
        Some(parent) => (Some(parent), Placement::Child),
    };
    let places: BTreeMap<u64, _> = spans.iter().map(|span| (span.number, place(span))).collect();
    let mut seen = Vec::new();
    draw(&by_number, &places, None, 0, &mut seen);
    seen
}

/// Whether the way up from the span leads back to it, and no span on the way comes before it.
fn first_of_circle(spans: &BTreeMap<u64, Sent>, span: Sent) -> bool {
    let (mut at, mut first) = (span, true);
    for _ in 0..=spans.len() {
        let Some(parent) = at.parent.and_then(|parent| spans.get(&parent)) else { return false };
        at = *parent;
        if at.number == span.number {
            return first;
        }
        first &= (span.start, span.number) < (at.start, at.number);
    }
    false
}

type Places = BTreeMap<u64, (Option<u64>, Placement)>;

/// Draws everything below a span, or the top, and answers how many spans that were.
fn draw(
    spans: &BTreeMap<u64, Sent>,
    places: &Places,
    above: Option<u64>,
    depth: u32,
    seen: &mut Vec<Seen>,
) -> u32 {
    let mut below: Vec<_> = spans.values().filter(|span| places[&span.number].0 == above).collect();
    below.sort_by_key(|span| (span.start, span.number));
    for span in &below {
        let at = seen.len();
        seen.push(Seen {
            span: span_id(span.number),
            parent: above.map(span_id),
            depth,
            children: 0,
            size: 1,
            placement: places[&span.number].1,
        });
        seen[at].children = draw(spans, places, Some(span.number), depth + 1, seen);
        seen[at].size = seen.len() - at;
    }
    u32::try_from(below.len()).unwrap()
}
