//! What an evaluator looks at: a trace, or one of its spans with all below it.

use std::sync::Arc;

use super::is_judging;
use crate::{
    model::{
        SpanId, TraceId,
        evaluations::{EvaluationTarget, Outcome},
        score::{Score, ScoreTarget},
        span::SpanHead,
        summary::Summary,
        trace::{Trace, TraceBody},
        tree::Node,
    },
    service::{
        ServiceResult,
        tracing::{TraceSpans, Tracing},
    },
};

/// What an evaluator looks at.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) body: Arc<TraceBody>,
    spans: Arc<TraceSpans>,
    /// The place of the span in the tree; `None`: the whole trace.
    place: Option<usize>,
}

impl Subject {
    /// A trace with its spans, if it is there.
    pub(super) async fn load(tracing: &Tracing, id: TraceId) -> ServiceResult<Option<Self>> {
        let Some(spans) = tracing.spans(&[id]).await?.pop().flatten() else { return Ok(None) };
        let body = tracing.trace_bodies(&[id]).await?.pop().flatten().unwrap_or_default();
        Ok(Some(Self { body: Arc::new(body), spans, place: None }))
    }

    /// What of the trace is to be judged.
    ///
    /// # Errors
    /// What comes of it where nothing is: there is no such span, or there are more than `most`.
    pub(super) fn parts(&self, target: &EvaluationTarget, most: usize) -> Result<Vec<Self>, Box<Outcome>> {
        let EvaluationTarget::Spans(selector) = target else { return Ok(vec![self.clone()]) };
        let places: Vec<_> =
            self.nodes().filter(|(_, _, head)| selector.matches(head)).map(|(place, ..)| place).collect();
        match places.len() {
            0 => Err(Outcome::Skipped("it has no such span".to_owned()).into()),
            count if count > most => {
                let message =
                    format!("it has {count} such spans; no more than {most} of one trace are judged");
                Err(Outcome::Failed(message).into())
            }
            _ => {
                let part = |place| Self { place: Some(place), ..self.clone() };
                Ok(places.into_iter().map(part).collect())
            }
        }
    }

    pub(super) fn trace(&self) -> &Trace {
        &self.spans.trace
    }

    /// The span, where one is looked at.
    pub(super) fn span(&self) -> Option<&SpanHead> {
        self.place.and_then(|place| self.spans.at(place)).map(|(_, head)| head.as_ref())
    }

    pub(super) fn span_id(&self) -> Option<SpanId> {
        self.span().map(|head| head.id)
    }

    pub(super) fn target(&self) -> ScoreTarget {
        let trace = self.trace().id;
        self.span_id().map_or(ScoreTarget::Trace(trace), |span| ScoreTarget::Span(trace, span))
    }

    /// The last of the trace's revisions that changed one of its spans. That spans are stored otherwise than before, as
    /// happens when a trace is over, changes none.
    pub(super) fn revision(&self) -> u64 {
        self.heads().map(|head| head.revision).max().unwrap_or_default()
    }

    /// Whether it has changed since a judgement of it was made.
    pub(super) fn has_changed_since(&self, score: &Score) -> bool {
        match score.judged_revision {
            Some(judged) => self.revision() > judged,
            // Who gave it does not say what they looked at.
            None => score.created_at < self.trace().last_activity_at,
        }
    }

    /// Why nobody judges it, whatever the evaluator.
    pub(super) fn reason_to_skip(&self) -> Option<&'static str> {
        if is_judging(self.trace()) {
            return Some("it is the judging of an evaluator");
        }
        match self.span() {
            Some(span) if !span.status.is_final() => Some("the span still goes on"),
            None if !self.trace().status.is_final() => Some("the run still goes on"),
            _ => None,
        }
    }

    /// How long it took in nanoseconds, where that is known.
    pub(super) fn duration_nanos(&self) -> Option<u64> {
        match self.span() {
            Some(span) => span.duration_nanos(),
            None => self.trace().end_time.map(|end| end.nanos_since(self.trace().start_time)),
        }
    }

    /// What its spans add up to.
    pub(super) fn summary(&self) -> Summary {
        match self.place {
            Some(place) => self.spans.subtree_summary(place),
            None => self.trace().summary.clone(),
        }
    }

    /// Its spans in pre-order, with their places.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (usize, &Node, &SpanHead)> {
        let places = match self.place {
            Some(place) => {
                let size = self.spans.at(place).map_or(0, |(node, _)| node.subtree_size);
                place..place.saturating_add(size)
            }
            None => 0..self.spans.tree.nodes().len(),
        };
        places.filter_map(|place| self.spans.at(place).map(|(node, head)| (place, node, head.as_ref())))
    }

    /// Its spans in pre-order.
    pub(super) fn heads(&self) -> impl Iterator<Item = &SpanHead> {
        self.nodes().map(|(_, _, head)| head)
    }

    /// Its spans as they began.
    pub(super) fn in_order_of_start(&self) -> Vec<&SpanHead> {
        let mut heads: Vec<_> = self.heads().collect();
        heads.sort_by_key(|head| (head.start_time, head.id));
        heads
    }
}
