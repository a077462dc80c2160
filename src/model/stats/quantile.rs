//! Exact quantiles of values that are all at hand.

use super::{Moments, finite, float};

/// The quantile at `p` (0 to 1) of values in ascending order; `None` where there are none.
///
/// Definition 7 of Hyndman and Fan (1996), as R's `quantile` and `NumPy` use it where nothing is said: the
/// values stand at equal distances from 0 to 1, and between two of them lies the straight line.
#[must_use]
pub fn quantile(ascending: &[f64], p: f64) -> Option<f64> {
    let last = float(ascending.len().checked_sub(1)? as u64);
    let place = last * p.clamp(0.0, 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the last index")]
    let below = place.floor() as usize;
    let low = *ascending.get(below)?;
    let high = ascending.get(below + 1).copied().unwrap_or(low);
    // In this form it is exact at both ends, and does not overflow between two large values.
    let part = place - place.floor();
    finite(low * (1.0 - part) + high * part)
}

/// The median of values in any order; `None` where there are none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    let (middle, is_odd) = (values.len() / 2, values.len() % 2 == 1);
    if values.is_empty() {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| !is_odd).unwrap_or(*upper);
    finite(lower * 0.5 + *upper * 0.5)
}

/// How values are spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distribution {
    /// How many there are: at least one.
    pub count: u64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Their mean.
    pub mean: f64,
    /// Half of them are not above this: see [`quantile`].
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// 95 of a hundred.
    pub p95: f64,
    /// 99 of a hundred.
    pub p99: f64,
}

impl Distribution {
    /// The spread of values in any order; `None` where there are none, or one is not finite.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let (min, max) = (finite(*values.first()?)?, finite(*values.last()?)?);
        Some(Self {
            count: values.len() as u64,
            min,
            max,
            mean: Moments::of(&values).mean()?.clamp(min, max),
            p50: quantile(&values, 0.50)?,
            p90: quantile(&values, 0.90)?,
            p95: quantile(&values, 0.95)?,
            p99: quantile(&values, 0.99)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `R: quantile(c(1, 2, 4, 8, 16), c(0, .25, .5, .9, 1), type = 7)`.
    #[test]
    fn quantiles_are_those_of_r() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        // 0.9 stands at 0.9 * 4 = 3.6: 8 + 0.6 * (16 - 8) = 12.8.
        for (p, wanted) in [(0.0, 1.0), (0.25, 2.0), (0.5, 4.0), (0.9, 12.8), (1.0, 16.0)] {
            let found = quantile(&values, p).unwrap();
            assert!((found - wanted).abs() < 1e-12, "{p}: {found}");
        }
        assert_eq!(quantile(&[1.0, 2.0], 0.5), Some(1.5));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_median_is_the_quantile_in_the_middle() {
        for values in [vec![3.0, 1.0, 2.0], vec![4.0, 1.0, 3.0, 2.0], vec![7.0], vec![]] {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            assert_eq!(median(values), quantile(&sorted, 0.5));
        }
    }

    #[test]
    fn a_spread_of_nothing_is_none_and_of_one_is_itself() {
        assert_eq!(Distribution::of([]), None);
        assert_eq!(Distribution::of([f64::NAN]), None);
        let one = Distribution::of([3.0]).unwrap();
        assert_eq!((one.min, one.mean, one.p50, one.p99, one.max), (3.0, 3.0, 3.0, 3.0, 3.0));
    }

    proptest! {
        #[test]
        fn quantiles_lie_between_the_ends_and_grow(values in prop::collection::vec(-1e300..1e300_f64, 1..40)) {
            let found = Distribution::of(values).unwrap();
            let order = [found.min, found.p50, found.p90, found.p95, found.p99, found.max];
            prop_assert!(order.windows(2).all(|pair| pair[0] <= pair[1]), "{:?}", found);
            prop_assert!(found.min <= found.mean && found.mean <= found.max);
        }
    }
}
