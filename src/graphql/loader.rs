//! Reads that many fields of one request ask for one by one, done together.
//!
//! Fields of one level are resolved in one pass of the executor, or in a few. The first that asks opens
//! a wave; the others put their keys in; once a pass adds no more, the wave reads all of them with one
//! call. No timer is involved, so a level costs one call and no waiting.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    pin::pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, poll_fn},
    task::AtomicWaker,
};
use parking_lot::Mutex;

use super::error::Result;

/// Reads the values of some keys, in their order; `None` where there is nothing.
type Fetch<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Result<Vec<Option<V>>>> + Send + Sync;

/// What a wave found, for all that wait for it.
type Found<K, V> = Shared<BoxFuture<'static, Result<Arc<HashMap<K, V>>>>>;

/// Reads values by key, many at a time. Belongs to one request.
pub(super) struct Loader<K, V> {
    fetch: Arc<Fetch<K, V>>,
    open: Arc<Mutex<Option<Wave<K, V>>>>,
}

/// Keys that are read together.
struct Wave<K, V> {
    keys: Vec<K>,
    found: Found<K, V>,
}

impl<K, V> Loader<K, V>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A loader that reads by `fetch`.
    pub(super) fn new<F>(fetch: impl Fn(Vec<K>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<Option<V>>>> + Send + 'static,
    {
        Self { fetch: Arc::new(move |keys| fetch(keys).boxed()), open: Arc::default() }
    }

    /// The value of a key; `None` where there is nothing.
    pub(super) async fn load(&self, key: K) -> Result<Option<V>> {
        let found = self.join(std::slice::from_ref(&key)).await?;
        Ok(found.get(&key).cloned())
    }

    /// The values of some keys, in their order.
    pub(super) async fn load_many(&self, keys: &[K]) -> Result<Vec<Option<V>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.join(keys).await?;
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    /// Puts keys into the open wave, or into a new one.
    fn join(&self, keys: &[K]) -> Found<K, V> {
        let mut open = self.open.lock();
        let wave = open.get_or_insert_with(|| Wave { keys: Vec::new(), found: self.wave() });
        wave.keys.extend_from_slice(keys);
        wave.found.clone()
    }

    fn wave(&self) -> Found<K, V> {
        // Weak, because the open wave holds this future: a request that is dropped must drop both.
        let (open, fetch) = (Arc::downgrade(&self.open), Arc::clone(&self.fetch));
        async move {
            let Some(mut keys) = gathered(&open).await else { return Ok(Arc::default()) };
            let mut seen = HashSet::with_capacity(keys.len());
            keys.retain(|key| seen.insert(key.clone()));
            let values = fetch(keys.clone()).await?;
            let found = keys.into_iter().zip(values).filter_map(|(key, value)| Some((key, value?)));
            Ok(Arc::new(found.collect()))
        }
        .boxed()
        .shared()
    }
}

/// Closes the open wave once a pass has added nothing to it, and gives its keys; `None` where the loader
/// is gone. Long lists in long lists take the executor several passes to walk.
async fn gathered<K, V>(open: &Weak<Mutex<Option<Wave<K, V>>>>) -> Option<Vec<K>> {
    let mut before = 0;
    loop {
        pass_is_over().await;
        let open = open.upgrade()?;
        let mut open = open.lock();
        let now = open.as_ref()?.keys.len();
        if now == before {
            return open.take().map(|wave| wave.keys);
        }
        before = now;
    }
}

/// Becomes ready once the task has ended the pass in which this is first polled.
///
/// Tokio's `yield_now` is ready when it is polled a second time, and each field that joins a wave polls
/// it. What counts is its wake-up, which Tokio holds back until the worker is done with the task.
async fn pass_is_over() {
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(Arc::clone(&signal));
    if pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&waker)).is_ready() {
        return;
    }
    poll_fn(|context| {
        signal.waiting.register(context.waker());
        if signal.given.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Passes a wake-up on, and remembers it.
#[derive(Default)]
struct Signal {
    given: AtomicBool,
    waiting: AtomicWaker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.given.store(true, Ordering::Release);
        self.waiting.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::future::{join_all, try_join};

    use super::*;
    use crate::{graphql::error::Failure, model::Refusal};

    fn counted(calls: &Arc<AtomicUsize>) -> Loader<u32, u32> {
        let calls = Arc::clone(calls);
        Loader::new(move |keys: Vec<u32>| {
            calls.fetch_add(1, Ordering::SeqCst);
            async move { Ok(keys.iter().map(|key| Some(key * 2)).collect()) }
        })
    }

    #[tokio::test]
    async fn one_level_is_one_call_however_wide_and_nested() {
        let calls = Arc::default();
        let loader = counted(&calls);
        let branch = |from: u32| join_all((from..from + 100).map(|key| loader.load(key)));
        let all = join_all((0..100).map(|at| branch(at * 50))).await;
        assert!(all.into_iter().flatten().all(|value| value.unwrap().is_some()));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn the_next_level_is_the_next_call() {
        let calls = Arc::default();
        let loader = &counted(&calls);
        let two_levels = |key| async move {
            let above = loader.load(key).await?;
            loader.load(above.unwrap()).await
        };
        let below = join_all((0..50).map(two_levels)).await;
        assert_eq!(below.into_iter().last().unwrap().unwrap(), Some(196));
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn those_who_wait_do_not_depend_on_who_came_first() {
        let calls = Arc::default();
        let loader = counted(&calls);
        let mut first = Box::pin(loader.load(1));
        assert!(futures_util::poll!(&mut first).is_pending());
        let second = loader.load(2);
        drop(first);
        assert_eq!(second.await.unwrap(), Some(4));
    }

    #[tokio::test]
    async fn a_failure_reaches_all() {
        let loader: Loader<u32, u32> =
            Loader::new(|_| async { Err(Failure::from(Refusal::invalid("id", "no"))) });
        assert!(try_join(loader.load(1), loader.load(2)).await.is_err());
        assert!(loader.load_many(&[]).await.unwrap().is_empty());
    }
}
