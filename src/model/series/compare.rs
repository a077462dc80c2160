//! Two versions against each other, by what their uses and the traces with them add up to.

use super::{Cell, Distribution, Measure, ScoreMeasure};
use crate::model::{
    evaluation::{ComparisonOutcome, LEAST_TO_COMPARE},
    stats::{Interval, Moments, newcombe, welch},
    words::words,
};

words! {
    /// A figure by which versions are compared.
    ComparedFigure {
        /// How long a use took, in milliseconds.
        UseDuration = 1 "USE_DURATION_MS",
        /// Tokens of a use and of everything below it, of those that used any.
        UseTokens = 2 "USE_TOKENS",
        /// What a use and everything below it cost, in US dollars, where that is known.
        UseCost = 3 "USE_COST_USD",
        /// The part of the uses that ended with an error.
        UseFailureRate = 4 "USE_FAILURE_RATE",
        /// Milliseconds until the first token, of uses that tell.
        TimeToFirstToken = 5 "TIME_TO_FIRST_TOKEN_MS",
        /// How long a trace with it took, in milliseconds.
        TraceDuration = 6 "TRACE_DURATION_MS",
        /// Tokens of a trace with it, of those that used any.
        TraceTokens = 7 "TRACE_TOKENS",
        /// What a trace with it cost, in US dollars, where that is known.
        TraceCost = 8 "TRACE_COST_USD",
        /// The part of the traces with it that failed.
        TraceFailureRate = 9 "TRACE_FAILURE_RATE",
        /// The mean of a score that is a number, of traces with it and their spans.
        ScoreMean = 10 "SCORE_MEAN",
        /// The part of a score that says yes, of traces with it and their spans.
        ScoreYesRate = 11 "SCORE_YES_RATE",
    }
}

words! {
    /// How the interval of a difference is made.
    IntervalMethod {
        /// Of two means, by Welch's t, which takes their spreads as they are.
        Welch = 1 "WELCH",
        /// Of two rates, by Newcombe's hybrid of Wilson's score intervals.
        Newcombe = 2 "NEWCOMBE",
    }
}

/// One side of a difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Side {
    /// Values behind it.
    pub count: u64,
    /// The mean, or the rate; `None` where there is nothing.
    pub value: Option<f64>,
    /// The sample standard deviation of a mean; `None` of a rate, and below two values.
    pub deviation: Option<f64>,
}

/// A figure of two versions. Differences are `a` minus `b`.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The figure.
    pub figure: ComparedFigure,
    /// The name of the score that it is of.
    pub score: Option<String>,
    /// Of the one version.
    pub a: Side,
    /// Of the other.
    pub b: Side,
    /// How much higher `a` is; `None` where a side has no value.
    pub difference: Option<f64>,
    /// How much higher `a` is, as a part of `b`; `None` where `b` has no value, or is 0.
    pub relative: Option<f64>,
    /// Where the true difference lies with a confidence of 95 %; `None` where there is too little data.
    pub interval: Option<Interval>,
    /// How the interval is made.
    pub method: IntervalMethod,
    /// What it shows.
    pub outcome: ComparisonOutcome,
}

/// Every figure that one of the two has.
#[must_use]
pub fn compare(a: &Cell, b: &Cell) -> Vec<Difference> {
    type F = ComparedFigure;
    const MILLIS: f64 = 1e6;
    const DOLLARS: f64 = 1e9;
    let mean = |figure, of: fn(&Cell) -> &Distribution, unit: f64| {
        Difference::of_means(figure, None, moments(of(a), unit), moments(of(b), unit))
    };
    let rate = |figure, of: fn(&Cell) -> &Measure| {
        Difference::of_rates(figure, None, (of(a).failed, of(a).count), (of(b).failed, of(b).count))
    };
    let mut all = vec![
        mean(F::UseDuration, |cell| &cell.spans.durations, MILLIS),
        mean(F::UseTokens, |cell| &cell.spans.token_counts, 1.0),
        mean(F::UseCost, |cell| &cell.spans.costs, DOLLARS),
        rate(F::UseFailureRate, |cell| &cell.spans),
        mean(F::TimeToFirstToken, |cell| &cell.spans.first_tokens, MILLIS),
        mean(F::TraceDuration, |cell| &cell.traces.durations, MILLIS),
        mean(F::TraceTokens, |cell| &cell.traces.token_counts, 1.0),
        mean(F::TraceCost, |cell| &cell.traces.costs, DOLLARS),
        rate(F::TraceFailureRate, |cell| &cell.traces),
    ];
    all.extend(scores(a, b));
    all.retain(|difference| difference.a.count > 0 || difference.b.count > 0);
    all
}

fn scores(a: &Cell, b: &Cell) -> Vec<Difference> {
    let mut names: Vec<&String> = a.scores.iter().chain(&b.scores).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    let none = ScoreMeasure::default();
    let of = |cell: &'_ Cell, name: &String| {
        cell.scores
            .iter()
            .find(|(known, _)| known == name)
            .map_or_else(|| none.clone(), |(_, measure)| measure.clone())
    };
    let both = names.into_iter().flat_map(|name| {
        let (a, b) = (of(a, name), of(b, name));
        let tries = |measure: &ScoreMeasure| (measure.yes, measure.yes.saturating_add(measure.no));
        let score = Some(name.clone());
        [
            Difference::of_means(
                ComparedFigure::ScoreMean,
                score.clone(),
                score_moments(&a),
                score_moments(&b),
            ),
            Difference::of_rates(ComparedFigure::ScoreYesRate, score, tries(&a), tries(&b)),
        ]
    });
    both.collect()
}

