//! Prices and what tokens come to at them, in whole numbers throughout.

use std::sync::Arc;

use crate::model::{
    Timestamp,
    ledger::{NanoUsd, TokenTotals},
};

/// Digits after the point of a price of a million tokens: each is then a whole number of picodollars
/// (10⁻¹² of a dollar) a token.
pub(super) const TOKEN_DIGITS: usize = 6;

/// Digits after the point of a price of a call, down to the picodollar.
pub(super) const CALL_DIGITS: usize = 12;

/// The most dollars that a million tokens or a call can cost. No sum of products of it with counts of
/// tokens leaves 128 bits.
const MAX_DOLLARS: u64 = 1_000_000;

const PICODOLLARS_A_NANODOLLAR: u128 = 1000;

/// The prices of a model, at all times.
pub(super) type PriceHistory = Arc<[DatedRates]>;

/// The prices that hold from a moment on.
#[derive(Debug)]
pub(super) struct DatedRates {
    /// `None`: always.
    pub(super) from: Option<Timestamp>,
    pub(super) rates: Rates,
}

/// The prices of a model's kinds of tokens. What has none costs what input or output does.
#[derive(Debug)]
pub(super) struct Rates {
    pub(super) input: Option<Price>,
    pub(super) output: Option<Price>,
    pub(super) cache_read: Option<Price>,
    pub(super) cache_write: Option<Price>,
    pub(super) reasoning: Option<Price>,
    /// Picodollars for the call itself.
    pub(super) call: u64,
}

/// Picodollars a token, by the size of the input.
#[derive(Debug)]
pub(super) struct Price {
    pub(super) base: u64,
    /// By rising size.
    pub(super) tiers: Box<[Tier]>,
}

/// What each token costs, the first ones included, when there are more input tokens than `above`.
#[derive(Debug)]
pub(super) struct Tier {
    pub(super) above: u64,
    pub(super) price: u64,
}

/// The prices that held at a moment: the last whose day had come, or else the first.
pub(super) fn prices_at(history: &[DatedRates], at: Timestamp) -> Option<&Rates> {
    let begun = |dated: &&DatedRates| dated.from.is_none_or(|from| from <= at);
    history.iter().rev().find(begun).or(history.first()).map(|dated| &dated.rates)
}

impl Rates {
    /// Whether any tokens have a price.
    pub(super) const fn price_tokens(&self) -> bool {
        self.input.is_some() || self.output.is_some()
    }

    /// What one call comes to; `None` where tokens were used that have no price, or none has one.
    ///
    /// Counts that contradict each other (more cached tokens than input, more reasoning than output) are
    /// taken by kind: each token that was named is paid for once.
    pub(super) fn cost(&self, tokens: &TokenTotals) -> Option<NanoUsd> {
        if !self.price_tokens() {
            return None;
        }
        let cached = tokens.cache_read.saturating_add(tokens.cache_write);
        let (input, output) = (self.input.as_ref(), self.output.as_ref());
        let kinds = [
            (tokens.input.saturating_sub(cached), input),
            (tokens.cache_read, self.cache_read.as_ref().or(input)),
            (tokens.cache_write, self.cache_write.as_ref().or(input)),
            (tokens.output.saturating_sub(tokens.reasoning), output),
            (tokens.reasoning, self.reasoning.as_ref().or(output)),
        ];
        let size = tokens.input.max(cached);
        let mut picodollars = u128::from(self.call);
        for (count, price) in kinds.into_iter().filter(|(count, _)| *count > 0) {
            picodollars += u128::from(count) * u128::from(price?.of_token(size));
        }
        let nanodollars = (picodollars + PICODOLLARS_A_NANODOLLAR / 2) / PICODOLLARS_A_NANODOLLAR;
        Some(NanoUsd::from_nanos(i64::try_from(nanodollars).unwrap_or(i64::MAX)))
    }
}

impl Price {
    fn of_token(&self, input_tokens: u64) -> u64 {
        let reached = self.tiers.iter().rev().find(|tier| input_tokens > tier.above);
        reached.map_or(self.base, |tier| tier.price)
    }
}

