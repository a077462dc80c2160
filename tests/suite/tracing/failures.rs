//! An engine that fails at random: nothing that was refused is there later, nothing that was
//! acknowledged is lost, a refusal is true, and the state in memory recovers.

use std::{collections::BTreeSet, sync::Arc};

use dendro::{
    engine::{Batch, EngineError, EngineResult},
    model::{
        Refusal, SpanId, Timestamp, TraceId,
        span::{SpanBody, SpanChanges, SpanEvent, SpanHead, SpanStatus},
        summary::Summary,
        trace::{NewTrace, Trace},
    },
    service::{
        ServiceError, ServiceResult,
        tracing::{TraceSpans, Tracing},
    },
    store::StoreError,
};
use futures_util::future::BoxFuture;
use proptest::prelude::*;

use crate::support::{
    engines::{Around, Gate, Unsteady, wrap},
    property::holds,
    spans::{changes, complete, completed, create, outputs, span, span_id, start, trace_id, update, writes},
    store::{TestBed, TestStore, restless},
};

#[derive(Debug, Clone)]
struct Scene {
    seed: u64,
    failures: u64,
    /// For each writer, its writes.
    writers: Vec<Vec<(u64, Write)>>,
    merges: usize,
}

#[derive(Debug, Clone, Copy)]
enum Write {
    Create(u64),
    /// Appends a mark of its own to the span.
    Update(u64),
    Complete(u64),
    End,
}

fn scene() -> impl Strategy<Value = Scene> {
    let write = prop_oneof![
        4 => (0..10_u64).prop_map(Write::Create),
        3 => (0..10_u64).prop_map(Write::Update),
        2 => (0..10_u64).prop_map(Write::Complete),
        1 => Just(Write::End),
    ];
    let writes = prop::collection::vec((0..2_u64, write), 1..15);
    (any::<u64>(), 0..60_u64, prop::collection::vec(writes, 1..6), 0..4_usize)
        .prop_map(|(seed, failures, writers, merges)| Scene { seed, failures, writers, merges })
}

/// What writers were told.
#[derive(Debug, Default)]
struct Told {
    created: BTreeSet<(TraceId, SpanId)>,
    completed: BTreeSet<(TraceId, SpanId)>,
    ended: BTreeSet<TraceId>,
    marks: BTreeSet<(TraceId, SpanId, String)>,
    /// Marks of writes that failed or were refused.
    not_marks: BTreeSet<(TraceId, SpanId, String)>,
    /// What refusals claim to be so.
    must_exist: BTreeSet<(TraceId, SpanId)>,
    must_be_final: BTreeSet<(TraceId, SpanId)>,
    must_have_ended: BTreeSet<TraceId>,
}

#[test]
fn failures_leave_no_trace() {
    holds(300, scene(), play);
}

async fn play(scene: Scene) {
    let unsteady = Unsteady::new(scene.seed, 5, 0);
    let around = unsteady.clone();
    let place = TestStore::in_memory().config(restless()).wrapped(move |engine| wrap(engine, &around));
    let bed = place.open().await;
    for trace in 0..2 {
        start(&bed.tracing, trace_id(trace)).await;
    }
    unsteady.fail(scene.failures);
    let writers: Vec<_> = (0..)
        .zip(scene.writers)
        .map(|(writer, writes)| tokio::spawn(write(bed.tracing.clone(), writer, writes)))
        .collect();
    for trace in 0..scene.merges {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        // It may fail: then the trace stays in more blocks.
        drop(bed.store().merge_trace(trace_id(trace as u64 % 2)).await);
    }
    let mut told = Told::default();
    for writer in writers {
        told.add(writer.await.unwrap());
    }
    unsteady.fail(0);
    told.assert_holds(&bed).await;
    let before = read(&bed).await;
    bed.assert_consistent().await;
    // What is in memory goes on where the disk stands: a write to every trace must succeed at once.
    for trace in 0..2 {
        let fresh = span(100);
        let written = bed.tracing.write_spans(writes(trace_id(trace), [create(fresh)])).await;
        assert_eq!(written[0].as_ref().unwrap().head.revision, written[0].as_ref().unwrap().trace.revision);
    }
    bed.assert_consistent().await;
    drop(bed);

    let bed = place.open().await;
    told.assert_holds(&bed).await;
    bed.assert_consistent().await;
    for (before, after) in before.iter().zip(read(&bed).await) {
        assert_eq!(before.heads.len() + 1, after.heads.len());
        assert!(after.trace.revision > before.trace.revision);
        assert_eq!(Summary::of(after.heads.iter().map(AsRef::as_ref)), after.trace.summary);
    }
}

