//! Conditions on spans.

use serde_json::Value;

use super::{Bounds, ScoreCondition, TextMatch};
use crate::model::{
    Json, Refusal,
    component::VersionHash,
    span::{OperationType, SpanHead, SpanStatus},
    tree::{Node, Placement},
    words::words,
};

words! {
    /// A figure of a span.
    SpanFigure {
        /// How long it took, in nanoseconds; nothing while it goes on.
        Duration = 1 "DURATION",
        /// What it says it cost, in billionths of a dollar; nothing where that is not known.
        Cost = 2 "COST",
        /// Tokens in all, as it says.
        TotalTokens = 3 "TOTAL_TOKENS",
        /// Tokens read.
        InputTokens = 4 "INPUT_TOKENS",
        /// Tokens written.
        OutputTokens = 5 "OUTPUT_TOKENS",
        /// Levels above it.
        Depth = 6 "DEPTH",
        /// Nanoseconds until its first token; nothing where it does not tell.
        TimeToFirstToken = 7 "TIME_TO_FIRST_TOKEN",
    }
}

impl SpanFigure {
    /// The figure of a span, if it has one.
    #[must_use]
    pub fn of(self, head: &SpanHead, node: &Node) -> Option<u64> {
        let totals = || head.ledger.reports_tokens().then(|| head.ledger.totals());
        match self {
            Self::Duration => head.duration_nanos(),
            Self::Cost => head.ledger.cost.map(|cost| u64::try_from(cost.nanos()).unwrap_or(0)),
            Self::TotalTokens => totals().map(|totals| totals.total()),
            Self::InputTokens => totals().map(|totals| totals.input),
            Self::OutputTokens => totals().map(|totals| totals.output),
            Self::Depth => Some(node.depth.into()),
            Self::TimeToFirstToken => head.details.time_to_first_token_nanos,
        }
    }
}

/// What an attribute must be.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeTest {
    /// It is there.
    Exists,
    /// It is this value: a text, a number or a boolean.
    Is(Value),
    /// It is a text with this in it, in either case.
    Contains(String),
    /// It is a number within these bounds.
    Within(Bounds<f64>),
}

impl AttributeTest {
    /// The one that is given: a value, a text that is in it, bounds of a number; of none: that it is there.
    ///
    /// # Errors
    /// Where several are given, or the value is no JSON.
    pub fn of(
        given: (Option<Json>, Option<String>, Option<Bounds<f64>>),
        field: &str,
    ) -> Result<Self, Refusal> {
        match given {
            (None, None, None) => Ok(Self::Exists),
            (Some(value), None, None) => {
                let wrong =
                    |error: serde_json::Error| Refusal::invalid(format!("{field}.is"), error.to_string());
                value.read().map(Self::Is).map_err(wrong)
            }
            (None, Some(text), None) => Ok(Self::Contains(text)),
            (None, None, Some(bounds)) => Ok(Self::Within(bounds)),
            _ => Err(Refusal::invalid(field, "give at most one of `is`, `contains` and `number`")),
        }
    }

    /// Whether an attribute is as it must be.
    #[must_use]
    pub fn matches(&self, value: &Value) -> bool {
        match self {
            Self::Exists => true,
            // Senders write the same number as a whole one or not.
            Self::Is(wanted) => match (wanted.as_f64(), value.as_f64()) {
                #[expect(clippy::float_cmp, reason = "equal is what is asked")]
                (Some(wanted), Some(value)) => wanted == value,
                _ => wanted == value,
            },
            Self::Contains(wanted) => {
                value.as_str().is_some_and(|text| TextMatch::Contains(wanted.clone()).matches(text))
            }
            Self::Within(bounds) => value.as_f64().is_some_and(|number| bounds.hold(&number)),
        }
    }
}

/// A condition on a span.
#[derive(Debug, Clone, PartialEq)]
pub enum SpanCondition {
    /// All of these; of none: any span.
    All(Vec<Self>),
    /// One of these; of none: no span.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// Of one of these types.
    Type(Vec<OperationType>),
    /// In one of these states.
    Status(Vec<SpanStatus>),
    /// Called so.
    Name(TextMatch),
    /// Why it stands where it stands, as its sender says: so.
    StatusMessage(TextMatch),
    /// A call of one of these models.
    Model(Vec<String>),
    /// Of a model that one of these runs.
    Provider(Vec<String>),
    /// A call of one of these tools.
    Tool(Vec<String>),
    /// Of one of these agents, by their names.
    Agent(Vec<String>),
    /// Its model stopped for one of these reasons.
    FinishReason(Vec<String>),
    /// Placed so in its trace's tree.
    Placement(Vec<Placement>),
    /// A figure within bounds. One that has no such figure is not meant.
    Figure(SpanFigure, Bounds<u64>),
    /// It used a component, or a version of it.
    Component(String, Option<VersionHash>),
    /// It has such an attribute.
    Attribute(String, AttributeTest),
    /// It has such a score.
    Score(ScoreCondition),
}

impl SpanCondition {
    /// Whether a span fulfils what its head and its place tell; `None` for what they do not.
    pub(super) fn judge_head(&self, head: &SpanHead, node: &Node) -> Option<bool> {
        let details = &head.details;
        let one_of = |wanted: &[String], value: &Option<String>| {
            value.as_ref().is_some_and(|value| wanted.contains(value))
        };
        Some(match self {
            Self::Type(types) => types.contains(&head.operation_type),
            Self::Status(statuses) => statuses.contains(&head.status),
            Self::Name(name) => name.matches(&head.name),
            Self::StatusMessage(text) => {
                head.status_message.as_ref().is_some_and(|message| text.matches(message))
            }
            Self::Model(models) => one_of(models, &details.model),
            Self::Provider(providers) => one_of(providers, &details.provider),
            Self::Tool(tools) => {
                head.operation_type == OperationType::ToolCall && one_of(tools, &details.tool_name)
            }
            Self::Agent(agents) => one_of(agents, &details.agent_name),
            Self::FinishReason(reasons) => one_of(reasons, &details.finish_reason),
            Self::Placement(placements) => placements.contains(&node.placement),
            Self::Figure(figure, bounds) => figure.of(head, node).is_some_and(|value| bounds.hold(&value)),
            Self::Component(id, hash) => head.components.iter().any(|component| {
                component.component_id == *id && hash.is_none_or(|hash| hash == component.version_hash)
            }),
            Self::All(_) | Self::Any(_) | Self::Not(_) | Self::Attribute(..) | Self::Score(_) => return None,
        })
    }

    /// The conditions that must all hold, one by one.
    pub fn required(&self) -> Vec<&Self> {
        match self {
            Self::All(all) => all.iter().flat_map(Self::required).collect(),
            other => vec![other],
        }
    }
}
