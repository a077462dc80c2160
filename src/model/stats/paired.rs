//! Differences between two measurements of the same things: the paired t interval.
//!
//! Pairs are compared, not the two groups: what makes one thing harder than another falls out of the difference. The
//! mean of the differences is given with a 95 % confidence interval of Student's t. It takes the mean to be about
//! normal, which holds for scores within bounds from a dozen pairs on, and is cautious below by its wide tails.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{Interval, Moments, finite};
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

/// What pairs show. Differences are `a` minus `b`, as everywhere where two are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Pairs that both sides have.
    pub pairs: usize,
    /// The mean of the first; `None` without pairs, and where it is larger than a number can be.
    pub mean_a: Option<f64>,
    /// The mean of the second; `None` as of the first.
    pub mean_b: Option<f64>,
    /// How much higher the mean of the first is; `None` as of the first.
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
    let differences: Vec<_> = pairs.iter().map(|(a, b)| a - b).collect();
    let difference = mean(differences.iter().copied());
    let interval = interval(&differences);
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
    let of_signs = || {
        let first = differences.first().filter(|_| are_alike(differences))?;
        Interval::new(*first, *first)
    };
    let Some(interval) = interval.or_else(of_signs) else { return PairedVerdict::Undecided };
    match (interval.is_above(0.0), interval.is_below(0.0), direction) {
        (true, _, Direction::Higher) | (_, true, Direction::Lower) => PairedVerdict::ABetter,
        (_, true, Direction::Higher) | (true, _, Direction::Lower) => PairedVerdict::BBetter,
        _ => PairedVerdict::Undecided,
    }
}

/// The arithmetic mean; `None` of nothing, and where it is larger than a number can be.
#[must_use]
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut moments = Moments::default();
    values.for_each(|value| moments.add(value));
    moments.mean()
}

/// Student's interval of the mean of differences.
fn interval(differences: &[f64]) -> Option<Interval> {
    if differences.len() < LEAST_PAIRS || are_alike(differences) {
        return None;
    }
    let moments = Moments::of(differences);
    let count = super::float(moments.count());
    let (middle, error) = (moments.mean()?, (moments.variance()? / count).sqrt());
    let reach = StudentsT::new(0.0, 1.0, count - 1.0).ok()?.inverse_cdf(0.975) * error;
    Interval::new(middle - finite(reach)?, middle + reach)
}

/// Whether numbers are the same but for what rounding makes of them.
fn are_alike(numbers: &[f64]) -> bool {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most.is_finite() && least.is_finite() && most - least <= 1e-9 * most.abs().max(least.abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The sleep data of Student (1908), as in R's `t.test(extra ~ group, data = sleep, paired = TRUE)`: -1.58 in the
    /// mean, from -2.4598858 to -0.7001142 with 9 degrees of freedom.
    #[test]
    fn differences_of_pairs_are_those_of_r() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let pairs: Vec<_> = first.into_iter().zip(second).collect();
        let found = paired(&pairs, Direction::Higher);
        assert!((found.difference.unwrap() + 1.58).abs() < 1e-12, "{found:?}");
        let Interval { low, high } = found.interval.unwrap();
        assert!((low + 2.459_885_8).abs() < 1e-6 && (high + 0.700_114_2).abs() < 1e-6, "{low} {high}");
        assert_eq!(found.verdict, PairedVerdict::BBetter);
    }

    /// By hand: differences 1, 2, 3, 4, 5, 6 have the mean 3.5, the deviation 1.870829, and with t = 2.570582 at five
    /// degrees of freedom the interval reaches 2.570582 · 1.870829 / √6 = 1.963307 to both sides.
    #[test]
    fn an_interval_is_what_it_is_by_hand() {
        let pairs: Vec<_> = (1..=6_u32).map(|n| (10.0 + f64::from(n), 10.0)).collect();
        let found = paired(&pairs, Direction::Higher);
        assert_eq!((found.mean_a, found.mean_b, found.difference), (Some(13.5), Some(10.0), Some(3.5)));
        let Interval { low, high } = found.interval.unwrap();
        assert!((low - 1.536_693).abs() < 1e-5 && (high - 5.463_307).abs() < 1e-5, "{low} {high}");
        assert_eq!(found.verdict, PairedVerdict::ABetter);
        assert_eq!(paired(&pairs, Direction::Lower).verdict, PairedVerdict::BBetter);
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let none = paired(&[], Direction::Higher);
        assert_eq!(
            (none.difference, none.interval, none.verdict),
            (None, None, PairedVerdict::NotEnoughData)
        );
        let few = paired(&[(1.0, 0.0); 5], Direction::Higher);
        assert_eq!(
            (few.difference, few.interval, few.verdict),
            (Some(1.0), None, PairedVerdict::NotEnoughData)
        );
        let same = paired(&[(1.0, 0.0); 6], Direction::Higher);
        assert_eq!((same.interval, same.verdict), (None, PairedVerdict::ABetter));
        let rounded = paired(
            &[(0.1, 0.3), (0.2, 0.4), (0.3, 0.5), (0.7, 0.9), (0.4, 0.6), (0.6, 0.8)],
            Direction::Higher,
        );
        assert_eq!((rounded.interval, rounded.verdict), (None, PairedVerdict::BBetter));
        let equal = paired(&[(1.0, 1.0); 60], Direction::Higher);
        assert_eq!((equal.interval, equal.verdict), (None, PairedVerdict::Undecided));
        // Numbers whose difference is none: nothing is said, and nothing is no number.
        let huge: Vec<_> =
            (0..6).map(|n| if n % 2 == 0 { (f64::MAX, -f64::MAX) } else { (0.0, 1.0) }).collect();
        let huge = paired(&huge, Direction::Higher);
        assert_eq!((huge.difference, huge.interval, huge.verdict), (None, None, PairedVerdict::Undecided));
        assert!(huge.mean_a.is_some_and(f64::is_finite));
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
