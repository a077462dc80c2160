//! Intervals of what no formula tells, by drawing from the sample again and again.

use super::{Interval, median, quantile};

/// How often is drawn. A thousand tell the ends of an interval to some percent of its width.
pub const RESAMPLES: usize = 1_000;

/// Values that are drawn in all at most: what an interval may cost. With more values fewer draws are made.
const MOST_DRAWN: usize = 1_000_000;

/// Draws at least, whatever they cost: an end at 2.5 % needs some beyond it.
const LEAST_RESAMPLES: usize = 200;

/// The difference of two medians, `a` minus `b`: the percentile bootstrap (Efron 1979), with 95 % between its
/// ends. The same values, in whatever order, and seed give the same interval. `None` where a side is empty.
#[must_use]
pub fn bootstrap_median_difference(a: &[f64], b: &[f64], seed: u64) -> Option<Interval> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (a, b) = (ascending(a), ascending(b));
    let draws = (MOST_DRAWN / (a.len() + b.len())).clamp(LEAST_RESAMPLES, RESAMPLES);
    let mut random = Random(seed);
    let mut differences = Vec::with_capacity(draws);
    for _ in 0..draws {
        differences.push(median(drawn(&a, &mut random))? - median(drawn(&b, &mut random))?);
    }
    differences.sort_unstable_by(f64::total_cmp);
    Interval::new(quantile(&differences, 0.025)?, quantile(&differences, 0.975)?)
}

fn ascending(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// As many values as there are, each drawn from all.
fn drawn(values: &[f64], random: &mut Random) -> Vec<f64> {
    (0..values.len()).filter_map(|_| values.get(random.below(values.len())).copied()).collect()
}

/// `SplitMix64` (Steele, Lea and Flood 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A number from 0 to below `end`, by the upper bits of a product: its bias is below 2^-40 here.
    #[expect(clippy::cast_possible_truncation, reason = "the upper half of a product is below `end`")]
    const fn below(&mut self, end: usize) -> usize {
        ((self.next() as u128 * end as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::stats::float;

    /// The first numbers of `SplitMix64` from seed 1234567, as published with its reference code.
    #[test]
    fn the_random_numbers_are_the_published_ones() {
        let mut random = Random(1_234_567);
        let wanted = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.next(), random.next(), random.next()], wanted);
    }

    #[test]
    fn the_same_values_give_the_same_interval_in_any_order() {
        let a: Vec<_> = (0..40).map(|value| float(value * value)).collect();
        let b: Vec<_> = (0..30).map(|value| float(value * 10)).collect();
        let found = bootstrap_median_difference(&a, &b, 1).unwrap();
        let turned: Vec<_> = a.iter().rev().copied().collect();
        assert_eq!(bootstrap_median_difference(&turned, &b, 1), Some(found));
        assert_ne!(bootstrap_median_difference(&a, &b, 2), Some(found));
        let difference = median(a).unwrap() - median(b).unwrap();
        assert!(found.low < difference && difference < found.high, "{found:?}");
        assert_eq!(bootstrap_median_difference(&[], &[1.0], 1), None);
    }

    /// Normal values: the interval of the median is about 1.96 · 1.2533 · σ / √n wide on each side, from the
    /// median's asymptotic variance π σ² / 2n.
    #[test]
    fn the_width_is_about_what_theory_says() {
        let mut random = Random(7);
        let unit = |random: &mut Random| float(random.next() >> 11) / float(1 << 53);
        let mut normal = || (0..12).map(|_| unit(&mut random)).sum::<f64>() - 6.0;
        let (a, b): (Vec<_>, Vec<_>) = (0..400).map(|_| (normal(), normal())).unzip();
        let found = bootstrap_median_difference(&a, &b, 3).unwrap();
        let theory = 2.0 * 1.96 * 1.2533 * (2.0_f64 / 400.0).sqrt();
        assert!((0.75..1.35).contains(&((found.high - found.low) / theory)), "{found:?}, {theory}");
    }
}
