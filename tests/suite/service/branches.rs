//! Branches: histories that are shared, at any depth.

use dendro::{
    engine::CallKind,
    model::{
        ConversationId, Json, MessageId,
        conversation::NewConversation,
        limits::RecordLimits,
        message::{Message, MessageRole, NewMessage, NewToolCall},
        page::PageRequest,
    },
    service::conversations::{DeleteBranches, HistoryOrder, HistoryRequest},
};
use proptest::prelude::*;

use super::bed::{Bed, first, refusal};
use crate::support::property::holds;

/// What a conversation's history is, were it copied: the messages, and for each call its result.
#[derive(Debug, Clone, Default)]
struct Copied {
    messages: Vec<MessageId>,
    /// For each call that was made: by which message, and the message with its result.
    calls: Vec<(MessageId, String, Option<MessageId>)>,
    parent: Option<usize>,
}

#[derive(Debug, Clone)]
enum Step {
    Begin,
    Say(usize, usize),
    Call(usize),
    Answer(usize, usize),
    Branch(usize, usize),
    Delete(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0..64_usize;
    prop_oneof![
        1 => Just(Step::Begin),
        6 => (place.clone(), 1..6_usize).prop_map(|(of, count)| Step::Say(of, count)),
        3 => place.clone().prop_map(Step::Call),
        3 => (place.clone(), place.clone()).prop_map(|(of, call)| Step::Answer(of, call)),
        5 => (place.clone(), place.clone()).prop_map(|(of, at)| Step::Branch(of, at)),
        1 => (place, any::<bool>()).prop_map(|(of, whole)| Step::Delete(of, whole)),
    ]
}

fn calls(id: &str) -> NewMessage {
    let call = NewToolCall {
        id: None,
        call_id: Some(id.to_owned()),
        name: "search".to_owned(),
        arguments: Json::empty_object(),
    };
    NewMessage { tool_calls: vec![call], ..NewMessage::text(MessageRole::Assistant, "calling") }
}

fn answers(id: &str) -> NewMessage {
    NewMessage { tool_call_id: Some(id.to_owned()), ..NewMessage::text(MessageRole::Tool, "found") }
}

async fn history(bed: &Bed, id: ConversationId, order: HistoryOrder, size: usize) -> Vec<Message> {
    let mut request = HistoryRequest {
        conversation_id: id,
        order,
        page: first(size),
        roles: None,
        from_last_summary: false,
    };
    let mut found = Vec::new();
    loop {
        let page =
            bed.services.conversations.histories(std::slice::from_ref(&request)).await.unwrap().remove(0);
        found.extend(page.items.into_iter().map(|(_, message)| message));
        request.page = PageRequest { first: size, after: page.end.map(|cursor| cursor.encode()) };
        if !page.has_next {
            return found;
        }
    }
}

/// What is done to conversations, and to copies beside them.
struct World {
    bed: Bed,
    known: Vec<(ConversationId, Copied)>,
    calls: usize,
}

impl World {
    async fn take(&mut self, step: Step) {
        let service = self.bed.services.conversations.clone();
        if let Step::Begin = step {
            let made = service.create(NewConversation::default()).await.unwrap();
            self.known.push((made.id, Copied::default()));
            return;
        }
        if self.known.is_empty() {
            return;
        }
        let count = self.known.len();
        let of = move |of: usize| of % count;
        match step {
            Step::Begin => {}
            Step::Say(at, count) => {
                let (id, copy) = &mut self.known[of(at)];
                let new = (0..count).map(|index| NewMessage::text(MessageRole::User, index.to_string()));
                let added = service.add_messages(*id, new.collect()).await.unwrap();
                copy.messages.extend(added.iter().map(|message| message.id));
            }
            Step::Call(at) => {
                self.calls += 1;
                let name = format!("call {}", self.calls);
                let (id, copy) = &mut self.known[of(at)];
                let added = service.add_message(*id, calls(&name), None).await.unwrap().message.id;
                copy.messages.push(added);
                copy.calls.push((added, name, None));
            }
            Step::Answer(at, call) => {
                let (id, copy) = &mut self.known[of(at)];
                if copy.calls.is_empty() {
                    return;
                }
                let at = call % copy.calls.len();
                let (_, name, result) = &mut copy.calls[at];
                let added = service.add_message(*id, answers(name), None).await;
                if result.is_some() {
                    assert!(refusal(added).contains("has its result already"));
                    return;
                }
                let added = added.unwrap().message.id;
                *result = Some(added);
                copy.messages.push(added);
            }
            Step::Branch(at, from) => self.branch(of(at), from).await,
            Step::Delete(at, whole) => self.delete(of(at), whole).await,
        }
    }

