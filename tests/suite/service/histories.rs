//! Reading histories page by page.

use dendro::{
    engine::CallKind,
    model::{
        ConversationId,
        conversation::NewConversation,
        message::{MessageRole, MessageType, NewMessage},
        page::PageRequest,
    },
    service::conversations::{HistoryOrder, HistoryRequest},
};

use super::bed::{Bed, first};

fn request(id: ConversationId) -> HistoryRequest {
    HistoryRequest {
        conversation_id: id,
        order: HistoryOrder::OldestFirst,
        page: first(4),
        roles: None,
        from_last_summary: false,
    }
}

/// Every message of a history, page by page.
async fn read(bed: &Bed, mut request: HistoryRequest) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let page =
            bed.services.conversations.histories(std::slice::from_ref(&request)).await.unwrap().remove(0);
        found.extend(page.items.into_iter().map(|(_, message)| message.content.unwrap()));
        if !page.has_next {
            return found;
        }
        request.page.after = page.end.map(|cursor| cursor.encode());
    }
}

async fn conversation(bed: &Bed, messages: impl Iterator<Item = NewMessage>) -> ConversationId {
    let id = bed.services.conversations.create(NewConversation::default()).await.unwrap().id;
    bed.services.conversations.add_messages(id, messages.collect()).await.unwrap();
    id
}

fn numbered(index: usize) -> NewMessage {
    let role = if index.is_multiple_of(50) { MessageRole::System } else { MessageRole::User };
    NewMessage::text(role, index.to_string())
}

#[tokio::test]
async fn pages_follow_each_other_both_ways() {
    let bed = Bed::new().await;
    let id = conversation(&bed, (0..10).map(numbered)).await;
    let forward: Vec<_> = (0..10).map(|index: usize| index.to_string()).collect();
    let backward: Vec<_> = forward.iter().rev().cloned().collect();
    assert_eq!(read(&bed, request(id)).await, forward);
    assert_eq!(
        read(&bed, HistoryRequest { order: HistoryOrder::NewestFirst, ..request(id) }).await,
        backward
    );
    let nobody = read(&bed, request(uuid::Uuid::nil().into())).await;
    assert!(nobody.is_empty());
    let none = HistoryRequest { page: PageRequest { first: 0, after: None }, ..request(id) };
    let page = bed.services.conversations.histories(&[none]).await.unwrap().remove(0);
    assert!(page.items.is_empty() && page.has_next);
}

#[tokio::test]
async fn rare_roles_are_found() {
    let bed = Bed::new().await;
    let id = conversation(&bed, (0..1000).map(numbered)).await;
    let system = HistoryRequest { roles: Some(vec![MessageRole::System]), ..request(id) };
    let expected: Vec<_> = (0..20).map(|index| (index * 50).to_string()).collect();
    assert_eq!(read(&bed, system.clone()).await, expected);
    let backward: Vec<_> = expected.into_iter().rev().collect();
    assert_eq!(
        read(&bed, HistoryRequest { order: HistoryOrder::NewestFirst, ..system.clone() }).await,
        backward
    );
    let tools = HistoryRequest { roles: Some(vec![MessageRole::Tool]), ..system };
    assert!(read(&bed, tools).await.is_empty());
}

#[tokio::test]
async fn a_summary_stands_for_what_lies_before_it() {
    let bed = Bed::new().await;
    let summary = |index| NewMessage { message_type: Some(MessageType::Summary), ..numbered(index) };
    let messages = (0..9).map(|index| if index % 3 == 2 { summary(index) } else { numbered(index) });
    let id = conversation(&bed, messages.take(8)).await;
    let plain = conversation(&bed, (0..3).map(numbered)).await;
    let from_summary = |id| HistoryRequest { from_last_summary: true, ..request(id) };
    assert_eq!(read(&bed, from_summary(id)).await, ["5", "6", "7"]);
    assert_eq!(read(&bed, from_summary(plain)).await, ["0", "1", "2"]);
    bed.assert_consistent().await;
}

#[tokio::test]
async fn many_histories_take_as_many_calls_as_one() {
    let bed = Bed::new().await;
    let mut requests = Vec::new();
    for _ in 0..20 {
        requests.push(request(conversation(&bed, (0..30).map(numbered)).await));
    }
    let (_, one) = bed.counted(bed.services.conversations.histories(&requests[..1])).await;
    let (pages, all) = bed.counted(bed.services.conversations.histories(&requests)).await;
    assert_eq!(pages.unwrap().len(), 20);
    assert_eq!(one.round_trips, all.round_trips);
    assert_eq!((all.trips(CallKind::Get), all.trips(CallKind::Scan)), (1, 1), "{all:?}");
}
