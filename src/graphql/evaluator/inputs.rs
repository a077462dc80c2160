//! What clients write to make evaluators, and to name them.

use async_graphql::{ID, InputObject, OneofObject};

use super::{
    judge::JudgeInput,
    rules::{
        ContainsRuleInput, CostRuleInput, ExactRuleInput, JsonSchemaRuleInput, LatencyRuleInput,
        NoErrorsRuleInput, RegexRuleInput, TokensRuleInput, ToolCalledRuleInput,
    },
};
use crate::{
    graphql::{agent, ids},
    model::{
        Refusal,
        component::VersionSelector,
        evaluator::{EvaluatorDefinition, EvaluatorSettings},
    },
    service::evaluators::NewEvaluator,
};

/// An evaluator, or a new version of one.
#[derive(InputObject)]
pub(super) struct CreateEvaluatorInput {
    /// What people call it, and what its scores are called: its component is `evaluators/` and this name.
    name: String,
    /// What it does, and how.
    kind: EvaluatorKindInput,
    /// What people call the version: `v12 stricter`.
    version_name: Option<String>,
    /// What changed, in words.
    description: Option<String>,
    /// Who makes it.
    created_by: Option<String>,
}

/// What an evaluator does: one thing.
#[derive(OneofObject)]
#[expect(clippy::large_enum_variant, reason = "it is read once, and then gone")]
enum EvaluatorKindInput {
    /// Compares a text with the one that is expected; white space at its ends does not count.
    Exact(ExactRuleInput),
    /// Looks for texts in a text.
    Contains(ContainsRuleInput),
    /// Looks for a regular expression in a text.
    Regex(RegexRuleInput),
    /// Checks that a text is JSON of a schema.
    JsonSchema(JsonSchemaRuleInput),
    /// Holds how long it took against a budget.
    Latency(LatencyRuleInput),
    /// Holds what it cost against a budget.
    Cost(CostRuleInput),
    /// Holds the tokens that were used against budgets.
    Tokens(TokensRuleInput),
    /// Looks which tools were called, how often, in which order and with what.
    ToolCalled(ToolCalledRuleInput),
    /// Looks for errors.
    NoErrors(NoErrorsRuleInput),
    /// Asks a model.
    Judge(JudgeInput),
}

/// A version of an evaluator.
#[derive(InputObject)]
pub(in crate::graphql) struct EvaluatorRefInput {
    /// The evaluator: its component's global ID, or its own: `evaluators/polite`.
    evaluator_id: ID,
    /// The hash that names the version; without it and `label` it is the one registered last that is not retired.
    version_hash: Option<String>,
    /// A label that points at the version: `production`.
    label: Option<String>,
}

impl CreateEvaluatorInput {
    pub(super) fn into_model(self) -> Result<NewEvaluator, Refusal> {
        let Self { name, kind, version_name, description, created_by } = self;
        let kind = kind.into_model().map_err(|refusal| refusal.below("kind"))?;
        Ok(NewEvaluator {
            definition: EvaluatorDefinition { name, kind },
            version_name,
            description,
            created_by,
        })
    }
}

impl EvaluatorKindInput {
    fn into_model(self) -> Result<EvaluatorSettings, Refusal> {
        let below = |field: &'static str| move |refusal: Refusal| refusal.below(field);
        Ok(match self {
            Self::Exact(rule) => EvaluatorSettings::Exact(rule.into_model()),
            Self::Contains(rule) => EvaluatorSettings::Contains(rule.into_model()),
            Self::Regex(rule) => EvaluatorSettings::Regex(rule.into_model()),
            Self::JsonSchema(rule) => {
                EvaluatorSettings::JsonSchema(rule.into_model().map_err(below("jsonSchema"))?)
            }
            Self::Latency(rule) => EvaluatorSettings::Latency(rule.into_model().map_err(below("latency"))?),
            Self::Cost(rule) => EvaluatorSettings::Cost(rule.into_model().map_err(below("cost"))?),
            Self::Tokens(rule) => EvaluatorSettings::Tokens(rule.into_model().map_err(below("tokens"))?),
            Self::ToolCalled(rule) => {
                EvaluatorSettings::ToolCalled(rule.into_model().map_err(below("toolCalled"))?)
            }
            Self::NoErrors(rule) => EvaluatorSettings::NoErrors(rule.into_model()),
            Self::Judge(judge) => EvaluatorSettings::Judge(judge.into_model().map_err(below("judge"))?),
        })
    }
}

impl EvaluatorRefInput {
    pub(in crate::graphql) fn into_model(self) -> Result<(String, VersionSelector), Refusal> {
        let id = ids::read_component("evaluatorId", &self.evaluator_id)?;
        Ok((id, agent::version(self.version_hash, self.label)?))
    }

    /// Those of a list; a refusal names the item.
    pub(in crate::graphql) fn all(inputs: Vec<Self>) -> Result<Vec<(String, VersionSelector)>, Refusal> {
        let one = |(index, input): (usize, Self)| {
            input.into_model().map_err(|refusal| refusal.below(&format!("evaluators.{index}")))
        };
        inputs.into_iter().enumerate().map(one).collect()
    }
}
