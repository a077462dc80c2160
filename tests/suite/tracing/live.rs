//! Followers: a snapshot and the changes after any revision add up to what the store holds, each span's
//! latest state once, while writers write, blocks are merged and followers come and go.

use std::{collections::BTreeMap, pin::pin, sync::Arc};

use dendro::{
    model::{
        SpanId, TraceId,
        span::{SpanHead, SpanStatus},
        summary::Summary,
        trace::TraceStatus,
    },
    service::tracing::{SpanChanges, TraceChanges, TraceFilter, Tracing},
};
use futures_util::StreamExt;
use proptest::prelude::*;

use crate::support::{
    engines::{Unsteady, wrap},
    property::holds,
    spans::{changes, completed, create, outputs, record, span, span_id, start, trace_id, update, writes},
    store::{TestStore, restless},
};

#[derive(Debug, Clone)]
struct Scene {
    seed: u64,
    /// For each writer, the spans of each of its calls.
    writers: Vec<Vec<Vec<u64>>>,
    followers: Vec<Vec<Session>>,
    merges: usize,
}

/// A follower's stay, before it drops.
#[derive(Debug, Clone)]
struct Session {
    pause: usize,
    messages: usize,
    /// Where it goes on the next time: this many messages before the last one.
    back: usize,
}

fn scene() -> impl Strategy<Value = Scene> {
    let calls = prop::collection::vec(prop::collection::vec(0..8_u64, 1..4), 1..12);
    let session = (0..60_usize, 1..5_usize, 0..4_usize).prop_map(|(pause, messages, back)| Session {
        pause,
        messages,
        back,
    });
    (
        any::<u64>(),
        prop::collection::vec(calls, 1..4),
        prop::collection::vec(prop::collection::vec(session, 0..4), 1..4),
        0..6_usize,
    )
        .prop_map(|(seed, writers, followers, merges)| Scene { seed, writers, followers, merges })
}

#[test]
fn followers_see_each_latest_state_once() {
    holds(300, scene(), play);
}

