//! What other systems report: spans and what belongs to them, in whatever order, again and again.
//!
//! A report is stored whole or in part: what a rule refuses is left out and named, everything else is
//! durable when the call returns. Whoever is told to come back may send all of it again: what is there
//! already changes nothing.
//!
//! Of a report come traces with their spans, the component versions that spans show, scores, and, once a
//! trace is over, the messages of its conversation. This module knows nothing of the protocols by which
//! reports arrive.

mod align;
mod due;
mod judge;
mod known;
mod report;
mod said;
mod settle;
mod thread;
mod turns;
mod versions;

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    sync::{Arc, atomic::Ordering},
};

use futures_util::{StreamExt, TryStreamExt, future, stream};
use lru::LruCache;
use parking_lot::Mutex;

use self::{
    due::DueTurns,
    said::{Heard, SaidCache},
    settle::Open,
    turns::{BegunConversation, Turns},
    versions::{Registering, Versions},
};
pub use self::{
    report::{
        NamedVersion, OfTrace, Recorded, Refused, Report, ReportedContent, ReportedItem, conversation_id,
    },
    settle::SETTLE_EVERY,
};
use super::{
    Context, ServiceError, ServiceResult, components::Components, conversations::Conversations,
    scores::Scores, tracing::Tracing,
};
use crate::{
    model::{
        ConversationId, SpanId, Timestamp, TraceId,
        component::ComponentRef,
        message::MessageRole,
        span::{SpanAction, SpanBody, SpanOp, SpanStatus},
        trace::{Claim, Claims, Rank, Trace},
    },
    semconv::{Judgement, VersionSource, view},
    store::{
        Queued,
        spans::{PackedBodies, TraceWrite, TraceWritten},
    },
};

/// How reports are taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestConfig {
    /// Seconds without anything new after which a trace without a root counts as over: its parent lives
    /// where nobody reports, or its process died.
    pub settle_after_seconds: u64,
    /// Versions that one component gets from spans: a prompt that changes with every call has no more.
    pub versions_per_component: u64,
    /// Components at which spans make no more: where names differ with every call, each would make one.
    /// Those that were made through the API count too.
    pub components: u64,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self { settle_after_seconds: 300, versions_per_component: 500, components: 5_000 }
    }
}

/// Traces that one report writes to at the same time.
const TRACES_AT_ONCE: usize = 64;

/// Conversations that are known to be there: 40 bytes each.
const KNOWN_CONVERSATIONS: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// Use cases of reports. Cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    context: Context,
    scores: Scores,
    turns: Arc<Turns>,
    due: Arc<DueTurns>,
    said: Arc<SaidCache>,
    versions: Arc<Versions>,
    open: Arc<Open>,
    /// Conversations that were there, each after how many deletions: it may be gone since.
    conversations: Arc<Mutex<LruCache<ConversationId, u64>>>,
}

/// What a report writes to one trace.
#[derive(Default)]
struct OneTrace {
    places: Vec<usize>,
    write: TraceWrite,
    conversation: Option<BegunConversation>,
    judgements: Vec<(usize, SpanId, Judgement)>,
}

/// What spans rest on, in the queue of commits.
#[derive(Default)]
struct Prepared {
    versions: Option<Registering>,
    /// Those that were not known; without a commit, where they are there.
    conversations: Vec<(BegunConversation, Option<Queued<()>>)>,
    /// After how many deletions of conversations.
    deletions: u64,
}

