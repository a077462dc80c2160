//! Fields of a span that hold whatever its attributes tell: what there is no attribute for, and what was
//! set otherwise than they say.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::model::{
    Json, Refusal,
    component::{ComponentRef, VersionHash},
    ledger::{CountingRule, NanoUsd, TokenCounts},
    span::{NewSpan, SpanBody, SpanDetails, SpanHead},
};

/// The fields by their names. One that is null is known to be missing.
#[derive(Debug, Default)]
pub(in crate::otlp) struct OwnFields(BTreeMap<String, Box<RawValue>>);

/// Tokens as they were reported, with the rule that they were counted by.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Tokens {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    rule: String,
}

impl OwnFields {
    /// Reads the attribute that holds them.
    pub(super) fn read(attribute: &KeyValue) -> Result<Self, Refusal> {
        super::object(attribute).map(Self)
    }

    /// The text of the attribute that holds them; `None` where there are none.
    pub(in crate::otlp) fn text(&self) -> Option<Value> {
        let text = serde_json::to_string(&self.0).ok().filter(|_| !self.0.is_empty());
        text.map(Value::StringValue)
    }

    /// Whether it is said where the span stands.
    pub(in crate::otlp) fn says_status(&self) -> bool {
        self.0.contains_key("status")
    }

    /// The fields of a span as it `is` that do not follow from what is `told` of it.
    pub(in crate::otlp) fn between(
        (told, told_body): (&SpanHead, &SpanBody),
        (is, body): (&SpanHead, &SpanBody),
    ) -> Self {
        let mut fields = Self::default();
        fields.differ("operation", &told.operation_type.text(), &is.operation_type.text());
        fields.differ("name", &told.name, &is.name);
        fields.differ("status", &told.status.text(), &is.status.text());
        fields.differ("statusMessage", &told.status_message, &is.status_message);
        fields.details(&told.details, &is.details);
        if (told.ledger.tokens, told.ledger.rule) != (is.ledger.tokens, is.ledger.rule) {
            fields.put("tokens", &is.ledger.rule.is_some().then(|| Tokens::of(is)));
        }
        fields.differ("costNanoUsd", &reported_cost(told), &reported_cost(is));
        fields.documents(told_body, body);
        fields
    }

    fn details(&mut self, told: &SpanDetails, is: &SpanDetails) {
        // Taken apart without `..`, so that a new field cannot be forgotten here.
        let SpanDetails {
            model,
            provider,
            finish_reason,
            time_to_first_token_nanos,
            tool_name,
            tool_call_id,
            agent_name,
            plan_id,
            step_id,
            document_count,
            response_id,
        } = is;
        self.differ("model", &told.model, model);
        self.differ("provider", &told.provider, provider);
        self.differ("finishReason", &told.finish_reason, finish_reason);
        self.differ("timeToFirstTokenNanos", &told.time_to_first_token_nanos, time_to_first_token_nanos);
        self.differ("toolName", &told.tool_name, tool_name);
        self.differ("toolCallId", &told.tool_call_id, tool_call_id);
        self.differ("agentName", &told.agent_name, agent_name);
        self.differ("planId", &told.plan_id.map(text), &plan_id.map(text));
        self.differ("stepId", &told.step_id.map(text), &step_id.map(text));
        self.differ("documentCount", &told.document_count, document_count);
        self.differ("responseId", &told.response_id, response_id);
    }

    fn documents(&mut self, told: &SpanBody, is: &SpanBody) {
        self.document("inputs", told.read_inputs().as_ref(), is.read_inputs().as_ref());
        self.document("outputs", told.read_outputs().as_ref(), is.read_outputs().as_ref());
        self.document("memorySnapshot", told.memory_snapshot.as_ref(), is.memory_snapshot.as_ref());
        let context = (told.conversation_context.as_ref(), is.conversation_context.as_ref());
        self.document("conversationContext", context.0, context.1);
        self.document("errorDetails", told.error_details.as_ref(), is.error_details.as_ref());
    }

    /// Notes the attributes, where they do not come back as they are.
    pub(in crate::otlp) fn attributes(&mut self, told: Option<&Json>, is: Option<&Json>) {
        self.document("attributes", told, is);
    }

    /// Notes the component versions.
    pub(in crate::otlp) fn components(&mut self, components: &[ComponentRef]) {
        if !components.is_empty() {
            let name = |of: &ComponentRef| format!("{}@{}", of.component_id, of.version_hash);
            self.put("components", &components.iter().map(name).collect::<Vec<_>>());
        }
    }

    fn differ<T: PartialEq + Serialize>(&mut self, name: &str, told: &T, is: &T) {
        if told != is {
            self.put(name, is);
        }
    }

    /// Notes a document, where it is another one: how it is laid out does not count.
    fn document(&mut self, name: &str, told: Option<&Json>, is: Option<&Json>) {
        // Null is as good as nothing.
        let is = is.filter(|json| json.text() != "null");
        let value = |json: Option<&Json>| json.map(Json::read::<serde_json::Value>).and_then(Result::ok);
        if told.map(Json::text) != is.map(Json::text) && value(told) != value(is) {
            let raw = is.and_then(|json| RawValue::from_string(json.text().to_owned()).ok());
            self.put(name, &raw);
        }
    }