async fn play(scene: Scene) {
    let unsteady = Unsteady::new(scene.seed, 6, 0);
    let around = unsteady.clone();
    let place = TestStore::in_memory().config(restless()).wrapped(move |engine| wrap(engine, &around));
    let bed = place.open().await;
    let trace = trace_id(1);
    start(&bed.tracing, trace).await;

    let followers: Vec<_> = scene
        .followers
        .into_iter()
        .map(|sessions| tokio::spawn(follow(bed.tracing.clone(), unsteady.clone(), trace, sessions)))
        .collect();
    let writers: Vec<_> = scene
        .writers
        .into_iter()
        .map(|calls| tokio::spawn(write(bed.tracing.clone(), trace, calls)))
        .collect();
    let reader = tokio::spawn(read(bed.tracing.clone(), trace));
    for _ in 0..scene.merges {
        wait(20).await;
        bed.store().merge_trace(trace).await.unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    // The last change of all: when it has been received, everything has.
    bed.tracing.complete_trace(trace, completed()).await.unwrap();
    let held = bed.tracing.spans(&[trace]).await.unwrap().pop().flatten().unwrap();
    let held: BTreeMap<_, _> = held.heads.iter().map(|head| (head.id, shown(head))).collect();
    for follower in followers {
        assert_eq!(follower.await.unwrap(), held);
    }
    reader.await.unwrap();
    bed.assert_consistent().await;
}

async fn wait(turns: usize) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

async fn write(tracing: Tracing, trace: TraceId, calls: Vec<Vec<u64>>) {
    for call in calls {
        // Some of these are refused, because the span is there or is not.
        let op = |number: &u64| match number % 3 {
            0 => create(span(*number)),
            1 => update(*number, changes(outputs("more"))),
            _ => record(span(*number)),
        };
        let recorded = call.iter().map(|number| record(span(*number)));
        let ops: Vec<_> = call.iter().map(op).chain(recorded.take(1)).collect();
        for written in tracing.write_spans(writes(trace, ops)).await {
            drop(written);
        }
    }
}

/// Reads the trace over and over: what was once there stays there, and all of it is of one moment.
async fn read(tracing: Tracing, trace: TraceId) {
    let mut before = BTreeMap::<SpanId, u64>::new();
    loop {
        let spans = tracing.spans(&[trace]).await.unwrap().pop().flatten().unwrap();
        let heads = || spans.heads.iter().map(AsRef::as_ref);
        assert_eq!(Summary::of(heads()), spans.trace.summary);
        let now: BTreeMap<_, _> = heads().map(|head| (head.id, head.revision)).collect();
        let kept = |(id, revision): (&SpanId, &u64)| now.get(id).is_some_and(|now| now >= revision);
        assert!(before.iter().all(kept), "{before:?}, then {now:?}");
        before = now;
        let wanted = heads().map(|head| (trace, head.id, head.part_blocks())).collect();
        tracing.span_bodies(wanted, 0).await.unwrap();
        if spans.trace.status.is_final() {
            return;
        }
    }
}

/// A head as followers compare it: where its body lies is the store's own affair, which merges change.
fn shown(head: &SpanHead) -> SpanHead {
    SpanHead { body_blocks: Vec::new(), ..head.clone() }
}

type View = BTreeMap<SpanId, SpanHead>;

/// Where a follower is: the revision up to which it has received everything, and what that added up to.
type Received = (Option<u64>, View);

/// Follows in sessions that end early, then in one to the end, and answers what it has seen.
async fn follow(tracing: Tracing, unsteady: Arc<Unsteady>, trace: TraceId, sessions: Vec<Session>) -> View {
    let mut received: Vec<Received> = vec![(None, View::new())];
    for session in sessions {
        wait(session.pause).await;
        let mut at = received.last().unwrap().clone();
        let mut stream = pin!(tracing.spans_live(trace, at.0).await.unwrap());
        for _ in 0..session.messages {
            if has_all(&tracing, trace, &at).await {
                break;
            }
            at = receive(at, stream.next().await.unwrap().unwrap(), &unsteady, trace);
            received.push(at.clone());
        }
        received.truncate(received.len().saturating_sub(session.back).max(1));
    }
    let mut at = received.pop().unwrap();
    let from = at.0;
    let mut times = BTreeMap::<_, usize>::new();
    let mut stream = pin!(tracing.spans_live(trace, from).await.unwrap());
    while !has_all(&tracing, trace, &at).await {
        let changes = stream.next().await.unwrap().unwrap();
        for head in &changes.heads {
            *times.entry((head.id, head.revision)).or_default() += 1;
        }
        at = receive(at, changes, &unsteady, trace);
    }
    for head in at.1.values() {
        let expected = usize::from(from.is_none_or(|from| head.revision > from));
        assert_eq!(times.get(&(head.id, head.revision)).copied().unwrap_or(0), expected);
    }
    at.1
}

/// Whether nothing more is to come. After a trace's end only merges raise its revision, and nobody is
/// told of those.
async fn has_all(tracing: &Tracing, trace: TraceId, at: &Received) -> bool {
    let held = tracing.spans(&[trace]).await.unwrap().pop().flatten().unwrap();
    let received = |head: &Arc<SpanHead>| at.0.is_some_and(|revision| revision >= head.revision);
    held.trace.status.is_final() && at.0.is_some() && held.heads.iter().all(received)
}

/// Takes in one message, which must go on exactly where the one before ended.
fn receive(
    (before, mut view): Received,
    changes: SpanChanges,
    unsteady: &Unsteady,
    trace: TraceId,
) -> Received {
    let SpanChanges { revision, snapshot, trace: row, heads } = changes;
    assert!(before.is_none_or(|before| revision > before), "{before:?}, then {revision}");
    assert!(!snapshot || before.is_none(), "a snapshot comes only at the beginning");
    assert!(revision <= unsteady.durable(trace.bytes()), "revision {revision} is not durable yet");
    assert!(
        row.revision <= unsteady.durable(trace.bytes()),
        "the row of {} is not durable yet",
        row.revision
    );
    for head in heads {
        assert!(before.is_none_or(|before| head.revision > before), "{before:?}, then {head:?}");
        assert!(head.revision <= revision);
        let known = view.insert(head.id, shown(&head));
        assert!(known.is_none_or(|known| known.revision < head.revision), "doubled: {head:?}");
    }
    (Some(revision), view)
}

/// Thousands of spans in few revisions: a message ends only where a revision does, and a merge puts
/// revisions together without tearing one apart.
#[tokio::test]
async fn a_large_trace_comes_in_pieces_and_resumes_at_each() {
    const WRITES: [u64; 5] = [600, 700, 2_300, 40, 1_500];
    let total: u64 = WRITES.iter().sum();
    for merged in [false, true] {
        let bed = TestStore::in_memory().open().await;
        let trace = trace_id(1);
        start(&bed.tracing, trace).await;
        let mut number = 0..;
        for count in WRITES {
            let ops: Vec<_> =
                number.by_ref().take(count as usize).map(|number| record(span(number))).collect();
            assert!(bed.tracing.write_spans(writes(trace, ops)).await.iter().all(Result::is_ok));
        }
        if merged {
            bed.store().merge_trace(trace).await.unwrap();
        }
        let held = bed.tracing.spans(&[trace]).await.unwrap().pop().flatten().unwrap();
        assert_eq!(held.heads.len() as u64, total);
        let whole = pieces(&bed.tracing, trace, None, held.trace.revision).await;
        assert!(whole.len() > 2, "{} messages", whole.len());
        assert!(whole.iter().all(|piece| piece.snapshot));
        for stop in 0..whole.len() {
            let after = whole[stop].revision;
            let mut ids: Vec<_> =
                whole[..=stop].iter().flat_map(|piece| &piece.heads).map(|head| head.id).collect();
            for piece in pieces(&bed.tracing, trace, Some(after), held.trace.revision).await {
                assert!(!piece.snapshot);
                ids.extend(piece.heads.iter().map(|head| head.id));
            }
            ids.sort_unstable();
            let expected: Vec<_> = (0..total).map(span_id).collect();
            assert_eq!(ids, expected, "resumed after {after}");
        }
        bed.assert_consistent().await;
    }
}

/// The messages from a revision up to another.
async fn pieces(tracing: &Tracing, trace: TraceId, after: Option<u64>, upto: u64) -> Vec<SpanChanges> {
    let mut stream = pin!(tracing.spans_live(trace, after).await.unwrap());
    let mut pieces: Vec<SpanChanges> = Vec::new();
    while pieces.last().map(|piece| piece.revision).or(after) < Some(upto) {
        pieces.push(stream.next().await.unwrap().unwrap());
    }
    pieces
}

#[tokio::test]
async fn who_is_shown_running_is_followed_to_the_end() {
    let bed = TestStore::in_memory().open().await;
    for number in 1..4 {
        start(&bed.tracing, trace_id(number)).await;
    }
    let filter = TraceFilter {
        statuses: vec![TraceStatus::Running],
        has_errors: Some(false),
        ..TraceFilter::default()
    };
    let mut stream = pin!(bed.tracing.running_traces(filter, None).unwrap());
    let first = stream.next().await.unwrap().unwrap();
    assert!(first.snapshot);
    assert_eq!(first.traces.len(), 3);
    let mut failed = span(1);
    failed.status = Some(SpanStatus::Error);
    bed.tracing.write_spans(writes(trace_id(1), [record(failed)])).await;
    let changed = stream.next().await.unwrap().unwrap();
    assert_eq!(ids(&changed), [trace_id(1)], "it has errors now");
    for number in 1..3 {
        bed.tracing.complete_trace(trace_id(number), completed()).await.unwrap();
    }
    let mut ended = Vec::new();
    while ended.len() < 2 {
        let changes = stream.next().await.unwrap().unwrap();
        assert!(!changes.snapshot && changes.traces.iter().all(|trace| trace.status.is_final()));
        ended.extend(ids(&changes));
    }
    ended.sort_unstable();
    assert_eq!(ended, [trace_id(1), trace_id(2)]);
    // What was never shown, because it never matched, is not shown at its end.
    start(&bed.tracing, trace_id(9)).await;
    bed.tracing.write_spans(writes(trace_id(3), [record(span(1))])).await;
    let changed = stream.next().await.unwrap().unwrap();
    assert_eq!(ids(&changed), [trace_id(3), trace_id(9)]);
}

#[tokio::test]
async fn who_follows_all_traces_resumes_where_they_were() {
    let bed = TestStore::in_memory().open().await;
    let follow =
        |after: Option<String>| bed.tracing.running_traces(TraceFilter::default(), after.as_deref()).unwrap();
    for number in 1..4 {
        start(&bed.tracing, trace_id(number)).await;
    }
    let mut stream = Box::pin(follow(None));
    let first = stream.next().await.unwrap().unwrap();
    assert!(first.snapshot && first.traces.len() == 3);
    drop(stream);
    // While nobody looks one ends, one begins, one does both, and one stays as it is.
    bed.tracing.complete_trace(trace_id(1), completed()).await.unwrap();
    start(&bed.tracing, trace_id(4)).await;
    start(&bed.tracing, trace_id(5)).await;
    bed.tracing.complete_trace(trace_id(5), completed()).await.unwrap();
    let mut stream = Box::pin(follow(Some(first.cursor)));
    let missed = stream.next().await.unwrap().unwrap();
    assert!(!missed.snapshot);
    assert_eq!(ids(&missed), [1, 4, 5].map(trace_id));
    for number in [2, 4] {
        bed.tracing.complete_trace(trace_id(number), completed()).await.unwrap();
    }
    let mut ended = Vec::new();
    while ended.len() < 2 {
        ended.extend(ids(&stream.next().await.unwrap().unwrap()));
    }
    assert_eq!(ended, [2, 4].map(trace_id), "those that were sent before are followed to their end");

    let foreign = missed.cursor.replace(|digit: char| digit.is_ascii_hexdigit(), "7");
    let never = format!("{}999", missed.cursor);
    for unknown in [foreign, never] {
        let anew = Box::pin(follow(Some(unknown))).next().await.unwrap().unwrap();
        assert!(anew.snapshot);
        assert_eq!(ids(&anew), [trace_id(3)]);
    }
    let wrong = bed.tracing.running_traces(TraceFilter::default(), Some("12")).err().unwrap();
    assert!(wrong.to_string().starts_with("after: "), "{wrong}");
}

fn ids(changes: &TraceChanges) -> Vec<TraceId> {
    changes.traces.iter().map(|trace| trace.id).collect()
}

#[tokio::test]
async fn a_revision_that_was_never_given_out_is_refused() {
    let bed = TestStore::in_memory().open().await;
    start(&bed.tracing, trace_id(1)).await;
    let Err(error) = bed.tracing.spans_live(trace_id(1), Some(2)).await else { panic!("followed") };
    assert!(error.to_string().starts_with("after: the trace is at revision 1"), "{error}");
    let Err(error) = bed.tracing.spans_live(trace_id(2), None).await else { panic!("followed") };
    assert!(error.to_string().contains("there is no trace"), "{error}");
    assert_eq!(bed.context.hub.watched(), 0);
}
