//! What killed processes had been told, and what must therefore be so.

use std::collections::{BTreeMap, BTreeSet};

use dendro::{
    model::{ConversationId, MessageId, SpanId, TraceId, span::SpanStatus},
    service::tracing::TraceSpans,
};
use futures_util::StreamExt;

use super::said::{content, input, output};
use crate::support::{
    spans::{inputs, outputs},
    store::TestBed,
};

/// Everything that was acknowledged, over all rounds on one database.
#[derive(Debug, Default)]
pub struct Book {
    traces: BTreeMap<TraceId, TraceBook>,
    conversations: BTreeMap<ConversationId, ConversationBook>,
    /// Acknowledgements in all.
    pub count: u64,
}

#[derive(Debug, Default)]
struct TraceBook {
    revision: u64,
    ended: bool,
    /// The spans, with their revisions and states.
    spans: BTreeMap<SpanId, (u64, SpanStatus)>,
    /// What a follower had been shown, and up to which revision.
    seen: Option<(u64, BTreeMap<SpanId, u64>)>,
}

#[derive(Debug, Default)]
struct ConversationBook {
    deletion: Deletion,
    /// The messages by their ordinals, with their revisions, and whether they set off a trace.
    messages: BTreeMap<u64, (MessageId, u64, bool)>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Deletion {
    #[default]
    No,
    /// It was asked for; nobody knows whether it took place.
    Asked,
    Done,
}

impl Book {
    /// Takes in a line that a child said.
    pub fn add(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["trace", id] => drop(self.traces.entry(id.parse().unwrap()).or_default()),
            ["span", trace, span, revision, status] => {
                let (span, revision) = (span.parse().unwrap(), revision.parse().unwrap());
                let trace = self.trace(trace);
                trace.revision = trace.revision.max(revision);
                let known = trace.spans.entry(span).or_insert((0, SpanStatus::Running));
                *known = (*known).max((revision, status.parse().unwrap()));
            }
            ["end", trace, revision] => {
                let trace = self.trace(trace);
                trace.revision = trace.revision.max(revision.parse().unwrap());
                trace.ended = true;
            }
            ["seen", trace, revision, heads] => {
                let seen = &mut self.trace(trace).seen.get_or_insert_default();
                seen.0 = revision.parse().unwrap();
                for head in heads.split(',').filter(|head| !head.is_empty()) {
                    let (span, revision) = head.split_once(':').unwrap();
                    seen.1.insert(span.parse().unwrap(), revision.parse().unwrap());
                }
            }
            ["conversation", id] => drop(self.conversations.entry(id.parse().unwrap()).or_default()),
            ["message", conversation, id, ordinal, revision, sets_off] => {
                let message = (id.parse().unwrap(), revision.parse().unwrap(), *sets_off == "1");
                self.conversation(conversation).messages.insert(ordinal.parse().unwrap(), message);
            }
            ["deleting", id] => self.conversation(id).deletion = Deletion::Asked,
            ["deleted", id] => self.conversation(id).deletion = Deletion::Done,
            // What the test harness says.
            _ => return,
        }
        self.count += 1;
    }

    fn trace(&mut self, id: &str) -> &mut TraceBook {
        self.traces.get_mut(&id.parse().unwrap()).unwrap()
    }

    fn conversation(&mut self, id: &str) -> &mut ConversationBook {
        self.conversations.get_mut(&id.parse().unwrap()).unwrap()
    }

    /// Asserts that all of it is so.
    pub async fn assert_holds(&self, bed: &TestBed) {
        bed.assert_consistent().await;
        bed.services.conversations.finish_deletions().await.unwrap();
        bed.assert_consistent().await;
        let traces: Vec<_> = self.traces.iter().collect();
        for some in traces.chunks(100) {
            let ids: Vec<_> = some.iter().map(|(id, _)| **id).collect();
            for ((id, book), spans) in some.iter().zip(bed.tracing.spans(&ids).await.unwrap()) {
                let spans = spans.unwrap_or_else(|| panic!("trace {id} is lost"));
                book.assert_holds(bed, &spans).await;
            }
        }
        for (id, book) in &self.conversations {
            book.assert_holds(bed, *id).await;
        }
    }
}

