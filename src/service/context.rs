//! What every use case is given: the store, who watches, the clock, ids and limits.

use std::sync::Arc;

use super::{
    arriving::Arriving, evaluations::EvaluationConfig, ingest::IngestConfig, listing::ListLimits,
    series::SeriesLimits,
};
use crate::{
    live::Hub,
    model::{
        Timestamp,
        clock::{SharedClock, SharedIds},
        limits::RecordLimits,
        prices::PriceTable,
        span::WriteRules,
    },
    store::Store,
};

/// What every use case is given. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The project's store.
    pub store: Store,
    /// Who watches what.
    pub hub: Arc<Hub>,
    /// The clock.
    pub clock: SharedClock,
    /// Where new ids come from.
    pub ids: SharedIds,
    /// How large records may be.
    pub limits: Arc<RecordLimits>,
    /// How much is read at once.
    pub lists: Arc<ListLimits>,
    /// How much of the series is read at once.
    pub series: Arc<SeriesLimits>,
    /// What model calls cost.
    pub prices: Arc<PriceTable>,
    /// How reports of other systems are taken.
    pub ingest: Arc<IngestConfig>,
    /// The conversations that messages are on their way to.
    pub arriving: Arc<Arriving>,
    /// How much is evaluated at once.
    pub evaluation: Arc<EvaluationConfig>,
}

impl Context {
    /// A new id.
    pub fn new_id<T: From<uuid::Uuid>>(&self) -> T {
        self.ids.next().into()
    }

    /// What a write to spans goes by, made now.
    pub fn rules(&self) -> WriteRules<'_> {
        WriteRules { now: self.now(), limits: &self.limits, prices: &self.prices }
    }

    /// The moment of the call.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
