//! What clients write of judges.

use async_graphql::{InputObject, OneofObject};

use crate::{
    graphql::{
        agent::AgentModelInput,
        scalar::{Given, OptionalGiven},
    },
    model::{
        Refusal,
        evaluator::{Judge, JudgeAnswer},
    },
};

/// A model that judges by a rubric.
#[derive(InputObject)]
pub(super) struct JudgeInput {
    /// The model that it asks, and how.
    model: AgentModelInput,
    /// What it is asked: a template, in which `{{input}}` stands for what was asked, `{{output}}` for what was
    /// answered, `{{expected}}` for what the example expects, `{{transcript}}` for all that was said, and `{{tools}}`
    /// for the calls of tools with their results.
    rubric: String,
    /// In which form it answers, always with its reasons.
    answer: JudgeAnswerInput,
}

/// In which form a judge answers: one of them.
#[derive(OneofObject)]
enum JudgeAnswerInput {
    /// Yes, which passes, or no. Give `true`.
    Boolean(bool),
    /// One of some words.
    Categories(JudgeCategoriesInput),
    /// A number from a range.
    Number(JudgeNumberInput),
}

/// Words of which a judge chooses one.
#[derive(InputObject)]
struct JudgeCategoriesInput {
    /// The words: two or more.
    categories: Vec<String>,
    /// Those that pass; without any none passes or fails.
    passing: Option<Vec<String>>,
}

/// A range from which a judge chooses a number.
#[derive(InputObject)]
struct JudgeNumberInput {
    /// The smallest.
    min: Given<f64>,
    /// The largest.
    max: Given<f64>,
    /// The smallest that passes; without it none passes or fails.
    passing: Option<Given<f64>>,
}

impl JudgeInput {
    pub(super) fn into_model(self) -> Result<Judge, Refusal> {
        Ok(Judge {
            model: self.model.into_model().map_err(|refusal| refusal.below("model"))?,
            rubric: self.rubric,
            answer: self.answer.into_model().map_err(|refusal| refusal.below("answer"))?,
        })
    }
}

impl JudgeAnswerInput {
    fn into_model(self) -> Result<JudgeAnswer, Refusal> {
        Ok(match self {
            Self::Boolean(true) => JudgeAnswer::Boolean {},
            Self::Boolean(false) => {
                return Err(Refusal::invalid("boolean", "must be true, or left out for another form"));
            }
            Self::Categories(JudgeCategoriesInput { categories, passing }) => {
                JudgeAnswer::Categories { categories, passing: passing.unwrap_or_default() }
            }
            Self::Number(JudgeNumberInput { min, max, passing }) => JudgeAnswer::Number {
                min: min.read("number.min")?,
                max: max.read("number.max")?,
                passing: passing.read("number.passing")?,
            },
        })
    }
}
