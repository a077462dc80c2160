//! Evaluators with what they need to judge: expressions that are compiled, schemas that are read.

use std::time::Duration;

use regex::Regex;
use tokio::time::timeout;

use crate::{
    model::{
        Json, Refusal,
        component::ComponentRef,
        evaluator::{EvaluatorDefinition, EvaluatorSettings},
    },
    tools::JsonSchema,
};

/// How long a schema may take, to be made ready or to be held against a text: some double with each reference.
pub(super) const SCHEMA_TIME: Duration = Duration::from_secs(5);

/// An evaluator that is ready to judge.
pub(super) struct Ready {
    pub(super) reference: ComponentRef,
    pub(super) definition: EvaluatorDefinition,
    /// What a rule that looks for an expression looks for.
    pub(super) regex: Option<Regex>,
    /// What a rule that checks JSON checks it against.
    pub(super) schema: Option<JsonSchema>,
}

impl Ready {
    pub(super) fn new(reference: ComponentRef, definition: EvaluatorDefinition) -> Result<Self, Refusal> {
        let regex = match &definition.kind {
            EvaluatorSettings::Regex(rule) => Some(rule.compiled()?),
            _ => None,
        };
        let schema = schema(&definition.kind);
        Ok(Self { reference, definition, regex, schema })
    }
}

fn schema(settings: &EvaluatorSettings) -> Option<JsonSchema> {
    match settings {
        EvaluatorSettings::JsonSchema(rule) => Some(JsonSchema::new("the text", &Json::of(&rule.schema))),
        _ => None,
    }
}

/// Checks what only reading it tells: whether a schema is one.
pub(super) async fn check(settings: &EvaluatorSettings) -> Result<(), Refusal> {
    let Some(schema) = schema(settings) else { return Ok(()) };
    let wrong = |message: String| Refusal::invalid("jsonSchema.schema", message);
    match timeout(SCHEMA_TIME, schema.prepare()).await {
        Ok(ready) => ready.map_err(|fault| wrong(format!("is no JSON Schema that can be used: {fault}"))),
        Err(_) => Err(wrong(format!("takes longer than {} s to be read", SCHEMA_TIME.as_secs()))),
    }
}
