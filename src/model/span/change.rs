//! How spans come into being, change and end.

use super::{OperationType, SpanBody, SpanDetails, SpanHead, SpanStatus, take};
use crate::model::{
    Refusal, SpanId, Timestamp,
    component::ComponentRef,
    ledger::{CostSource, CountingRule, Ledger, NanoUsd, TokenCounts},
    limits::RecordLimits,
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
}

impl SpanChanges {
    fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
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
    fn apply(&self, head: &mut SpanHead) {
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
        }
    }
}

fn count(items: usize) -> u32 {
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
    fn head(&self, now: Timestamp) -> Result<SpanHead, Refusal> {
        let start_time = self.start_time.or(self.end_time).unwrap_or(now);
        let status =
            self.status.unwrap_or(if self.end_time.is_some() { SpanStatus::Ok } else { SpanStatus::Running });
        if let Some(end) = self.end_time {
            checked_end(start_time, end)?;
            if !status.is_final() {
                return Err(Refusal::invalid("status", "a span with an `endTime` is not RUNNING"));
            }
        }
        let mut head = SpanHead {
            id: self.id,
            parent_id: self.parent_id,
            operation_type: self.operation_type,
            name: self.name.clone(),
            start_time,
            // A span that is over ended some time: where its maker does not say when, now.
            end_time: self.end_time.or_else(|| status.is_final().then(|| now.max(start_time))),
            status,
            status_message: None,
            details: SpanDetails::default(),
            ledger: Ledger::default(),
            components: Vec::new(),
            event_count: 0,
            link_count: 0,
            revision: 0,
            body_blocks: Vec::new(),
        };
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

impl SpanOp {
    /// Checks what can be told from the write alone: names, sizes, shapes.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        match &self.action {
            SpanAction::Create(span) | SpanAction::Record(span) => {
                limits.name("name", &span.name)?;
                span.changes.check(limits)
            }
            SpanAction::Update(changes) => changes.check(limits),
            SpanAction::Complete(completion) => completion.changes.check(limits),
        }
    }

    /// The part of the body that the write carries.
    #[must_use]
    pub fn body(&self) -> &SpanBody {
        match &self.action {
            SpanAction::Create(span) | SpanAction::Record(span) => &span.changes.body,
            SpanAction::Update(changes) => &changes.body,
            SpanAction::Complete(completion) => &completion.changes.body,
        }
    }

    /// Whether the write replaces what was known of the span, its body too.
    #[must_use]
    pub fn replaces(&self) -> bool {
        matches!(self.action, SpanAction::Create(_) | SpanAction::Record(_))
    }

    /// The head after the write to a span that stands as `old`. The store sets its revision and blocks.
    pub fn apply(&self, old: Option<&SpanHead>, now: Timestamp) -> Result<SpanHead, Refusal> {
        match (&self.action, old) {
            (SpanAction::Create(_), Some(_)) => Err(Refusal::already_exists("spanId", Entity::Span, self.id)),
            (SpanAction::Create(span), None) | (SpanAction::Record(span), _) => span.head(now),
            (SpanAction::Update(_) | SpanAction::Complete(_), None) => {
                Err(Refusal::not_found("spanId", Entity::Span, self.id))
            }
            (SpanAction::Update(changes), Some(old)) => {
                refuse_final(old, "be updated")?;
                let mut head = old.clone();
                changes.apply(&mut head);
                Ok(head)
            }
            (SpanAction::Complete(completion), Some(old)) => {
                refuse_final(old, "be completed")?;
                completion.apply(old, now)
            }
        }
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
