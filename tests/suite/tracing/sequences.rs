//! Any sequence of writes, refusals, merges and restarts leaves what a map would hold.

use std::{collections::BTreeMap, sync::Arc};

use dendro::{
    engine::EngineKind,
    model::{
        SpanId, Timestamp,
        limits::RecordLimits,
        span::{SpanBody, SpanHead},
        summary::Summary,
        trace::{TraceCompletion, TraceStatus},
    },
    service::tracing::{SpanWrite, Tracing},
};
use proptest::prelude::*;

use super::model::{MAX_SPANS, MSpan, MTrace, Op, Outcome, op};
use crate::support::{
    property::holds,
    spans::{start, trace_id},
    store::{TestBed, TestStore, restless},
};

/// Traces that a sequence writes to; one more is never started.
const TRACES: u64 = 3;

#[derive(Debug, Clone)]
enum Step {
    Write(Vec<(u64, Op)>),
    Complete(u64, TraceStatus, Option<i64>),
    Merge(u64),
    Rest,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    use TraceStatus::{Completed, Failed, Running};
    let status = prop_oneof![5 => Just(Completed), 2 => Just(Failed), 1 => Just(Running)];
    prop_oneof![
        // Most writes go to one trace, so that they meet.
        8 => prop::collection::vec((0..=TRACES, op()), 1..6).prop_map(Step::Write),
        8 => prop::collection::vec((Just(0), op()), 1..6).prop_map(Step::Write),
        1 => (0..=TRACES, status, prop::option::of(0..40_i64)).prop_map(|(trace, status, end)| Step::Complete(trace, status, end)),
        2 => (0..=TRACES).prop_map(Step::Merge),
        1 => Just(Step::Rest),
        1 => Just(Step::Reopen),
    ]
}

#[test]
fn in_memory() {
    any_sequence(EngineKind::Memory, 150);
}

#[test]
fn on_sled() {
    any_sequence(EngineKind::Sled, 4);
}

#[test]
fn on_fjall() {
    any_sequence(EngineKind::Fjall, 4);
}

fn any_sequence(kind: EngineKind, cases: u32) {
    holds(cases, prop::collection::vec(step(), 1..40), async |steps| follow(kind, steps).await);
}

async fn follow(kind: EngineKind, steps: Vec<Step>) {
    let limits = RecordLimits { trace_spans: MAX_SPANS, ..RecordLimits::default() };
    let place = TestStore::new(kind).config(restless()).limits(limits);
    let mut bed = place.open().await;
    let mut model: BTreeMap<u64, MTrace> = BTreeMap::new();
    place.clock.set(Timestamp::from_nanos(0));
    for trace in 0..TRACES {
        start(&bed.tracing, trace_id(trace)).await;
        model.insert(trace, MTrace::default());
    }
    for (now, step) in (0..).zip(steps) {
        place.clock.set(Timestamp::from_nanos(now));
        match step {
            Step::Write(ops) => write(&bed.tracing, &mut model, ops, now).await,
            Step::Complete(trace, status, end) => {
                complete(&bed.tracing, &mut model, (trace, status, end), now).await;
            }
            Step::Merge(trace) => bed.store().merge_trace(trace_id(trace)).await.unwrap(),
            Step::Rest => bed.store().rest().await.unwrap(),
            Step::Reopen => {
                drop(bed);
                bed = place.open().await;
            }
        }
        assert_holds(&bed, &model).await;
    }
    bed.assert_consistent().await;
    drop(bed);
    let bed = place.open().await;
    assert_holds(&bed, &model).await;
    bed.assert_consistent().await;
}

async fn write(tracing: &Tracing, model: &mut BTreeMap<u64, MTrace>, ops: Vec<(u64, Op)>, now: i64) {
    let write = |(trace, op): &(u64, Op)| SpanWrite { trace_id: trace_id(*trace), op: op.write() };
    let outcomes = tracing.write_spans(ops.iter().map(write).collect()).await;
    assert_eq!(outcomes.len(), ops.len());
    for ((trace, op), outcome) in ops.iter().zip(&outcomes) {
        let expected = match model.get_mut(trace) {
            Some(trace) => trace.apply(op, now),
            None => {
                let mut nowhere = MTrace::default();
                if nowhere.apply(op, now) == Outcome::Invalid
                    && op.write().check(&RecordLimits::default()).is_err()
                {
                    Outcome::Invalid
                } else {
                    Outcome::NotFound
                }
            }
        };
        assert_eq!(Outcome::of(outcome), expected, "{op:?}: {outcome:?}");
        if let Ok(written) = outcome {
            let span = model[trace].spans[&op.span].clone();
            let bodiless = SpanHead { event_count: 0, link_count: 0, ..written.head.clone() };
            assert_eq!(MSpan::of(&bodiless, None), span.without_body(), "{op:?}");
            assert_eq!(written.head.revision, written.trace.revision);
        }
    }
}

async fn complete(
    tracing: &Tracing,
    model: &mut BTreeMap<u64, MTrace>,
    (trace, status, end): (u64, TraceStatus, Option<i64>),
    now: i64,
) {
    let end_time = end.map(Timestamp::from_nanos);
    let final_output = Some(format!("output at {now}"));
    let completion = TraceCompletion { status, final_output: final_output.clone(), end_time };
    let outcome = tracing.complete_trace(trace_id(trace), completion).await;
    let expected = match model.get_mut(&trace) {
        None => Outcome::NotFound,
        Some(trace) if trace.ended.is_some() => Outcome::Illegal,
        Some(_) if !status.is_final() => Outcome::Invalid,
        Some(trace) => {
            trace.ended = Some(status);
            Outcome::Written
        }
    };
    assert_eq!(Outcome::of(&outcome), expected, "{outcome:?}");
    if outcome.is_ok() {
        let bodies = tracing.trace_bodies(&[trace_id(trace)]).await.unwrap();
        assert_eq!(bodies[0].as_ref().unwrap().final_output, final_output);
    }
}

/// The store holds what the model holds, and every trace's row follows from its spans.
async fn assert_holds(bed: &TestBed, model: &BTreeMap<u64, MTrace>) {
    let ids: Vec<_> = (0..=TRACES).map(trace_id).collect();
    let found = bed.tracing.spans(&ids).await.unwrap();
    assert!(found[TRACES as usize].is_none());
    for (trace, expected) in model {
        let spans = Arc::clone(found[*trace as usize].as_ref().unwrap());
        assert_eq!(spans.trace.status, expected.ended.unwrap_or(TraceStatus::Running));
        assert_eq!(Summary::of(spans.heads.iter().map(AsRef::as_ref)), spans.trace.summary);
        let wanted = spans.heads.iter().map(|head| (trace_id(*trace), head.id, head.part_blocks()));
        let bodies = bed.tracing.span_bodies(wanted.collect(), 0).await.unwrap();
        let body = |id: SpanId| -> Option<&SpanBody> { bodies.get(&(trace_id(*trace), id)) };
        let held: BTreeMap<_, _> =
            spans.heads.iter().map(|head| (head.id, MSpan::of(head, body(head.id)))).collect();
        let expected: BTreeMap<_, _> = expected
            .spans
            .iter()
            .map(|(span, expected)| (crate::support::spans::span_id(*span), expected.clone()))
            .collect();
        assert_eq!(held, expected);
    }
}
