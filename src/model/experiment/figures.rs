//! What the runs of an experiment add up to.

use std::collections::BTreeMap;

use super::{ItemCounts, ItemStatus};
use crate::model::{ledger::NanoUsd, score::ScoreValue, stats::paired::mean};

/// The figures of one run: those of its trace, as far as that is still there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFigures {
    /// Where it stands.
    pub status: Option<ItemStatus>,
    /// Nanoseconds from start to end.
    pub duration_nanos: Option<u64>,
    /// Tokens read and written.
    pub tokens: Option<u64>,
    /// What it cost, where that is known.
    pub cost: Option<NanoUsd>,
    /// How it was judged.
    pub scores: Vec<(String, ScoreValue)>,
}

/// What kind of judgements those of one name are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScoreKind {
    /// Finite numbers.
    Number,
    /// Words of a set.
    Category,
    /// Yes or no.
    Boolean,
}

/// Judgements of one name and kind.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreSummary {
    /// What was judged.
    pub name: String,
    /// What kind of judgements they are.
    pub kind: ScoreKind,
    /// How many there are.
    pub count: u64,
    /// The mean of numbers, or the share of yes. `None` of words, and where it is larger than a number can be.
    pub mean: Option<f64>,
    /// The words with how often each was said, the most frequent first.
    pub categories: Vec<Category>,
}

/// A word that was said in judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// The word.
    pub value: String,
    /// How often.
    pub count: u64,
}

/// How figures are spread. A percentile is the smallest figure that so many of all are not above (nearest rank).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distribution {
    /// Figures.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Half of them are not above it.
    pub p50: f64,
    /// 95 of 100 are not above it.
    pub p95: f64,
}

/// What runs have used in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Tokens read and written.
    pub tokens: u64,
    /// What is known to have been paid; `None` where of no run it is known.
    pub cost: Option<NanoUsd>,
    /// Runs of which it is known.
    pub costed: u64,
}

/// What the runs of an experiment add up to.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentSummary {
    /// The runs by where they stand.
    pub counts: ItemCounts,
    /// Judgements, by name and kind.
    pub scores: Vec<ScoreSummary>,
    /// Nanoseconds that the runs took which gave an answer; `None` without any.
    pub latency: Option<Distribution>,
    /// What all runs that are over have used.
    pub spent: Spent,
    /// Judgements that evaluators could not give.
    pub evaluator_errors: u64,
}

impl ExperimentSummary {
    /// The sums over these runs.
    #[must_use]
    pub fn of(counts: ItemCounts, runs: &[RunFigures], evaluator_errors: u64) -> Self {
        let answered = runs.iter().filter(|run| run.status == Some(ItemStatus::Completed));
        let latencies = answered.filter_map(|run| run.duration_nanos).collect();
        let costs: Vec<_> = runs.iter().filter_map(|run| run.cost).collect();
        let cost = costs.iter().fold(0_i64, |sum, cost| sum.saturating_add(cost.nanos()));
        let tokens = runs.iter().filter_map(|run| run.tokens).fold(0_u64, u64::saturating_add);
        let spent = Spent {
            tokens,
            cost: (!costs.is_empty()).then(|| NanoUsd::from_nanos(cost)),
            costed: costs.len() as u64,
        };
        Self { counts, scores: scores(runs), latency: Distribution::of(latencies), spent, evaluator_errors }
    }
}

impl Distribution {
    /// How these figures are spread; `None` of nothing.
    #[must_use]
    pub fn of(mut figures: Vec<u64>) -> Option<Self> {
        figures.sort_unstable();
        let percentile = |of_100: usize| {
            let rank = (figures.len() * of_100).div_ceil(100).max(1);
            figures.get(rank - 1).copied().map(float)
        };
        Some(Self {
            count: figures.len() as u64,
            mean: mean(figures.iter().copied().map(float))?,
            p50: percentile(50)?,
            p95: percentile(95)?,
        })
    }
}

/// A count as a number with a fraction: exact up to 2⁵³, which in nanoseconds are a hundred days.
#[expect(clippy::cast_precision_loss, reason = "figures this large are not told apart")]
pub(super) const fn float(figure: u64) -> f64 {
    figure as f64
}

