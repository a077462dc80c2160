//! Two groups of conversations against each other.

use super::group::{self, ConversationFigures, Measure, Rate};
use crate::model::{
    stats::{Interval, Moments, bootstrap_median_difference, median, newcombe, welch},
    words::words,
};

/// Values that each side needs at least before a difference is judged: below that, intervals of means rest on
/// a normal distribution that nobody can see.
pub const LEAST_TO_COMPARE: u64 = 10;

/// Where the random numbers of bootstraps begin: the same for all, so that an answer can be had again.
const SEED: u64 = 0x00de_11d2_0000_0001;

words! {
    /// What a comparison shows, with a confidence of 95 %.
    ComparisonOutcome {
        /// Too few values on a side, or values without any spread: nothing can be said.
        NotEnoughData = 1 "NOT_ENOUGH_DATA",
        /// The interval of the difference holds 0: no difference is shown, which does not mean that there is none.
        NotShown = 2 "NOT_SHOWN",
        /// `a` is higher: the whole interval is above 0.
        AHigher = 3 "A_HIGHER",
        /// `b` is higher: the whole interval is below 0.
        BHigher = 4 "B_HIGHER",
    }
}

/// Two groups against each other. Differences are `a` minus `b`.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// How many succeeded.
    pub success: RateComparison,
    /// Turns of a conversation.
    pub turns: MeanComparison,
    /// Messages of a conversation.
    pub messages: MeanComparison,
    /// Calls of language models of a conversation.
    pub model_calls: MeanComparison,
    /// Calls of tools of a conversation.
    pub tool_calls: MeanComparison,
    /// Failed spans of a conversation.
    pub errors: MeanComparison,
    /// Tokens of a conversation that reports any.
    pub tokens: MeanComparison,
    /// Cost of a conversation that has a known one, in US dollars.
    pub cost: MeanComparison,
    /// How long a conversation took, in nanoseconds.
    pub duration: MeanComparison,
}

/// Two rates against each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateComparison {
    /// Of one side.
    pub a: Rate,
    /// Of the other.
    pub b: Rate,
    /// How much higher `a` is; `None` where a side has no rate.
    pub difference: Option<f64>,
    /// Newcombe's interval of it; `None` where there is too little data.
    pub interval: Option<Interval>,
    /// What it shows.
    pub outcome: ComparisonOutcome,
}

/// Two means against each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanComparison {
    /// Of one side; `None` where it has no value.
    pub a: Option<Sample>,
    /// Of the other.
    pub b: Option<Sample>,
    /// How much higher the mean of `a` is.
    pub difference: Option<f64>,
    /// Welch's interval of it; `None` where there is too little data.
    pub interval: Option<Interval>,
    /// What it shows.
    pub outcome: ComparisonOutcome,
    /// How much higher the median of `a` is: some very large values move a mean, and no median.
    pub median_difference: Option<f64>,
    /// The bootstrap's interval of it; `None` where there is too little data.
    pub median_interval: Option<Interval>,
}

/// The values of one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// How many there are: at least one.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation; `None` of one value.
    pub deviation: Option<f64>,
    /// Their median.
    pub median: f64,
}

impl Comparison {
    /// Two groups against each other.
    #[must_use]
    pub fn of(a: &[ConversationFigures], b: &[ConversationFigures]) -> Self {
        let means = |measure: Measure| {
            let values = |side: &[ConversationFigures]| side.iter().filter_map(measure).collect();
            MeanComparison::of(values(a), values(b))
        };
        Self {
            success: RateComparison::of(Rate::of(a), Rate::of(b)),
            turns: means(group::turns),
            messages: means(group::messages),
            model_calls: means(group::model_calls),
            tool_calls: means(group::tool_calls),
            errors: means(group::errors),
            tokens: means(group::tokens),
            cost: means(group::cost),
            duration: means(group::duration),
        }
    }
}

impl RateComparison {
    /// Two rates against each other.
    #[must_use]
    pub fn of(a: Rate, b: Rate) -> Self {
        let enough = a.judged.min(b.judged) >= LEAST_TO_COMPARE;
        let interval = newcombe((a.succeeded, a.judged), (b.succeeded, b.judged)).filter(|_| enough);
        let difference = a.rate().zip(b.rate()).map(|(a, b)| a - b);
        Self { a, b, difference, interval, outcome: ComparisonOutcome::by(interval) }
    }
}

impl MeanComparison {
    /// The means of values in any order against each other.
    #[must_use]
    pub fn of(mut a: Vec<f64>, mut b: Vec<f64>) -> Self {
        // In one order, so that no last digit depends on it.
        a.sort_unstable_by(f64::total_cmp);
        b.sort_unstable_by(f64::total_cmp);
        let (sample_a, sample_b) = (Sample::of(&a), Sample::of(&b));
        let both = sample_a.zip(sample_b);
        let enough = both.is_some_and(|(a, b)| a.count.min(b.count) >= LEAST_TO_COMPARE);
        let interval = welch(&Moments::of(&a), &Moments::of(&b)).filter(|_| enough);
        // Where nothing differs, drawing again finds no spread either.
        let median_interval = interval.and_then(|_| bootstrap_median_difference(&a, &b, SEED));
        Self {
            a: sample_a,
            b: sample_b,
            difference: both.map(|(a, b)| a.mean - b.mean),
            interval,
            outcome: ComparisonOutcome::by(interval),
            median_difference: both.map(|(a, b)| a.median - b.median),
            median_interval,
        }
    }
}

impl Sample {
    fn of(values: &[f64]) -> Option<Self> {
        let moments = Moments::of(values);
        Some(Self {
            count: moments.count(),
            mean: moments.mean()?,
            deviation: moments.deviation(),
            median: median(values.to_vec())?,
        })
    }
}

impl ComparisonOutcome {
    /// What the interval of a difference shows.
    pub(in crate::model) fn by(interval: Option<Interval>) -> Self {
        match interval {
            None => Self::NotEnoughData,
            Some(interval) if interval.is_above(0.0) => Self::AHigher,
            Some(interval) if interval.is_below(0.0) => Self::BHigher,
            Some(_) => Self::NotShown,
        }
    }
}
