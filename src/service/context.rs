//! What every use case is given: the store, who watches, the clock, ids and limits.

use std::{
    ops::Deref,
    sync::{Arc, atomic::AtomicU64},
};

use super::{
    arriving::Arriving, evaluations::EvaluationConfig, ingest::IngestConfig, listing::ListLimits,
    query::QueryLimits, series::SeriesLimits,
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
    search::Index,
    store::Store,
};

/// What every use case is given: one handle, because there are many use cases, and each has one.
#[derive(Clone)]
pub struct Context(Arc<Shared>);

/// What use cases share.
#[derive(Clone)]
pub struct Shared {
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
    /// How much a query may look at.
    pub query: Arc<QueryLimits>,
    /// How much of the series is read at once.
    pub series: Arc<SeriesLimits>,
    /// What model calls cost.
    pub prices: Arc<PriceTable>,
    /// How reports of other systems are taken.
    pub ingest: Arc<IngestConfig>,
    /// The conversations that messages are on their way to.
    pub arriving: Arc<Arriving>,
    /// How often conversations were deleted since the start: what was known to be there before may be gone.
    pub deletions: Arc<AtomicU64>,
    /// The index of texts, where there is one.
    pub search: Option<Arc<Index>>,
    /// How much is evaluated at once.
    pub evaluation: Arc<EvaluationConfig>,
}

impl From<Shared> for Context {
    fn from(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for Context {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Context {
    /// The same with other prices; those that it had hold for what these do not have.
    #[must_use]
    pub fn with_prices(&self, prices: PriceTable) -> Self {
        let prices = Arc::new(prices.or(Arc::clone(&self.prices)));
        Shared { prices, ..Shared::clone(self) }.into()
    }

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
