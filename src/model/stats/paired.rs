//! Differences between two measurements of the same things: the paired t interval.
//!
//! Pairs are compared, not the two groups: what makes one thing harder than another falls out of the difference. The
//! mean of the differences is given with a 95 % confidence interval of Student's t. It takes the mean to be about
//! normal, which holds for scores within bounds from a dozen pairs on, and is cautious below by its wide tails.

use crate::model::words::words;

/// Pairs from which something is said: with fewer, even pairs that all differ the same way may do so by chance more
/// often than one time in twenty (the sign test: 2 · 0.5⁵ is 0.06, 2 · 0.5⁶ is 0.03).
pub const LEAST_PAIRS: usize = 6;

words! {
    /// Which of two is better, as far as the pairs show.
    PairedVerdict {
        /// The first, with 95 % confidence.
        ABetter = 1 "A_BETTER",
        /// The second, with 95 % confidence.
        BBetter = 2 "B_BETTER",
        /// The pairs show no difference that could not be chance.
        Undecided = 3 "UNDECIDED",
        /// There are fewer than six pairs.
        NotEnoughData = 4 "NOT_ENOUGH_DATA",
    }
}

/// Which end of a measure is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// A range that holds the true value with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// What pairs show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Pairs that both sides have.
    pub pairs: usize,
    /// The mean of the first; `None` without pairs.
    pub mean_a: Option<f64>,
    /// The mean of the second; `None` without pairs.
    pub mean_b: Option<f64>,
    /// The mean of the second less the first; `None` without pairs.
    pub difference: Option<f64>,
    /// Where the true difference is. `None` with too few pairs, and where all differ by the same: nothing is known of
    /// how much others would then.
    pub interval: Option<Interval>,
    /// Which is better.
    pub verdict: PairedVerdict,
}

/// Compares pairs: the first and the second measurement of each. Numbers must be finite.
#[must_use]
pub fn paired(pairs: &[(f64, f64)], direction: Direction) -> Paired {
    let differences: Vec<_> = pairs.iter().map(|(a, b)| b - a).collect();
    let difference = mean(differences.iter().copied());
    let interval = difference.and_then(|middle| interval(&differences, middle));
    let verdict = if pairs.len() < LEAST_PAIRS {
        PairedVerdict::NotEnoughData
    } else {
        verdict(&differences, interval, direction)
    };
    Paired {
        pairs: pairs.len(),
        mean_a: mean(pairs.iter().map(|(a, _)| *a)),
        mean_b: mean(pairs.iter().map(|(_, b)| *b)),
        difference,
        interval,
        verdict,
    }
}

fn verdict(differences: &[f64], interval: Option<Interval>, direction: Direction) -> PairedVerdict {
    // Where all differ by the same, their signs alone tell, and there are enough of them.
    let of_signs = || differences.first().map(|first| Interval { low: *first, high: *first });
    let Some(Interval { low, high }) = interval.or_else(of_signs) else { return PairedVerdict::Undecided };
    let (above, below) = (low > 0.0, high < 0.0);
    match (above, below, direction) {
        (true, _, Direction::Higher) | (_, true, Direction::Lower) => PairedVerdict::BBetter,
        (_, true, Direction::Higher) | (true, _, Direction::Lower) => PairedVerdict::ABetter,
        _ => PairedVerdict::Undecided,
    }
}

/// The arithmetic mean; `None` of nothing.
#[must_use]
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut count, mut mean) = (0.0_f64, 0.0);
    // Step by step, so that large numbers do not run over.
    for value in values {
        count += 1.0;
        mean += (value - mean) / count;
    }
    (count > 0.0).then_some(mean)
}