async fn read(bed: &TestBed) -> Vec<Arc<TraceSpans>> {
    bed.tracing.spans(&[trace_id(0), trace_id(1)]).await.unwrap().into_iter().map(Option::unwrap).collect()
}

async fn write(tracing: Tracing, writer: u64, all: Vec<(u64, Write)>) -> Told {
    let mut told = Told::default();
    for (at, (trace, write)) in all.into_iter().enumerate() {
        let trace = trace_id(trace);
        // A refused write of the same call must leave nothing of itself either.
        let mark = format!("{writer}.{at}");
        let marked = changes(outputs(&mark));
        let (number, op) = match write {
            Write::Create(number) => (number, create(span(number))),
            Write::Update(number) => (number, update(number, event(&mark))),
            Write::Complete(number) => (number, complete(number, marked)),
            Write::End => {
                told.ending(trace, tracing.complete_trace(trace, completed()).await);
                continue;
            }
        };
        let key = (trace, span_id(number));
        let outcome = tracing.write_spans(writes(trace, [op])).await.pop().unwrap();
        match (write, &outcome) {
            (Write::Create(_), Ok(_)) => assert!(told.created.insert(key), "created twice"),
            (Write::Create(_), Err(ServiceError::Refused(Refusal::AlreadyExists { .. }))) => {
                told.must_exist.insert(key);
            }
            (Write::Update(_), Ok(_)) => {
                told.marks.insert((trace, key.1, mark));
            }
            (Write::Complete(_), Ok(_)) => {
                assert!(told.completed.insert(key), "completed twice");
            }
            (Write::Update(_) | Write::Complete(_), Err(error)) => {
                if let ServiceError::Refused(Refusal::IllegalTransition { .. }) = error {
                    told.must_be_final.insert(key);
                }
                if let Write::Update(_) = write {
                    told.not_marks.insert((trace, key.1, mark));
                }
            }
            (Write::Create(_), Err(_)) | (Write::End, _) => {}
        }
        if let Err(error) = outcome {
            assert_expected(&error);
        }
    }
    told
}

/// A change that adds an event of this name.
fn event(name: &str) -> SpanChanges {
    let event = SpanEvent { name: name.to_owned(), time: Timestamp::from_nanos(0), attributes: None };
    changes(SpanBody { events: vec![event], ..SpanBody::default() })
}

fn assert_expected(error: &ServiceError) {
    let expected = matches!(
        error,
        ServiceError::Refused(_)
            | ServiceError::Store(StoreError::Engine(EngineError::Full(_) | EngineError::Io(_)))
    );
    assert!(expected, "{error:?}");
}

impl Told {
    fn ending(&mut self, trace: TraceId, outcome: ServiceResult<Trace>) {
        match outcome {
            Ok(_) => assert!(self.ended.insert(trace), "ended twice"),
            Err(ServiceError::Refused(_)) => {
                self.must_have_ended.insert(trace);
            }
            Err(error) => assert_expected(&error),
        }
    }

    fn add(&mut self, other: Self) {
        assert!(self.created.is_disjoint(&other.created), "two created the same span");
        assert!(self.completed.is_disjoint(&other.completed), "two completed the same span");
        assert!(self.ended.is_disjoint(&other.ended), "two ended the same trace");
        self.created.extend(other.created);
        self.completed.extend(other.completed);
        self.ended.extend(other.ended);
        self.marks.extend(other.marks);
        self.not_marks.extend(other.not_marks);
        self.must_exist.extend(other.must_exist);
        self.must_be_final.extend(other.must_be_final);
        self.must_have_ended.extend(other.must_have_ended);
    }

