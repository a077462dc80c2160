//! What a model call used and what it cost: the figures as reported, and how they were counted.

use std::fmt;

use bincode::{Decode, Encode};

use super::{Refusal, words::words};

/// Tokens by kind, as the caller reported them. What is unknown stays `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct TokenCounts {
    /// Tokens read by the model.
    pub input: Option<u64>,
    /// Tokens written by the model.
    pub output: Option<u64>,
    /// Input tokens that came from a cache.
    pub cache_read: Option<u64>,
    /// Input tokens that were written to a cache.
    pub cache_write: Option<u64>,
    /// Output tokens spent on reasoning.
    pub reasoning: Option<u64>,
    /// The total, where the caller reported one of its own.
    pub total: Option<u64>,
}

words! {
    /// What the reported input and output counts include.
    CountingRule {
        /// Input includes cached tokens and output includes reasoning, as OpenTelemetry says.
        Inclusive = 1 "INCLUSIVE",
        /// Cached and reasoning tokens come on top of input and output.
        Exclusive = 2 "EXCLUSIVE",
        /// Cached tokens come on top of input; output includes reasoning, as Anthropic counts.
        CacheExclusive = 3 "CACHE_EXCLUSIVE",
        /// Input includes cached tokens; reasoning comes on top of output, as Gemini counts.
        ReasoningExclusive = 4 "REASONING_EXCLUSIVE",
    }
}

impl CountingRule {
    /// Whether the input count includes tokens read from a cache and written to one.
    #[must_use]
    pub const fn input_includes_cached(self) -> bool {
        matches!(self, Self::Inclusive | Self::ReasoningExclusive)
    }

    /// Whether the output count includes tokens spent on reasoning.
    #[must_use]
    pub const fn output_includes_reasoning(self) -> bool {
        matches!(self, Self::Inclusive | Self::CacheExclusive)
    }

    /// The rule of these two.
    #[must_use]
    pub const fn of(input_includes_cached: bool, output_includes_reasoning: bool) -> Self {
        match (input_includes_cached, output_includes_reasoning) {
            (true, true) => Self::Inclusive,
            (false, true) => Self::CacheExclusive,
            (true, false) => Self::ReasoningExclusive,
            (false, false) => Self::Exclusive,
        }
    }

    /// What counts can only mean: a part is never larger than its whole, and a total says what it adds up.
    /// Where they leave it open, parts are included, as OpenTelemetry says: also where a part is sent
    /// without its whole.
    #[must_use]
    pub fn shown_by(tokens: &TokenCounts) -> Self {
        let count = |count: Option<u64>| count.unwrap_or(0);
        let cached = count(tokens.cache_read).saturating_add(count(tokens.cache_write));
        let (input, output, reasoning) = (count(tokens.input), count(tokens.output), count(tokens.reasoning));
        let rest = tokens.total.and_then(|total| total.checked_sub(input)?.checked_sub(output));
        let adds = |part: u64| part > 0 && rest == Some(part);
        let both = cached > 0 && reasoning > 0 && rest == cached.checked_add(reasoning);
        let exceeds = |part: u64, whole: Option<u64>| whole.is_some_and(|whole| part > whole);
        Self::of(
            !(exceeds(cached, tokens.input) || adds(cached) || both),
            !(exceeds(reasoning, tokens.output) || adds(reasoning) || both),
        )
    }
}

words! {
    /// Where a cost comes from.
    CostSource {
        /// The caller said it.
        Reported = 1 "REPORTED",
        /// It was computed from token counts and a price table.
        Computed = 2 "COMPUTED",
        /// Nobody knows it.
        Unknown = 3 "UNKNOWN",
    }
}

/// Money, in billionths of a US dollar: whole numbers, so that sums do not depend on their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct NanoUsd(i64);

impl NanoUsd {
    /// An amount in billionths of a dollar.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// An amount in dollars, if it is one: finite, not negative, and below nine billion.
    pub fn from_dollars(field: &str, dollars: f64) -> Result<Self, Refusal> {
        let nanos = (dollars * 1e9).round();
        if !(0.0..9e18).contains(&nanos) {
            return Err(Refusal::invalid(
                field,
                format!("{dollars} is not an amount of US dollars of 0 or more"),
            ));
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
        Ok(Self(nanos as i64))
    }

    /// Billionths of a dollar.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Dollars.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an amount for people to read")]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The sum, stopping at the largest amount.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// US dollars with all nine digits behind the point: `0.000012500`.
impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, nanos) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
    }
}

/// What one span used and cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Ledger {
    /// The counts as reported.
    pub tokens: TokenCounts,
    /// What they include; `None` where no tokens were reported.
    pub rule: Option<CountingRule>,
    /// The cost; `None` where it is unknown.
    pub cost: Option<NanoUsd>,
    /// Where the cost comes from; `None` where nothing was used.
    pub source: Option<CostSource>,
    /// The price table that a computed cost rests on.
    pub price_version: Option<String>,
}

/// Tokens by kind with one meaning whatever was reported: input includes cached tokens, output
/// includes reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct TokenTotals {
    /// Tokens read, cached ones included.
    pub input: u64,
    /// Tokens written, reasoning included.
    pub output: u64,
    /// Of the input: read from a cache.
    pub cache_read: u64,
    /// Of the input: written to a cache.
    pub cache_write: u64,
    /// Of the output: reasoning.
    pub reasoning: u64,
}

impl TokenTotals {
    /// Input and output together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }

    /// This without `other`, which it contains.
    #[must_use]
    pub const fn minus(&self, other: &Self) -> Self {
        Self {
            input: self.input.saturating_sub(other.input),
            output: self.output.saturating_sub(other.output),
            cache_read: self.cache_read.saturating_sub(other.cache_read),
            cache_write: self.cache_write.saturating_sub(other.cache_write),
            reasoning: self.reasoning.saturating_sub(other.reasoning),
        }
    }
}

impl Ledger {
    /// Whether any tokens were reported.
    #[must_use]
    pub fn reports_tokens(&self) -> bool {
        self.tokens != TokenCounts::default()
    }

    /// The tokens with one meaning, whatever rule the caller counted by.
    #[must_use]
    pub fn totals(&self) -> TokenTotals {
        let tokens = &self.tokens;
        let (cache_read, cache_write) = (tokens.cache_read.unwrap_or(0), tokens.cache_write.unwrap_or(0));
        let (cached, reasoning) = (cache_read.saturating_add(cache_write), tokens.reasoning.unwrap_or(0));
        let mut totals = TokenTotals {
            input: tokens.input.unwrap_or(0),
            output: tokens.output.unwrap_or(0),
            cache_read,
            cache_write,
            reasoning,
        };
        let rule = self.rule.unwrap_or(CountingRule::Inclusive);
        if !rule.input_includes_cached() {
            totals.input = totals.input.saturating_add(cached);
        }
        if !rule.output_includes_reasoning() {
            totals.output = totals.output.saturating_add(reasoning);
        }
        // A whole that is not reported is at least its parts.
        totals.input = totals.input.max(if tokens.input.is_none() { cached } else { 0 });
        totals.output = totals.output.max(if tokens.output.is_none() { reasoning } else { 0 });
        // Some callers report only a total: it is then all input, because nothing says otherwise.
        if let (None, None, Some(total)) = (tokens.input, tokens.output, tokens.total) {
            totals.input = totals.input.max(total);
        }
        totals
    }
}