    async fn branch(&mut self, at: usize, from: usize) {
        let (id, copy) = self.known[at].clone();
        if copy.messages.is_empty() {
            return;
        }
        let from = from % copy.messages.len();
        let made = self.bed.services.conversations.branch(id, copy.messages[from], None).await.unwrap();
        let messages = copy.messages[..=from].to_vec();
        let calls = copy.calls.into_iter().filter(|(by, ..)| messages.contains(by));
        let result = |result: Option<MessageId>| result.filter(|id| messages.contains(id));
        let calls = calls.map(|(by, name, answer)| (by, name, result(answer))).collect();
        self.known.push((made.id, Copied { messages, calls, parent: Some(at) }));
    }

    async fn delete(&mut self, at: usize, whole: bool) {
        let (id, _) = self.known[at];
        let children = self.known.iter().filter(|(_, copy)| copy.parent == Some(at)).count();
        let branches = if whole { DeleteBranches::Delete } else { DeleteBranches::Refuse };
        let deleted = self.bed.services.conversations.delete(id, branches).await;
        if !whole && children > 0 {
            assert!(refusal(deleted).starts_with(&format!("conversationId: {children} branches share")));
            return;
        }
        let mut gone = vec![at];
        // A branch always comes after what it branches off.
        for (place, (_, copy)) in self.known.iter().enumerate() {
            if copy.parent.is_some_and(|parent| gone.contains(&parent)) {
                gone.push(place);
            }
        }
        let mut expected: Vec<_> = gone.iter().map(|place| self.known[*place].0).collect();
        let mut ids = deleted.unwrap().conversation_ids;
        expected.sort_unstable();
        ids.sort_unstable();
        assert_eq!(ids, expected);
        let places: Vec<_> = (0..self.known.len()).filter(|place| !gone.contains(place)).collect();
        let moved = |parent: usize| places.iter().position(|place| *place == parent);
        self.known = places
            .iter()
            .map(|place| self.known[*place].clone())
            .map(|(id, copy)| (id, Copied { parent: copy.parent.and_then(moved), ..copy }))
            .collect();
    }

