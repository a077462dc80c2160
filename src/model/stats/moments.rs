//! Mean and variance, in one pass.

use super::{finite, float};

/// Count, sum and squared deviations of values. The deviations are added up by Welford's method, with no large
/// sums that cancel out; the sum with what rounding lost of it (Neumaier 1974), so that a mean of whole numbers is
/// the number that people expect.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    count: u64,
    sum: f64,
    /// What rounding took from the sum.
    lost: f64,
    /// The mean as it is kept up to date for the deviations.
    running: f64,
    squares: f64,
}

impl Moments {
    /// Those of some values.
    #[must_use]
    pub fn of<'a>(values: impl IntoIterator<Item = &'a f64>) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|value| moments.add(*value));
        moments
    }

    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.running;
        self.running += before / float(self.count);
        self.squares += before * (value - self.running);
        let sum = self.sum + value;
        self.lost +=
            if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    /// How many values there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; `None` where there are none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        // The sum of values whose mean is a number may be none.
        finite((self.sum + self.lost) / float(self.count)).or_else(|| finite(self.running))
    }

    /// Their sample variance, by n − 1; `None` below two values.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        let degrees = self.count.checked_sub(1).filter(|degrees| *degrees > 0)?;
        finite(self.squares / float(degrees)).map(|variance| variance.max(0.0))
    }

    /// Their sample standard deviation; `None` below two values.
    #[must_use]
    pub fn deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lottery numbers of NIST's certified univariate data sets are long; their `NumAcc1` and `NumAcc3`
    /// are short and made to catch sums that cancel out: mean and standard deviation as certified.
    #[test]
    fn means_and_deviations_are_those_that_nist_certifies() {
        let one = Moments::of(&[10_000_001.0, 10_000_003.0, 10_000_002.0]);
        assert_eq!((one.mean(), one.deviation()), (Some(10_000_002.0), Some(1.0)));
        let mut three = Moments::default();
        three.add(1_000_000.2);
        for _ in 0..500 {
            three.add(1_000_000.1);
            three.add(1_000_000.3);
        }
        assert!((three.mean().unwrap() - 1_000_000.2).abs() < 1e-6);
        assert!((three.deviation().unwrap() - 0.1).abs() < 1e-8);
    }

    #[test]
    fn means_of_whole_numbers_are_not_off_by_a_digit() {
        let values: Vec<_> = (0..12).map(|at| f64::from(at % 4)).collect();
        assert_eq!(Moments::of(&values).mean(), Some(1.5));
        assert_eq!(Moments::of(&[f64::MAX, f64::MAX]).mean(), Some(f64::MAX));
    }

    #[test]
    fn what_is_not_defined_is_none() {
        assert_eq!(Moments::default().mean(), None);
        assert_eq!(Moments::of(&[1.0]).variance(), None);
        assert_eq!(Moments::of(&[f64::MAX, -f64::MAX]).variance(), None);
    }
}
