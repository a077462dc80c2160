//! What another system reports, as the model has it.

use crate::{
    model::{
        ConversationId, Refusal, SpanId, TraceId,
        component::ComponentRef,
        limits::RecordLimits,
        span::{ReceivedSpan, SpanAction, SpanOp, SpanPart},
    },
    semconv::{Judgement, Said, Version},
};

/// What one request reports.
#[derive(Debug, Default)]
pub struct Report {
    /// Spans, and what came apart from them.
    pub items: Vec<ReportedItem>,
    /// Component versions that are named and may not be registered yet.
    pub versions: Vec<NamedVersion>,
}

/// A component version with how a span names it.
#[derive(Debug, Clone)]
pub struct NamedVersion {
    /// As spans name it.
    pub reference: ComponentRef,
    /// The version.
    pub version: Version,
    /// The key of the source that it was read from.
    pub source: u128,
}

/// Something that is reported of one span.
#[derive(Debug)]
pub struct ReportedItem {
    /// Where it stands in its request: refusals name it by this.
    pub place: usize,
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// What is reported.
    pub content: ReportedContent,
    /// What it tells of its whole trace.
    pub of_trace: OfTrace,
    /// Judgements that came with it.
    pub judgements: Vec<Judgement>,
    /// What was said, where it is a call of a model that names its conversation.
    pub said: Option<Said>,
}

/// What is reported of a span.
#[derive(Debug)]
pub enum ReportedContent {
    /// The span.
    Span(Box<ReceivedSpan>),
    /// Something that comes apart from it.
    Part(Box<SpanPart>),
    /// Only judgements.
    Judgements,
}

/// What an item tells of its whole trace.
#[derive(Debug, Clone, Default)]
pub struct OfTrace {
    /// What it is called.
    pub name: Option<String>,
    /// The conversation, by the application's own id.
    pub conversation: Option<String>,
    /// The session, by the application's own id.
    pub session: Option<String>,
    /// Who ran it.
    pub user: Option<String>,
    /// What it was asked.
    pub input: Option<String>,
    /// What it answered.
    pub output: Option<String>,
    /// Whether all this was said of the trace itself: then it counts more than what spans tell.
    pub is_given: bool,
}

/// What became of a report.
#[derive(Debug, Default)]
pub struct Recorded {
    /// What was refused, by place; everything else is durable.
    pub refused: Vec<Refused>,
    /// How many items changed anything: others were known already.
    pub changed: usize,
}

/// What was not stored, and why; everything else was.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Where the item stands in its request.
    pub place: usize,
    /// Why.
    pub refusal: Refusal,
}

impl Report {
    /// The items that break a rule by themselves, whatever is stored.
    #[must_use]
    pub fn faults(&self, limits: &RecordLimits) -> Vec<Refused> {
        let fault = |item: &ReportedItem| {
            let place = item.place;
            item.check(limits).err().map(|refusal| Refused { place, refusal })
        };
        self.items.iter().filter_map(fault).collect()
    }
}

impl ReportedItem {
    /// An item that tells nothing of its span yet.
    #[must_use]
    pub fn empty(place: usize, trace_id: TraceId, span_id: SpanId) -> Self {
        let (content, of_trace) = (ReportedContent::Judgements, OfTrace::default());
        Self { place, trace_id, span_id, content, of_trace, judgements: Vec::new(), said: None }
    }

    fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        match &self.content {
            ReportedContent::Span(span) => span.check(limits),
            ReportedContent::Part(part) => part.check(limits),
            ReportedContent::Judgements => Ok(()),
        }
    }

    /// The write to the span, if it is one.
    pub(super) fn into_op(self) -> Option<SpanOp> {
        let action = match self.content {
            ReportedContent::Span(span) => SpanAction::Receive(span),
            ReportedContent::Part(part) => SpanAction::Attach(part),
            ReportedContent::Judgements => return None,
        };
        Some(SpanOp { id: self.span_id, action })
    }
}

/// The conversation with an application's own id: the id itself where it is a UUID, else one made of it.
#[must_use]
pub fn conversation_id(own: &str) -> ConversationId {
    own.parse().unwrap_or_else(|_| uuid::Uuid::new_v5(&CONVERSATIONS, own.as_bytes()).into())
}

/// The namespace of conversations that other systems name.
const CONVERSATIONS: uuid::Uuid = uuid::Uuid::from_bytes(*b"dendro/converse\0");
