//! Runs: begun, stopped, and what is kept of them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, ApiError, digits, word, words};
use crate::model::{
    agent::RunFailureKind,
    span::{OperationType, SpanStatus},
    trace::TraceStatus,
};

/// What a trace says of its run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Totals {
    /// How it ended.
    #[serde(deserialize_with = "word")]
    pub status: TraceStatus,
    /// How long it took.
    pub duration_ms: Option<f64>,
    /// How many spans it has.
    pub span_count: u64,
    /// How many of them failed.
    pub error_count: u64,
    /// Tokens that models read.
    #[serde(deserialize_with = "digits")]
    pub input_tokens: u64,
    /// Tokens that models wrote.
    #[serde(deserialize_with = "digits")]
    pub output_tokens: u64,
    /// What it cost, where the prices are known.
    pub total_cost_usd: Option<f64>,
    /// What came of it.
    pub final_output: Option<String>,
}

/// A trace's spans, as lists that tell of the first span in their first places, and so on.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Skeleton {
    /// Levels above each.
    pub depths: Vec<usize>,
    names: Vec<String>,
    name_indexes: Vec<usize>,
    /// What kind of operation each is.
    #[serde(deserialize_with = "words")]
    pub operation_types: Vec<OperationType>,
    /// Where each stands.
    #[serde(deserialize_with = "words")]
    pub statuses: Vec<SpanStatus>,
    /// How long each took.
    pub durations_ms: Vec<Option<f64>>,
    /// Tokens of each.
    total_tokens: Vec<Option<String>>,
    /// What each cost.
    pub costs_usd: Vec<Option<f64>>,
}

impl Skeleton {
    /// What a span is called.
    pub(in super::super) fn name(&self, place: usize) -> &str {
        let name = self.name_indexes.get(place).and_then(|index| self.names.get(*index));
        name.map_or("", String::as_str)
    }

    /// Tokens of a span.
    pub(in super::super) fn tokens(&self, place: usize) -> Option<u64> {
        self.total_tokens.get(place)?.as_deref()?.parse().ok()
    }
}

#[derive(Deserialize)]
struct Started {
    trace: Option<Value>,
}

#[derive(Deserialize)]
struct Traced {
    skeleton: Option<Skeleton>,
}

#[derive(Deserialize)]
struct Ended {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    failure: Option<String>,
}

#[derive(Deserialize)]
struct Nothing {}

impl Api {
    /// Says something to an agent. The run gets the trace that is given, so that it can be followed and stopped
    /// whatever becomes of the answer to this. Answers whether it is recorded: else there is no trace to read.
    pub(in super::super) async fn say(
        &self,
        conversation: &str,
        (agent, label): (&str, Option<&str>),
        content: &str,
        trace: &str,
    ) -> Result<bool, ApiError> {
        const SAY: &str = "mutation($input: ProcessUserInputInput!) {
            processUserInput(input: $input) { trace { traceId } refusal { message } }
        }";
        let input = json!({
            "conversationId": conversation, "agentId": agent, "label": label, "content": content,
            "traceId": trace, "wait": false,
        });
        let started: Started = self.tell("processUserInput", SAY, &json!({ "input": input })).await?;
        Ok(started.trace.is_some())
    }

    /// Stops a run.
    pub(in super::super) async fn cancel(&self, trace: &str) -> Result<(), ApiError> {
        const CANCEL: &str =
            "mutation($id: ID!) { cancelTrace(input: { traceId: $id }) { refusal { message } } }";
        let _: Nothing = self.tell("cancelTrace", CANCEL, &json!({ "id": trace })).await?;
        Ok(())
    }

    /// What is kept of a run; `None`: nothing.
    pub(in super::super) async fn totals(&self, trace: &str) -> Result<Option<Totals>, ApiError> {
        const TOTALS: &str = "query($id: ID!) { trace(id: $id) {
            status durationMs spanCount errorCount inputTokens outputTokens totalCostUsd finalOutput
        } }";
        self.ask("trace", TOTALS, &json!({ "id": trace })).await
    }

    /// The spans of a run; `None`: they are not recorded.
    pub(in super::super) async fn skeleton(&self, trace: &str) -> Result<Option<Skeleton>, ApiError> {
        const SKELETON: &str = "query($id: ID!) { trace(id: $id) { skeleton {
            depths names nameIndexes operationTypes statuses durationsMs totalTokens costsUsd
        } } }";
        let found: Option<Traced> = self.ask("trace", SKELETON, &json!({ "id": trace })).await?;
        Ok(found.map(|trace| trace.skeleton.unwrap_or_default()))
    }

    /// Why a run failed, as its last message says.
    pub(in super::super) async fn failure(&self, message: &str) -> Result<Option<RunFailureKind>, ApiError> {
        const FAILURE: &str = "query($id: ID!) { message(id: $id) { metadata } }";
        let found: Option<Ended> = self.ask("message", FAILURE, &json!({ "id": message })).await?;
        Ok(found.and_then(|ended| ended.metadata.failure).and_then(|kind| kind.parse().ok()))
    }
}
