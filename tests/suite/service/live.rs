//! Followers of conversations and plans: a snapshot and the changes after any revision add up to what
//! the store holds, nothing lost and nothing doubled, while writers write and followers come and go.

use std::{collections::BTreeMap, pin::pin, sync::Arc};

use dendro::{
    model::{
        ConversationId, Json, MessageId, PlanId, StepId,
        conversation::{ConversationPatch, NewConversation},
        message::{Message, MessageRole, NewMessage, NewToolCall},
        plan::{NewPlan, NewStep, PlanStep, StepAction},
    },
    service::{
        Services,
        conversations::{Conversations, DeleteBranches, HistoryOrder, HistoryRequest},
    },
};
use futures_util::{FutureExt, StreamExt};
use proptest::prelude::*;

use super::bed::{Bed, first, refusal};
use crate::support::{
    engines::{Unsteady, wrap},
    property::holds,
    store::TestStore,
};

#[derive(Debug, Clone)]
struct Scene {
    seed: u64,
    /// Messages that the conversation shares with another; 0: it is no branch.
    shared: usize,
    writers: Vec<Vec<Act>>,
    followers: Vec<Vec<Session>>,
}

#[derive(Debug, Clone)]
enum Act {
    Say(usize),
    CallAndAnswer,
    Rename,
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
    let act = prop_oneof![(1..5_usize).prop_map(Act::Say), Just(Act::CallAndAnswer), Just(Act::Rename)];
    let session = (0..60_usize, 1..5_usize, 0..4_usize);
    let session = session.prop_map(|(pause, messages, back)| Session { pause, messages, back });
    let writers = prop::collection::vec(prop::collection::vec(act, 0..10), 1..4);
    let followers = prop::collection::vec(prop::collection::vec(session, 0..4), 1..4);
    (any::<u64>(), 0..8_usize, writers, followers).prop_map(|(seed, shared, writers, followers)| Scene {
        seed,
        shared,
        writers,
        followers,
    })
}

fn said(text: &str) -> NewMessage {
    NewMessage::text(MessageRole::User, text)
}

const THE_END: &str = "the end";

#[test]
fn followers_see_each_latest_message_once() {
    holds(300, scene(), play);
}

async fn play(scene: Scene) {
    let unsteady = Unsteady::new(scene.seed, 6, 0);
    let around = unsteady.clone();
    let place = TestStore::in_memory().wrapped(move |engine| wrap(engine, &around));
    let bed = place.open().await;
    let service = &bed.services.conversations;
    let id = begun(service, scene.shared).await;
    let followers = scene.followers.into_iter().map(|sessions| {
        tokio::spawn(Follower { service: service.clone(), unsteady: unsteady.clone(), id }.follow(sessions))
    });
    let followers: Vec<_> = followers.collect();
    let writers = scene.writers.into_iter().enumerate();
    let writers = writers.map(|(number, acts)| tokio::spawn(write(service.clone(), id, number, acts)));
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    service.add_message(id, said(THE_END), None).await.unwrap();
    let held = history(service, id).await;
    for follower in followers {
        assert_eq!(follower.await.unwrap(), held);
    }
    bed.assert_consistent().await;
}

async fn begun(service: &Conversations, shared: usize) -> ConversationId {
    let root = service.create(NewConversation::default()).await.unwrap().id;
    let messages = (0..shared + 2).map(|index| said(&index.to_string()));
    let messages = service.add_messages(root, messages.collect()).await.unwrap();
    match shared {
        0 => root,
        _ => service.branch(root, messages[shared - 1].id, None).await.unwrap().id,
    }
}

async fn write(service: Conversations, id: ConversationId, number: usize, acts: Vec<Act>) {
    for (index, act) in acts.into_iter().enumerate() {
        match act {
            Act::Say(count) => {
                let new = (0..count).map(|index| said(&index.to_string()));
                service.add_messages(id, new.collect()).await.unwrap();
            }
            Act::CallAndAnswer => {
                let call_id = format!("{number} {index}");
                let call = NewToolCall {
                    id: None,
                    call_id: Some(call_id.clone()),
                    name: "search".to_owned(),
                    arguments: Json::empty_object(),
                };
                let calls = NewMessage {
                    tool_calls: vec![call],
                    ..NewMessage::text(MessageRole::Assistant, "calling")
                };
                service.add_message(id, calls, None).await.unwrap();
                let answer = NewMessage {
                    tool_call_id: Some(call_id),
                    ..NewMessage::text(MessageRole::Tool, "found")
                };
                service.add_message(id, answer, None).await.unwrap();
            }
            Act::Rename => {
                let title = Some(Some(format!("{number} {index}")));
                service
                    .update(id, ConversationPatch { title, ..ConversationPatch::default() })
                    .await
                    .unwrap();
            }
        }
    }
}

