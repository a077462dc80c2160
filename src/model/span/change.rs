//! How spans come into being, change and end.

use super::{
    Attached, OperationType, ReceivedSpan, SpanBody, SpanDetails, SpanHead, SpanPart, SpanStatus, take,
};
use crate::model::{
    Refusal, SpanId, Timestamp,
    component::ComponentRef,
    ledger::{CostSource, CountingRule, Ledger, NanoUsd, TokenCounts},
    limits::RecordLimits,
    prices::PriceTable,
    refusal::Entity,
};

/// What can be written to a span at any time.
#[derive(Debug, Clone, Default)]
pub struct SpanChanges {
    /// A new name.
    pub name: Option<String>,
    /// Why it stands where it stands.
    pub status_message: Option<String>,
    /// What its kind of operation adds.
    pub details: SpanDetails,
    /// The tokens used, as reported.
    pub tokens: Option<TokenCounts>,
    /// What the tokens include; `INCLUSIVE` where nothing is said.
    pub rule: Option<CountingRule>,
    /// The cost, as reported.
    pub cost: Option<NanoUsd>,
    /// Component versions behind it, added to those it has.
    pub components: Vec<ComponentRef>,
    /// A part of its body.
    pub body: SpanBody,
}

/// What is asked of a new span.
#[derive(Debug, Clone)]
pub struct NewSpan {
    /// The id.
    pub id: SpanId,
    /// The span that caused it.
    pub parent_id: Option<SpanId>,
    /// What kind of operation it is.
    pub operation_type: OperationType,
    /// What the operation is called.
    pub name: String,
    /// When it started; `None`: now.
    pub start_time: Option<Timestamp>,
    /// When it ended, where it has.
    pub end_time: Option<Timestamp>,
    /// Where it stands; `None`: `OK` with an end, `RUNNING` without.
    pub status: Option<SpanStatus>,
    /// The rest. Its `name` is not used.
    pub changes: SpanChanges,
}

/// How a span ends.
#[derive(Debug, Clone)]
pub struct SpanCompletion {
    /// How it ended: not `RUNNING`.
    pub status: SpanStatus,
    /// When; `None`: now.
    pub end_time: Option<Timestamp>,
    /// What else became known.
    pub changes: SpanChanges,
}

/// What writes to spans go by.
#[derive(Clone, Copy)]
pub struct WriteRules<'a> {
    /// The moment of the write.
    pub now: Timestamp,
    /// How large records may be.
    pub limits: &'a RecordLimits,
    /// What model calls cost.
    pub prices: &'a PriceTable,
}

/// What a write makes of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The span as it stands now. The store sets its revision and blocks.
    Changed(Box<SpanHead>),
    /// Nothing: what was sent is known already, or something newer is.
    Known,
}

/// One write to one span.
#[derive(Debug, Clone)]
pub struct SpanOp {
    /// The span.
    pub id: SpanId,
    /// What is written.
    pub action: SpanAction,
}

/// What is written to a span.
#[derive(Debug, Clone)]
pub enum SpanAction {
    /// A span that must be new.
    Create(Box<NewSpan>),
    /// A span as its sender knows it, new or again: the last one wins.
    Record(Box<NewSpan>),
    /// A change of a span that has not ended.
    Update(Box<SpanChanges>),
    /// The end of a span that has not ended.
    Complete(Box<SpanCompletion>),
    /// A span as another system reports it: what ended later wins, in whatever order it comes.
    Receive(Box<ReceivedSpan>),
    /// Something about a span that comes apart from it.
    Attach(Box<SpanPart>),
    /// The same span at other prices.
    Reprice,
}

impl SpanChanges {
    pub(super) fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.optional_name("name", self.name.as_deref())?;
        limits.short_text("statusMessage", self.status_message.as_deref())?;
        let details = &self.details;
        for (field, text) in [
            ("model", &details.model),
            ("provider", &details.provider),
            ("finishReason", &details.finish_reason),
            ("toolName", &details.tool_name),
            ("toolCallId", &details.tool_call_id),
            ("agentName", &details.agent_name),
            ("responseId", &details.response_id),
        ] {
            limits.optional_name(field, text.as_deref())?;
        }
        limits.count("components", self.components.len(), limits.list_items)?;
        for (index, component) in self.components.iter().enumerate() {
            limits.name(&format!("components.{index}.componentId"), &component.component_id)?;
        }
        self.body.check(limits)
    }

    /// Writes everything but the body into `head`.
    pub(super) fn apply(&self, head: &mut SpanHead) {
        if let Some(name) = &self.name {
            head.name.clone_from(name);
        }
        take(&mut head.status_message, self.status_message.clone());
        head.details.merge(self.details.clone());
        for component in &self.components {
            if !head.components.contains(component) {
                head.components.push(component.clone());
            }
        }
        head.event_count = head.event_count.saturating_add(count(self.body.events.len()));
        head.link_count = head.link_count.saturating_add(count(self.body.links.len()));
        if let Some(tokens) = self.tokens {
            head.ledger.tokens = tokens;
            head.ledger.rule = Some(self.rule.unwrap_or(CountingRule::Inclusive));
            head.ledger.source.get_or_insert(CostSource::Unknown);
        }
        if let Some(cost) = self.cost {
            head.ledger.cost = Some(cost);
            head.ledger.source = Some(CostSource::Reported);
            head.ledger.price_version = None;
        }
    }
}

