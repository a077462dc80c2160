//! Making, changing and listing conversations; adding messages to them.

use dendro::{
    engine::CallKind,
    model::{
        Json, MessageId,
        conversation::{Conversation, ConversationPatch, NewConversation},
        limits::RecordLimits,
        message::{MessageRole, MessageType, NewMessage, NewToolCall},
        page::PageRequest,
        trace::NewTrace,
    },
    service::conversations::{ConversationFilter, ConversationOrder},
};

use super::bed::{Bed, first, refusal};

fn said(text: &str) -> NewMessage {
    NewMessage::text(MessageRole::User, text)
}

fn calls(ids: &[&str]) -> NewMessage {
    let call = |id: &&str| NewToolCall {
        id: None,
        call_id: Some((*id).to_owned()),
        name: "search".to_owned(),
        arguments: Json::empty_object(),
    };
    let tool_calls = ids.iter().map(call).collect();
    NewMessage { tool_calls, content: None, ..NewMessage::text(MessageRole::Assistant, "") }
}

fn answers(call: &str) -> NewMessage {
    NewMessage { tool_call_id: Some(call.to_owned()), ..NewMessage::text(MessageRole::Tool, "found") }
}

async fn begun(bed: &Bed) -> Conversation {
    bed.services.conversations.create(NewConversation::default()).await.unwrap()
}

#[tokio::test]
async fn a_conversation_has_the_plans_defaults() {
    let bed = Bed::new().await;
    let made = begun(&bed).await;
    assert_eq!((made.temperature, made.metadata.text(), made.revision), (0.7, "{}", 1));
    assert_eq!(made.last_activity_at, made.created_at);
    let found = bed.services.conversations.get_many(&[made.id]).await.unwrap();
    assert_eq!(found, [Some(made.clone())]);
    let again = NewConversation { id: Some(made.id), ..NewConversation::default() };
    let message = refusal(bed.services.conversations.create(again).await);
    assert_eq!(message, format!("conversationId: there is already a conversation `{}`", made.id));
    bed.assert_consistent().await;
}