impl Ingest {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        let config = Arc::clone(&context.ingest);
        let conversations = Conversations::new(context.clone());
        let tracing = Tracing::new(context.clone());
        let said = Arc::<SaidCache>::default();
        let turns = Arc::new(Turns::new(conversations, tracing, Arc::clone(&said)));
        Self {
            scores: Scores::new(context.clone()),
            due: Arc::new(DueTurns::new(context.clone(), Arc::clone(&turns))),
            turns,
            said,
            open: Arc::new(Open::new(config.settle_after_seconds)),
            versions: Arc::new(Versions::new(Components::new(context.clone()), config)),
            conversations: Arc::new(Mutex::new(LruCache::new(KNOWN_CONVERSATIONS))),
            context,
        }
    }

    /// Whether versions of a component are still kept: one that changes with every call has no more.
    #[must_use]
    pub fn keeps_versions_of(&self, component_id: &str) -> bool {
        self.versions.keeps(component_id)
    }

    /// The versions of a source, as spans name them. Those that may not be registered yet are added to
    /// `new`, which the report then brings.
    pub fn versions_of(&self, source: &VersionSource, new: &mut Vec<NamedVersion>) -> Vec<ComponentRef> {
        let mut references = self.versions.of(source, new);
        versions::keep_registrable(&mut references, &self.context.limits);
        references
    }

    /// The items of a report that break a rule by themselves, whatever is stored.
    #[must_use]
    pub fn faults(&self, report: &Report) -> Vec<Refused> {
        report.faults(&self.context.limits)
    }

    /// Stores a report. Answers what was refused; everything else is durable.
    ///
    /// # Errors
    /// When too much is going on, or the store fails: then a part may be stored, and the whole can be sent
    /// again.
    pub async fn record(&self, mut report: Report) -> ServiceResult<Recorded> {
        let versions = std::mem::take(&mut report.versions);
        let (mut traces, refused) = self.by_trace(report);
        let mut recorded = Recorded { refused, changed: 0 };
        let conversations = traces.values_mut().filter_map(|one| one.conversation.take()).collect();
        let prepared = self.prepare(&traces, versions, conversations);
        // Packed before the first is queued, so that all of them share a commit.
        let ready =
            traces.into_iter().map(|(id, one)| Ok((id, one.ready(&self.context.store.claims_at_hand(id))?)));
        let mut ready = ready.collect::<ServiceResult<Vec<_>>>()?;
        let prepared = prepared.await?;
        if let Some(versions) = prepared.versions.as_ref().filter(|versions| !versions.not_kept().is_empty())
        {
            for (_, (one, _)) in &mut ready {
                one.forget_versions(versions.not_kept());
            }
        }
        let marking = self.due.marking();
        let written = stream::iter(ready)
            .map(|(id, (one, bodies))| async move { self.record_trace(id, one, bodies).await })
            .buffer_unordered(TRACES_AT_ONCE);
        // What they rest on is seen to its end, even where one of them fails.
        let (written, prepared) =
            future::join(written.try_collect::<Vec<_>>(), self.prepared(prepared)).await;
        prepared?;
        let mut over = Vec::new();
        for (of_trace, trace) in written? {
            recorded.refused.extend(of_trace.refused);
            recorded.changed += of_trace.changed;
            over.extend(trace.filter(Trace::is_told));
        }
        // Of traces that came together, what was said first comes first.
        over.sort_unstable_by_key(|trace| (trace.start_time, trace.id));
        for trace in &over {
            self.due.add(trace).await;
        }
        marking.all_added();
        recorded.refused.sort_by_key(|refused| refused.place);
        Ok(recorded)
    }

    /// Looks for the traces whose messages an earlier run of the server left to be made, or that failed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_due(&self) -> ServiceResult<()> {
        self.due.find().await
    }

    /// Waits until the messages of everything that was reported are made.
    pub async fn turns_made(&self) {
        while self.context.arriving.is_any() {
            self.context.arriving.all_settled().await;
        }
    }

    /// As [`Ingest::turns_made`], and leaves nothing of it to be looked for again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn finish(&self) -> ServiceResult<()> {
        self.turns_made().await;
        self.due.tidy().await
    }

    /// Puts what spans rest on into the queue of commits: versions of components, and conversations; and reads
    /// what they are added to. It goes on while the spans are packed. Spans that are queued after it are never
    /// durable before it.
    fn prepare(
        &self,
        traces: &HashMap<TraceId, OneTrace>,
        versions: Vec<NamedVersion>,
        conversations: Vec<BegunConversation>,
    ) -> impl Future<Output = ServiceResult<Prepared>> + use<> {
        let deletions = self.context.deletions.load(Ordering::Acquire);
        let known = |new: &BegunConversation| {
            self.conversations.lock().get(&conversation_id(&new.own)) == Some(&deletions)
        };
        let new: Vec<_> = conversations.into_iter().filter(|new| !known(new)).collect();
        let unread = traces.iter().filter(|(_, one)| !one.write.ops.is_empty()).map(|(id, _)| *id);
        let unread = unread.filter(|id| self.context.store.is_to_be_read(*id));
        let unread: Vec<_> = unread.take(TRACES_AT_ONCE).collect();
        let ingest = self.clone();
        let work = (!versions.is_empty() || !new.is_empty() || !unread.is_empty()).then(|| {
            self.context.store.aside(async move {
                let begun = future::try_join_all(new.into_iter().map(async |new| {
                    let queued = ingest.turns.begin(&new).await?;
                    Ok((new, queued))
                }));
                let store = &ingest.context.store;
                let read = async { Ok(store.read_ahead(&unread, ingest.context.now()).await?) };
                let (versions, conversations, ()) =
                    futures_util::try_join!(ingest.versions.register(versions), begun, read)?;
                Ok(Prepared { versions, conversations, deletions })
            })
        });
        async move {
            match work {
                Some(work) => work.await?,
                None => Ok(Prepared::default()),
            }
        }
    }

    /// Waits until what spans rest on is durable.
    async fn prepared(&self, Prepared { versions, conversations, deletions }: Prepared) -> ServiceResult<()> {
        if let Some(versions) = versions {
            versions.durable().await?;
        }
        for (new, queued) in conversations {
            if let Some(queued) = queued {
                self.turns.begun(&new, queued).await?;
            }
            self.conversations.lock().put(conversation_id(&new.own), deletions);
        }
        Ok(())
    }

    /// Sorts a report by traces, and leaves out what breaks a rule by itself.
    fn by_trace(&self, report: Report) -> (HashMap<TraceId, OneTrace>, Vec<Refused>) {
        let (mut traces, mut refused) = (HashMap::<TraceId, OneTrace>::new(), Vec::new());
        for mut item in report.items {
            let (place, trace_id, span_id) = (item.place, item.trace_id, item.span_id);
            let of_trace = std::mem::take(&mut item.of_trace);
            let judgements = std::mem::take(&mut item.judgements);
            let said = item.said.take();
            let op = item.into_op();
            if let Some(op) = &op
                && let Err(refusal) = op.check(&self.context.limits)
            {
                refused.push(Refused { place, refusal });
                continue;
            }
            let one = traces.entry(trace_id).or_default();
            one.judgements.extend(judgements.into_iter().map(|judgement| (place, span_id, judgement)));
            if let Some(op) = op {
                if let Some((said, conversation)) = said.zip(of_trace.conversation.clone())
                    && let SpanAction::Receive(received) = &op.action
                {
                    let fingerprint = received.fingerprint;
                    self.said.put(trace_id, span_id, Heard { fingerprint, conversation, said });
                }
                one.add(place, op, of_trace, &self.context);
            }
        }
        (traces, refused)
    }

    /// Stores what is reported of one trace. Answers what was refused, and the trace as it stands where
    /// anything of it is new.
    async fn record_trace(
        &self,
        id: TraceId,
        one: OneTrace,
        bodies: PackedBodies,
    ) -> ServiceResult<(Recorded, Option<Trace>)> {
        let OneTrace { places, write, judgements, conversation: _ } = one;
        let (mut refused, mut changed, mut trace) = (Vec::new(), 0, None);
        if !write.ops.is_empty() {
            let rules = self.context.rules();
            match self.context.store.write_packed(id, &write, &bodies, &rules).await? {
                Ok(written) => {
                    changed = changed_items(&written, &places);
                    let failed = written.outcomes.into_iter().zip(&places);
                    refused.extend(failed.filter_map(|(outcome, place)| {
                        outcome.err().map(|refusal| Refused { place: *place, refusal })
                    }));
                    self.open.note(&written.trace);
                    trace = written.changed.then_some(written.trace);
                }
                Err(refusal) => {
                    refused.extend(
                        places.iter().map(|place| Refused { place: *place, refusal: refusal.clone() }),
                    );
                }
            }
        }
        for (place, span, judgement) in judgements {
            match judge::record(&self.scores, &self.context, (id, span), judgement).await {
                Err(ServiceError::Refused(refusal)) => refused.push(Refused { place, refusal }),
                result => result?,
            }
        }
        Ok((Recorded { refused, changed }, trace))
    }
}