pub(super) fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

impl SpanBody {
    /// Checks sizes and shapes.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        for (field, json) in [
            ("inputs", &self.inputs),
            ("outputs", &self.outputs),
            ("memorySnapshot", &self.memory_snapshot),
            ("conversationContext", &self.conversation_context),
            ("errorDetails", &self.error_details),
        ] {
            limits.document(field, json.as_ref())?;
        }
        limits.object("attributes", self.attributes.as_ref())?;
        limits.object("origin", self.origin.as_ref())?;
        limits.count("events", self.events.len(), limits.span_events)?;
        limits.count("links", self.links.len(), limits.span_events)?;
        for (index, event) in self.events.iter().enumerate() {
            limits.name(&format!("events.{index}.name"), &event.name)?;
            limits.object(&format!("events.{index}.attributes"), event.attributes.as_ref())?;
        }
        for (index, link) in self.links.iter().enumerate() {
            limits.object(&format!("links.{index}.attributes"), link.attributes.as_ref())?;
        }
        Ok(())
    }
}

impl NewSpan {
    pub(super) fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.name("name", &self.name)?;
        self.changes.check(limits)
    }

    pub(super) fn head(&self, now: Timestamp) -> Result<SpanHead, Refusal> {
        let start_time = self.start_time.or(self.end_time).unwrap_or(now);
        let status =
            self.status.unwrap_or(if self.end_time.is_some() { SpanStatus::Ok } else { SpanStatus::Running });
        if let Some(end) = self.end_time {
            checked_end(start_time, end)?;
            if !status.is_final() {
                return Err(Refusal::invalid("status", "a span with an `endTime` is not RUNNING"));
            }
        }
        let mut head = SpanHead::begin(self.id, self.operation_type, self.name.clone(), start_time);
        head.parent_id = self.parent_id;
        // A span that is over ended some time: where its maker does not say when, now.
        head.end_time = self.end_time.or_else(|| status.is_final().then(|| now.max(start_time)));
        head.status = status;
        self.changes.apply(&mut head);
        head.name.clone_from(&self.name);
        Ok(head)
    }
}

fn checked_end(start: Timestamp, end: Timestamp) -> Result<(), Refusal> {
    if end < start {
        return Err(Refusal::invalid(
            "endTime",
            format!("{end} is before the start, {start}: a duration cannot be negative"),
        ));
    }
    Ok(())
}

impl SpanHead {
    /// A span that has started, and of which nothing else is known.
    pub(super) fn begin(
        id: SpanId,
        operation_type: OperationType,
        name: String,
        start_time: Timestamp,
    ) -> Self {
        Self {
            id,
            parent_id: None,
            operation_type,
            name,
            start_time,
            end_time: None,
            status: SpanStatus::Running,
            status_message: None,
            details: SpanDetails::default(),
            ledger: Ledger::default(),
            components: Vec::new(),
            event_count: 0,
            link_count: 0,
            revision: 0,
            body_blocks: Vec::new(),
            attached: Attached::default(),
            announced: false,
            fingerprint: 0,
        }
    }

    /// Sets the cost where it was not reported: what its tokens cost, or that nobody knows.
    fn price(&mut self, prices: &PriceTable) {
        let ledger = &mut self.ledger;
        if ledger.source == Some(CostSource::Reported) || !ledger.reports_tokens() {
            return;
        }
        let call = self.details.model.as_deref().map(|model| crate::model::prices::PricedCall {
            model,
            provider: self.details.provider.as_deref(),
            at: self.start_time,
            tokens: ledger.totals(),
        });
        ledger.cost = call.and_then(|call| prices.cost(&call));
        let computed = ledger.cost.is_some();
        ledger.source = Some(if computed { CostSource::Computed } else { CostSource::Unknown });
        ledger.price_version = computed.then(|| prices.version().to_owned());
    }
}

