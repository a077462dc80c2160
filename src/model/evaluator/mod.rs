//! Evaluators: rules and judges that say how good what an agent did is.
//!
//! An evaluator is a component of the type `EVALUATOR`; its definition is the content of a version, so each score
//! says exactly what judged. This knows what an evaluator is told to look for, not how it finds it.

mod judge;
mod rules;

use serde::{Deserialize, Serialize};

pub use self::{
    judge::{Judge, JudgeAnswer, RUBRIC_VARIABLES, Verdict},
    rules::{
        ContainsMode, ContainsRule, CostRule, ExactRule, JsonSchemaRule, LatencyRule, NoErrorsRule,
        RegexRule, SpanSelector, TextSide, TextSource, TokensRule, ToolCalledRule, ToolUse,
    },
};
use super::{Json, Refusal, limits::RecordLimits, words::words};

words! {
    /// What an evaluator does.
    EvaluatorKind {
        /// Compares a text with the one that is expected.
        Exact = 1 "EXACT",
        /// Looks for texts in a text.
        Contains = 2 "CONTAINS",
        /// Looks for a regular expression in a text.
        Regex = 3 "REGEX",
        /// Checks that a text is JSON of a schema.
        JsonSchema = 4 "JSON_SCHEMA",
        /// Holds how long it took against a budget.
        Latency = 5 "LATENCY",
        /// Holds what it cost against a budget.
        Cost = 6 "COST",
        /// Holds the tokens that were used against a budget.
        Tokens = 7 "TOKENS",
        /// Looks which tools were called, how often, in which order and with what.
        ToolCalled = 8 "TOOL_CALLED",
        /// Looks for errors.
        NoErrors = 9 "NO_ERRORS",
        /// Asks a model.
        Judge = 10 "JUDGE",
    }
}

/// What an evaluator is: the content of a version of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvaluatorDefinition {
    /// What people call it, and what its scores are called.
    pub name: String,
    /// What it does.
    pub kind: EvaluatorSettings,
}

/// What an evaluator does, with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum EvaluatorSettings {
    /// See [`EvaluatorKind::Exact`].
    Exact(ExactRule),
    /// See [`EvaluatorKind::Contains`].
    Contains(ContainsRule),
    /// See [`EvaluatorKind::Regex`].
    Regex(RegexRule),
    /// See [`EvaluatorKind::JsonSchema`].
    JsonSchema(JsonSchemaRule),
    /// See [`EvaluatorKind::Latency`].
    Latency(LatencyRule),
    /// See [`EvaluatorKind::Cost`].
    Cost(CostRule),
    /// See [`EvaluatorKind::Tokens`].
    Tokens(TokensRule),
    /// See [`EvaluatorKind::ToolCalled`].
    ToolCalled(ToolCalledRule),
    /// See [`EvaluatorKind::NoErrors`].
    NoErrors(NoErrorsRule),
    /// See [`EvaluatorKind::Judge`].
    Judge(Judge),
}

/// What the ids of evaluators' components begin with.
const FOLDER: &str = "evaluators/";

/// Whether a component with this id holds an evaluator that was made here.
#[must_use]
pub fn is_evaluator_id(component_id: &str) -> bool {
    component_id.starts_with(FOLDER)
}

impl EvaluatorDefinition {
    /// Reads the content of a version.
    ///
    /// # Errors
    /// When it is no evaluator's, as that of one which another system reported.
    pub fn read(definition: &Json) -> Result<Self, Refusal> {
        definition.read().map_err(|error| {
            let message = format!(
                "the version is no evaluator that can be run: {error}; make one with `createEvaluator`"
            );
            Refusal::invalid("evaluatorId", message)
        })
    }

    /// The content of a version.
    pub fn to_json(&self) -> Result<Json, Refusal> {
        Json::from_value(self).map_err(|error| Refusal::invalid("kind", error.to_string()))
    }

    /// The id of its component.
    #[must_use]
    pub fn component_id(&self) -> String {
        format!("{FOLDER}{}", self.name)
    }

    /// Checks every field but those that only who runs it can check: a judge's model and a JSON Schema.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.name("name", &self.name)?;
        // The component's id, and those of the rubric's and the model's versions, hold it.
        limits.name("name", &format!("prompts/{}", self.component_id()))?;
        self.kind.check(limits).map_err(|refusal| refusal.below("kind"))
    }
}

impl EvaluatorSettings {
    /// What it does.
    #[must_use]
    pub const fn kind(&self) -> EvaluatorKind {
        match self {
            Self::Exact(_) => EvaluatorKind::Exact,
            Self::Contains(_) => EvaluatorKind::Contains,
            Self::Regex(_) => EvaluatorKind::Regex,
            Self::JsonSchema(_) => EvaluatorKind::JsonSchema,
            Self::Latency(_) => EvaluatorKind::Latency,
            Self::Cost(_) => EvaluatorKind::Cost,
            Self::Tokens(_) => EvaluatorKind::Tokens,
            Self::ToolCalled(_) => EvaluatorKind::ToolCalled,
            Self::NoErrors(_) => EvaluatorKind::NoErrors,
            Self::Judge(_) => EvaluatorKind::Judge,
        }
    }

    fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        let (field, checked) = match self {
            Self::Exact(rule) => ("exact", rule.check(limits)),
            Self::Contains(rule) => ("contains", rule.check(limits)),
            Self::Regex(rule) => ("regex", rule.check(limits)),
            Self::JsonSchema(rule) => ("jsonSchema", rule.check(limits)),
            Self::Latency(rule) => ("latency", rule.check()),
            Self::Cost(rule) => ("cost", rule.check()),
            Self::Tokens(rule) => ("tokens", rule.check()),
            Self::ToolCalled(rule) => ("toolCalled", rule.check(limits)),
            Self::NoErrors(NoErrorsRule { .. }) => return Ok(()),
            Self::Judge(judge) => ("judge", judge.check(limits)),
        };
        checked.map_err(|refusal| refusal.below(field))
    }
}
