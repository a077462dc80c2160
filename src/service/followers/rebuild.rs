//! Following a database again from its first trace: when a follower is new to it, keeps another format, or was away
//! while others followed. And taking up the marks that an earlier program left in another order.

use std::ops::Bound;

use super::{
    Follower, Followers, Lines,
    line::{Line, MarkKey, Marks},
};
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
        self.take_up_older_marks().await?;
        let Lines { at_once, later } = &*self.lines;
        self.mark_where_new(at_once).await?;
        self.mark_where_new(later).await
    }

    /// Forgets the followers that are not there now: marks are taken away without them, so one that comes back is new.
    pub(super) async fn forget_absent(&self) -> ServiceResult<()> {
        let Lines { at_once, later } = &*self.lines;
        let present: Vec<_> =
            at_once.followers.iter().chain(&later.followers).map(|follower| follower.code()).collect();
        let known = self.context.store.first_keys(keyspace::FOLLOWER, usize::from(u8::MAX) + 1).await?;
        let absent: &Vec<_> = &known.into_iter().filter(|code| !present.contains(code)).collect();
        if absent.is_empty() {
            return Ok(());
        }
        let forgotten = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                for code in absent {
                    tx.delete(keyspace::FOLLOWER, code);
                }
                Ok(())
            })
        });
        forgotten.await
    }

    async fn mark_where_new<K: MarkKey>(&self, line: &Line<K>) -> ServiceResult<()> {
        for follower in &line.followers {
            let known = self.context.store.get(keyspace::FOLLOWER, &follower.code()).await?;
            let fresh = FollowerState { format: follower.format(), marked: None };
            match known {
                Some(known) if known == fresh => {}
                Some(known) if known.format == fresh.format => {
                    self.mark_all(line.due, follower.as_ref(), known.marked).await?;
                }
                _ => self.mark_all(line.due, follower.as_ref(), None).await?,
            }
        }
        Ok(())
    }

    /// Marks the traces after `from`, the oldest first. One that is cut off goes on where it was.
    async fn mark_all<K: MarkKey>(
        &self,
        due: Marks<K>,
        follower: &dyn Follower,
        mut from: Option<(Timestamp, TraceId)>,
    ) -> ServiceResult<()> {
        let (code, format) = (follower.code(), follower.format());
        loop {
            let mut range = KeyRange::all();
            if let Some(from) = &from {
                range.start = Bound::Excluded(from.encode());
            }
            let found = self.context.store.chunk_keys(keyspace::TRACE_BY_START, range, AT_ONCE).await?;
            from = found.items.last().copied().filter(|_| found.more);
            let state = &FollowerState { format, marked: from };
            let keys = &found.items.iter().map(|(start, id)| K::of(*id, *start)).collect::<Vec<_>>();
            let marked = self.context.store.transact::<_, ServiceError, _>(|tx| {
                Box::pin(async move {
                    let marks = tx.get_many(due, keys).await?;
                    for (key, mark) in keys.iter().zip(marks) {
                        if mark.is_none() {
                            // It only has to differ from what writers of the trace would put there.
                            let mark = FollowDue { revision: 0, at: Timestamp::from_nanos(0), more: 0 };
                            tx.put(due, key, &mark)?;
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
        let Lines { at_once, later } = &*self.lines;
        for follower in &at_once.followers {
            self.mark_all(at_once.due, follower.as_ref(), None).await?;
        }
        for follower in &later.followers {
            self.mark_all(later.due, follower.as_ref(), None).await?;
        }
        Ok(())
    }

    /// Has the traces followed by all once more of which an earlier program left marks by their ids. Whoever followed
    /// them already comes to the same.
    async fn take_up_older_marks(&self) -> ServiceResult<()> {
        let store = &self.context.store;
        loop {
            let found = store.chunk_keys(keyspace::FOLLOW_LATER, KeyRange::all(), AT_ONCE).await?;
            if found.items.is_empty() {
                return Ok(());
            }
            let ids = &found.items;
            let taken = store.transact::<_, ServiceError, _>(|tx| {
                Box::pin(async move {
                    for id in ids {
                        super::mark(tx, *id).await?;
                        tx.delete(keyspace::FOLLOW_LATER, id);
                    }
                    Ok(())
                })
            });
            taken.await?;
        }
    }
}
