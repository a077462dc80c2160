//! Scores by their names.

use std::collections::BTreeMap;

use crate::model::{
    score::{Score, ScoreValue},
    stats::Moments,
};

/// What the scores of one name come to. One name may have values of several kinds: each is counted by itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreFigures {
    /// Scores of this name.
    pub count: u64,
    /// Of those that are numbers; `None` where none is.
    pub numbers: Option<NumberFigures>,
    /// How often each category was given.
    pub categories: BTreeMap<String, u64>,
    /// How often yes was said.
    pub yes: u64,
    /// How often no was said.
    pub no: u64,
}

/// What numbers come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberFigures {
    /// How many there are: at least one.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl ScoreFigures {
    /// Scores by their names. The order in which they come does not matter.
    #[must_use]
    pub fn by_name<'a>(scores: impl IntoIterator<Item = &'a Score>) -> BTreeMap<String, Self> {
        let mut named: BTreeMap<String, (Self, Vec<f64>)> = BTreeMap::new();
        for score in scores {
            let (figures, numbers) = named.entry(score.name.clone()).or_default();
            figures.count += 1;
            match &score.value {
                ScoreValue::Number(number) => numbers.push(*number),
                ScoreValue::Category(category) => {
                    *figures.categories.entry(category.clone()).or_default() += 1;
                }
                ScoreValue::Boolean(true) => figures.yes += 1,
                ScoreValue::Boolean(false) => figures.no += 1,
            }
        }
        let whole = |(name, (mut figures, numbers)): (String, (Self, Vec<f64>))| {
            figures.numbers = NumberFigures::of(numbers);
            (name, figures)
        };
        named.into_iter().map(whole).collect()
    }
}

impl NumberFigures {
    fn of(mut numbers: Vec<f64>) -> Option<Self> {
        // In one order, so that the last digit of the mean does not depend on it.
        numbers.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*numbers.first()?, *numbers.last()?);
        let mean = Moments::of(&numbers).mean()?.clamp(min, max);
        Some(Self { count: numbers.len() as u64, mean, min, max })
    }
}
