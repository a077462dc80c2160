//! What every use case is given: the store, who watches, the clock, ids and limits.

use std::sync::Arc;

use super::listing::ListLimits;
use crate::{
    live::Hub,
    model::{
        Timestamp,
        clock::{SharedClock, SharedIds},
        limits::RecordLimits,
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
}

impl Context {
    /// A new id.
    pub fn new_id<T: From<uuid::Uuid>>(&self) -> T {
        self.ids.next().into()
    }

    /// The moment of the call.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
