//! Following a database again from its first trace: when a follower is new to it, or keeps another format.

use std::{ops::Bound, sync::Arc};

use super::{Follower, Followers, Line};
use crate::{
    model::{Timestamp, TraceId},
    service::{ServiceError, ServiceResult},
    store::{
        KeyRange,
        key::Key,
        keyspace::{self, FollowDue, FollowerState},
    },
};

/// Traces that are marked in one commit.
const AT_ONCE: usize = 1_000;

impl Followers {
    /// Marks all traces as due, where a follower has not followed this database yet.
    pub(super) async fn mark_for_new_followers(&self) -> ServiceResult<()> {
        for (line, follower) in self.all() {
            let known = self.context.store.get(keyspace::FOLLOWER, &follower.code()).await?;
            let fresh = FollowerState { format: follower.format(), marked: None };
            match known {
                Some(known) if known == fresh => {}
                Some(known) if known.format == fresh.format => {
                    self.mark_all(line, follower.as_ref(), known.marked).await?;
                }
                _ => self.mark_all(line, follower.as_ref(), None).await?,
            }
        }
        Ok(())
    }

    /// Marks the traces after `from`, the oldest first. One that is cut off goes on where it was.
    async fn mark_all(
        &self,
        line: &Line,
        follower: &dyn Follower,
        mut from: Option<(Timestamp, TraceId)>,
    ) -> ServiceResult<()> {
        let (due, code, format) = (line.due, follower.code(), follower.format());
        loop {
            let mut range = KeyRange::all();
            if let Some(from) = &from {
                range.start = Bound::Excluded(from.encode());
            }
            let found = self.context.store.chunk_keys(keyspace::TRACE_BY_START, range, AT_ONCE).await?;
            from = found.items.last().copied().filter(|_| found.more);
            let state = &FollowerState { format, marked: from };
            let ids = &found.items.iter().map(|(_, id)| *id).collect::<Vec<_>>();
            let marked = self.context.store.transact::<_, ServiceError, _>(|tx| {
                Box::pin(async move {
                    let marks = tx.get_many(due, ids).await?;
                    for (id, mark) in ids.iter().zip(marks) {
                        if mark.is_none() {
                            // It only has to differ from what writers of the trace would put there.
                            let mark = FollowDue { revision: 0, at: Timestamp::from_nanos(0), more: 0 };
                            tx.put(due, id, &mark)?;
                        }
                    }
                    tx.put(keyspace::FOLLOWER, &code, state)?;
                    Ok(())
                })
            });
            marked.await?;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    /// Has all traces followed again, whatever was made of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start_again(&self) -> ServiceResult<()> {
        for (line, follower) in self.all() {
            self.mark_all(line, follower.as_ref(), None).await?;
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = (&Line, &Arc<dyn Follower>)> {
        self.lines.iter().flat_map(|line| line.followers.iter().map(move |follower| (line, follower)))
    }
}
