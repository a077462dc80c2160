//! What traces, spans or judgements add up to: counts, sums and distributions that can be merged and taken apart.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};

use super::distribution::Distribution;
use crate::model::{ledger::TokenTotals, score::ScoreValue};

/// Tokens by kind, in sums that are too wide to overflow: one that stops at the largest number could not be taken
/// back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[expect(missing_docs, reason = "the fields are those of TokenTotals")]
pub struct TokenSums {
    pub input: u128,
    pub output: u128,
    pub cache_read: u128,
    pub cache_write: u128,
    pub reasoning: u128,
}

impl TokenSums {
    /// Adds tokens.
    pub fn add(&mut self, more: &TokenTotals) {
        self.input += u128::from(more.input);
        self.output += u128::from(more.output);
        self.cache_read += u128::from(more.cache_read);
        self.cache_write += u128::from(more.cache_write);
        self.reasoning += u128::from(more.reasoning);
    }

    fn each(&mut self, other: &Self, change: impl Fn(u128, u128) -> u128) {
        self.input = change(self.input, other.input);
        self.output = change(self.output, other.output);
        self.cache_read = change(self.cache_read, other.cache_read);
        self.cache_write = change(self.cache_write, other.cache_write);
        self.reasoning = change(self.reasoning, other.reasoning);
    }
}

/// What some traces, or some spans, add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Measure {
    /// How many there are.
    pub count: u64,
    /// Of them: ended badly.
    pub failed: u64,
    /// Of them: stopped.
    pub cancelled: u64,
    /// Of them: with a known cost.
    pub priced: u64,
    /// Tokens by kind.
    pub tokens: TokenSums,
    /// Cost in billionths of a dollar, as far as it is known.
    pub cost: i128,
    /// How long those that ended took, in nanoseconds.
    pub durations: Distribution,
    /// Tokens of each that used any.
    pub token_counts: Distribution,
    /// Cost in billionths of a dollar of each whose cost is known.
    pub costs: Distribution,
    /// Nanoseconds until the first token, of those that tell.
    pub first_tokens: Distribution,
}

/// One trace, or one span, to be counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    /// Whether it ended badly.
    pub failed: bool,
    /// Whether it was stopped.
    pub cancelled: bool,
    /// Its tokens; `None`: none were reported.
    pub tokens: Option<TokenTotals>,
    /// Its cost in billionths of a dollar, if it is known.
    pub cost: Option<i64>,
    /// How long it took, if it has ended, in nanoseconds.
    pub duration: Option<u64>,
    /// Nanoseconds until its first token, if it tells.
    pub first_token: Option<u64>,
}

impl Measure {
    /// Counts one.
    pub fn add(&mut self, one: &Counted) {
        self.count = self.count.saturating_add(1);
        self.failed += u64::from(one.failed);
        self.cancelled += u64::from(one.cancelled);
        if let Some(tokens) = &one.tokens {
            self.tokens.add(tokens);
            self.token_counts.add(tokens.total());
        }
        if let Some(cost) = one.cost {
            self.priced += 1;
            self.cost += i128::from(cost);
            self.costs.add(u64::try_from(cost).unwrap_or(0));
        }
        if let Some(duration) = one.duration {
            self.durations.add(duration);
        }
        if let Some(first) = one.first_token {
            self.first_tokens.add(first);
        }
    }

    /// Counts all that another one counts.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.failed = self.failed.saturating_add(other.failed);
        self.cancelled = self.cancelled.saturating_add(other.cancelled);
        self.priced = self.priced.saturating_add(other.priced);
        self.tokens.each(&other.tokens, u128::saturating_add);
        self.cost = self.cost.saturating_add(other.cost);
        self.durations.merge(&other.durations);
        self.token_counts.merge(&other.token_counts);
        self.costs.merge(&other.costs);
        self.first_tokens.merge(&other.first_tokens);
    }

    /// Takes back what another one counts and this one counted.
    pub fn remove(&mut self, other: &Self) {
        self.count = self.count.saturating_sub(other.count);
        self.failed = self.failed.saturating_sub(other.failed);
        self.cancelled = self.cancelled.saturating_sub(other.cancelled);
        self.priced = self.priced.saturating_sub(other.priced);
        self.tokens.each(&other.tokens, u128::saturating_sub);
        self.cost = self.cost.saturating_sub(other.cost);
        self.durations.remove(&other.durations);
        self.token_counts.remove(&other.token_counts);
        self.costs.remove(&other.costs);
        self.first_tokens.remove(&other.first_tokens);
    }
}

