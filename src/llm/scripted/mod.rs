//! The scripted model: it answers what a file says, so that agents can be shown and tested without a
//! provider. `docs/scripted-models.md` describes the file.
//!
//! It holds no conversation: which turn is next is told from the request alone (`choose`), so a replay
//! gives the same answers. It counts only how often a turn that fails so many times has failed.

mod choose;
mod file;
mod play;
mod template;

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use lru::LruCache;
use parking_lot::Mutex;

use self::{choose::Scene, file::Script};
use super::{Model, ModelError, ModelErrorKind, ModelRequest, ModelStream};

/// The scripts that are in the binary.
const BUNDLED: &str = include_str!("demo.yaml");

/// Requests whose failures are counted at once. Past it the oldest is forgotten, and would fail anew.
const COUNTED_REQUESTS: usize = 1024;

/// Bytes of a file of scripts at most.
const FILE_BYTES: u64 = 16 << 20;

/// Scripts by name, each a model.
#[derive(Debug)]
pub struct Scripted {
    scripts: BTreeMap<String, Script>,
    failed: Mutex<LruCache<u64, u32>>,
}

/// What is wrong with a file of scripts, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", file.as_ref().map(|file| format!("{}: ", file.display())).unwrap_or_default())]
pub struct ScriptError {
    /// The file; `None` for a text that stands in none.
    pub file: Option<PathBuf>,
    /// What is wrong, with the line or the turn.
    pub message: String,
}

impl Default for Scripted {
    fn default() -> Self {
        Self::of(BTreeMap::new())
    }
}

impl Scripted {
    fn of(scripts: BTreeMap<String, Script>) -> Self {
        let most = NonZeroUsize::new(COUNTED_REQUESTS).unwrap_or(NonZeroUsize::MIN);
        Self { scripts, failed: Mutex::new(LruCache::new(most)) }
    }

    /// The scripts of a text in YAML.
    ///
    /// # Errors
    /// What is wrong, with its line or its turn.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        file::parse(text).map(Self::of).map_err(|message| ScriptError { file: None, message })
    }

    /// The scripts of a file.
    ///
    /// # Errors
    /// Why it cannot be read, or what is wrong in it, with its line or its turn.
    pub fn read(path: &Path) -> Result<Self, ScriptError> {
        let told = |message: String| ScriptError { file: Some(path.to_owned()), message };
        let length = std::fs::metadata(path).map_err(|error| told(error.to_string()))?.len();
        if length > FILE_BYTES {
            return Err(told(format!("{length} bytes are too many for scripts; at most {FILE_BYTES}")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
        Self::parse(&text).map_err(|error| told(error.message))
    }

    /// The same scripts, with all waits so many times as long; 0 is none at all.
    #[must_use]
    pub fn slowed_down(mut self, factor: f64) -> Self {
        self.scripts.values_mut().for_each(|script| script.slow_down(factor));
        self
    }

    /// The same scripts, and those of others whose names are free.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        for (name, script) in &others.scripts {
            self.scripts.entry(name.clone()).or_insert_with(|| script.clone());
        }
        self
    }

    /// The same scripts, and those of the binary whose names are free.
    pub(super) fn and_bundled(self) -> Result<Self, ScriptError> {
        Ok(self.and(&Self::parse(BUNDLED)?))
    }

    /// The names of the scripts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.scripts.keys().map(String::as_str)
    }

    /// Whether there is a script of this name.
    ///
    /// # Errors
    /// `UnknownModel` where there is none.
    pub(super) fn knows(&self, name: &str) -> Result<(), ModelError> {
        self.find(name).map(drop)
    }

    fn find(&self, name: &str) -> Result<&Script, ModelError> {
        self.scripts.get(name).ok_or_else(|| {
            let names: Vec<_> = self.names().collect();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            ModelError::new(
                ModelErrorKind::UnknownModel,
                format!("no script is called `{name}`; there are: {there}"),
            )
        })
    }

    /// Whether a turn that fails `times` times fails once more, which is then counted.
    fn fails_again(&self, request: &ModelRequest, times: Option<u32>) -> bool {
        let Some(times) = times else { return true };
        let mut failed = self.failed.lock();
        let count = failed.get_or_insert_mut(play::fingerprint(request), || 0);
        let again = *count < times;
        *count = count.saturating_add(1);
        again
    }

    async fn answer(&self, request: ModelRequest) -> Result<ModelStream, ModelError> {
        let name = &request.model;
        let script = self.find(name)?;
        let (turn, scene) = choose::turn(script, &request).ok_or_else(|| {
            let answers = Scene::of(&request.messages).answers;
            ModelError::new(
                ModelErrorKind::Refused,
                format!("the script `{name}` has no turn for this; {answers} answers were given so far"),
            )
        })?;
        let fail = turn.fail.as_ref().filter(|fail| self.fails_again(&request, fail.times));
        // No time at all would be a millisecond: the timer's own.
        if !turn.delay().is_zero() {
            tokio::time::sleep(turn.delay()).await;
        }
        if let Some(fail) = fail.filter(|fail| fail.after_pieces == 0) {
            return Err(fail.error());
        }
        let events = play::events(turn, &scene, &request, fail);
        let wait = turn.piece_delay();
        let paced = stream::iter(events).then(move |event| async move {
            if !wait.is_zero() && !matches!(event, Ok(super::ModelEvent::End(_))) {
                tokio::time::sleep(wait).await;
            }
            event
        });
        Ok(paced.boxed())
    }
}

impl Model for Scripted {
    fn ask(&self, request: ModelRequest) -> BoxFuture<'_, Result<ModelStream, ModelError>> {
        self.answer(request).boxed()
    }

    fn shown(&self, name: &str) -> String {
        play::shown(name)
    }
}