type View = BTreeMap<MessageId, Message>;

/// The revision up to which everything has been received, and what that added up to.
type Received = (Option<u64>, View);

async fn history(service: &Conversations, id: ConversationId) -> View {
    let request = HistoryRequest {
        conversation_id: id,
        order: HistoryOrder::OldestFirst,
        page: first(10_000),
        roles: None,
        from_last_summary: false,
    };
    let page = service.histories(&[request]).await.unwrap().remove(0);
    page.items.into_iter().map(|(_, message)| (message.id, message)).collect()
}

fn has_ended((_, view): &Received) -> bool {
    view.values().any(|message| message.content.as_deref() == Some(THE_END))
}

struct Follower {
    service: Conversations,
    unsteady: Arc<Unsteady>,
    id: ConversationId,
}

impl Follower {
    /// Follows in sessions that end early, then in one to the end, and answers what it has seen.
    async fn follow(self, sessions: Vec<Session>) -> View {
        let mut received: Vec<Received> = vec![(None, View::new())];
        for session in sessions {
            for _ in 0..session.pause {
                tokio::task::yield_now().await;
            }
            let mut at = received.last().unwrap().clone();
            let mut stream = pin!(self.service.messages_live(self.id, at.0).await.unwrap());
            for _ in 0..session.messages {
                if has_ended(&at) {
                    break;
                }
                at = self.receive(at, stream.next().await.unwrap().unwrap());
                received.push(at.clone());
            }
            received.truncate(received.len().saturating_sub(session.back).max(1));
        }
        let mut at = received.pop().unwrap();
        let mut stream = pin!(self.service.messages_live(self.id, at.0).await.unwrap());
        while !has_ended(&at) {
            at = self.receive(at, stream.next().await.unwrap().unwrap());
        }
        at.1
    }

    /// Takes in what came, which must go on exactly where that before ended.
    fn receive(
        &self,
        (before, mut view): Received,
        changes: dendro::service::conversations::MessageChanges,
    ) -> Received {
        let durable = self.unsteady.durable(self.id.bytes());
        // What a branch shares has no revision in it and comes before the first.
        let goes_on = |before: u64| changes.revision > before || before == 0;
        assert!(before.is_none_or(goes_on), "{before:?}, then {}", changes.revision);
        assert!(changes.revision <= durable && changes.conversation.revision <= durable);
        assert!(!changes.snapshot || before.is_none_or(|before| before == 0));
        for message in changes.messages {
            if message.conversation_id == self.id {
                assert!(
                    before.is_none_or(|before| message.revision > before),
                    "{before:?}, then {message:?}"
                );
                assert!(message.revision <= changes.revision);
            }
            let known = view.insert(message.id, message.clone());
            let newer = |known: Message| known.revision < message.revision;
            assert!(known.is_none_or(newer), "doubled: {message:?}");
        }
        (Some(changes.revision), view)
    }
}

#[tokio::test]
async fn long_histories_come_in_parts_that_can_be_resumed() {
    let bed = Bed::new().await;
    let service = &bed.services.conversations;
    let root = begun(service, 0).await;
    let messages = service.add_messages(root, (0..700).map(|_| said("x")).collect()).await.unwrap();
    let id = service.branch(root, messages[699].id, None).await.unwrap().id;
    for size in [1, 300, 300, 900, 2] {
        service.add_messages(id, (0..size).map(|_| said("y")).collect()).await.unwrap();
    }
    let held = history(service, id).await;
    assert_eq!(held.len(), 2 + 700 + 1_503);
    let mut stream = pin!(service.messages_live(id, None).await.unwrap());
    let (mut view, mut sizes) = (View::new(), Vec::new());
    let mut parts = Vec::new();
    while view.len() < held.len() {
        let part = stream.next().await.unwrap().unwrap();
        assert!(part.snapshot);
        assert!(part.messages.is_sorted_by_key(|message| message.ordinal));
        sizes.push(part.messages.len());
        view.extend(part.messages.iter().map(|message| (message.id, message.clone())));
        parts.push(part);
    }
    assert_eq!(view, held);
    assert_eq!(sizes, [500, 503, 300, 900, 2]);
    assert!(stream.next().now_or_never().is_none(), "nothing more until something happens");
    for (place, part) in parts.iter().enumerate().skip(1) {
        let mut stream = pin!(service.messages_live(id, Some(part.revision)).await.unwrap());
        let mut rest = 0;
        while let Some(Some(next)) = stream.next().now_or_never() {
            rest += next.unwrap().messages.len();
        }
        assert_eq!(rest, sizes[place + 1..].iter().sum::<usize>());
    }
}