/// Categories of a score that are told apart; what comes beyond them is only counted.
pub const MAX_CATEGORIES: usize = 32;

/// A number of a score counts where it is within this; what is beyond is only counted.
const LARGEST_NUMBER: f64 = 1e9;

/// Parts of one that numbers of scores are kept to.
const PARTS: f64 = 1e6;

/// What the scores of one name add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct ScoreMeasure {
    /// How many there are.
    pub count: u64,
    /// Of them: numbers that count.
    pub numbers: u64,
    /// The sum of the numbers, in millionths.
    sum: i128,
    /// The sum of their squares, in millionths of millionths.
    sum_of_squares: i128,
    /// Of them: yes.
    pub yes: u64,
    /// Of them: no.
    pub no: u64,
    /// Of them: each category.
    pub categories: BTreeMap<String, u64>,
}

impl ScoreMeasure {
    /// Counts a score.
    pub fn add(&mut self, value: &ScoreValue) {
        self.count = self.count.saturating_add(1);
        match value {
            ScoreValue::Number(number) => self.add_number(*number),
            ScoreValue::Boolean(true) => self.yes += 1,
            ScoreValue::Boolean(false) => self.no += 1,
            ScoreValue::Category(category) => self.add_category(category, 1),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the number is within a billion")]
    fn add_number(&mut self, number: f64) {
        if number.abs() <= LARGEST_NUMBER {
            let parts = (number * PARTS).round() as i128;
            self.numbers += 1;
            self.sum += parts;
            self.sum_of_squares += parts * parts;
        }
    }

    fn add_category(&mut self, category: &str, more: u64) {
        if let Some(count) = self.categories.get_mut(category) {
            *count = count.saturating_add(more);
        } else if self.categories.len() < MAX_CATEGORIES {
            self.categories.insert(category.to_owned(), more);
        }
    }

    /// Counts all that another one counts.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.numbers = self.numbers.saturating_add(other.numbers);
        self.sum = self.sum.saturating_add(other.sum);
        self.sum_of_squares = self.sum_of_squares.saturating_add(other.sum_of_squares);
        self.yes = self.yes.saturating_add(other.yes);
        self.no = self.no.saturating_add(other.no);
        for (category, more) in &other.categories {
            self.add_category(category, *more);
        }
    }

    /// Takes back what another one counts and this one counted.
    pub fn remove(&mut self, other: &Self) {
        self.count = self.count.saturating_sub(other.count);
        self.numbers = self.numbers.saturating_sub(other.numbers);
        self.sum = self.sum.saturating_sub(other.sum);
        self.sum_of_squares = self.sum_of_squares.saturating_sub(other.sum_of_squares);
        self.yes = self.yes.saturating_sub(other.yes);
        self.no = self.no.saturating_sub(other.no);
        for (category, less) in &other.categories {
            if let Some(count) = self.categories.get_mut(category) {
                *count = count.saturating_sub(*less);
            }
        }
        self.categories.retain(|_, count| *count > 0);
    }

    /// The mean of the numbers; `None` where there are none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn mean(&self) -> Option<f64> {
        (self.numbers > 0).then(|| self.sum as f64 / PARTS / self.numbers as f64)
    }

    /// The sample variance of the numbers; `None` below two.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn variance(&self) -> Option<f64> {
        let count = i128::from(self.numbers);
        let degrees = count.checked_sub(1).filter(|degrees| *degrees > 0)?;
        let spread =
            count.checked_mul(self.sum_of_squares)?.checked_sub(self.sum.checked_mul(self.sum)?)?.max(0);
        Some(spread as f64 / (PARTS * PARTS) / count as f64 / degrees as f64)
    }
}
