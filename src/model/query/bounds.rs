//! From where to where a figure may be, and how large a condition may be.

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
