//! Conditions on scores.

use super::Bounds;
use crate::model::{
    Refusal,
    score::{Score, ScoreSource, ScoreValue},
};

/// A condition on a score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreCondition {
    /// What is judged.
    pub name: String,
    /// Who judged; empty: whoever.
    pub sources: Vec<ScoreSource>,
    /// What the judgement must be; `None`: whatever.
    pub test: Option<ScoreTest>,
}

/// What a judgement must be.
#[derive(Debug, Clone, PartialEq)]
pub enum ScoreTest {
    /// A number within these bounds.
    Number(Bounds<f64>),
    /// One of these words.
    Category(Vec<String>),
    /// Yes or no.
    Boolean(bool),
}

impl ScoreTest {
    /// The one that is given: a number within bounds, one of some words, or yes or no.
    ///
    /// # Errors
    /// Where several are given.
    pub fn of(
        given: (Option<Bounds<f64>>, Option<Vec<String>>, Option<bool>),
        field: &str,
    ) -> Result<Option<Self>, Refusal> {
        match given {
            (None, None, None) => Ok(None),
            (Some(bounds), None, None) => Ok(Some(Self::Number(bounds))),
            (None, Some(words), None) => Ok(Some(Self::Category(words))),
            (None, None, Some(wanted)) => Ok(Some(Self::Boolean(wanted))),
            _ => Err(Refusal::invalid(field, "give at most one of `number`, `categories` and `boolean`")),
        }
    }
}

impl ScoreCondition {
    /// Whether a score is meant.
    #[must_use]
    pub fn matches(&self, score: &Score) -> bool {
        score.name == self.name
            && (self.sources.is_empty() || self.sources.contains(&score.source))
            && match (&self.test, &score.value) {
                (None, _) => true,
                (Some(ScoreTest::Number(bounds)), ScoreValue::Number(number)) => bounds.hold(number),
                (Some(ScoreTest::Category(words)), ScoreValue::Category(word)) => words.contains(word),
                (Some(ScoreTest::Boolean(wanted)), ScoreValue::Boolean(value)) => wanted == value,
                _ => false,
            }
    }
}