/// A judgement as a number: yes is 1 and no is 0. `None` of a word.
#[must_use]
pub fn numeric(value: &ScoreValue) -> Option<f64> {
    match value {
        ScoreValue::Number(number) => Some(*number),
        ScoreValue::Boolean(yes) => Some(f64::from(u8::from(*yes))),
        ScoreValue::Category(_) => None,
    }
}

pub(super) const fn kind(value: &ScoreValue) -> ScoreKind {
    match value {
        ScoreValue::Number(_) => ScoreKind::Number,
        ScoreValue::Category(_) => ScoreKind::Category,
        ScoreValue::Boolean(_) => ScoreKind::Boolean,
    }
}

fn scores(runs: &[RunFigures]) -> Vec<ScoreSummary> {
    let mut by_name: BTreeMap<(&str, ScoreKind), Vec<&ScoreValue>> = BTreeMap::new();
    for (name, value) in runs.iter().flat_map(|run| &run.scores) {
        by_name.entry((name, kind(value))).or_default().push(value);
    }
    let summary = |((name, kind), values): ((&str, ScoreKind), Vec<&ScoreValue>)| ScoreSummary {
        name: name.to_owned(),
        kind,
        count: values.len() as u64,
        mean: mean(values.iter().filter_map(|value| numeric(value))),
        categories: categories(&values),
    };
    by_name.into_iter().map(summary).collect()
}

fn categories(values: &[&ScoreValue]) -> Vec<Category> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for value in values {
        if let ScoreValue::Category(word) = value {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut categories: Vec<_> =
        counts.into_iter().map(|(value, count)| Category { value: value.to_owned(), count }).collect();
    categories.sort_by_key(|category| std::cmp::Reverse(category.count));
    categories
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_figures_that_are_there() {
        let spread = |figures: &[u64]| Distribution::of(figures.to_vec());
        assert_eq!(spread(&[]), None);
        let one = spread(&[7]).unwrap();
        assert_eq!((one.count, one.mean, one.p50, one.p95), (1, 7.0, 7.0, 7.0));
        let many = spread(&(1..=20).rev().collect::<Vec<_>>()).unwrap();
        assert_eq!((many.mean, many.p50, many.p95), (10.5, 10.0, 19.0));
    }

    #[test]
    fn sums_leave_out_what_is_not_known() {
        let run = |status, duration, cost: Option<i64>, score| RunFigures {
            status: Some(status),
            duration_nanos: duration,
            tokens: Some(10),
            cost: cost.map(NanoUsd::from_nanos),
            scores: vec![("right".to_owned(), score)],
        };
        let runs = [
            run(ItemStatus::Completed, Some(5), Some(3), ScoreValue::Boolean(true)),
            run(ItemStatus::Completed, Some(9), None, ScoreValue::Boolean(false)),
            run(ItemStatus::Failed, Some(90), Some(4), ScoreValue::Category("odd".to_owned())),
        ];
        let summary = ExperimentSummary::of(ItemCounts::default(), &runs, 0);
        assert_eq!(summary.latency.map(|latency| latency.p95), Some(9.0));
        assert_eq!(summary.spent, Spent { tokens: 30, cost: Some(NanoUsd::from_nanos(7)), costed: 2 });
        let scores: Vec<_> = summary.scores.iter().map(|it| (it.kind, it.count, it.mean)).collect();
        assert_eq!(scores, [(ScoreKind::Category, 1, None), (ScoreKind::Boolean, 2, Some(0.5))]);
        let none = ExperimentSummary::of(ItemCounts::default(), &[], 0);
        assert_eq!((none.latency, none.spent.cost), (None, None));
    }

    #[test]
    fn means_of_numbers_that_run_over_are_not_told() {
        let run = |number| RunFigures {
            scores: vec![("wild".to_owned(), ScoreValue::Number(number))],
            ..RunFigures::default()
        };
        let summary = ExperimentSummary::of(ItemCounts::default(), &[run(f64::MAX), run(-f64::MAX)], 0);
        assert!(summary.scores[0].mean.is_none_or(f64::is_finite), "{:?}", summary.scores);
    }
}
