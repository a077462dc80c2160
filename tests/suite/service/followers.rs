//! In which order what follows of a trace's end is made.

use std::sync::Arc;

use dendro::{
    model::{
        Timestamp, TraceId,
        trace::{NewTrace, TraceCompletion, TraceStatus},
    },
    service::{
        ServiceResult,
        deletion::delete_trace,
        followers::{Followed, Follower, Followers},
    },
    store::keyspace::{self, FollowDue},
};
use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;

use super::bed::Bed;

/// Keeps which traces it was given.
#[derive(Default)]
struct Given {
    waits: bool,
    traces: Mutex<Vec<TraceId>>,
}

impl Given {
    fn one(waits: bool) -> Arc<Self> {
        Arc::new(Self { waits, ..Self::default() })
    }

    fn take(&self) -> Vec<TraceId> {
        std::mem::take(&mut self.traces.lock())
    }
}

impl Follower for Given {
    fn code(&self) -> u8 {
        200 + u8::from(self.waits)
    }

    fn name(&self) -> &'static str {
        "given"
    }

    fn format(&self) -> u32 {
        1
    }

    fn can_wait(&self) -> bool {
        self.waits
    }

    fn follow<'a>(&'a self, traces: &'a [Followed]) -> BoxFuture<'a, ServiceResult<()>> {
        self.traces.lock().extend(traces.iter().map(|trace| trace.id));
        async { Ok(()) }.boxed()
    }
}

/// A trace that started so many seconds after another one and is over.
async fn over(bed: &Bed, number: u8, second: i64) -> TraceId {
    let start_time = Some(Timestamp::from_nanos((1_780_000_000 + second) * 1_000_000_000));
    let id = Some(TraceId::from_bytes([number; 16]));
    let trace = bed.services.tracing.start_trace(NewTrace { id, start_time, ..NewTrace::default() });
    let id = trace.await.unwrap().id;
    let end = TraceCompletion { status: TraceStatus::Completed, final_output: None, end_time: None };
    bed.services.tracing.complete_trace(id, end).await.unwrap().id
}

#[tokio::test]
async fn what_can_wait_comes_in_the_order_of_time() {
    let bed = Bed::new().await;
    let (at_once, waits) = (Given::one(false), Given::one(true));
    let followers = Followers::new(bed.context.clone(), vec![waits.clone(), at_once.clone()]);
    assert_eq!(followers.catch_up().await.unwrap(), 0);
    let (c, a, b) = (over(&bed, 1, 30).await, over(&bed, 2, 10).await, over(&bed, 3, 20).await);
    assert!(!followers.is_caught_up().await.unwrap());
    assert_eq!(followers.catch_up().await.unwrap(), 0);
    assert_eq!((at_once.take(), waits.take()), (vec![c, a, b], vec![a, b, c]));
    assert!(followers.is_caught_up().await.unwrap());

    // All of them again.
    followers.start_again().await.unwrap();
    assert_eq!(followers.catch_up().await.unwrap(), 0);
    assert_eq!(waits.take()[..3], [a, b, c]);
    assert!(followers.is_caught_up().await.unwrap());
}

#[tokio::test]
async fn one_that_is_deleted_while_it_waits_is_told_as_gone() {
    let bed = Bed::new().await;
    let waits = Given::one(true);
    let followers = Followers::new(bed.context.clone(), vec![waits.clone()]);
    let (a, b) = (over(&bed, 1, 10).await, over(&bed, 2, 20).await);
    assert!(delete_trace(&bed.context, a).await.unwrap());
    assert_eq!(followers.catch_up().await.unwrap(), 0);
    assert_eq!(waits.take(), [a, b]);
    assert!(followers.is_caught_up().await.unwrap());
}

#[tokio::test]
async fn marks_of_an_earlier_program_are_taken_up() {
    let bed = Bed::new().await;
    let (at_once, waits) = (Given::one(false), Given::one(true));
    let followers = Followers::new(bed.context.clone(), vec![waits.clone(), at_once.clone()]);
    let trace = over(&bed, 1, 10).await;
    assert_eq!(followers.catch_up().await.unwrap(), 0);
    assert_eq!((at_once.take().len(), waits.take().len()), (1, 1));
    let mut tx = bed.context.store.begin();
    let mark = FollowDue { revision: 2, at: Timestamp::from_nanos(5), more: 0 };
    tx.put(keyspace::FOLLOW_LATER, &trace, &mark).unwrap();
    tx.commit().await.unwrap();
    assert_eq!(followers.catch_up().await.unwrap(), 0);
    assert_eq!((at_once.take(), waits.take()), (vec![trace], vec![trace]));
    assert_eq!(bed.context.store.get(keyspace::FOLLOW_LATER, &trace).await.unwrap(), None);
    assert!(followers.is_caught_up().await.unwrap());
}