    fn put<T: Serialize>(&mut self, name: &str, value: &T) {
        if let Ok(raw) = serde_json::value::to_raw_value(value) {
            self.0.insert(name.to_owned(), raw);
        }
    }

    /// Makes the fields of a span what is said here.
    pub(in crate::otlp) fn apply(&self, span: &mut NewSpan) -> Result<(), Refusal> {
        self.word("operation", &mut span.operation_type)?;
        self.hold("name", &mut span.name)?;
        let mut status = None;
        self.text_of("status", &mut status)?;
        span.status = status.or(span.status);
        let changes = &mut span.changes;
        self.hold("statusMessage", &mut changes.status_message)?;
        let details = &mut changes.details;
        self.hold("model", &mut details.model)?;
        self.hold("provider", &mut details.provider)?;
        self.hold("finishReason", &mut details.finish_reason)?;
        self.hold("timeToFirstTokenNanos", &mut details.time_to_first_token_nanos)?;
        self.hold("toolName", &mut details.tool_name)?;
        self.hold("toolCallId", &mut details.tool_call_id)?;
        self.hold("agentName", &mut details.agent_name)?;
        self.text_of("planId", &mut details.plan_id)?;
        self.text_of("stepId", &mut details.step_id)?;
        self.hold("documentCount", &mut details.document_count)?;
        self.hold("responseId", &mut details.response_id)?;
        if let Some(tokens) = self.said::<Option<Tokens>>("tokens")? {
            let rule = tokens.as_ref().map(|tokens| tokens.rule.parse());
            changes.rule = rule.transpose().map_err(|error: String| wrong("tokens", error))?;
            changes.tokens = tokens.map(Tokens::counts);
        }
        if let Some(cost) = self.said::<Option<i64>>("costNanoUsd")? {
            changes.cost = cost.map(NanoUsd::from_nanos);
        }
        for name in self.said::<Vec<String>>("components")?.unwrap_or_default() {
            changes.components.push(component(&name)?);
        }
        self.apply_documents(&mut changes.body)
    }

    fn apply_documents(&self, body: &mut SpanBody) -> Result<(), Refusal> {
        for (name, place, attribute) in [
            ("inputs", &mut body.inputs, Some(&mut body.input_attribute)),
            ("outputs", &mut body.outputs, Some(&mut body.output_attribute)),
            ("memorySnapshot", &mut body.memory_snapshot, None),
            ("conversationContext", &mut body.conversation_context, None),
            ("errorDetails", &mut body.error_details, None),
            ("attributes", &mut body.attributes, None),
        ] {
            let Some(raw) = self.0.get(name) else { continue };
            let json = Json::parse(raw.get()).map_err(|error| wrong(name, error.to_string()))?;
            *place = Some(json).filter(|json| json.text() != "null");
            if let Some(attribute) = attribute {
                *attribute = None;
            }
        }
        Ok(())
    }

    /// The operation and the name, of a span of which nothing but parts has come.
    pub(in crate::otlp) fn word<T: FromStr<Err = String>>(
        &self,
        name: &str,
        place: &mut T,
    ) -> Result<(), Refusal> {
        if let Some(text) = self.said::<String>(name)? {
            *place = text.parse().map_err(|error| wrong(name, error))?;
        }
        Ok(())
    }

    fn text_of<T: FromStr<Err: Display>>(&self, name: &str, place: &mut Option<T>) -> Result<(), Refusal> {
        if let Some(text) = self.said::<Option<String>>(name)? {
            let value = text.map(|text| text.parse()).transpose();
            *place = value.map_err(|error: T::Err| wrong(name, error.to_string()))?;
        }
        Ok(())
    }

    fn hold<T: DeserializeOwned>(&self, name: &str, place: &mut T) -> Result<(), Refusal> {
        if let Some(value) = self.said(name)? {
            *place = value;
        }
        Ok(())
    }

    /// What is said of a field; `None` where nothing is.
    fn said<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let Some(raw) = self.0.get(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|error| wrong(name, error.to_string()))
    }
}

impl Tokens {
    fn of(head: &SpanHead) -> Self {
        let TokenCounts { input, output, cache_read, cache_write, reasoning, total } = head.ledger.tokens;
        let rule = head.ledger.rule.unwrap_or(CountingRule::Inclusive).text().to_owned();
        Self { input, output, cache_read, cache_write, reasoning, total, rule }
    }

    fn counts(self) -> TokenCounts {
        let Self { input, output, cache_read, cache_write, reasoning, total, rule: _ } = self;
        TokenCounts { input, output, cache_read, cache_write, reasoning, total }
    }
}

fn reported_cost(head: &SpanHead) -> Option<i64> {
    let ledger = &head.ledger;
    ledger
        .cost
        .filter(|_| ledger.source == Some(crate::model::ledger::CostSource::Reported))
        .map(NanoUsd::nanos)
}

fn component(name: &str) -> Result<ComponentRef, Refusal> {
    let (id, hash) = name.rsplit_once('@').ok_or_else(|| wrong("components", "must be `component@hash`"))?;
    let field = format!("attributes.{}.components", super::FIELDS);
    Ok(ComponentRef { component_id: id.to_owned(), version_hash: VersionHash::parse(&field, hash)? })
}

fn text(id: impl Display) -> String {
    id.to_string()
}

fn wrong(name: &str, message: impl Into<String>) -> Refusal {
    Refusal::invalid(format!("attributes.{}.{name}", super::FIELDS), message)
}
