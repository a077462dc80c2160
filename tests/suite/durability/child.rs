//! The process that writes until it is killed. It says every acknowledgement on its standard output, a
//! line each, after it has it.

use std::{env, io::Write, path::Path, sync::Arc};

use dendro::{
    engine::EngineKind,
    model::{
        ConversationId, MessageId, SpanId, TraceId,
        conversation::NewConversation,
        message::{MessageRole, NewMessage},
        span::{NewSpan, SpanOp},
        trace::NewTrace,
    },
    service::conversations::DeleteBranches,
};
use futures_util::StreamExt;
use tokio::task::JoinSet;

use super::said::{content, id, input, output, shared};
use crate::support::{
    spans::{changes, completed, create, inputs, outputs, record, span, start, writes},
    store::{TestBed, TestStore, restless},
};

pub const DIR: &str = "DENDRO_KILL_DIR";
pub const ENGINE: &str = "DENDRO_KILL_ENGINE";
pub const ROUND: &str = "DENDRO_KILL_ROUND";

const WRITERS: u64 = 4;

/// Not a test: without its variables it does nothing.
#[test]
fn writes_until_it_is_killed() {
    let Ok(dir) = env::var(DIR) else { return };
    let kind: EngineKind = env::var(ENGINE).unwrap().parse().unwrap();
    let round: u64 = env::var(ROUND).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let place = TestStore::at(kind, Path::new(&dir)).config(restless());
        let bed = Arc::new(place.open().await);
        say(&"ready");
        start(&bed.tracing, shared(round)).await;
        say(&format_args!("trace {}", shared(round)));
        let mut tasks = JoinSet::new();
        for writer in 0..WRITERS {
            tasks.spawn(write_spans(bed.clone(), round, writer));
        }
        tasks.spawn(write_messages(bed.clone(), round));
        tasks.spawn(follow(bed.clone(), round));
        // Only a failure ends one of them.
        tasks.join_next().await.unwrap().unwrap();
    });
}

/// One line, whole.
fn say(what: &dyn std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Traces of the writer's own, one after the other, and beside each a share of the one of all.
async fn write_spans(bed: Arc<TestBed>, round: u64, writer: u64) {
    for number in 0.. {
        let own = TraceId::from_bytes(id(round, writer, number));
        start(&bed.tracing, own).await;
        say(&format_args!("trace {own}"));
        for step in 0..8 {
            for trace in [own, shared(round)] {
                let spans =
                    (0..3).map(|part| SpanId::from_bytes(id(round, writer, number << 8 | step << 4 | part)));
                if step % 4 == 3 {
                    write(&bed, trace, spans.map(|span| record(ended(span))).collect()).await;
                    continue;
                }
                for span in spans {
                    write(&bed, trace, vec![create(begun(span))]).await;
                    let end = SpanOp {
                        id: span,
                        ..crate::support::spans::complete(0, changes(outputs(&output(span))))
                    };
                    write(&bed, trace, vec![end]).await;
                }
            }
        }
        let ended = bed.tracing.complete_trace(own, completed()).await.unwrap();
        say(&format_args!("end {own} {}", ended.revision));
    }
}

async fn write(bed: &TestBed, trace: TraceId, ops: Vec<SpanOp>) {
    for written in bed.tracing.write_spans(writes(trace, ops)).await {
        let head = written.unwrap().head;
        say(&format_args!("span {trace} {} {} {}", head.id, head.revision, head.status));
    }
}

fn begun(id: SpanId) -> NewSpan {
    NewSpan { id, changes: changes(inputs(&input(id))), ..span(0) }
}

fn ended(id: SpanId) -> NewSpan {
    let mut new = NewSpan { end_time: span(0).start_time, ..begun(id) };
    new.changes.body.outputs = outputs(&output(id)).outputs;
    new
}

/// Conversations, whose messages set off traces; every other one is deleted.
async fn write_messages(bed: Arc<TestBed>, round: u64) {
    let conversations = &bed.services.conversations;
    for number in 0.. {
        let conversation = ConversationId::from_bytes(id(round, 100, number));
        let new = NewConversation { id: Some(conversation), ..NewConversation::default() };
        conversations.create(new).await.unwrap();
        say(&format_args!("conversation {conversation}"));
        for place in 0..20 {
            let own = id(round, 101, number << 8 | place);
            let mut message = NewMessage::text(MessageRole::User, content(place));
            message.id = Some(MessageId::from_bytes(own));
            let trace = NewTrace { id: Some(TraceId::from_bytes(own)), ..NewTrace::default() };
            let trace = (place % 3 == 0).then_some(trace);
            let added = conversations.add_message(conversation, message, trace).await.unwrap();
            let (message, trace) = (added.message, added.trace);
            say(&format_args!(
                "message {conversation} {} {} {} {}",
                message.id,
                message.ordinal,
                message.revision,
                u8::from(trace.is_some())
            ));
            if let Some(trace) = trace {
                let ops = vec![record(ended(SpanId::from_bytes(own)))];
                drop(bed.tracing.write_spans(writes(trace.id, ops)).await);
            }
        }
        if number % 2 == 0 {
            say(&format_args!("deleting {conversation}"));
            conversations.delete(conversation, DeleteBranches::Refuse).await.unwrap();
            say(&format_args!("deleted {conversation}"));
        }
    }
}

/// Follows the trace of all, and says what it was shown.
async fn follow(bed: Arc<TestBed>, round: u64) {
    let trace = shared(round);
    let mut stream = Box::pin(bed.tracing.spans_live(trace, None).await.unwrap());
    while let Some(changes) = stream.next().await {
        let changes = changes.unwrap();
        let heads: Vec<_> =
            changes.heads.iter().map(|head| format!("{}:{}", head.id, head.revision)).collect();
        say(&format_args!("seen {trace} {} {}", changes.revision, heads.join(",")));
    }
}