    async fn assert_holds(&self, bed: &TestBed) {
        let found = read(bed).await;
        let heads = || found.iter().flat_map(|spans| spans.heads.iter().map(|head| (spans.trace.id, head)));
        let own = |(_, head): &(TraceId, &Arc<SpanHead>)| head.id != span_id(100);
        let existing: BTreeSet<_> = heads().filter(own).map(|(trace, head)| (trace, head.id)).collect();
        assert_eq!(existing, self.created, "not what was acknowledged");
        assert!(self.must_exist.is_subset(&existing), "refused as there already, and is not");
        let finals = heads().filter(|(_, head)| head.status != SpanStatus::Running);
        let finals: BTreeSet<_> = finals.map(|(trace, head)| (trace, head.id)).collect();
        assert_eq!(finals, self.completed);
        assert!(self.must_be_final.is_subset(&finals), "refused as final, and is not");
        let ended = found.iter().filter(|spans| spans.trace.status.is_final());
        let ended: BTreeSet<_> = ended.map(|spans| spans.trace.id).collect();
        assert_eq!(ended, self.ended);
        assert!(self.must_have_ended.is_subset(&ended), "refused as ended, and is not");
        let wanted = heads().map(|(trace, head)| (trace, head.id, head.part_blocks())).collect();
        let bodies = bed.tracing.span_bodies(wanted, 0).await.unwrap();
        let marks: BTreeSet<_> = bodies
            .iter()
            .flat_map(|((trace, span), body)| {
                body.events.iter().map(|event| (*trace, *span, event.name.clone()))
            })
            .collect();
        assert_eq!(marks, self.marks);
        assert!(self.not_marks.is_disjoint(&marks));
    }
}

/// Refuses every batch that writes to one trace.
struct Refusing(TraceId);

impl Around for Refusing {
    fn before_commit<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        let refused = batch.writes.iter().any(|write| write.key.starts_with(self.0.bytes()));
        Box::pin(async move {
            if refused { Err(EngineError::Invalid("as the test asked".to_owned())) } else { Ok(()) }
        })
    }
}

#[tokio::test]
async fn a_batch_that_cannot_be_stored_fails_alone() {
    let (gate, refusing) = (Gate::new(true), Arc::new(Refusing(trace_id(3))));
    let around = gate.clone();
    let place = TestStore::in_memory();
    for trace in 0..6 {
        start(&place.open().await.tracing, trace_id(trace)).await;
    }
    let place = place.wrapped(move |engine| wrap(wrap(engine, &refusing), &around));
    let bed = place.open().await;
    gate.close();
    let writing: Vec<_> = (0..6)
        .map(|number| {
            let (tracing, ops) = (bed.tracing.clone(), writes(trace_id(number), [create(span(1))]));
            tokio::spawn(async move { tracing.write_spans(ops).await.pop().unwrap() })
        })
        .collect();
    gate.reached().await;
    gate.open();
    for (number, outcome) in (0..).zip(writing) {
        let outcome = outcome.await.unwrap();
        assert_eq!(outcome.is_ok(), number != 3, "{outcome:?}");
    }
    bed.assert_consistent().await;
}

/// Commits to the project's trees do not fail but give up, as a library does that panics.
struct GivingUp;

impl Around for GivingUp {
    fn before_commit<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        let is_first = batch.writes.iter().all(|write| !write.tree.name().starts_with("default/"));
        Box::pin(async move { if is_first { Ok(()) } else { panic!("as the test asked") } })
    }
}

#[tokio::test]
async fn a_store_that_nobody_commits_to_any_more_says_so() {
    let store = TestStore::in_memory().wrapped(|engine| wrap(engine, &Arc::new(GivingUp)));
    let bed = store.open().await;
    bed.store().health().unwrap();
    let lost = bed.tracing.start_trace(NewTrace::default()).await.unwrap_err();
    assert!(matches!(lost, ServiceError::Store(StoreError::Closed)), "{lost:?}");
    let stopped = bed.services.upkeep.health().unwrap_err();
    assert!(matches!(stopped, ServiceError::Store(StoreError::Closed)), "{stopped:?}");
}
