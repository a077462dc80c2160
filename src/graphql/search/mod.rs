//! What is found by its words, in the API.

mod fields;
mod queries;

use std::sync::Arc;

pub(super) use self::queries::SearchQuery;
use super::page::Listed;
use crate::service::search::{Asked, Hit};

/// Something that has what was looked for.
pub(super) struct SearchHit {
    hit: Hit,
    asked: Arc<Asked>,
}

impl Listed for SearchHit {
    const CONNECTION: &'static str = "SearchHitConnection";
    const EDGE: &'static str = "SearchHitEdge";
}
