//! What traces add up to over time: kept while they end, and read a cell for each point of a chart.
//!
//! Knows nothing of how figures are shown. What a trace counts is the model's to say (`model/series`).

mod follow;
mod read;

pub use self::read::{GroupSeries, SeriesAnswer, SeriesLimits, SeriesQuery};
use super::Context;
use crate::model::Timestamp;

/// Use cases of series. Cheap to clone.
#[derive(Clone)]
pub struct Series {
    context: Context,
}

impl Series {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// The moment of the call.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.context.now()
    }
}
