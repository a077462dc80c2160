//! Keeping the index in step with the store: what is over is put into it, and what is gone is removed.

use futures_util::{FutureExt, future::BoxFuture};

use super::Search;
use crate::service::{
    ServiceResult,
    followers::{Followed, Follower},
};

/// See [`Follower::code`].
pub(super) const CODE: u8 = 2;

/// The search as one that follows traces.
pub(super) struct Filling {
    pub search: Search,
    /// Which index it is: another one has nothing in it.
    pub generation: u32,
}

impl Follower for Filling {
    fn code(&self) -> u8 {
        CODE
    }

    fn name(&self) -> &'static str {
        "search"
    }

    fn format(&self) -> u32 {
        self.generation
    }

    /// Cutting texts into words takes more than storing them.
    fn can_wait(&self) -> bool {
        true
    }

    fn follow<'a>(&'a self, traces: &'a [Followed]) -> BoxFuture<'a, ServiceResult<()>> {
        self.search.put(traces).boxed()
    }
}