#[tokio::test]
async fn bad_fields_are_named() {
    let bed = Bed::with_limits(RecordLimits { short_text_bytes: 10, ..RecordLimits::default() }).await;
    let cases: Vec<(NewConversation, &str)> = vec![
        (
            NewConversation { title: Some("x".repeat(11)), ..NewConversation::default() },
            "title: 11 bytes, 10 are allowed",
        ),
        (
            NewConversation { temperature: Some(f64::NAN), ..NewConversation::default() },
            "temperature: NaN is not between 0 and 2",
        ),
        (
            NewConversation { max_tokens: Some(0), ..NewConversation::default() },
            "maxTokens: must be at least 1",
        ),
        (
            NewConversation { tags: vec!["a".into(), " ".into()], ..NewConversation::default() },
            "tags.1: must not be blank",
        ),
        (
            NewConversation { metadata: Some(Json::parse("[1]").unwrap()), ..NewConversation::default() },
            "metadata: must be a JSON object",
        ),
    ];
    for (new, expected) in cases {
        assert_eq!(refusal(bed.services.conversations.create(new).await), expected);
    }
    let any = ConversationFilter::default();
    let page = bed.services.conversations.list(&any, ConversationOrder::default(), &first(9)).await;
    assert!(page.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_patch_changes_clears_and_leaves() {
    let bed = Bed::new().await;
    let new = NewConversation {
        title: Some("First".into()),
        model_name: Some("gpt-5".into()),
        tags: vec!["a".into(), "b".into(), "a".into()],
        ..NewConversation::default()
    };
    let made = bed.services.conversations.create(new).await.unwrap();
    assert_eq!(made.tags, ["a", "b"]);
    bed.clock.advance_ms(1000);
    let patch =
        ConversationPatch { title: Some(None), tags: Some(vec!["c".into()]), ..ConversationPatch::default() };
    let changed = bed.services.conversations.update(made.id, patch.clone()).await.unwrap();
    assert_eq!((changed.title.as_deref(), changed.model_name.as_deref()), (None, Some("gpt-5")));
    assert_eq!((changed.revision, changed.tags.as_slice()), (2, ["c".to_owned()].as_slice()));
    assert!(changed.updated_at > made.updated_at && changed.last_activity_at > made.last_activity_at);
    bed.clock.advance_ms(1000);
    let same = bed.services.conversations.update(made.id, patch).await.unwrap();
    assert_eq!(same, changed, "a patch that changes nothing writes nothing");
    bed.assert_consistent().await;
}

#[tokio::test]
async fn lists_are_ordered_filtered_and_paged() {
    let bed = Bed::new().await;
    let service = &bed.services.conversations;
    let mut made = Vec::new();
    for index in 0..10 {
        bed.clock.advance_ms(1000);
        let new = NewConversation {
            title: Some(format!("Trip {index} to ÖREBRO")),
            user_id: (index % 2 == 0).then(|| "ann".to_owned()),
            tags: if index % 3 == 0 { vec!["x".into(), "y".into()] } else { vec!["y".into()] },
            ..NewConversation::default()
        };
        made.push(service.create(new).await.unwrap().id);
    }
    bed.clock.advance_ms(1000);
    service.add_message(made[3], said("hello"), None).await.unwrap();
    let all = async |filter: ConversationFilter, order: ConversationOrder| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = service.list(&filter, order, &PageRequest { first: 3, after }).await.unwrap();
            found.extend(
                page.items.iter().map(|(_, item)| made.iter().position(|id| *id == item.id).unwrap()),
            );
            if !page.has_next {
                return found;
            }
            after = page.end.map(|cursor| cursor.encode());
        }
    };
    let any = ConversationFilter::default();
    assert_eq!(all(any.clone(), ConversationOrder::default()).await, [3, 9, 8, 7, 6, 5, 4, 2, 1, 0]);
    assert_eq!(all(any.clone(), ConversationOrder::OldestFirst).await, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let ann = ConversationFilter { user_id: Some("ann".into()), ..any.clone() };
    assert_eq!(all(ann.clone(), ConversationOrder::LastActiveLast).await, [0, 2, 4, 6, 8]);
    let both = ConversationFilter { tags: vec!["x".into(), "y".into()], ..any.clone() };
    assert_eq!(all(both, ConversationOrder::default()).await, [3, 9, 6, 0]);
    assert_eq!(service.count(&ann).await.unwrap(), Some(5));
    let titled = ConversationFilter { title_contains: Some("2 TO ö".into()), ..any.clone() };
    assert_eq!(all(titled, ConversationOrder::NewestFirst).await, [2]);
    let page = service.list(&any, ConversationOrder::default(), &first(2)).await.unwrap();
    let cursor = page.end.map(|cursor| cursor.encode());
    let other =
        service.list(&ann, ConversationOrder::default(), &PageRequest { first: 2, after: cursor }).await;
    assert!(refusal(other).starts_with("after: a cursor of another list"));
    bed.assert_consistent().await;
}

#[tokio::test]
async fn a_message_can_set_off_a_trace() {
    let bed = Bed::new().await;
    let new = NewConversation { user_id: Some("ann".into()), ..NewConversation::default() };
    let made = bed.services.conversations.create(new).await.unwrap();
    bed.clock.advance_ms(5000);
    let added = bed
        .services
        .conversations
        .add_message(made.id, said("Book a flight"), Some(NewTrace::default()))
        .await
        .unwrap();
    let trace = added.trace.unwrap();
    assert_eq!(trace.conversation_id, Some(made.id));
    assert_eq!(trace.message_id, Some(added.message.id));
    assert_eq!(trace.turn_id, added.message.turn_id);
    assert_eq!(trace.user_id.as_deref(), Some("ann"));
    assert_eq!(trace.input_preview.as_deref(), Some("Book a flight"));
    assert_eq!(added.message.trace_id, Some(trace.id));
    assert_eq!((added.message.ordinal, added.message.revision), (0, 2));
    assert_eq!((added.conversation.next_ordinal, added.conversation.revision), (1, 2));
    assert_eq!(added.conversation.last_activity_at, added.message.timestamp);
    assert_eq!(bed.services.tracing.traces(&[trace.id]).await.unwrap(), [Some(trace)]);
    let elsewhere = NewTrace { conversation_id: Some(uuid::Uuid::nil().into()), ..NewTrace::default() };
    let refused = bed.services.conversations.add_message(made.id, said("x"), Some(elsewhere)).await;
    assert_eq!(refusal(refused), "trace.conversationId: must be the conversation of the message");
    bed.assert_consistent().await;
}

#[tokio::test]
async fn results_find_their_calls() {
    let bed = Bed::new().await;
    let service = &bed.services.conversations;
    let id = begun(&bed).await.id;
    let asked = service.add_message(id, calls(&["a", "b"]), None).await.unwrap().message;
    assert_eq!(asked.message_type, MessageType::ToolCall);
    let result = service.add_message(id, answers("b"), None).await.unwrap().message;
    assert_eq!(result.message_type, MessageType::ToolResult);
    let asked = service.messages(&[asked.id]).await.unwrap().remove(0).unwrap();
    assert_eq!(asked.tool_calls[0].result_message_id, None);
    assert_eq!(asked.tool_calls[1].result_message_id, Some(result.id));
    assert_eq!(asked.revision, 3, "a watcher sees the call again with its result");
    let refused = async |message: NewMessage| refusal(service.add_message(id, message, None).await);
    assert_eq!(refused(answers("b")).await, "toolCallId: the call `b` has its result already");
    assert_eq!(refused(answers("c")).await, "toolCallId: the history has no call `c`");
    assert_eq!(refused(calls(&["x", "a"])).await, "toolCalls.1.callId: the history has a call `a` already");
    assert_eq!(refused(calls(&["x", "x"])).await, "toolCalls.1.callId: the history has a call `x` already");
    bed.assert_consistent().await;
}

#[tokio::test]
async fn many_messages_go_in_together_or_not_at_all() {
    let bed = Bed::new().await;
    let service = &bed.services.conversations;
    let id = begun(&bed).await.id;
    let parent: MessageId = uuid::Uuid::from_u128(7).into();
    let batch = vec![
        NewMessage { id: Some(parent), ..said("one") },
        NewMessage { parent_message_id: Some(parent), references: vec![parent], ..calls(&["a"]) },
        answers("a"),
    ];
    let (added, counts) = bed.counted(service.add_messages(id, batch.clone())).await;
    let added = added.unwrap();
    assert_eq!(added.iter().map(|message| message.ordinal).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(added.iter().all(|message| message.revision == 2));
    assert_eq!(added[1].tool_calls[0].result_message_id, Some(added[2].id));
    assert_eq!(counts.trips(CallKind::Commit), 1);
    let refused = service.add_messages(id, batch).await;
    assert_eq!(refusal(refused), format!("messages.0.messageId: there is already a message `{parent}`"));
    let broken = vec![said("two"), NewMessage { confidence_score: Some(1.5), ..said("three") }];
    let refused = service.add_messages(id, broken).await;
    assert_eq!(refusal(refused), "messages.1.confidenceScore: 1.5 is not between 0 and 1");
    assert_eq!(service.get_many(&[id]).await.unwrap()[0].as_ref().unwrap().message_count(), 3);
    assert!(service.add_messages(id, Vec::new()).await.unwrap().is_empty());
    bed.assert_consistent().await;
}

#[tokio::test]
async fn what_a_message_names_must_be_in_its_history() {
    let bed = Bed::new().await;
    let service = &bed.services.conversations;
    let (here, there) = (begun(&bed).await.id, begun(&bed).await.id);
    let other = service.add_message(there, said("elsewhere"), None).await.unwrap().message.id;
    let nobody: MessageId = uuid::Uuid::from_u128(99).into();
    let child = NewMessage { parent_message_id: Some(other), ..said("x") };
    let message =
        format!("parentMessageId: the message `{other}` is not in the history of this conversation");
    assert_eq!(refusal(service.add_message(here, child, None).await), message);
    let reference = NewMessage { references: vec![nobody], ..said("x") };
    let message = format!("references.0: there is no message `{nobody}`");
    assert_eq!(refusal(service.add_message(here, reference, None).await), message);
    let nowhere = service.add_message(uuid::Uuid::nil().into(), said("x"), None).await;
    assert!(refusal(nowhere).starts_with("conversationId: there is no conversation"));
    bed.assert_consistent().await;
}

#[tokio::test]
async fn many_writers_of_one_conversation_all_succeed() {
    let bed = Bed::new().await;
    let id = begun(&bed).await.id;
    let writers = (0..100).map(|index| {
        let service = bed.services.conversations.clone();
        tokio::spawn(async move { service.add_message(id, said(&index.to_string()), None).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
    let found = bed.services.conversations.get_many(&[id]).await.unwrap().remove(0).unwrap();
    assert_eq!((found.next_ordinal, found.revision), (100, 101));
    let starters = (0..60).map(|index| {
        let services = bed.services.clone();
        tokio::spawn(async move {
            if index % 2 == 0 {
                let new = NewTrace { conversation_id: Some(id), ..NewTrace::default() };
                services.tracing.start_trace(new).await.map(drop)
            } else {
                services.conversations.add_message(id, said("more"), None).await.map(drop)
            }
        })
    });
    for starter in starters.collect::<Vec<_>>() {
        starter.await.unwrap().unwrap();
    }
    bed.assert_consistent().await;
}
