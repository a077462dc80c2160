//! Recording scores and finding them.

use dendro::{
    engine::CallKind,
    model::{
        MessageId, ScoreId, SpanId, TraceId,
        conversation::NewConversation,
        message::{MessageRole, NewMessage},
        score::{NewScore, ScoreSource, ScoreTarget, ScoreValue},
        span::{NewSpan, OperationType, SpanAction, SpanChanges, SpanOp},
        trace::NewTrace,
    },
    service::tracing::SpanWrite,
};
use uuid::Uuid;

use super::bed::{Bed, refusal};

fn score(target: ScoreTarget, value: ScoreValue) -> NewScore {
    NewScore {
        id: None,
        target,
        name: "helpful".to_owned(),
        value,
        comment: None,
        source: ScoreSource::Rule,
        evaluator: None,
        judged_in: None,
        judged_revision: None,
    }
}

#[tokio::test]
async fn everything_that_exists_can_be_judged() {
    let bed = Bed::new().await;
    let conversation = bed.services.conversations.create(NewConversation::default()).await.unwrap().id;
    let said = NewMessage::text(MessageRole::User, "hello");
    let added =
        bed.services.conversations.add_message(conversation, said, Some(NewTrace::default())).await.unwrap();
    let trace = added.trace.unwrap().id;
    let span: SpanId = Uuid::from_u128(5).into();
    let new = NewSpan {
        id: span,
        parent_id: None,
        operation_type: OperationType::Agent,
        name: "run".to_owned(),
        start_time: None,
        end_time: None,
        status: None,
        changes: SpanChanges::default(),
    };
    let op = SpanOp { id: span, action: SpanAction::Create(Box::new(new)) };
    bed.services.tracing.write_spans(vec![SpanWrite { trace_id: trace, op }]).await.remove(0).unwrap();
    let targets = [
        ScoreTarget::Trace(trace),
        ScoreTarget::Span(trace, span),
        ScoreTarget::Conversation(conversation),
        ScoreTarget::Message(conversation, added.message.id),
    ];
    for (number, target) in targets.iter().enumerate() {
        for _ in 0..=number {
            bed.services.scores.record(score(*target, ScoreValue::Boolean(true))).await.unwrap();
        }
    }
    let (found, counts) = bed.counted(bed.services.scores.of_targets(&targets)).await;
    let found = found.unwrap();
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((counts.trips(CallKind::Get), counts.trips(CallKind::Scan)), (0, 1));
    let ids = [found[3][0].id, ScoreId::from_bytes([0; 16]), found[0][0].id];
    let by_id = bed.services.scores.get_many(&ids).await.unwrap();
    assert_eq!(by_id, [Some(found[3][0].clone()), None, Some(found[0][0].clone())]);
    bed.assert_consistent().await;
}

#[tokio::test]
async fn nothing_else_can() {
    let bed = Bed::new().await;
    let conversation = bed.services.conversations.create(NewConversation::default()).await.unwrap().id;
    let other = bed.services.conversations.create(NewConversation::default()).await.unwrap().id;
    let said = NewMessage::text(MessageRole::User, "hello");
    let message = bed.services.conversations.add_message(other, said, None).await.unwrap().message.id;
    let trace: TraceId = Uuid::from_u128(1).into();
    let nobody: MessageId = Uuid::from_u128(2).into();
    let cases = [
        (ScoreTarget::Trace(trace), format!("traceId: there is no trace `{trace}`")),
        (ScoreTarget::Span(trace, Uuid::nil().into()), format!("traceId: there is no trace `{trace}`")),
        (ScoreTarget::Message(conversation, nobody), format!("messageId: there is no message `{nobody}`")),
        (
            ScoreTarget::Message(conversation, message),
            format!("conversationId: the message is in the conversation `{other}`"),
        ),
    ];
    for (target, expected) in cases {
        let refused = bed.services.scores.record(score(target, ScoreValue::Boolean(true))).await;
        assert_eq!(refusal(refused), expected);
    }
    let target = ScoreTarget::Conversation(conversation);
    let values = [
        (ScoreValue::Number(f64::NAN), "value.number: NaN is not a finite number"),
        (ScoreValue::Category(" ".to_owned()), "value.category: a category needs a name"),
    ];
    for (value, expected) in values {
        assert_eq!(refusal(bed.services.scores.record(score(target, value)).await), expected);
    }
    let unnamed = NewScore { name: String::new(), ..score(target, ScoreValue::Number(1.0)) };
    assert_eq!(refusal(bed.services.scores.record(unnamed).await), "name: must not be blank");
    assert!(bed.services.scores.of_targets(&[target]).await.unwrap()[0].is_empty());
}

#[tokio::test]
async fn a_score_is_replaced_by_its_id() {
    let bed = Bed::new().await;
    let mut targets = Vec::new();
    for _ in 0..2 {
        let made = bed.services.conversations.create(NewConversation::default()).await.unwrap();
        targets.push(ScoreTarget::Conversation(made.id));
    }
    let id = Some(ScoreId::from_bytes([9; 16]));
    let first = NewScore { id, ..score(targets[0], ScoreValue::Number(1.0)) };
    let recorded = bed.services.scores.record(first.clone()).await.unwrap();
    bed.clock.advance_ms(1000);
    assert_eq!(bed.services.scores.record(first).await.unwrap(), recorded, "the same again changes nothing");
    let moved = NewScore { id, ..score(targets[1], ScoreValue::Number(0.5)) };
    let moved = bed.services.scores.record(moved).await.unwrap();
    assert_eq!(bed.services.scores.of_targets(&targets).await.unwrap(), [vec![], vec![moved]]);
    bed.assert_consistent().await;
}
