//! From where to where a figure may be, and how large a condition may be.

use crate::model::Refusal;

/// Levels that a condition may have.
pub const MAX_DEPTH: usize = 10;

/// Parts that a condition may have.
pub const MAX_CONDITIONS: usize = 200;

/// From where to where: both ends count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Bounds<T> {
    /// The least that is meant; `None`: no matter how little.
    pub least: Option<T>,
    /// The most that is meant; `None`: no matter how much.
    pub most: Option<T>,
}

impl<T: PartialOrd> Bounds<T> {
    /// Whether a figure lies between the ends.
    #[must_use]
    pub fn hold(&self, value: &T) -> bool {
        self.least.as_ref().is_none_or(|least| value >= least)
            && self.most.as_ref().is_none_or(|most| value <= most)
    }

    /// Whether nothing lies between the ends.
    #[must_use]
    pub fn are_empty(&self) -> bool {
        matches!((&self.least, &self.most), (Some(least), Some(most)) if least > most)
    }
}

impl Bounds<f64> {
    /// The same, if there are any and something lies between them.
    ///
    /// # Errors
    /// Where not.
    pub fn checked(self, field: &str) -> Result<Self, Refusal> {
        if self.least.is_none() && self.most.is_none() {
            return Err(Refusal::invalid(field, "give `min`, `max` or both"));
        }
        if self.are_empty() {
            return Err(Refusal::invalid(format!("{field}.max"), "is less than `min`: nothing lies between"));
        }
        Ok(self)
    }

    /// The bounds in the smallest whole unit, of which there are `units` in one.
    ///
    /// # Errors
    /// Where an end is below 0, or larger than any such figure.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is checked to be a number of 64 bits"
    )]
    pub fn whole(self, field: &str, units: f64) -> Result<Bounds<u64>, Refusal> {
        let of = |value: f64, round: fn(f64) -> f64, end: &str| {
            let value = in_whole(value * units, round);
            if (0.0..1.8e19).contains(&value) {
                Ok(value as u64)
            } else {
                let message = "must be 0 or more, and no larger than any such figure";
                Err(Refusal::invalid(format!("{field}.{end}"), message))
            }
        };
        Ok(Bounds {
            least: self.least.map(|least| of(least, f64::ceil, "min")).transpose()?,
            most: self.most.map(|most| of(most, f64::floor, "max")).transpose()?,
        })
    }
}

/// A figure in its smallest unit, of which there are only whole ones. What is one but for what multiplying leaves, is
/// one: 1.1 ms are 1,100,000 ns, and not the next one.
fn in_whole(value: f64, round: fn(f64) -> f64) -> f64 {
    let nearest = value.round();
    let is_one = (value - nearest).abs() <= nearest.abs() * 4.0 * f64::EPSILON;
    if is_one { nearest } else { round(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_the_unit_that_was_meant() {
        let whole = |number: f64, units: f64| {
            let bounds = Bounds { least: Some(number), most: Some(number) }.whole("a", units).unwrap();
            (bounds.least.unwrap(), bounds.most.unwrap())
        };
        for number in 1..20_000_u32 {
            let millis = f64::from(number) / 10.0;
            assert_eq!(whole(millis, 1e6), (u64::from(number) * 100_000, u64::from(number) * 100_000));
        }
        // What lies between two has one on each side.
        assert_eq!(whole(0.000_000_5, 1e6), (1, 0));
        assert_eq!(whole(2.5, 1.0), (3, 2));
        assert!(Bounds { least: Some(-0.1), most: None }.whole("a", 1e6).is_err());
    }
}