fn moments(values: &Distribution, unit: f64) -> Moments {
    let variance = values.variance().unwrap_or(0.0) / unit / unit;
    Moments::from_parts(values.count, values.mean().unwrap_or(0.0) / unit, variance)
}

fn score_moments(scores: &ScoreMeasure) -> Moments {
    Moments::from_parts(scores.numbers, scores.mean().unwrap_or(0.0), scores.variance().unwrap_or(0.0))
}

impl Difference {
    fn of_means(figure: ComparedFigure, score: Option<String>, a: Moments, b: Moments) -> Self {
        let enough = a.count().min(b.count()) >= LEAST_TO_COMPARE;
        let interval = welch(&a, &b).filter(|_| enough);
        let side = |of: &Moments| Side { count: of.count(), value: of.mean(), deviation: of.deviation() };
        Self::new((figure, score), (side(&a), side(&b)), interval, IntervalMethod::Welch)
    }

    fn of_rates(figure: ComparedFigure, score: Option<String>, a: (u64, u64), b: (u64, u64)) -> Self {
        let enough = a.1.min(b.1) >= LEAST_TO_COMPARE;
        let interval = newcombe(a, b).filter(|_| enough);
        let side = |(of, all): (u64, u64)| Side { count: all, value: rate(of, all), deviation: None };
        Self::new((figure, score), (side(a), side(b)), interval, IntervalMethod::Newcombe)
    }

    fn new(
        (figure, score): (ComparedFigure, Option<String>),
        (a, b): (Side, Side),
        interval: Option<Interval>,
        method: IntervalMethod,
    ) -> Self {
        let both = a.value.zip(b.value);
        let relative = both.filter(|(_, b)| *b != 0.0).map(|(a, b)| (a - b) / b.abs());
        let relative = relative.filter(|relative| relative.is_finite());
        let (difference, outcome) = (both.map(|(a, b)| a - b), ComparisonOutcome::by(interval));
        Self { figure, score, a, b, difference, relative, interval, method, outcome }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{score::ScoreValue, series::Counted};

    fn cell(durations: &[u64], failed: usize, yes: &[bool]) -> Cell {
        let mut cell = Cell::default();
        for (index, duration) in durations.iter().enumerate() {
            let millis = duration * 1_000_000;
            cell.spans.add(&Counted { failed: index < failed, duration: Some(millis), ..Counted::default() });
        }
        let mut scores = ScoreMeasure::default();
        for yes in yes {
            scores.add(&ScoreValue::Boolean(*yes));
        }
        if !yes.is_empty() {
            cell.scores.push(("good".to_owned(), scores));
        }
        cell
    }

    fn find(all: &[Difference], figure: ComparedFigure) -> Difference {
        all.iter().find(|one| one.figure == figure).unwrap().clone()
    }

    /// 1 to 10 ms and 11 to 20 ms: means of 5.5 and 15.5, and the variance of ten numbers in a row is 55 / 6 on both
    /// sides. The error of the difference is the root of 2 × 55 / 6 / 10 = 1.35401; with 18 degrees of freedom
    /// Student's t is 2.10092, so the interval reaches 2.84466 to both sides of −10.
    #[test]
    fn means_are_compared_as_worked_out_by_hand() {
        let (a, b): (Vec<u64>, Vec<u64>) = ((1..=10).collect(), (11..=20).collect());
        let duration = find(&compare(&cell(&a, 0, &[]), &cell(&b, 0, &[])), ComparedFigure::UseDuration);
        assert_eq!(
            (duration.a.value, duration.b.value, duration.difference),
            (Some(5.5), Some(15.5), Some(-10.0))
        );
        let interval = duration.interval.unwrap();
        assert!(
            (interval.low + 12.844_66).abs() < 1e-4 && (interval.high + 7.155_34).abs() < 1e-4,
            "{interval:?}"
        );
        assert_eq!((duration.outcome, duration.method), (ComparisonOutcome::BHigher, IntervalMethod::Welch));
        assert!((duration.relative.unwrap() + 10.0 / 15.5).abs() < 1e-12);
    }

    /// Newcombe's own example (1998, table II, case a): 56 of 70 and 48 of 80 differ by 0.0524 to 0.3339.
    #[test]
    fn rates_are_compared_as_printed() {
        let yes = |yes: usize, all: usize| (0..all).map(|index| index < yes).collect::<Vec<_>>();
        let all = compare(&cell(&[], 0, &yes(56, 70)), &cell(&[], 0, &yes(48, 80)));
        let rate = find(&all, ComparedFigure::ScoreYesRate);
        let interval = rate.interval.unwrap();
        assert!(
            (interval.low - 0.0524).abs() < 5e-5 && (interval.high - 0.3339).abs() < 5e-5,
            "{interval:?}"
        );
        assert_eq!((rate.a.count, rate.b.count, rate.outcome), (70, 80, ComparisonOutcome::AHigher));
        assert_eq!(rate.score.as_deref(), Some("good"));
    }

    #[test]
    fn too_little_data_shows_nothing() {
        let nine: Vec<u64> = (1..=9).collect();
        let ten: Vec<u64> = (101..=110).collect();
        let all = compare(&cell(&nine, 9, &[]), &cell(&ten, 0, &[]));
        for figure in [ComparedFigure::UseDuration, ComparedFigure::UseFailureRate] {
            let found = find(&all, figure);
            assert_eq!((found.interval, found.outcome), (None, ComparisonOutcome::NotEnoughData), "{figure}");
            assert!(found.difference.is_some());
        }
        // What neither has is left out.
        assert!(all.iter().all(|found| found.figure != ComparedFigure::TraceDuration));
        assert_eq!(compare(&Cell::default(), &Cell::default()), []);
    }
}
