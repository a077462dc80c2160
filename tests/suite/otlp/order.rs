//! Order does not matter: the same spans make the same traces, whatever way they come.

use futures_util::future::join_all;
use prost::Message;
use serde_json::Value;
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

/// All traces as they stand, without what is said in conversations: a history grows at its end.
async fn traces(bed: &Bed) -> Vec<Value> {
    let mut traces = bed.all_traces().await;
    traces.iter_mut().for_each(|trace| trace["conversation"] = Value::Null);
    traces.sort_by_key(|trace| trace["traceId"].as_str().unwrap().to_owned());
    traces
}

fn assert_same(traces: &[Value], others: &[Value], how: &str) {
    assert_eq!(traces.len(), others.len(), "{how}");
    if let Some((one, other)) = traces.iter().zip(others).find(|(one, other)| one != other) {
        let [told, otherwise] = [one, other].map(|trace| serde_json::to_string_pretty(trace).unwrap());
        let diff = TextDiff::from_lines(&told, &otherwise);
        panic!("{how}: {}\n{}", one["traceId"], diff.unified_diff().context_radius(3));
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
    assert_eq!(expected.len() as u64, flood::TRACES);
    let spans = |trace: &Value| trace["spanCount"].as_u64().unwrap();
    let lonely = flood::TRACES / 10;
    assert_eq!(expected.iter().map(spans).sum::<u64>(), flood::TRACES * flood::SPANS + lonely);

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