impl TraceBook {
    async fn assert_holds(&self, bed: &TestBed, spans: &TraceSpans) {
        let trace = &spans.trace;
        assert!(trace.revision >= self.revision, "{} is back at revision {}", trace.id, trace.revision);
        assert!(!self.ended || trace.status.is_final(), "the end of {} is lost", trace.id);
        let heads: BTreeMap<_, _> = spans.heads.iter().map(|head| (head.id, head)).collect();
        for (id, (revision, status)) in &self.spans {
            let head = heads.get(id).unwrap_or_else(|| panic!("span {id} of {} is lost", trace.id));
            assert!(head.revision >= *revision, "span {id} is back at revision {}", head.revision);
            assert!(!status.is_final() || head.status == *status, "the end of span {id} is lost");
        }
        // Whatever is there is whole, acknowledged or not.
        let wanted = heads.values().map(|head| (trace.id, head.id, head.part_blocks()));
        let bodies = bed.tracing.span_bodies(wanted.collect(), 0).await.unwrap();
        for head in heads.values() {
            let body = &bodies[&(trace.id, head.id)];
            assert_eq!(body.inputs, inputs(&input(head.id)).inputs);
            let output = head.status.is_final().then(|| outputs(&output(head.id)).outputs).flatten();
            assert_eq!(body.outputs, output);
        }
        let stands: BTreeMap<_, _> = heads.values().map(|head| (head.id, head.revision)).collect();
        if let Some((revision, view)) = &self.seen {
            resume(bed, spans, *revision, view.clone(), &stands).await;
        }
        // Any revision that was acknowledged will do: who stopped there knows all that stood before it.
        let some = self.spans.values().map(|(revision, _)| *revision);
        for after in some.step_by(self.spans.len() / 3 + 1) {
            let known = stands.iter().filter(|(_, revision)| **revision <= after);
            let known = known.map(|(id, revision)| (*id, *revision)).collect();
            resume(bed, spans, after, known, &stands).await;
        }
    }
}

/// Follows on from a revision: each span's latest state comes once, and all of it adds up.
async fn resume(
    bed: &TestBed,
    spans: &TraceSpans,
    after: u64,
    mut view: BTreeMap<SpanId, u64>,
    stands: &BTreeMap<SpanId, u64>,
) {
    let trace = &spans.trace;
    let mut stream = Box::pin(bed.tracing.spans_live(trace.id, Some(after)).await.unwrap());
    let (mut at, mut came) = (after, BTreeSet::new());
    while at < trace.revision {
        let changes = stream.next().await.unwrap().unwrap();
        at = changes.revision;
        for head in changes.heads {
            assert!(head.revision > after, "span {} was seen before", head.id);
            assert!(came.insert(head.id), "span {} came twice", head.id);
            view.insert(head.id, head.revision);
        }
    }
    assert_eq!(view, *stands, "followed {} on from {after}", trace.id);
}

impl ConversationBook {
    async fn assert_holds(&self, bed: &TestBed, id: ConversationId) {
        let conversations = &bed.services.conversations;
        let found = conversations.get_many(&[id]).await.unwrap().pop().flatten();
        let messages: Vec<_> = self.messages.values().map(|(id, ..)| *id).collect();
        let held = conversations.messages(&messages).await.unwrap();
        let traces = self.messages.values().filter(|(.., sets_off)| *sets_off);
        let traces: Vec<_> = traces.map(|(id, ..)| TraceId::from_bytes(*id.bytes())).collect();
        let traces = bed.tracing.traces(&traces).await.unwrap();
        let Some(conversation) = found else {
            assert_ne!(self.deletion, Deletion::No, "conversation {id} is lost");
            assert!(held.iter().all(Option::is_none) && traces.iter().all(Option::is_none), "half of {id}");
            return;
        };
        assert_ne!(self.deletion, Deletion::Done, "conversation {id} is back");
        assert!(traces.iter().all(Option::is_some), "a trace of {id} is lost");
        for ((ordinal, (message, revision, _)), held) in self.messages.iter().zip(held) {
            let held = held.unwrap_or_else(|| panic!("message {message} is lost"));
            assert_eq!((held.ordinal, held.revision), (*ordinal, *revision));
            assert_eq!(held.content, Some(content(*ordinal)));
        }
        if let Some((_, after, _)) = self.messages.values().next()
            && *after < conversation.revision
        {
            let mut stream = Box::pin(conversations.messages_live(id, Some(*after)).await.unwrap());
            let changes = stream.next().await.unwrap().unwrap();
            let ordinals: Vec<_> = changes.messages.iter().map(|message| message.ordinal).collect();
            assert_eq!(ordinals, (1..conversation.next_ordinal).collect::<Vec<_>>());
        }
    }
}
