//! What an import makes of a span that goes out, so that what would be lost can be said beside it.

use opentelemetry_proto::tonic::trace::v1::Span;

use crate::{
    model::{
        Timestamp,
        limits::RecordLimits,
        prices::PriceTable,
        span::{Effect, SpanAction, SpanBody, SpanHead, SpanOp, WriteRules},
    },
    otlp::{
        json_value::attribute,
        origin::Origin,
        own::{self, OwnFields},
        request::Way,
        span::{self, Reading},
    },
    service::{
        ingest::{ReportedContent, ReportedItem},
        tracing::WholeSpan,
    },
};

/// An import that keeps nothing.
#[derive(Default)]
pub(super) struct Import {
    limits: RecordLimits,
    /// What is computed is computed again, wherever it is imported.
    prices: PriceTable,
}

/// A moment after all others: what is here already was let in once.
const LAST: Timestamp = Timestamp::from_nanos(i64::MAX);

impl Import {
    /// Adds to a span what an import of it would not tell.
    pub(super) fn complete(&self, span: &mut Span, origin: &Origin, whole: &WholeSpan) {
        let Some((head, told)) = self.read(span.clone(), origin) else { return };
        let mut body = whole.own.clone();
        body.complete_with(whole.attached.clone());
        let mut fields = OwnFields::between((&head, &told), (&whole.head, &body));
        if body.origin.is_none() && !whole.head.announced {
            fields.attributes(told.attributes.as_ref(), body.attributes.as_ref());
            fields.components(&whole.head.components);
        }
        span.attributes.extend(fields.text().map(|text| attribute(own::FIELDS, text)));
    }

    /// The span as it would stand, with its body; `None` where it would be refused.
    fn read(&self, span: Span, origin: &Origin) -> Option<(SpanHead, SpanBody)> {
        let mut items = Vec::new();
        let versions = &mut Vec::new();
        let mut reading = Reading { ingest: None, way: Way::File, now: LAST, place: 0, versions };
        span::read(span, origin, &mut reading, &mut items).ok()?;
        let rules = WriteRules { now: LAST, limits: &self.limits, prices: &self.prices };
        let (mut head, mut own, mut attached) =
            (None::<Box<SpanHead>>, SpanBody::default(), SpanBody::default());
        for ReportedItem { span_id: id, content, .. } in items {
            let action = match content {
                ReportedContent::Span(span) => SpanAction::Receive(span),
                ReportedContent::Part(part) => SpanAction::Attach(part),
                ReportedContent::Judgements => continue,
            };
            let op = SpanOp { id, action };
            if let Effect::Changed(changed) = op.apply(head.as_deref(), &rules).ok()? {
                head = Some(changed);
                let body = if op.attaches() { &mut attached } else { &mut own };
                body.merge(op.body().cloned().unwrap_or_default());
            }
        }
        own.complete_with(attached);
        Some((*head?, own))
    }
}