/// Reads a number of dollars as a whole number of its last digit, without the detour of a float that
/// could not hold it.
pub(super) fn decimal(written: &str, digits: usize) -> Result<u64, String> {
    let (whole, fraction) = written.split_once('.').unwrap_or((written, "0"));
    let all_digits = [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let value = (all_digits && fraction.len() <= digits)
        .then(|| format!("{whole}{fraction:0<digits$}").parse::<u64>().ok())
        .flatten()
        .filter(|_| whole.parse::<u64>().is_ok_and(|dollars| dollars < MAX_DOLLARS));
    value.ok_or_else(|| {
        format!("{written} is not dollars from 0 to below {MAX_DOLLARS} with at most {digits} digits after the point")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        assert_eq!(decimal("0.15", TOKEN_DIGITS), Ok(150_000));
        assert_eq!(decimal("3", TOKEN_DIGITS), Ok(3_000_000));
        assert_eq!(decimal("0.003625", TOKEN_DIGITS), Ok(3_625));
        assert_eq!(decimal("999999.999999", TOKEN_DIGITS), Ok(999_999_999_999));
        assert_eq!(decimal("0.012", CALL_DIGITS), Ok(12_000_000_000));
        for wrong in ["-1", "1e-3", "0.0000001", "1000000", "", ".5", "5.", "1.-2", "\"1\"", "null"] {
            assert!(decimal(wrong, TOKEN_DIGITS).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_are_rounded_once_and_half_up() {
        let rates = rates([Some(price(499)), Some(price(1)), None, None, None]);
        let cost = |input, output| {
            rates.cost(&TokenTotals { input, output, ..TokenTotals::default() }).unwrap().nanos()
        };
        assert_eq!(cost(1, 0), 0);
        assert_eq!(cost(1, 1), 1);
        assert_eq!(cost(3, 2), 1);
        assert_eq!(cost(3, 3), 2);
    }

    #[test]
    fn a_kind_of_tokens_without_a_price_cannot_be_paid() {
        let input_only = rates([Some(price(1000)), None, None, None, None]);
        let tokens = TokenTotals { input: 5, ..TokenTotals::default() };
        assert_eq!(input_only.cost(&tokens), Some(NanoUsd::from_nanos(5)));
        assert_eq!(input_only.cost(&TokenTotals { output: 1, ..tokens }), None);
        assert_eq!(rates([None, None, None, None, None]).cost(&TokenTotals::default()), None);
    }

    #[test]
    fn counts_that_contradict_each_other_are_taken_by_kind() {
        let rates = rates([Some(price(2000)), Some(price(5000)), Some(price(1000)), None, None]);
        let tokens =
            TokenTotals { input: 2, cache_read: 100, output: 1, reasoning: 3, ..TokenTotals::default() };
        assert_eq!(rates.cost(&tokens), Some(NanoUsd::from_nanos(100 + 15)));
    }

    fn rates([input, output, cache_read, cache_write, reasoning]: [Option<Price>; 5]) -> Rates {
        Rates { input, output, cache_read, cache_write, reasoning, call: 0 }
    }

    fn price(base: u64) -> Price {
        Price { base, tiers: Box::default() }
    }

    /// A price that rises with the size of the input, as all do.
    fn any_price() -> impl Strategy<Value = Price> {
        let largest = MAX_DOLLARS * 1_000_000 - 1;
        (0..=largest, proptest::collection::vec((any::<u64>(), 0..=largest), 0..3)).prop_map(
            |(base, mut tiers)| {
                tiers.sort_unstable();
                let mut price = base;
                let tiers = tiers.into_iter().map(|(above, next)| {
                    price = price.max(next);
                    Tier { above, price }
                });
                Price { base, tiers: tiers.collect() }
            },
        )
    }

    fn any_rates() -> impl Strategy<Value = Rates> {
        let optional = || proptest::option::of(any_price());
        (any_price(), any_price(), optional(), optional(), optional(), any::<u64>()).prop_map(
            |(input, output, cache_read, cache_write, reasoning, call)| Rates {
                input: Some(input),
                output: Some(output),
                cache_read,
                cache_write,
                reasoning,
                call,
            },
        )
    }

    /// Counts of uncached input, cache reads, cache writes, plain output and reasoning.
    fn totals([plain, cache_read, cache_write, written, reasoning]: [u64; 5]) -> TokenTotals {
        TokenTotals {
            input: plain.saturating_add(cache_read).saturating_add(cache_write),
            output: written.saturating_add(reasoning),
            cache_read,
            cache_write,
            reasoning,
        }
    }

    proptest! {
        #[test]
        fn a_token_more_never_costs_less(
            rates in any_rates(), few in any::<[u32; 5]>(), more in any::<[u32; 5]>(),
        ) {
            let few = few.map(u64::from);
            let many = std::array::from_fn(|kind| few[kind] + u64::from(more[kind]));
            prop_assert!(rates.cost(&totals(few)) <= rates.cost(&totals(many)));
        }

        #[test]
        fn any_counts_have_a_cost(
            rates in any_rates(), counts in any::<[u64; 5]>(),
        ) {
            let [input, output, cache_read, cache_write, reasoning] = counts;
            let cost = rates.cost(&TokenTotals { input, output, cache_read, cache_write, reasoning });
            prop_assert!(cost.is_some_and(|cost| cost.nanos() >= 0));
        }
    }
}