fn interval(differences: &[f64], middle: f64) -> Option<Interval> {
    if differences.len() < LEAST_PAIRS || are_alike(differences) {
        return None;
    }
    let count = f64::from(u32::try_from(differences.len()).ok()?);
    let squares: f64 = differences.iter().map(|difference| (difference - middle).powi(2)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    let half = t_quantile(count - 1.0) * error;
    let interval = Interval { low: middle - half, high: middle + half };
    (interval.low.is_finite() && interval.high.is_finite()).then_some(interval)
}

/// Whether numbers are the same but for what rounding makes of them.
fn are_alike(numbers: &[f64]) -> bool {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most - least <= 1e-9 * most.abs().max(least.abs())
}

/// The number that Student's t stays below 97.5 % of the time: Abramowitz and Stegun, 26.7.5. Off by less than 0.0003
/// from five degrees of freedom on, fewer of which are not asked for.
fn t_quantile(freedom: f64) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    let terms = [
        (Z.powi(3) + Z) / 4.0,
        (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0,
        (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0,
        (79.0 * Z.powi(9) + 776.0 * Z.powi(7) + 1482.0 * Z.powi(5) - 1920.0 * Z.powi(3) - 945.0 * Z)
            / 92_160.0,
    ];
    terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom) + Z
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, table) in
            [(5.0, 2.5706), (6.0, 2.4469), (10.0, 2.2281), (30.0, 2.0423), (1_000.0, 1.9623)]
        {
            assert!((t_quantile(freedom) - table).abs() < 3e-4, "{freedom}: {}", t_quantile(freedom));
        }
    }

    /// By hand: differences 1, 2, 3, 4, 5, 6 have the mean 3.5, the deviation 1.8708, and 2.5706 · 1.8708 / √6 is
    /// 1.9633.
    #[test]
    fn an_interval_is_what_it_is_by_hand() {
        let pairs: Vec<_> = (1..=6_u32).map(|n| (10.0, 10.0 + f64::from(n))).collect();
        let found = paired(&pairs, Direction::Higher);
        assert_eq!((found.mean_a, found.mean_b, found.difference), (Some(10.0), Some(13.5), Some(3.5)));
        let Interval { low, high } = found.interval.unwrap();
        assert!((low - 1.5367).abs() < 1e-3 && (high - 5.4633).abs() < 1e-3, "{low} {high}");
        assert_eq!(found.verdict, PairedVerdict::BBetter);
        assert_eq!(paired(&pairs, Direction::Lower).verdict, PairedVerdict::ABetter);
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let none = paired(&[], Direction::Higher);
        assert_eq!(
            (none.difference, none.interval, none.verdict),
            (None, None, PairedVerdict::NotEnoughData)
        );
        let few = paired(&[(0.0, 1.0); 5], Direction::Higher);
        assert_eq!(
            (few.difference, few.interval, few.verdict),
            (Some(1.0), None, PairedVerdict::NotEnoughData)
        );
        let same = paired(&[(0.0, 1.0); 6], Direction::Higher);
        assert_eq!((same.interval, same.verdict), (None, PairedVerdict::BBetter));
        let rounded = paired(
            &[(0.1, 0.3), (0.2, 0.4), (0.3, 0.5), (0.7, 0.9), (0.4, 0.6), (0.6, 0.8)],
            Direction::Higher,
        );
        assert_eq!((rounded.interval, rounded.verdict), (None, PairedVerdict::BBetter));
        let equal = paired(&[(1.0, 1.0); 60], Direction::Higher);
        assert_eq!((equal.interval, equal.verdict), (None, PairedVerdict::Undecided));
    }

    proptest! {
        #[test]
        fn sides_can_be_exchanged(pairs: Vec<(i16, i16)>) {
            let one: Vec<_> = pairs.iter().map(|(a, b)| (f64::from(*a), f64::from(*b))).collect();
            let other: Vec<_> = one.iter().map(|(a, b)| (*b, *a)).collect();
            let (one, other) = (paired(&one, Direction::Higher), paired(&other, Direction::Higher));
            prop_assert_eq!(one.mean_a, other.mean_b);
            let mirrored = match one.verdict {
                PairedVerdict::ABetter => PairedVerdict::BBetter,
                PairedVerdict::BBetter => PairedVerdict::ABetter,
                same => same,
            };
            prop_assert_eq!(mirrored, other.verdict);
            prop_assert_eq!(one.interval.is_some(), other.interval.is_some());
        }
    }
}
