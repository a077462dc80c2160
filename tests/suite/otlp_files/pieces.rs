//! Large traces: read in pieces, written in requests that are not too large, and chosen among others.

use dendro::{
    model::{
        ConversationId, Json, SpanId, Timestamp, TraceId,
        conversation::NewConversation,
        span::{NewSpan, OperationType, SpanAction, SpanBody, SpanChanges, SpanOp},
        trace::NewTrace,
    },
    otlp::Encoding,
    service::{
        query::Selection,
        tracing::{SpanWrite, TraceFilter},
    },
};
use futures_util::TryStreamExt;

use super::{export, export_some, frames, import, lines, server};
use crate::support::{Server, spans::trace_id};

const HOUR: i64 = 3_600_000_000_000;

/// A trace of so many spans with inputs of so many bytes.
async fn record(
    server: &Server,
    number: u64,
    spans: u64,
    bytes: usize,
    conversation: Option<ConversationId>,
) {
    let id = trace_id(number);
    let start =
        Timestamp::from_nanos(1_735_689_600_000_000_000).plus_nanos(HOUR * i64::try_from(number).unwrap());
    let trace = NewTrace {
        id: Some(id),
        start_time: Some(start),
        conversation_id: conversation,
        ..NewTrace::default()
    };
    server.services.tracing.start_trace(trace).await.unwrap();
    let span = |at: u64| NewSpan {
        id: SpanId::from_bytes(u128::from(at + 1).to_be_bytes()),
        parent_id: None,
        operation_type: OperationType::Custom,
        name: format!("span {at}"),
        start_time: Some(start),
        end_time: Some(start.plus_nanos(i64::try_from(at).unwrap())),
        status: None,
        changes: SpanChanges {
            body: SpanBody { inputs: Some(Json::string(&"x".repeat(bytes))), ..SpanBody::default() },
            ..SpanChanges::default()
        },
    };
    let write = |span: NewSpan| SpanWrite {
        trace_id: id,
        op: SpanOp { id: span.id, action: SpanAction::Record(Box::new(span)) },
    };
    for written in server.services.tracing.write_spans((0..spans).map(span).map(write).collect()).await {
        written.unwrap();
    }
}

fn trace_ids(out: &[u8]) -> Vec<String> {
    let id = |line: serde_json::Value| {
        line["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"].as_str().unwrap().to_owned()
    };
    lines(out).into_iter().map(id).collect()
}

fn simple(id: TraceId) -> String {
    id.uuid().simple().to_string()
}

#[tokio::test]
async fn a_large_trace_is_cut_into_requests() {
    let server = server().await;
    record(&server, 1, 600, 10_000, None).await;
    record(&server, 2, 1, 3 << 20, None).await;
    let out = export(&server, Encoding::Json).await;
    let lengths: Vec<_> = std::str::from_utf8(&out).unwrap().lines().map(str::len).collect();
    assert!(lengths.len() > 6, "{lengths:?}");
    let (last, others) = lengths.split_last().unwrap();
    assert!(others.iter().all(|length| *length <= 1 << 20), "{lengths:?}");
    assert!(*last > 3 << 20, "a span is never cut");
    let out = export(&server, Encoding::Protobuf).await;
    let spans: usize = frames(&out)
        .iter()
        .flat_map(|request| &request.resource_spans)
        .flat_map(|resource| &resource.scope_spans)
        .map(|scope| scope.spans.len())
        .sum();
    assert_eq!(spans, 601);
    let second = super::server().await;
    let (report, problems) = import(&second, "export", &out).await;
    assert_eq!((report.new_spans, problems), (601, Vec::new()));
}

#[tokio::test]
async fn bodies_are_read_a_few_at_a_time() {
    let server = server().await;
    record(&server, 1, 40, 1 << 20, None).await;
    let pieces = server.services.queries.whole_traces(Selection::default()).await.unwrap();
    let pieces: Vec<_> = pieces.try_collect().await.unwrap();
    assert!(pieces.len() > 2);
    for piece in &pieces {
        let bytes: usize = piece.spans.iter().map(|span| span.own.size()).sum();
        assert!(bytes <= 17 << 20, "{bytes}");
    }
    assert_eq!(pieces.iter().map(|piece| piece.spans.len()).sum::<usize>(), 40);
    let last: Vec<_> = pieces.iter().map(|piece| piece.is_last).collect();
    assert_eq!(last.iter().filter(|last| **last).count(), 1);
    assert!(last.ends_with(&[true]));
}

#[tokio::test]
async fn traces_are_chosen_by_id_by_time_and_by_conversation() {
    let server = server().await;
    let conversation = server.services.conversations.create(NewConversation::default()).await.unwrap().id;
    for number in 1..=4 {
        record(&server, number, 1, 1, (number == 2).then_some(conversation)).await;
    }
    let start = |number: i64| Timestamp::from_nanos(1_735_689_600_000_000_000).plus_nanos(HOUR * number);
    let chosen = async |ids: &[u64], filter: TraceFilter| {
        let ids = ids.iter().map(|id| trace_id(*id)).collect();
        let selection = Selection { ids, condition: filter.into(), ..Selection::default() };
        trace_ids(&export_some(&server, Encoding::Json, selection).await)
    };
    let expected = |ids: &[u64]| ids.iter().map(|id| simple(trace_id(*id))).collect::<Vec<_>>();
    assert_eq!(chosen(&[], TraceFilter::default()).await, expected(&[1, 2, 3, 4]));
    assert_eq!(chosen(&[3, 1], TraceFilter::default()).await, expected(&[3, 1]));
    let between = TraceFilter {
        started_from: Some(start(2)),
        started_before: Some(start(4)),
        ..TraceFilter::default()
    };
    assert_eq!(chosen(&[], between.clone()).await, expected(&[2, 3]));
    assert_eq!(chosen(&[1, 3], between).await, expected(&[3]));
    let of = TraceFilter { conversation_id: Some(conversation), ..TraceFilter::default() };
    assert_eq!(chosen(&[], of).await, expected(&[2]));
    let missing = Selection { ids: vec![trace_id(9)], ..Selection::default() };
    let pieces = server.services.queries.whole_traces(missing).await.unwrap().try_collect::<Vec<_>>().await;
    assert!(
        pieces.unwrap_err().to_string().contains("there is no trace"),
        "a trace that is not there is told"
    );
}

#[tokio::test]
async fn many_traces_come_page_by_page() {
    let server = server().await;
    for number in 1..=300 {
        record(&server, number, 1, 1, None).await;
    }
    let out = export(&server, Encoding::Json).await;
    assert_eq!(trace_ids(&out), (1..=300).map(|number| simple(trace_id(number))).collect::<Vec<_>>());
}
