//! What traces, spans and scores add up to, as charts and comparisons show it.

use async_graphql::{ID, Object};

use crate::{
    graphql::{
        ids,
        scalar::{BigInt, int},
    },
    model::series,
};

/// What a figure is counted in: nanoseconds are shown as milliseconds, billionths of a dollar as dollars.
#[derive(Clone, Copy)]
pub(in crate::graphql) enum Unit {
    Millis,
    Tokens,
    Dollars,
}

impl Unit {
    /// A figure as it is shown.
    pub(in crate::graphql) fn shown(self, value: f64) -> f64 {
        match self {
            Self::Millis => value / 1e6,
            Self::Tokens => value,
            Self::Dollars => value / 1e9,
        }
    }
}

/// How the values of some traces or spans are distributed.
pub(in crate::graphql) struct Distribution<'a> {
    /// Whose.
    of: &'a str,
    /// Of what.
    name: &'static str,
    values: &'a series::Distribution,
    unit: Unit,
}

impl Distribution<'_> {
    fn quantile_of(&self, quantile: f64) -> Option<f64> {
        self.values.quantile(quantile).map(|value| self.unit.shown(value))
    }
}

/// How a figure is distributed. Mean and deviation are exact; quantiles are within one hundredth of their value
/// (`DDSketch`). Without values they are null.
#[Object]
impl Distribution<'_> {
    /// Tells distributions apart.
    async fn id(&self) -> ID {
        ids::of_content(&format!("distribution {} {}", self.of, self.name))
    }

    /// How many values there are.
    async fn count(&self) -> BigInt {
        BigInt(self.values.count)
    }

    /// The mean.
    async fn mean(&self) -> Option<f64> {
        self.values.mean().map(|mean| self.unit.shown(mean))
    }

    /// The sample standard deviation; null below two values.
    async fn standard_deviation(&self) -> Option<f64> {
        self.values.variance().map(|variance| self.unit.shown(variance.sqrt()))
    }

    /// The median.
    async fn p50(&self) -> Option<f64> {
        self.quantile_of(0.5)
    }

    /// What nine of ten are not above.
    async fn p90(&self) -> Option<f64> {
        self.quantile_of(0.9)
    }

    /// What 95 of 100 are not above.
    async fn p95(&self) -> Option<f64> {
        self.quantile_of(0.95)
    }

    /// What 99 of 100 are not above.
    async fn p99(&self) -> Option<f64> {
        self.quantile_of(0.99)
    }

    /// The largest.
    async fn max(&self) -> Option<f64> {
        self.quantile_of(1.0)
    }
}

/// What some traces, or some spans, add up to.
pub(in crate::graphql) struct Measure<'a> {
    of: String,
    measure: &'a series::Measure,
}

impl<'a> Measure<'a> {
    pub(in crate::graphql) const fn new(of: String, measure: &'a series::Measure) -> Self {
        Self { of, measure }
    }

    fn distribution<'s>(
        &'s self,
        name: &'static str,
        values: &'s series::Distribution,
        unit: Unit,
    ) -> Distribution<'s> {
        Distribution { of: &self.of, name, values, unit }
    }
}

fn whole(sum: u128) -> BigInt {
    BigInt(u64::try_from(sum).unwrap_or(u64::MAX))
}

