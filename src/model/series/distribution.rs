//! How whole numbers are distributed: their count, their exact mean and variance, and a sketch for quantiles.

use bincode::{Decode, Encode};

use super::sketch::Sketch;

/// What a value counts as at most: 104 days in nanoseconds, nine million dollars in billionths. So the sums cannot
/// overflow, and what is beyond is a fault of who reported it.
pub const LARGEST: u64 = 1 << 53;

/// How some whole numbers are distributed. Sums are exact, so it does not matter in which order values come, and
/// what was counted can be taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Distribution {
    /// How many values there are.
    pub count: u64,
    sum: u128,
    sum_of_squares: u128,
    sketch: Sketch,
}

impl Distribution {
    /// Counts a value, which counts as no more than [`LARGEST`].
    pub fn add(&mut self, value: u64) {
        let value = value.min(LARGEST);
        let wide = u128::from(value);
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(wide);
        self.sum_of_squares = self.sum_of_squares.saturating_add(wide * wide);
        self.sketch.add(value);
    }

    /// Counts all that another one counts.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.sum_of_squares = self.sum_of_squares.saturating_add(other.sum_of_squares);
        self.sketch.merge(&other.sketch);
    }

    /// Takes back what another one counts and this one counted.
    pub fn remove(&mut self, other: &Self) {
        self.count = self.count.saturating_sub(other.count);
        self.sum = self.sum.saturating_sub(other.sum);
        self.sum_of_squares = self.sum_of_squares.saturating_sub(other.sum_of_squares);
        self.sketch.remove(&other.sketch);
    }

    /// The sum of the values.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn sum(&self) -> f64 {
        self.sum as f64
    }

    /// The mean of the values; `None` where there are none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// The sample variance, with `n - 1` below the line; `None` below two values.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn variance(&self) -> Option<f64> {
        let count = u128::from(self.count);
        let degrees = count.checked_sub(1).filter(|degrees| *degrees > 0)?;
        // In whole numbers as long as they fit: two large sums that are nearly the same leave nothing of their
        // digits where they are subtracted as floating-point numbers.
        let exact = || {
            let spread =
                count.checked_mul(self.sum_of_squares)?.checked_sub(self.sum.checked_mul(self.sum)?)?;
            Some(spread as f64 / count as f64)
        };
        let rounded = || {
            let mean = self.sum as f64 / count as f64;
            (self.sum_of_squares as f64 - mean * self.sum as f64).max(0.0)
        };
        Some(exact().unwrap_or_else(rounded) / degrees as f64)
    }

    /// A quantile, as [`Sketch::quantile`] tells it.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        self.sketch.quantile(quantile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2, 4, 4, 4, 5, 5, 7, 9: the mean is 40 / 8 = 5; the squares of the differences are
    /// 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, and the variance is 32 / 7.
    #[test]
    fn mean_and_variance() {
        let mut distribution = Distribution::default();
        for value in [2, 4, 4, 4, 5, 5, 7, 9] {
            distribution.add(value);
        }
        assert_eq!((distribution.mean(), distribution.variance()), (Some(5.0), Some(32.0 / 7.0)));
    }

    #[test]
    fn undefined_figures_are_none() {
        let mut distribution = Distribution::default();
        assert_eq!((distribution.mean(), distribution.variance()), (None, None));
        distribution.add(u64::MAX);
        assert_eq!(distribution.variance(), None);
        distribution.add(u64::MAX);
        assert_eq!(distribution.variance(), Some(0.0));
    }

    /// A second, give or take a nanosecond, a million times: the variance is all that differs.
    #[test]
    fn a_small_spread_of_large_values_is_not_lost() {
        let mut distribution = Distribution::default();
        (0..1_000_000_u64).for_each(|i| distribution.add(1_000_000_000 + (i % 3)));
        let variance = distribution.variance().unwrap();
        assert!((variance - 2.0 / 3.0).abs() < 1e-5, "{variance}");
    }
}