    async fn agrees(&self) {
        for (place, (id, copy)) in self.known.iter().enumerate() {
            let size = place % 5 + 1;
            let forward = history(&self.bed, *id, HistoryOrder::OldestFirst, size).await;
            let mut backward = history(&self.bed, *id, HistoryOrder::NewestFirst, size + 2).await;
            backward.reverse();
            assert_eq!(forward, backward);
            assert_eq!(forward.iter().map(|message| message.id).collect::<Vec<_>>(), copy.messages);
            assert!(forward.iter().enumerate().all(|(ordinal, message)| message.ordinal == ordinal as u64));
            let calls: Vec<_> = forward
                .iter()
                .flat_map(|message| message.tool_calls.iter().map(move |call| (message.id, call)))
                .map(|(by, call)| (by, call.call_id.clone(), call.result_message_id))
                .collect();
            assert_eq!(calls, copy.calls);
            let found = self.bed.services.conversations.get_many(&[*id]).await.unwrap().remove(0).unwrap();
            assert_eq!(found.message_count(), copy.messages.len() as u64);
        }
        self.bed.assert_consistent().await;
    }
}

#[test]
fn histories_are_as_if_they_were_copied() {
    holds(150, prop::collection::vec(step(), 0..60), async |steps| {
        let mut world = World { bed: Bed::new().await, known: Vec::new(), calls: 0 };
        for step in steps {
            world.take(step).await;
        }
        world.agrees().await;
    });
}

async fn said(bed: &Bed, id: ConversationId, text: &str) -> MessageId {
    let new = NewMessage::text(MessageRole::User, text);
    bed.services.conversations.add_message(id, new, None).await.unwrap().message.id
}

#[tokio::test]
async fn a_branch_takes_over_the_settings_and_copies_nothing() {
    let bed = Bed::new().await;
    let service = &bed.services.conversations;
    let new = NewConversation {
        title: Some("Trip".to_owned()),
        user_id: Some("ann".to_owned()),
        tags: vec!["x".to_owned()],
        temperature: Some(1.5),
        ..NewConversation::default()
    };
    let parent = service.create(new).await.unwrap();
    let mut last = said(&bed, parent.id, "0").await;
    for index in 1..1_000 {
        last = said(&bed, parent.id, &index.to_string()).await;
    }
    let (branch, counts) = bed.counted(service.branch(parent.id, last, None)).await;
    let branch = branch.unwrap();
    assert_eq!((branch.title.as_deref(), branch.user_id.as_deref()), (Some("Trip"), Some("ann")));
    assert_eq!((branch.temperature, branch.tags.as_slice()), (1.5, ["x".to_owned()].as_slice()));
    assert_eq!((branch.first_ordinal, branch.next_ordinal, branch.revision), (1_000, 1_000, 1));
    assert_eq!(
        (branch.parent_conversation_id, branch.branched_from_message_id),
        (Some(parent.id), Some(last))
    );
    assert_eq!(counts.trips(CallKind::Commit), 1);
    let written: u64 = counts
        .by_tree
        .iter()
        .filter(|((kind, _), _)| *kind == CallKind::Commit)
        .map(|(_, count)| count.items)
        .sum();
    assert!(written < 12, "{written} writes");
    let listed = service.branches(&[parent.id, branch.id], &first(5)).await.unwrap();
    let listed: Vec<Vec<_>> =
        listed.into_iter().map(|page| page.items.into_iter().map(|(_, found)| found.id).collect()).collect();
    assert_eq!(listed, [vec![branch.id], vec![]]);
    bed.assert_consistent().await;
}

#[tokio::test]
async fn deep_branches_are_read_with_as_few_calls() {
    let bed = Bed::with_limits(RecordLimits { branch_depth: 50, ..RecordLimits::default() }).await;
    let service = &bed.services.conversations;
    let mut id = service.create(NewConversation::default()).await.unwrap().id;
    let root = id;
    for depth in 0..50 {
        let last = said(&bed, id, &depth.to_string()).await;
        id = service.branch(id, last, Some(format!("depth {depth}"))).await.unwrap().id;
    }
    let last = said(&bed, id, "too deep").await;
    let refused = refusal(service.branch(id, last, None).await);
    assert_eq!(refused, "conversationId: 51 items, 50 are allowed");
    let request = HistoryRequest {
        conversation_id: id,
        order: HistoryOrder::OldestFirst,
        page: first(100),
        roles: None,
        from_last_summary: false,
    };
    let (pages, counts) = bed.counted(service.histories(&[request])).await;
    let page = pages.unwrap().remove(0);
    assert_eq!(page.items.len(), 51);
    assert_eq!((counts.trips(CallKind::Get), counts.trips(CallKind::Scan)), (2, 1));
    let deleted = service.delete(root, DeleteBranches::Delete).await.unwrap();
    assert_eq!((deleted.conversation_ids.len(), deleted.messages), (51, 51));
    bed.assert_consistent().await;
}

#[tokio::test]
async fn a_branch_begins_only_where_its_parent_has_been() {
    let bed = Bed::new().await;
    let service = &bed.services.conversations;
    let root = service.create(NewConversation::default()).await.unwrap().id;
    let (one, two) = (said(&bed, root, "1").await, said(&bed, root, "2").await);
    let branch = service.branch(root, one, None).await.unwrap().id;
    let refused = refusal(service.branch(branch, two, None).await);
    assert_eq!(refused, format!("messageId: the message `{two}` is not in the history of this conversation"));
    let child = NewMessage { parent_message_id: Some(two), ..NewMessage::text(MessageRole::User, "x") };
    assert!(
        refusal(service.add_message(branch, child, None).await).starts_with("parentMessageId: the message")
    );
    let again = service.branch(branch, one, None).await.unwrap();
    assert_eq!((again.parent_conversation_id, again.first_ordinal), (Some(branch), 1));
    let answer = NewMessage { parent_message_id: Some(one), ..NewMessage::text(MessageRole::User, "x") };
    service.add_message(again.id, answer, None).await.unwrap();
    bed.assert_consistent().await;
}