/// A part of a whole; nothing where there is no whole.
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
pub(in crate::graphql) fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// What some traces, or some spans, add up to.
#[Object(name = "SeriesMeasure")]
impl Measure<'_> {
    /// Tells measures apart.
    async fn id(&self) -> ID {
        ids::of_content(&format!("measure {}", self.of))
    }

    /// How many there are.
    async fn count(&self) -> BigInt {
        BigInt(self.measure.count)
    }

    /// Of them: ended badly (traces: `FAILED`, spans: `ERROR`).
    async fn failed_count(&self) -> BigInt {
        BigInt(self.measure.failed)
    }

    /// Of them: stopped.
    async fn cancelled_count(&self) -> BigInt {
        BigInt(self.measure.cancelled)
    }

    /// The part of them that ended badly, from 0 to 1; null where there are none.
    async fn failure_rate(&self) -> Option<f64> {
        rate(self.measure.failed, self.measure.count)
    }

    /// Tokens read, cached ones included.
    async fn input_tokens(&self) -> BigInt {
        whole(self.measure.tokens.input)
    }

    /// Tokens written, reasoning included.
    async fn output_tokens(&self) -> BigInt {
        whole(self.measure.tokens.output)
    }

    /// Of the input: read from a cache.
    async fn cache_read_tokens(&self) -> BigInt {
        whole(self.measure.tokens.cache_read)
    }

    /// Of the input: written to a cache.
    async fn cache_write_tokens(&self) -> BigInt {
        whole(self.measure.tokens.cache_write)
    }

    /// Of the output: reasoning.
    async fn reasoning_tokens(&self) -> BigInt {
        whole(self.measure.tokens.reasoning)
    }

    /// Input and output together.
    async fn total_tokens(&self) -> BigInt {
        whole(self.measure.tokens.input.saturating_add(self.measure.tokens.output))
    }

    /// What those whose cost is known cost in US dollars; null where no cost is known.
    #[expect(clippy::cast_precision_loss, reason = "an amount for people to read")]
    async fn total_cost_usd(&self) -> Option<f64> {
        (self.measure.priced > 0).then(|| self.measure.cost as f64 / 1e9)
    }

    /// How many have a known cost.
    async fn priced_count(&self) -> BigInt {
        BigInt(self.measure.priced)
    }

    /// How long those that ended took, in milliseconds.
    async fn duration_ms(&self) -> Distribution<'_> {
        self.distribution("duration", &self.measure.durations, Unit::Millis)
    }

    /// Tokens of each that used any.
    async fn tokens(&self) -> Distribution<'_> {
        self.distribution("tokens", &self.measure.token_counts, Unit::Tokens)
    }

    /// Cost of each whose cost is known, in US dollars.
    async fn cost_usd(&self) -> Distribution<'_> {
        self.distribution("cost", &self.measure.costs, Unit::Dollars)
    }

    /// Milliseconds until the first token, of the model calls that tell.
    async fn time_to_first_token_ms(&self) -> Distribution<'_> {
        self.distribution("first", &self.measure.first_tokens, Unit::Millis)
    }
}

/// What the scores of one name add up to.
pub(in crate::graphql) struct ScoreMeasure<'a> {
    of: &'a str,
    name: &'a str,
    measure: &'a series::ScoreMeasure,
}

impl<'a> ScoreMeasure<'a> {
    /// The scores of a cell.
    pub(in crate::graphql) fn all(of: &'a str, cell: &'a series::Cell) -> Vec<Self> {
        cell.scores.iter().map(|(name, measure)| Self { of, name, measure }).collect()
    }
}

/// Scores of one category.
#[derive(async_graphql::SimpleObject)]
struct CategoryCount {
    /// Tells counts apart.
    id: ID,
    /// The category.
    category: String,
    /// How many scores have it.
    count: BigInt,
}

/// What the scores of one name, of traces and their spans, add up to.
#[Object(name = "SeriesScores")]
impl ScoreMeasure<'_> {
    /// Tells measures apart.
    async fn id(&self) -> ID {
        ids::of_content(&format!("scores {} {}", self.of, self.name))
    }

    /// What is judged: `helpfulness`.
    async fn name(&self) -> &str {
        self.name
    }

    /// How many scores there are.
    async fn count(&self) -> BigInt {
        BigInt(self.measure.count)
    }

    /// The mean of those that are numbers; null where there are none.
    async fn mean(&self) -> Option<f64> {
        self.measure.mean()
    }

    /// The sample standard deviation of those that are numbers; null below two.
    async fn standard_deviation(&self) -> Option<f64> {
        self.measure.variance().map(f64::sqrt)
    }

    /// How many say yes.
    async fn yes_count(&self) -> BigInt {
        BigInt(self.measure.yes)
    }

    /// How many say no.
    async fn no_count(&self) -> BigInt {
        BigInt(self.measure.no)
    }

    /// The part of those that say yes or no which say yes, from 0 to 1; null where there are none.
    async fn yes_rate(&self) -> Option<f64> {
        rate(self.measure.yes, self.measure.yes.saturating_add(self.measure.no))
    }

    /// How many there are of each category, at most 32 of them.
    async fn categories(&self) -> Vec<CategoryCount> {
        let count = |(category, count): (&String, &u64)| CategoryCount {
            id: ids::of_content(&format!("category {} {} {category}", self.of, self.name)),
            category: category.clone(),
            count: BigInt(*count),
        };
        self.measure.categories.iter().map(count).collect()
    }

    /// How many of them are numbers.
    async fn number_count(&self) -> i32 {
        int(self.measure.numbers)
    }
}
