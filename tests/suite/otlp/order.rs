//! Order does not matter: the same spans make the same traces, whatever way they come.

use std::{collections::BTreeMap, fmt::Debug, pin::pin};

use dendro::{
    model::{
        TraceId,
        score::{Score, ScoreTarget},
        span::{SpanBody, SpanHead},
        trace::{Trace, TraceBody},
    },
    service::{query::Selection, tracing::WholeSpan},
};
use futures_util::{TryStreamExt, future::join_all};
use prost::Message;
use serde_json::{Value, json};
use similar::TextDiff;

use super::{
    bed::{Bed, LOGS, PROTOBUF, TRACES},
    flood::{self, Item, everything},
    samples::{of_logs, of_spans},
};
use crate::support::property::Random;

/// Items of one request.
const TOGETHER: usize = 1_000;

/// Sends items in their order: those of a request that follow each other.
async fn send(bed: &Bed, items: &[Item]) {
    for part in items.chunks(TOGETHER) {
        let (mut spans, mut logs) = (Vec::new(), Vec::new());
        for item in part {
            match item {
                Item::Span(span) => spans.push((**span).clone()),
                Item::Log(record) => logs.push((**record).clone()),
            }
        }
        let spans = (TRACES, of_spans(spans).encode_to_vec());
        let logs = (LOGS, of_logs(logs).encode_to_vec());
        let first_is_log = matches!(part.first(), Some(Item::Log(_)));
        for (path, body) in if first_is_log { [logs, spans] } else { [spans, logs] } {
            let reply = bed.post(path, PROTOBUF, body).await;
            assert_eq!(reply.rejected(path), (0, String::new()));
        }
    }
}

/// A trace with all that is kept of it, but for where and in how many writes it came.
#[derive(Debug, PartialEq)]
struct Kept {
    trace: Trace,
    body: TraceBody,
    /// By their ids, with what judges them.
    spans: Vec<(SpanHead, SpanBody, Vec<Score>)>,
    scores: Vec<Score>,
}

/// Traces that are looked at through the API: one of each kind, see [`flood`].
const ASKED: u64 = 20;

/// What a server makes of what it was sent: all that is kept of all traces, and what the API says of some.
async fn traces(bed: &Bed) -> (Vec<Kept>, Vec<Value>) {
    (kept(bed).await, answers(bed).await)
}

async fn kept(bed: &Bed) -> Vec<Kept> {
    let services = &bed.server.services;
    let mut all: BTreeMap<TraceId, Kept> = BTreeMap::new();
    let mut pieces = pin!(services.queries.whole_traces(Selection::default()).await.unwrap());
    while let Some(piece) = pieces.try_next().await.unwrap() {
        let id = piece.trace.id;
        let of_trace = all.entry(id).or_insert_with(|| Kept {
            trace: Trace { revision: 0, block_count: 0, ..Trace::clone(&piece.trace) },
            body: TraceBody::clone(&piece.body),
            spans: Vec::new(),
            scores: Vec::new(),
        });
        for WholeSpan { mut head, mut own, attached } in piece.spans {
            own.complete_with(attached);
            (head.revision, head.body_blocks) = (0, Vec::new());
            head.attached.blocks.clear();
            head.attached.fingerprints.sort_unstable();
            of_trace.spans.push((head, own, Vec::new()));
        }
    }
    let mut all: Vec<_> = all.into_values().collect();
    let mut targets = Vec::new();
    for Kept { trace, spans, .. } in &mut all {
        spans.sort_by_key(|(head, ..)| head.id);
        targets.push(ScoreTarget::Trace(trace.id));
        targets.extend(spans.iter().map(|(head, ..)| ScoreTarget::Span(trace.id, head.id)));
    }
    let mut found = services.scores.of_targets(&targets).await.unwrap().into_iter();
    for Kept { spans, scores, .. } in &mut all {
        *scores = found.next().unwrap();
        spans.iter_mut().for_each(|(_, _, scores)| *scores = found.next().unwrap());
    }
    all
}

/// Without what is said in conversations: a history grows at its end.
async fn answers(bed: &Bed) -> Vec<Value> {
    let mut data = bed.data(include_str!("traces.graphql"), json!({ "traces": ASKED, "messages": 1 })).await;
    let Value::Array(mut traces) = data["traces"]["nodes"].take() else { panic!("no list") };
    assert_eq!(traces.len() as u64, ASKED);
    traces.iter_mut().for_each(|trace| trace["conversation"] = Value::Null);
    traces
}

fn assert_same(one: &(Vec<Kept>, Vec<Value>), other: &(Vec<Kept>, Vec<Value>), how: &str) {
    assert_all_same(&one.0, &other.0, how);
    assert_all_same(&one.1, &other.1, how);
}

fn assert_all_same<T: Debug + PartialEq>(traces: &[T], others: &[T], how: &str) {
    assert_eq!(traces.len(), others.len(), "{how}");
    if let Some((one, other)) = traces.iter().zip(others).find(|(one, other)| one != other) {
        let [told, otherwise] = [one, other].map(|trace| format!("{trace:#?}"));
        let diff = TextDiff::from_lines(&told, &otherwise);
        panic!("{how}: {}", diff.unified_diff().context_radius(3));
    }
}

fn shuffled(items: &[Item], stream: u64) -> Vec<Item> {
    let mut items = items.to_vec();
    Random::new(stream).shuffle(&mut items);
    items
}

#[tokio::test]
async fn whatever_way_spans_come_they_make_the_same_traces() {
    let items = everything();
    let in_order = Bed::new().await;
    send(&in_order, &items).await;
    let expected = traces(&in_order).await;
    assert_eq!(expected.0.len() as u64, flood::TRACES);
    let lonely = flood::TRACES / 10;
    let spans: usize = expected.0.iter().map(|trace| trace.spans.len()).sum();
    assert_eq!(spans as u64, flood::TRACES * flood::SPANS + lonely);

    let reversed: Vec<_> = items.iter().rev().cloned().collect();
    for (how, items) in [("reversed", reversed), ("shuffled", shuffled(&items, 1))] {
        let bed = Bed::new().await;
        send(&bed, &items).await;
        assert_same(&expected, &traces(&bed).await, how);
    }

    let bed = Bed::new().await;
    let parts = shuffled(&items, 2);
    join_all(parts.chunks(parts.len().div_ceil(4)).map(|part| send(&bed, part))).await;
    assert_same(&expected, &traces(&bed).await, "from four senders");
    join_all((0..2).map(|_| send(&bed, &items))).await;
    assert_same(&expected, &traces(&bed).await, "all of it again, from two senders at once");
}