/// How many items of a report a write took something new from.
fn changed_items(written: &TraceWritten, places: &[usize]) -> usize {
    if !written.changed {
        return 0;
    }
    let changed = written.outcomes.iter().zip(places).filter_map(|(outcome, place)| {
        // What was known already keeps the revision that it had.
        outcome.as_ref().is_ok_and(|head| head.revision == written.trace.revision).then_some(*place)
    });
    changed.collect::<HashSet<_>>().len()
}

impl OneTrace {
    /// The write with all that can be made ready before its turn comes. `known`: what the trace's fields were
    /// taken from so far.
    fn ready(mut self, known: &Claims) -> ServiceResult<(Self, PackedBodies)> {
        tell_what_was_said(&mut self.write, known);
        let bodies = self.write.pack()?;
        Ok((self, bodies))
    }

    /// Takes versions that are not kept off the spans.
    fn forget_versions(&mut self, not_kept: &HashSet<ComponentRef>) {
        for components in self.write.ops.iter_mut().filter_map(SpanOp::components_mut) {
            components.retain(|component| !not_kept.contains(component));
        }
    }

    fn add(&mut self, place: usize, op: SpanOp, of_trace: OfTrace, context: &Context) {
        let report = self.write.report.get_or_insert_default();
        let of_span = rank_of(&op);
        let rank = if of_trace.is_given { Rank::given(op.id) } else { of_span };
        let limits = &context.limits;
        let claim = |value: Option<String>| {
            let value = value.filter(|value| limits.name("id", value).is_ok())?;
            Some(Claim { rank, value })
        };
        let OfTrace { name, conversation, session, user, input, output, is_given: _ } = of_trace;
        let raise = |place: &mut Option<Claim<String>>, claim: Option<Claim<String>>| {
            if let Some(claim) = claim {
                Claim::raise(place, claim);
            }
        };
        raise(&mut report.name, claim(name));
        raise(&mut report.session_id, claim(session));
        raise(&mut report.user_id, claim(user.clone()));
        for (place, text) in [(&mut report.user_input, input), (&mut report.final_output, output)] {
            let text = text.filter(|text| limits.text("text", Some(text)).is_ok());
            raise(place, text.map(|value| Claim { rank, value }));
        }
        if let Some(Claim { value: own, .. }) = claim(conversation) {
            let start = self.conversation.as_ref().map_or(of_span.start_time, |new| new.start);
            let start = start.min(of_span.start_time);
            let id = Claim { rank, value: conversation_id(&own) };
            if report.conversation_id.as_ref().is_none_or(|known| rank < known.rank) {
                let user = claim(user).map(|claim| claim.value);
                self.conversation = Some(BegunConversation { own, user, start });
            }
            Claim::raise(&mut report.conversation_id, id);
        }
        self.places.push(place);
        self.write.ops.push(op);
    }
}

