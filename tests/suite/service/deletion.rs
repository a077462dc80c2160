//! Deleting conversations whole, also when that is cut off.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use dendro::{
    engine::{Batch, EngineError, EngineResult},
    model::{
        ConversationId, TraceId,
        conversation::NewConversation,
        message::{MessageRole, NewMessage},
        plan::NewPlan,
        score::{NewScore, ScoreSource, ScoreTarget, ScoreValue},
        span::NewSpan,
        trace::NewTrace,
    },
    service::{Services, conversations::DeleteBranches},
};
use futures_util::future::BoxFuture;

use super::bed::{Bed, refusal};
use crate::support::{
    engines::{Around, wrap},
    spans::{changes, create, outputs, span, writes},
    store::{TestBed, TestStore},
};

const MESSAGES: usize = 1_200;

/// A conversation with messages, a plan, traces with spans, scores, and a branch with one more message.
async fn filled(services: &Services) -> (ConversationId, ConversationId, TraceId) {
    let conversations = &services.conversations;
    let id = conversations.create(NewConversation::default()).await.unwrap().id;
    let said = |index: usize| NewMessage::text(MessageRole::User, index.to_string());
    let messages = conversations.add_messages(id, (0..MESSAGES).map(said).collect()).await.unwrap();
    let mut last = None;
    for _ in 0..3 {
        let added = conversations.add_message(id, said(0), Some(NewTrace::default())).await.unwrap();
        let trace = added.trace.unwrap().id;
        let with_body = |number: u64| NewSpan { changes: changes(outputs("found")), ..span(number) };
        let ops = (0..4).map(|number| create(with_body(number)));
        let written = services.tracing.write_spans(writes(trace, ops)).await;
        assert!(written.iter().all(Result::is_ok));
        last = Some(trace);
    }
    let trace = last.unwrap();
    let plan = NewPlan {
        id: None,
        conversation_id: id,
        title: "go".to_owned(),
        description: None,
        context: None,
        max_retries: None,
        timeout_minutes: None,
        steps: Vec::new(),
    };
    services.plans.create(plan).await.unwrap();
    let branch = conversations.branch(id, messages[7].id, None).await.unwrap().id;
    conversations.add_message(branch, said(8), None).await.unwrap();
    let targets =
        [ScoreTarget::Conversation(id), ScoreTarget::Message(id, messages[3].id), ScoreTarget::Trace(trace)];
    for target in targets {
        let value = ScoreValue::Boolean(true);
        let score = NewScore {
            id: None,
            target,
            name: "good".to_owned(),
            value,
            comment: None,
            source: ScoreSource::Rule,
            evaluator: None,
            judged_in: None,
            judged_revision: None,
        };
        services.scores.record(score).await.unwrap();
    }
    (id, branch, trace)
}

/// Entries in all tables of the store.
async fn entries(bed: &TestBed) -> Vec<(&'static str, u64)> {
    // What follows of a trace goes with it a moment later.
    bed.services.followers.catch_up().await.unwrap();
    let report = bed.store().check(&|_, _| {}).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.problems);
    let stays = |(table, count): &(&'static str, u64)| *count > 0 && *table != "follower";
    report.entries.into_iter().filter(stays).collect()
}

#[tokio::test]
async fn nothing_of_a_conversation_stays() {
    let place = TestStore::in_memory();
    let bed = place.open().await;
    let (id, branch, trace) = filled(&bed.services).await;
    let conversations = &bed.services.conversations;
    let refused = refusal(conversations.delete(id, DeleteBranches::Refuse).await);
    assert_eq!(refused, "conversationId: 1 branches share its messages; delete them too, or first");
    let deleted = conversations.delete(id, DeleteBranches::Delete).await.unwrap();
    assert_eq!(deleted.conversation_ids, [id, branch]);
    assert_eq!((deleted.messages, deleted.traces, deleted.plans), (MESSAGES as u64 + 4, 3, 1));
    assert_eq!(entries(&bed).await, []);
    assert_eq!(bed.services.tracing.traces(&[trace]).await.unwrap(), [None]);
    let again = refusal(conversations.delete(id, DeleteBranches::Delete).await);
    assert_eq!(again, format!("conversationId: there is no conversation `{id}`"));
    let new = NewConversation { id: Some(id), ..NewConversation::default() };
    conversations.create(new).await.unwrap();
}