#[tokio::test]
async fn following_ends_with_what_is_followed() {
    let bed = Bed::new().await;
    let service = &bed.services.conversations;
    let id = begun(service, 0).await;
    let revision = service.get_many(&[id]).await.unwrap().remove(0).unwrap().revision;
    let ahead = service.messages_live(id, Some(revision + 1)).await.map(drop);
    let message = format!("after: the conversation is at revision {revision}; resume with one you received");
    assert_eq!(refusal(ahead), message);
    let nobody = service.messages_live(uuid::Uuid::nil().into(), None).await.map(drop);
    assert!(refusal(nobody).starts_with("conversationId: there is no conversation"));
    let mut stream = Box::pin(service.messages_live(id, None).await.unwrap());
    let mut resumed = Box::pin(service.messages_live(id, Some(revision)).await.unwrap());
    assert_eq!(stream.next().await.unwrap().unwrap().messages.len(), 2);
    let title = Some(Some("renamed".to_owned()));
    service.update(id, ConversationPatch { title, ..ConversationPatch::default() }).await.unwrap();
    assert!(stream.next().now_or_never().is_none(), "no message has changed");
    assert!(resumed.next().now_or_never().is_none());
    service.delete(id, DeleteBranches::Refuse).await.unwrap();
    assert!(stream.next().await.is_none());
    assert!(resumed.next().await.is_none());
    drop((stream, resumed));
    assert_eq!(bed.context.hub.watched(), 0);
}

#[test]
fn followers_of_a_plan_see_each_step_as_it_stands() {
    let actions = prop::collection::vec((0..4_usize, 0..4_u8), 1..20);
    let sessions = prop::collection::vec(0..4_usize, 0..4);
    holds(200, (any::<u64>(), actions, sessions), async |(seed, actions, sessions)| {
        let unsteady = Unsteady::new(seed, 6, 0);
        let around = unsteady.clone();
        let place = TestStore::in_memory().wrapped(move |engine| wrap(engine, &around));
        let bed = place.open().await;
        let (plan, steps) = planned(&bed.services).await;
        let follower = tokio::spawn(follow_plan(bed.services.clone(), unsteady, plan, sessions));
        for (step, action) in actions {
            let action = match action {
                0 => StepAction::Start { span: None },
                1 => StepAction::Complete { result: Some("done".to_owned()) },
                2 => StepAction::Fail { error: "no".to_owned() },
                _ => StepAction::Skip,
            };
            // Many of these are refused.
            drop(bed.services.plans.advance(plan, steps[step], action).await);
        }
        drop(bed.services.plans.control(plan, dendro::model::plan::PlanAction::Cancel).await);
        let held = bed.services.plans.get_many(&[plan]).await.unwrap().remove(0).unwrap();
        assert!(held.status.is_final());
        let held: BTreeMap<_, _> = held.steps.into_iter().map(|step| (step.id, step)).collect();
        assert_eq!(follower.await.unwrap(), held);
        bed.assert_consistent().await;
    });
}

async fn planned(services: &Services) -> (PlanId, Vec<StepId>) {
    let conversation_id = services.conversations.create(NewConversation::default()).await.unwrap().id;
    let step = |(key, before): (&str, Option<&str>)| NewStep {
        id: None,
        key: Some(key.to_owned()),
        description: key.to_owned(),
        dependencies: before.into_iter().map(str::to_owned).collect(),
    };
    let new = NewPlan {
        id: None,
        conversation_id,
        title: "go".to_owned(),
        description: None,
        context: None,
        max_retries: Some(1),
        timeout_minutes: None,
        steps: [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", None)].map(step).to_vec(),
    };
    let plan = services.plans.create(new).await.unwrap();
    (plan.id, plan.steps.iter().map(|step| step.id).collect())
}

async fn follow_plan(
    services: Services,
    unsteady: Arc<Unsteady>,
    id: PlanId,
    sessions: Vec<usize>,
) -> BTreeMap<StepId, PlanStep> {
    let (mut seen, mut view, mut over) = (None, BTreeMap::<StepId, PlanStep>::new(), false);
    for messages in sessions.into_iter().chain([usize::MAX]) {
        let mut stream = pin!(services.plans.plan_live(id, seen).await.unwrap());
        let mut received = 0;
        while received < messages && !over {
            let changes = stream.next().await.unwrap().unwrap();
            assert!(changes.revision <= unsteady.durable(id.bytes()));
            assert!(seen.is_none_or(|seen| changes.revision > seen));
            assert_eq!(changes.snapshot, seen.is_none());
            for step in changes.steps {
                assert!(seen.is_none_or(|seen| step.revision > seen), "doubled: {step:?}");
                view.insert(step.id, step);
            }
            (seen, over, received) = (Some(changes.revision), changes.plan.status.is_final(), received + 1);
        }
    }
    view
}
