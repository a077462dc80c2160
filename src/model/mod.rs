//! The domain: what agents say and do, as plain types and pure rules.
//!
//! Ids, enums, records and the rules that need nothing but their arguments: validation, state
//! machines, placement of spans in a tree, a trace's summary. No input or output, no GraphQL, no
//! engine, no clock of its own.

pub mod agent;
pub mod analysis;
pub mod chat;
pub mod clock;
pub mod component;
pub mod conversation;
pub mod dataset;
pub mod evaluation;
pub mod evaluations;
pub mod evaluator;
pub mod experiment;
pub mod ids;
pub mod json;
pub mod ledger;
pub mod limits;
pub mod message;
pub mod page;
pub mod plan;
pub mod prices;
pub mod query;
pub mod refusal;
pub mod score;
pub mod search;
pub mod secret;
pub mod series;
pub mod span;
pub mod stats;
pub mod summary;
pub mod text;
pub mod time;
pub mod trace;
pub mod tree;
pub mod words;

pub use self::{
    ids::{
        ConversationId, DatasetId, DatasetItemId, EvaluationId, ExperimentId, MessageId, PlanId, ScoreId,
        SpanId, StepId, ToolCallId, TraceId, TurnId,
    },
    json::Json,
    refusal::{Entity, Refusal},
    time::Timestamp,
};
