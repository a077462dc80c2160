//! How sure a figure is: intervals that hold the true value in 95 of 100 samples.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{Moments, finite, float};

/// Between which values a figure lies, with a confidence of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    pub(super) fn new(low: f64, high: f64) -> Option<Self> {
        Some(Self { low: finite(low)?, high: finite(high)? })
    }

    /// Whether all of it is above `value`.
    #[must_use]
    pub fn is_above(&self, value: f64) -> bool {
        self.low > value
    }

    /// Whether all of it is below `value`.
    #[must_use]
    pub fn is_below(&self, value: f64) -> bool {
        self.high < value
    }
}

/// The quantile of the standard normal distribution at 0.975.
const NORMAL: f64 = 1.959_963_984_540_054;

/// The difference of two means, `a` minus `b`: Welch's interval (1947), which does not take the spreads for
/// equal, with Student's t at the degrees of freedom of Welch and Satterthwaite.
///
/// `None` below two values on a side, and where no side has any spread: then nothing says how sure it is.
#[must_use]
pub fn welch(a: &Moments, b: &Moments) -> Option<Interval> {
    let difference = a.mean()? - b.mean()?;
    let (share_a, share_b) = (a.variance()? / float(a.count()), b.variance()? / float(b.count()));
    let square = share_a + share_b;
    if square <= 0.0 {
        return None;
    }
    // By shares of the sum, whose squares neither overflow nor vanish.
    let (part_a, part_b) = (share_a / square, share_b / square);
    let degrees = 1.0 / (part_a * part_a / float(a.count() - 1) + part_b * part_b / float(b.count() - 1));
    let reach = StudentsT::new(0.0, 1.0, degrees).ok()?.inverse_cdf(0.975) * square.sqrt();
    Interval::new(difference - reach, difference + reach)
}

/// The rate of successes: Wilson's score interval (1927). `None` where nothing was tried, or more succeeded.
#[must_use]
pub fn wilson(successes: u64, tries: u64) -> Option<Interval> {
    if tries == 0 || successes > tries {
        return None;
    }
    let (n, p) = (float(tries), float(successes) / float(tries));
    let square = NORMAL * NORMAL;
    let middle = p + square / (2.0 * n);
    let reach = NORMAL * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    let whole = 1.0 + square / n;
    // Rounding must not leave a rate that cannot be.
    Interval::new(((middle - reach) / whole).clamp(0.0, p), ((middle + reach) / whole).clamp(p, 1.0))
}

/// The difference of two rates, `a` minus `b`: Newcombe's hybrid score interval (1998, his method 10), made of
/// the two Wilson intervals. `None` where one has none.
#[must_use]
pub fn newcombe(a: (u64, u64), b: (u64, u64)) -> Option<Interval> {
    let (around_a, around_b) = (wilson(a.0, a.1)?, wilson(b.0, b.1)?);
    let (p, q) = (float(a.0) / float(a.1), float(b.0) / float(b.1));
    let below = (p - around_a.low).hypot(around_b.high - q);
    let above = (around_a.high - p).hypot(q - around_b.low);
    Interval::new((p - q - below).max(-1.0), (p - q + above).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(found: Option<Interval>, low: f64, high: f64, within: f64) {
        let found = found.unwrap();
        assert!((found.low - low).abs() < within && (found.high - high).abs() < within, "{found:?}");
    }

    /// Newcombe (1998), "Interval estimation for the difference between independent proportions", Statistics
    /// in Medicine 17, table II: his examples by method 10.
    #[test]
    fn differences_of_rates_are_those_that_newcombe_prints() {
        near(newcombe((56, 70), (48, 80)), 0.0524, 0.3339, 5e-5);
        near(newcombe((9, 10), (3, 10)), 0.1705, 0.8090, 5e-5);
        near(newcombe((6, 7), (2, 7)), 0.0582, 0.8062, 5e-5);
        near(newcombe((5, 56), (0, 29)), -0.0381, 0.1926, 5e-5);
        near(newcombe((0, 10), (0, 20)), -0.1611, 0.2775, 5e-5);
        near(newcombe((0, 10), (0, 10)), -0.2775, 0.2775, 5e-5);
        near(newcombe((10, 10), (0, 20)), 0.6791, 1.0, 5e-5);
        near(newcombe((10, 10), (0, 10)), 0.6075, 1.0, 5e-5);
    }

    /// Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I: method 3.
    #[test]
    fn rates_are_those_that_newcombe_prints() {
        near(wilson(81, 263), 0.2553, 0.3662, 5e-5);
        near(wilson(15, 148), 0.0624, 0.1605, 5e-5);
        near(wilson(0, 20), 0.0, 0.1611, 5e-5);
        near(wilson(1, 29), 0.0061, 0.1718, 5e-5);
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(2, 1), None);
    }

    /// The sleep data of Student (1908), as in R's `t.test(extra ~ group, data = sleep)`: -3.3654832, 0.2054832
    /// with 17.776 degrees of freedom.
    #[test]
    fn differences_of_means_are_those_of_r() {
        let first = Moments::of(&[0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]);
        let second = Moments::of(&[1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]);
        near(welch(&first, &second), -3.365_483_2, 0.205_483_2, 1e-6);
    }

    #[test]
    fn without_spread_or_values_there_is_no_interval() {
        let same = Moments::of(&[1.0, 1.0, 1.0]);
        assert_eq!(welch(&same, &same), None);
        assert_eq!(welch(&same, &Moments::of(&[1.0])), None);
        assert!(welch(&same, &Moments::of(&[1.0, 2.0])).is_some());
        let huge = Moments::of(&[0.0, 1e200]);
        assert_eq!(welch(&huge, &huge), None, "its variance is no number");
    }
}