#[tokio::test]
async fn a_branch_can_go_alone() {
    let place = TestStore::in_memory();
    let bed = place.open().await;
    let (id, branch, _) = filled(&bed.services).await;
    let conversations = &bed.services.conversations;
    let deleted = conversations.delete(branch, DeleteBranches::Refuse).await.unwrap();
    assert_eq!((deleted.conversation_ids.as_slice(), deleted.messages), ([branch].as_slice(), 1));
    let kept = conversations.get_many(&[id]).await.unwrap().remove(0).unwrap();
    assert_eq!((kept.branch_count, kept.message_count()), (0, MESSAGES as u64 + 3));
    bed.assert_consistent().await;
    conversations.delete(id, DeleteBranches::Refuse).await.unwrap();
    assert_eq!(entries(&bed).await, []);
}

/// Lets so many commits pass and no more, as if the power went.
struct PowerCut(AtomicI64);

impl Around for PowerCut {
    fn before_commit<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        Box::pin(async {
            if batch.is_empty() || self.0.fetch_sub(1, Ordering::SeqCst) > 0 {
                return Ok(());
            }
            Err(EngineError::Io("the power went".to_owned()))
        })
    }
}

#[tokio::test]
async fn what_was_cut_off_goes_on() {
    let commits = AtomicI64::new(0);
    for by_startup in [false, true] {
        let mut cut = 0;
        loop {
            let power = Arc::new(PowerCut(AtomicI64::new(i64::MAX)));
            let around = power.clone();
            let place = TestStore::in_memory().wrapped(move |engine| wrap(engine, &around));
            let bed = place.open().await;
            let (id, _, _) = filled(&bed.services).await;
            power.0.store(cut, Ordering::SeqCst);
            let whole = bed.services.conversations.delete(id, DeleteBranches::Delete).await.is_ok();
            power.0.store(i64::MAX, Ordering::SeqCst);
            if whole {
                break;
            }
            // What is left is accepted by the check, and seen by nobody.
            let left = entries(&bed).await;
            assert_eq!(cut == 0, !left.iter().any(|(table, _)| *table == "deletion"));
            if cut > 0 {
                assert_eq!(bed.services.conversations.get_many(&[id]).await.unwrap(), [None]);
                let new = NewConversation { id: Some(id), ..NewConversation::default() };
                let refused = refusal(bed.services.conversations.create(new).await);
                assert_eq!(refused, "id: what had this id is still being deleted; try again in a moment");
            }
            if by_startup && cut > 0 {
                assert!(bed.services.conversations.finish_deletions().await.unwrap() > 0);
            } else {
                bed.services.conversations.delete(id, DeleteBranches::Delete).await.unwrap();
            }
            assert_eq!(entries(&bed).await, []);
            cut += 1;
        }
        commits.fetch_max(cut, Ordering::SeqCst);
    }
    assert!(commits.into_inner() > 8, "it takes several commits");
}

#[tokio::test]
async fn nothing_can_be_added_to_what_goes() {
    let bed = Bed::new().await;
    let (id, _, _) = filled(&bed.services).await;
    let adding = (0..50).map(|index| {
        let services = bed.services.clone();
        tokio::spawn(async move {
            let said = NewMessage::text(MessageRole::User, index.to_string());
            let trace = (index % 3 == 0).then(NewTrace::default);
            services.conversations.add_message(id, said, trace).await.is_ok()
        })
    });
    let adding: Vec<_> = adding.collect();
    let deleted = bed.services.conversations.delete(id, DeleteBranches::Delete).await.unwrap();
    let mut added = 0;
    for task in adding {
        added += u64::from(task.await.unwrap());
    }
    assert_eq!(deleted.messages, MESSAGES as u64 + 4 + added);
    bed.services.followers.catch_up().await.unwrap();
    let report = bed.context.store.check(&|_, _| {}).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.problems);
    let gone = |(table, count): &(&str, u64)| *count == 0 || *table == "follower";
    assert!(report.entries.iter().all(gone), "{:#?}", report.entries);
}
