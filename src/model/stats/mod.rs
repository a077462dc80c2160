//! Statistics of figures that agents leave behind: quantiles, trends, and how sure a difference is.
//!
//! Pure functions of numbers. A figure that is not defined is `None`, never 0 and never NaN: of no values
//! there is no mean, of one there is no spread. This module must not know what the numbers are of.

mod bootstrap;
mod interval;
mod moments;
pub mod paired;
mod quantile;
mod trend;

pub use self::{
    bootstrap::{RESAMPLES, bootstrap_median_difference},
    interval::{Interval, newcombe, welch, wilson},
    moments::Moments,
    quantile::{Distribution, median, quantile},
    trend::slope,
};

/// A count, or a number of nanoseconds, as a number to compute with.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "statistics of numbers above 2^53 are not told to the last digit"
)]
pub const fn float(whole: u64) -> f64 {
    whole as f64
}

/// The number, where it is one: neither infinite nor NaN.
pub(crate) fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}