impl SpanOp {
    /// Checks what can be told from the write alone: names, sizes, shapes.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        match &self.action {
            SpanAction::Create(span) | SpanAction::Record(span) => span.check(limits),
            SpanAction::Receive(received) => received.check(limits),
            SpanAction::Attach(part) => part.check(limits),
            SpanAction::Update(changes) => changes.check(limits),
            SpanAction::Complete(completion) => completion.changes.check(limits),
            SpanAction::Reprice => Ok(()),
        }
    }

    /// The part of the body that the write carries; `None` where it carries none.
    #[must_use]
    pub fn body(&self) -> Option<&SpanBody> {
        let changes = match &self.action {
            SpanAction::Create(span) | SpanAction::Record(span) => &span.changes,
            SpanAction::Receive(received) => &received.span.changes,
            SpanAction::Attach(part) => &part.changes,
            SpanAction::Update(changes) => changes,
            SpanAction::Complete(completion) => &completion.changes,
            SpanAction::Reprice => return None,
        };
        Some(&changes.body).filter(|body| !body.is_empty())
    }

    /// The component versions that the write names; `None` where it can name none.
    pub fn components_mut(&mut self) -> Option<&mut Vec<ComponentRef>> {
        let changes = match &mut self.action {
            SpanAction::Create(span) | SpanAction::Record(span) => &mut span.changes,
            SpanAction::Receive(received) => &mut received.span.changes,
            SpanAction::Attach(part) => &mut part.changes,
            SpanAction::Update(changes) => changes,
            SpanAction::Complete(completion) => &mut completion.changes,
            SpanAction::Reprice => return None,
        };
        Some(&mut changes.components)
    }

    /// Whether the write replaces what was known of the span, its body too.
    #[must_use]
    pub fn replaces(&self) -> bool {
        matches!(self.action, SpanAction::Create(_) | SpanAction::Record(_) | SpanAction::Receive(_))
    }

    /// Whether what the write carries comes apart from the span, and stays when the span comes again.
    #[must_use]
    pub fn attaches(&self) -> bool {
        matches!(self.action, SpanAction::Attach(_))
    }

    /// What the write makes of a span that stands as `old`.
    pub fn apply(&self, old: Option<&SpanHead>, rules: &WriteRules<'_>) -> Result<Effect, Refusal> {
        let mut effect = self.effect(old, rules.now)?;
        if let Effect::Changed(head) = &mut effect {
            head.price(rules.prices);
            rules.limits.count("attached", head.attached.fingerprints.len(), rules.limits.span_events)?;
            if matches!(self.action, SpanAction::Reprice) && old.is_some_and(|old| old.ledger == head.ledger)
            {
                return Ok(Effect::Known);
            }
        }
        Ok(effect)
    }

    fn effect(&self, old: Option<&SpanHead>, now: Timestamp) -> Result<Effect, Refusal> {
        let head = match (&self.action, old) {
            (SpanAction::Create(_), Some(old)) if !old.announced => {
                return Err(Refusal::already_exists("spanId", Entity::Span, self.id));
            }
            (SpanAction::Create(span) | SpanAction::Record(span), old) => {
                let mut head = span.head(now)?;
                if let Some(old) = old {
                    head.keep_attached(old);
                }
                head
            }
            (SpanAction::Receive(received), old) => return received.apply(old, now),
            (SpanAction::Attach(part), old) => return Ok(part.apply(self.id, old)),
            (SpanAction::Update(_) | SpanAction::Complete(_) | SpanAction::Reprice, None) => {
                return Err(Refusal::not_found("spanId", Entity::Span, self.id));
            }
            (SpanAction::Update(changes), Some(old)) => {
                refuse_final(old, "be updated")?;
                let mut head = old.clone();
                changes.apply(&mut head);
                head
            }
            (SpanAction::Complete(completion), Some(old)) => {
                refuse_final(old, "be completed")?;
                completion.apply(old, now)?
            }
            (SpanAction::Reprice, Some(old)) => old.clone(),
        };
        Ok(Effect::Changed(Box::new(head)))
    }
}

fn refuse_final(head: &SpanHead, action: &str) -> Result<(), Refusal> {
    if head.status.is_final() {
        return Err(Refusal::IllegalTransition {
            entity: Entity::Span,
            state: head.status.to_string(),
            action: action.to_owned(),
            legal: Vec::new(),
        });
    }
    Ok(())
}

impl SpanCompletion {
    fn apply(&self, old: &SpanHead, now: Timestamp) -> Result<SpanHead, Refusal> {
        if !self.status.is_final() {
            return Err(Refusal::invalid("status", "a span ends OK, ERROR or CANCELLED"));
        }
        // Where the caller gives no end, a clock that differs from the starter's must not make it negative.
        let end = self.end_time.unwrap_or_else(|| now.max(old.start_time));
        checked_end(old.start_time, end)?;
        let mut head = old.clone();
        head.status = self.status;
        head.end_time = Some(end);
        self.changes.apply(&mut head);
        Ok(head)
    }
}
