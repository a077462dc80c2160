//! What traces add up to over time, in the API.

mod measure;
mod queries;
mod versions;

pub(super) use self::{
    measure::{Measure, ScoreMeasure},
    queries::SeriesQuery,
    versions::VersionUsage,
};