fn rank_of(op: &SpanOp) -> Rank {
    let (has_parent, start_time) = match &op.action {
        SpanAction::Receive(received) => (received.span.parent_id.is_some(), received.span.start_time),
        SpanAction::Attach(part) => (true, Some(part.time)),
        _ => (true, None),
    };
    Rank { has_parent, start_time: start_time.unwrap_or(Timestamp::from_nanos(i64::MAX)), id: op.id }
}

/// Adds to the report of a write what its trace was asked, and what it answered: as the span at the top
/// says, else the one that started first, and the one that ended last. Spans that count less than those that
/// told it before are not looked at.
fn tell_what_was_said(write: &mut TraceWrite, known: &Claims) {
    type Read = fn(&SpanBody) -> Option<String>;
    let Some(report) = &mut write.report else { return };
    let mut spoken: Vec<_> = write.ops.iter().filter(|op| speaks(op)).collect();
    let claim = |spoken: &[&SpanOp], rank: fn(&SpanOp) -> Rank, known: Option<Rank>, read: Read| {
        let said = |op: &&SpanOp| Some(Claim { rank: rank(op), value: read(op.body()?)? });
        let counts = |op: &&&SpanOp| known.is_none_or(|known| rank(op) < known);
        spoken.iter().take_while(counts).find_map(said)
    };
    spoken.sort_by_key(|op| rank_of(op));
    // What has nothing is passed by without a look at its attributes: many spans may stand before the one
    // that tells, and which of them come in one report must make no difference.
    let input = claim(&spoken, rank_of, known.input, |body| {
        if body.inputs.is_none() && body.input_attribute.is_none() && body.events.is_empty() {
            return None;
        }
        let messages = || view::last_said(&view::input_messages(body), MessageRole::User);
        body.read_inputs().map_or_else(messages, |inputs| view::spoken(&inputs, MessageRole::User))
    });
    spoken.sort_by_key(|op| last_rank_of(op));
    let output = claim(&spoken, last_rank_of, known.output, |body| {
        if body.outputs.is_none() && body.output_attribute.is_none() && body.events.is_empty() {
            return None;
        }
        let messages = || view::last_said(&view::output_messages(body), MessageRole::Assistant);
        body.read_outputs().map_or_else(messages, |outputs| view::spoken(&outputs, MessageRole::Assistant))
    });
    for (place, claim) in [(&mut report.user_input, input), (&mut report.final_output, output)] {
        if let Some(claim) = claim {
            Claim::raise(place, claim);
        }
    }
}

/// Whether what goes into the span and comes out of it is said between a user and an agent.
fn speaks(op: &SpanOp) -> bool {
    match &op.action {
        SpanAction::Receive(received) => thread::speaks_as(received.span.operation_type),
        SpanAction::Attach(_) => true,
        _ => false,
    }
}

/// As [`rank_of`], but of what started last first.
fn last_rank_of(op: &SpanOp) -> Rank {
    let rank = rank_of(op);
    Rank { start_time: Timestamp::from_nanos(rank.start_time.nanos().saturating_neg()), ..rank }
}

/// How a span stands whose sender says whether it failed, and whether it has ended.
#[must_use]
pub const fn status_of(failed: bool, ended: bool) -> SpanStatus {
    match (ended, failed) {
        (false, _) => SpanStatus::Running,
        (true, true) => SpanStatus::Error,
        (true, false) => SpanStatus::Ok,
    }
}
