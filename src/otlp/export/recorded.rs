//! A span that was recorded here in OpenTelemetry's words for generative AI, so that others understand it.
//!
//! Costs that were computed are left out: whoever reads the tokens can compute them, and an import would
//! take them for reported ones.

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};

use super::chat;
use crate::{
    model::{
        Json,
        ledger::{CostSource, Ledger, NanoUsd},
        message::MessageRole,
        span::{OperationType, SpanBody, SpanDetails, SpanHead, SpanStatus},
    },
    otlp::{
        json_value::{attribute, document, texts},
        own::OwnTrace,
    },
};

/// The attributes that stand for the fields of a span.
pub(super) fn attributes(head: &SpanHead, body: &SpanBody, of_trace: Option<&OwnTrace>) -> Vec<KeyValue> {
    let mut all = Attributes::default();
    if let Some((name, word)) = operation(head.operation_type) {
        all.text(name, Some(word));
    }
    if let Some(trace) = of_trace {
        all.text("gen_ai.conversation.id", trace.conversation.as_deref());
        all.text("session.id", trace.session.as_deref());
        all.text("user.id", trace.user.as_deref());
    }
    all.details(&head.details);
    all.usage(&head.ledger);
    all.content(head.operation_type, body);
    if head.status == SpanStatus::Error {
        all.error(body.error_details.as_ref());
    }
    all.0
}

/// The attribute and the word for a kind of operation; `None` where OpenTelemetry and `OpenInference` have
/// none.
const fn operation(operation: OperationType) -> Option<(&'static str, &'static str)> {
    const OTEL: &str = "gen_ai.operation.name";
    const OPENINFERENCE: &str = "openinference.span.kind";
    Some(match operation {
        OperationType::LlmCall => (OTEL, "chat"),
        OperationType::ToolCall => (OTEL, "execute_tool"),
        OperationType::Retrieval => (OTEL, "retrieval"),
        OperationType::Agent => (OTEL, "invoke_agent"),
        OperationType::Embedding => (OTEL, "embeddings"),
        OperationType::Planning => (OTEL, "plan"),
        OperationType::Chain => (OTEL, "invoke_workflow"),
        OperationType::Rerank => (OPENINFERENCE, "RERANKER"),
        OperationType::Guardrail => (OPENINFERENCE, "GUARDRAIL"),
        OperationType::Evaluation => (OPENINFERENCE, "EVALUATOR"),
        OperationType::PlanStep | OperationType::Memory | OperationType::Custom => return None,
    })
}

#[derive(Default)]
struct Attributes(Vec<KeyValue>);

impl Attributes {
    fn put(&mut self, name: &str, value: Option<Value>) {
        self.0.extend(value.map(|value| attribute(name, value)));
    }

    fn text(&mut self, name: &str, text: Option<&str>) {
        self.put(name, text.map(|text| Value::StringValue(text.to_owned())));
    }

    fn count(&mut self, name: &str, count: Option<u64>) {
        self.put(name, count.and_then(|count| i64::try_from(count).ok()).map(Value::IntValue));
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds, as OpenTelemetry has them")]
    fn details(&mut self, details: &SpanDetails) {
        self.text("gen_ai.provider.name", details.provider.as_deref());
        self.text("gen_ai.request.model", details.model.as_deref());
        self.text("gen_ai.response.model", details.model.as_deref());
        self.text("gen_ai.response.id", details.response_id.as_deref());
        self.put(
            "gen_ai.response.finish_reasons",
            details.finish_reason.clone().map(|reason| texts([reason])),
        );
        let first = details.time_to_first_token_nanos.map(|nanos| Value::DoubleValue(nanos as f64 / 1e9));
        self.put("gen_ai.response.time_to_first_chunk", first);
        self.text("gen_ai.tool.name", details.tool_name.as_deref());
        self.text("gen_ai.tool.call.id", details.tool_call_id.as_deref());
        self.text("gen_ai.agent.name", details.agent_name.as_deref());
    }

    /// Tokens by OpenTelemetry's rule, whatever rule they were reported by.
    fn usage(&mut self, ledger: &Ledger) {
        let (tokens, totals) = (&ledger.tokens, ledger.totals());
        self.count("gen_ai.usage.input_tokens", tokens.input.map(|_| totals.input));
        self.count("gen_ai.usage.output_tokens", tokens.output.map(|_| totals.output));
        self.count("gen_ai.usage.cache_read.input_tokens", tokens.cache_read);
        self.count("gen_ai.usage.cache_write.input_tokens", tokens.cache_write);
        self.count("gen_ai.usage.reasoning.output_tokens", tokens.reasoning);
        self.count("gen_ai.usage.total_tokens", tokens.total);
        let reported = ledger.cost.filter(|_| ledger.source == Some(CostSource::Reported));
        self.put("gen_ai.usage.cost", reported.map(NanoUsd::dollars).map(Value::DoubleValue));
    }

    /// What went in and came out: as messages where it is some, else as it is.
    fn content(&mut self, operation: OperationType, body: &SpanBody) {
        let speaks =
            matches!(operation, OperationType::LlmCall | OperationType::Agent | OperationType::Chain);
        for (json, role, messages, [of_tool, of_search, other]) in [
            (
                &body.inputs,
                MessageRole::User,
                "gen_ai.input.messages",
                ["gen_ai.tool.call.arguments", "gen_ai.retrieval.query.text", "input.value"],
            ),
            (
                &body.outputs,
                MessageRole::Assistant,
                "gen_ai.output.messages",
                ["gen_ai.tool.call.result", "gen_ai.retrieval.documents", "output.value"],
            ),
        ] {
            let Some(json) = json else { continue };
            let said = speaks.then(|| chat::messages(json, role)).flatten();
            if let Some(said) = said {
                self.put(messages, Some(Value::StringValue(said)));
                continue;
            }
            let is_search = match role {
                MessageRole::User => json.text().starts_with('"'),
                _ => json.text().starts_with('['),
            };
            let name = match operation {
                OperationType::ToolCall => of_tool,
                OperationType::Retrieval if is_search => of_search,
                _ => other,
            };
            self.put(name, document(json));
        }
    }

    fn error(&mut self, details: Option<&Json>) {
        let details: Option<serde_json::Value> = details.and_then(|json| json.read().ok());
        let text = |name: &str| details.as_ref()?.get(name)?.as_str();
        self.text("error.type", text("type"));
    }
}
