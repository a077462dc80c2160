//! A sketch of how whole numbers are distributed: quantiles within one hundredth of their value, whatever the
//! number of values, and merged or taken apart without loss.
//!
//! This is `DDSketch` (Masson, Rim, Lee: a fast and fully-mergeable quantile sketch with relative-error
//! guarantees, VLDB 2019): values are counted in buckets whose bounds grow by a constant factor. The
//! crates that have it cannot take values back, which a trace that changes after it was counted needs.

use bincode::{Decode, Encode};

/// How far a quantile may be off, as a part of its value.
pub const ACCURACY: f64 = 0.01;

/// The factor between the bounds of two buckets: (1 + accuracy) / (1 - accuracy).
const GROWTH: f64 = (1.0 + ACCURACY) / (1.0 - ACCURACY);

/// Buckets up to which each is looked up where it is merged; more are merged in one pass over both sketches.
const FEW: usize = 4;

/// How many values there are of each size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Sketch {
    /// How many are zero.
    zeros: u64,
    /// Bucket and count, by bucket. Bucket `i` holds what is above `GROWTH^(i - 1)` and at most `GROWTH^i`. For
    /// numbers of 64 bits there are some 2,200.
    buckets: Vec<(u16, u64)>,
}

/// The bucket of a value above zero.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a logarithm of a number of 64 bits, which is between 0 and 2,218"
)]
fn bucket_of(value: u64) -> u16 {
    ((value as f64).ln() / GROWTH.ln()).ceil() as u16
}

/// The value that stands for a bucket: no further than the accuracy from all that it holds.
fn value_of(bucket: u16) -> f64 {
    2.0 * GROWTH.powi(i32::from(bucket)) / (GROWTH + 1.0)
}

impl Sketch {
    /// The sketch of some values.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = u64>) -> Self {
        let mut sketch = Self::default();
        values.into_iter().for_each(|value| sketch.add(value));
        sketch
    }

    /// Counts a value.
    pub fn add(&mut self, value: u64) {
        if value == 0 {
            self.zeros = self.zeros.saturating_add(1);
        } else {
            self.change(bucket_of(value), |count| count.saturating_add(1));
        }
    }

    /// Counts all that another one counts.
    pub fn merge(&mut self, other: &Self) {
        self.zeros = self.zeros.saturating_add(other.zeros);
        if other.buckets.len() <= FEW {
            for (bucket, more) in &other.buckets {
                self.change(*bucket, |count| count.saturating_add(*more));
            }
            return;
        }
        let mine = std::mem::take(&mut self.buckets);
        let mut merged = Vec::with_capacity(mine.len() + other.buckets.len());
        let mut theirs = other.buckets.iter().copied().peekable();
        for (bucket, count) in mine {
            merged.extend(std::iter::from_fn(|| theirs.next_if(|(other, _)| *other < bucket)));
            let more = theirs.next_if(|(other, _)| *other == bucket).map_or(0, |(_, more)| more);
            merged.push((bucket, count.saturating_add(more)));
        }
        merged.extend(theirs);
        self.buckets = merged;
    }

    /// Takes back what another one counts and this one counted.
    pub fn remove(&mut self, other: &Self) {
        self.zeros = self.zeros.saturating_sub(other.zeros);
        for (bucket, less) in &other.buckets {
            self.change(*bucket, |count| count.saturating_sub(*less));
        }
        self.buckets.retain(|(_, count)| *count > 0);
    }

    fn change(&mut self, bucket: u16, change: impl Fn(u64) -> u64) {
        match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(place) => {
                if let Some((_, count)) = self.buckets.get_mut(place) {
                    *count = change(*count);
                }
            }
            Err(place) => self.buckets.insert(place, (bucket, change(0))),
        }
    }

    /// How many values it counts.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().fold(self.zeros, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The value that a part of all values, from 0 to 1, is not above: of `n` sorted values the one at place
    /// `quantile × (n - 1)`, rounded down. `None` where there are no values.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among the values, at least 0"
    )]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let last = self.count().checked_sub(1)?;
        let place = (quantile.clamp(0.0, 1.0) * last as f64).floor() as u64;
        let mut below = self.zeros;
        if place < below {
            return Some(0.0);
        }
        for (bucket, count) in &self.buckets {
            below = below.saturating_add(*count);
            if place < below {
                return Some(value_of(*bucket));
            }
        }
        self.buckets.last().map(|(bucket, _)| value_of(*bucket))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), 1..100_u64, 1..10_000_000_000_u64, any::<u64>()]
    }

    proptest! {
        #[test]
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        fn quantiles_are_as_close_as_promised(mut values in prop::collection::vec(any_value(), 1..400), quantile in 0.0..=1.0_f64) {
            let sketch = Sketch::of(values.iter().copied());
            values.sort_unstable();
            let place = (quantile * (values.len() - 1) as f64).floor() as usize;
            let (exact, told) = (values[place] as f64, sketch.quantile(quantile).unwrap());
            // A little more than the accuracy, for what the logarithm is rounded by.
            prop_assert!((told - exact).abs() <= exact * (ACCURACY + 1e-9), "{told} for {exact}");
        }

        #[test]
        fn what_is_merged_is_as_if_it_were_counted_together(a in prop::collection::vec(any_value(), 0..50), b in prop::collection::vec(any_value(), 0..50)) {
            let mut merged = Sketch::of(a.iter().copied());
            merged.merge(&Sketch::of(b.iter().copied()));
            prop_assert_eq!(&merged, &Sketch::of(a.iter().chain(&b).copied()));
            merged.remove(&Sketch::of(b.iter().copied()));
            prop_assert_eq!(&merged, &Sketch::of(a.iter().copied()));
            prop_assert_eq!(merged.count(), a.len() as u64);
        }
    }

    #[test]
    fn without_values_there_is_no_quantile() {
        assert_eq!(Sketch::default().quantile(0.5), None);
        assert_eq!(Sketch::of([0, 0]).quantile(1.0), Some(0.0));
    }
}
