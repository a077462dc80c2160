//! Searching what traces say: their texts go into the index when they are over, those of traces that go on are looked
//! through, and hits are shown with the text around what was found.
//!
//! What a text is of a span's many forms is decided here (`extract`); the index (`crate::search`) knows only words.
//! It keeps no text, so what is shown is read from the store.

mod beside;
mod documents;
mod excerpt;
mod extract;
mod fill;
mod follow;
mod read;
mod rebuild;
mod strings;

use std::sync::Arc;

use self::beside::Stretch;
pub use self::{
    beside::FoundRunning,
    excerpt::Excerpt,
    read::{Asked, FoundTexts, WantedExcerpt},
};
use super::{Context, ServiceError, ServiceResult, followers::Follower, tracing::Tracing};
pub use crate::search::{Hit, Item, Place};
use crate::{
    model::{Refusal, Timestamp, search::TextKind},
    search::{Index, SearchError, TextQuery, Window},
    store::{Store, StoreError, keyspace},
};

/// Traces that have what is looked for, from the newest on.
#[derive(Debug, Clone)]
pub struct TextTraces {
    /// What is looked for.
    pub asked: Asked,
    /// Only those behind this place.
    pub after: Option<Place>,
    /// Only those that started then, or later.
    pub from: Option<Timestamp>,
}

impl TextTraces {
    fn may_start_at(&self, moment: Timestamp) -> bool {
        self.from.is_none_or(|from| moment >= from)
    }
}

/// Use cases of the index of texts. Cheap to clone.
#[derive(Clone)]
pub struct Search {
    context: Context,
    tracing: Tracing,
}

impl Search {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { tracing: Tracing::new(context.clone()), context }
    }

    /// Whether the database knows an index that has been kept in step with it ever since. Any other lacks what has
    /// ended meanwhile, and has what was deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_known(store: &Store) -> ServiceResult<bool> {
        Ok(store.get(keyspace::FOLLOWER, &follow::CODE).await?.is_some())
    }

    /// Whether there is an index.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.context.search.is_some()
    }

    /// Who fills the index, if there is one.
    #[must_use]
    pub fn follower(&self) -> Option<Arc<dyn Follower>> {
        let generation = self.context.search.as_ref()?.generation();
        Some(Arc::new(follow::Filling { search: self.clone(), generation }))
    }

    /// Reads what somebody looks for; `field` is what a client calls it.
    ///
    /// # Errors
    /// When it cannot be looked for, or there is no index.
    pub fn asked(&self, field: &str, text: &str, kinds: Vec<TextKind>) -> ServiceResult<Asked> {
        let index = self.index(field)?;
        let query = TextQuery::parse(field, text, index.config())?;
        Ok(Asked { query, kinds, text: text.to_owned() })
    }

    /// The first `most` of the traces: of each the first hit.
    ///
    /// # Errors
    /// When there is no index, or it or the store fails.
    pub async fn find_traces(&self, wanted: &TextTraces, most: usize) -> ServiceResult<Vec<Hit>> {
        let TextTraces { asked, after, .. } = wanted;
        let indexed = self.find_ended(wanted, most).await?;
        let until = indexed.last().filter(|_| indexed.len() >= most).map(|hit| hit.place);
        let running = self.running().await?;
        let beside = self.find_in(&running, asked, Stretch { after: *after, until }, true).await?;
        let indexed = indexed.into_iter().filter(|hit| !running.has(hit.place.trace));
        let mut hits: Vec<_> = indexed.chain(beside).collect();
        hits.retain(|hit| wanted.may_start_at(hit.place.started));
        hits.sort_unstable_by_key(|hit| hit.place);
        hits.truncate(most);
        Ok(hits)
    }

    /// The same of those that are over: what the index has.
    ///
    /// # Errors
    /// As [`Search::find_traces`].
    pub async fn find_ended(&self, wanted: &TextTraces, most: usize) -> ServiceResult<Vec<Hit>> {
        let mut window = Window { after: wanted.after, one_of_a_trace: true, ..Window::first(most) };
        if let Some(from) = wanted.from {
            window.started.start = from;
        }
        self.find_indexed(&wanted.asked, window).await
    }

    /// All of those that go on.
    ///
    /// # Errors
    /// As [`Search::find_traces`].
    pub async fn find_running(&self, wanted: &TextTraces) -> ServiceResult<FoundRunning> {
        let running = self.running().await?;
        let stretch = Stretch { after: wanted.after, until: None };
        let mut hits = self.find_in(&running, &wanted.asked, stretch, true).await?;
        hits.retain(|hit| wanted.may_start_at(hit.place.started));
        Ok(FoundRunning { hits, traces: running.into_ids() })
    }

    /// The spans, traces and messages in the index that have what is looked for, the newest first.
    async fn find_indexed(&self, asked: &Asked, window: Window) -> ServiceResult<Vec<Hit>> {
        let (query, kinds) = (asked.query.clone(), asked.kinds.clone());
        self.ask("text", move |index| index.find(&query, &kinds, window)).await
    }

    /// How many documents in the index have what is looked for; those of traces that were just deleted may count.
    ///
    /// # Errors
    /// When there is no index, or it fails.
    pub async fn count(&self, asked: &Asked) -> ServiceResult<u64> {
        let (query, kinds) = (asked.query.clone(), asked.kinds.clone());
        self.ask("text", move |index| index.count(&query, &kinds)).await
    }

    /// Writes what waits to be written, and gives back memory that is not needed now.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn tidy(&self) -> ServiceResult<()> {
        if !self.is_on() {
            return Ok(());
        }
        self.ask("text", Index::tidy).await
    }

    fn index(&self, field: &str) -> Result<&Arc<Index>, Refusal> {
        let message = "this server keeps no index of texts: see `search.enabled` of its settings";
        self.context.search.as_ref().ok_or_else(|| Refusal::invalid(field, message))
    }

    /// Asks the index, which blocks, on a thread that may.
    async fn ask<T: Send + 'static>(
        &self,
        field: &str,
        ask: impl FnOnce(&Index) -> Result<T, SearchError> + Send + 'static,
    ) -> ServiceResult<T> {
        let index = Arc::clone(self.index(field)?);
        match tokio::task::spawn_blocking(move || ask(&index)).await {
            Ok(answer) => answer.map_err(|error| failed(error.to_string())),
            Err(error) if error.is_cancelled() => Err(StoreError::Closed.into()),
            Err(error) => {
                // What it panics at are files that are not what was written.
                self.index(field)?.disown();
                let message = format!("it is begun anew when the server is started again: {error}");
                Err(failed(message))
            }
        }
    }
}

fn failed(message: String) -> ServiceError {
    ServiceError::Store(StoreError::Damaged { table: "search", message })
}
