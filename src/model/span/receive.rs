//! Spans, and parts of spans, as other systems send them: perhaps again, and in any order.

use super::{Effect, NewSpan, OperationType, SpanChanges, SpanHead, change::count};
use crate::model::{Refusal, SpanId, Timestamp, ledger::CostSource, limits::RecordLimits};

/// A span as another system reports it: perhaps again, and in any order.
#[derive(Debug, Clone)]
pub struct ReceivedSpan {
    /// The span.
    pub span: NewSpan,
    /// A hash of it as it was received, by which the same span sent again is known.
    pub fingerprint: u64,
}

/// Something about a span that comes apart from it, before or after it, as a record of a log does.
#[derive(Debug, Clone)]
pub struct SpanPart {
    /// A hash of it as it was received, by which the same part sent again is known.
    pub fingerprint: u64,
    /// What the span is called until it comes itself.
    pub name: String,
    /// What kind of operation it is until it comes itself.
    pub operation_type: OperationType,
    /// When the part was made: the span had started by then.
    pub time: Timestamp,
    /// What it tells. Where the span itself says something else, that holds.
    pub changes: SpanChanges,
}

impl ReceivedSpan {
    /// Checks what can be told from the span alone: names, sizes, shapes.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        self.span.check(limits)
    }

    pub(super) fn apply(&self, old: Option<&SpanHead>, now: Timestamp) -> Result<Effect, Refusal> {
        let mut head = self.span.head(now)?;
        head.fingerprint = self.fingerprint;
        if let Some(old) = old {
            if !supersedes(&head, old) {
                return Ok(Effect::Known);
            }
            head.fill_gaps(old);
            head.keep_attached(old);
        }
        Ok(Effect::Changed(Box::new(head)))
    }
}

/// Whether a span that was received takes the place of what is known of it. Of two that are both over,
/// one wins whatever order they come in.
fn supersedes(new: &SpanHead, old: &SpanHead) -> bool {
    if old.announced {
        return true;
    }
    if old.fingerprint == new.fingerprint {
        return false;
    }
    match (old.status.is_final(), new.status.is_final()) {
        (true, false) => false,
        (false, _) => true,
        (true, true) => (new.end_time, new.fingerprint) > (old.end_time, old.fingerprint),
    }
}

impl SpanPart {
    /// Checks what can be told from the part alone: names, sizes, shapes.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.name("name", &self.name)?;
        self.changes.check(limits)
    }

    pub(super) fn apply(&self, id: SpanId, old: Option<&SpanHead>) -> Effect {
        if old.is_some_and(|old| old.attached.fingerprints.contains(&self.fingerprint)) {
            return Effect::Known;
        }
        let mut told = self.announced(id);
        let mut head = match old {
            Some(old) => {
                told.event_count = 0;
                let mut head = old.clone();
                head.fill_gaps(&told);
                head.event_count = head.event_count.saturating_add(count(self.changes.body.events.len()));
                if head.announced {
                    head.start_time = head.start_time.min(self.time);
                }
                head
            }
            None => told,
        };
        head.attached.fingerprints.push(self.fingerprint);
        head.attached.event_count =
            head.attached.event_count.saturating_add(count(self.changes.body.events.len()));
        Effect::Changed(Box::new(head))
    }

    /// The span as far as the part tells.
    fn announced(&self, id: SpanId) -> SpanHead {
        let mut head = SpanHead::begin(id, self.operation_type, self.name.clone(), self.time);
        head.announced = true;
        self.changes.apply(&mut head);
        head.name.clone_from(&self.name);
        head
    }
}

impl SpanHead {
    /// Takes over what another knows of the same span and this one does not.
    fn fill_gaps(&mut self, other: &Self) {
        let mut details = other.details.clone();
        details.merge(std::mem::take(&mut self.details));
        self.details = details;
        if !self.ledger.reports_tokens() && other.ledger.reports_tokens() {
            self.ledger.tokens = other.ledger.tokens;
            self.ledger.rule = other.ledger.rule;
        }
        if self.ledger.cost.is_none() && other.ledger.source == Some(CostSource::Reported) {
            self.ledger.cost = other.ledger.cost;
            self.ledger.source = Some(CostSource::Reported);
        }
        for component in &other.components {
            if !self.components.contains(component) {
                self.components.push(component.clone());
            }
        }
    }

    /// Keeps what came apart from the span, which has come itself now, or again.
    pub(super) fn keep_attached(&mut self, old: &Self) {
        self.event_count = self.event_count.saturating_add(old.attached.event_count);
        self.attached = old.attached.clone();
    }
}
