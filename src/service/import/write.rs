//! Puts a transcript's records into the store, through the use cases that everyone else calls.
//!
//! Every step looks first whether it is done already, so a transcript can be written again, also after
//! a kill in the middle: what is there stays, what is missing is added.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    assemble::{Defaults, Recording},
    components::ImportedVersion,
    place::{Problem, Skipped},
    report::{Counts, Written},
    runs::Run,
    transcript::Transcript,
};
use crate::{
    model::{
        Refusal, Timestamp,
        component::{ComponentRef, NewComponentVersion},
        conversation::Conversation,
        limits::RecordLimits,
        score::NewScore,
        span::{SpanAction, SpanOp},
    },
    service::{ServiceError, ServiceResult, Services},
};

/// Who registers the component versions of transcripts.
const REGISTRAR: &str = "dendro import";

/// From the beginning of one transcript without times to that of the next in its file.
const APART_NANOS: i64 = 1_000_000;

/// How often a write that finds the store overloaded is tried again.
const ATTEMPTS: usize = 100;

/// Writes transcripts.
pub struct Importer {
    services: Services,
    limits: Arc<RecordLimits>,
    defaults: Defaults,
    /// Where transcripts without times begin.
    base: Timestamp,
    registered: Mutex<HashSet<ComponentRef>>,
}

/// Why a transcript was not written.
#[derive(Debug)]
pub enum WriteError {
    /// It breaks a rule; nothing of it was stored.
    Refused(Problem),
    /// The store failed.
    Failed(ServiceError),
}

impl Importer {
    /// Writes through `services`; transcripts without times begin at `base`.
    #[must_use]
    pub fn new(services: Services, limits: Arc<RecordLimits>, base: Timestamp, defaults: Defaults) -> Self {
        Self { services, limits, defaults, base, registered: Mutex::default() }
    }

    /// Writes what is missing of a transcript.
    ///
    /// # Errors
    /// When it breaks a rule, or the store fails.
    pub async fn write(&self, transcript: &Transcript) -> Result<Written, WriteError> {
        let mut attempt = 1;
        loop {
            match self.try_write(transcript).await {
                Ok(written) => return Ok(written),
                Err(ServiceError::Refused(refusal)) => {
                    let place = transcript.place.clone();
                    return Err(WriteError::Refused(Problem::new(place, "", &refusal, Skipped::Record)));
                }
                Err(ServiceError::Overloaded { retry_after }) if attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(retry_after.max(Duration::from_millis(1))).await;
                }
                Err(error) => return Err(WriteError::Failed(error)),
            }
        }
    }

    async fn try_write(&self, transcript: &Transcript) -> ServiceResult<Written> {
        let known = self.services.conversations.get_many(&[transcript.id]).await?.pop().flatten();
        // An import that was cut short goes on with the times that it began with.
        let base = known.as_ref().map_or_else(|| self.base_of(transcript), |known| known.created_at);
        let recording = Recording::of(transcript, base, &self.defaults)?;
        let found = Counts::of(&recording);
        self.check(&recording)?;
        let new = self.store(recording, known).await?;
        Ok(Written { found, new })
    }

    /// Transcripts of one file begin one after the other, so that lists keep their order.
    fn base_of(&self, transcript: &Transcript) -> Timestamp {
        let number = i64::try_from(transcript.place.record).unwrap_or(i64::MAX);
        self.base.plus_nanos(number.saturating_sub(1).saturating_mul(APART_NANOS))
    }

    /// Checks all that can be checked before anything is stored.
    fn check(&self, recording: &Recording) -> Result<(), Refusal> {
        recording.conversation.check(&self.limits)?;
        for (index, message) in recording.messages.iter().enumerate() {
            message.check(&self.limits).map_err(|refusal| refusal.below(&format!("messages.{index}")))?;
        }
        recording.runs.iter().flat_map(|run| &run.spans).try_for_each(|span| {
            let action = SpanAction::Record(Box::new(span.clone()));
            SpanOp { id: span.id, action }.check(&self.limits)
        })
    }

    async fn store(&self, recording: Recording, known: Option<Conversation>) -> ServiceResult<Counts> {
        let mut new = Counts::default();
        self.register(recording.versions).await?;
        let conversation = if let Some(known) = known {
            known
        } else {
            new.conversations += 1;
            self.services.conversations.create(recording.conversation).await?
        };
        // What came after the import, through someone else, is none of its business.
        let there = usize::try_from(conversation.next_ordinal).unwrap_or(usize::MAX);
        let mut missing = recording.messages.into_iter().skip(there).peekable();
        while missing.peek().is_some() {
            let part: Vec<_> = missing.by_ref().take(self.limits.messages_at_once).collect();
            new.messages += part.len() as u64;
            new.tool_calls += part.iter().map(|message| message.tool_calls.len() as u64).sum::<u64>();
            self.services.conversations.add_messages(conversation.id, part).await?;
        }
        self.record(recording.runs, &mut new).await?;
        if let Some(score) = recording.score {
            new.scores += u64::from(self.judge(score).await?);
        }
        Ok(new)
    }

    async fn register(&self, versions: Vec<ImportedVersion>) -> ServiceResult<()> {
        for ImportedVersion { reference, component_type, definition } in versions {
            if self.registered().contains(&reference) {
                continue;
            }
            let version = NewComponentVersion {
                component_id: reference.component_id.clone(),
                component_type,
                version_name: None,
                definition,
                created_by: Some(REGISTRAR.to_owned()),
                description: None,
                tags: vec!["imported".to_owned()],
                state: None,
            };
            self.services.components.register(version).await?;
            self.registered().insert(reference);
        }
        Ok(())
    }

    fn registered(&self) -> std::sync::MutexGuard<'_, HashSet<ComponentRef>> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn record(&self, runs: Vec<Run>, new: &mut Counts) -> ServiceResult<()> {
        let tracing = &self.services.tracing;
        let ids: Vec<_> = runs.iter().filter_map(|run| run.trace.id).collect();
        let known = tracing.traces(&ids).await?;
        for ((run, id), known) in runs.into_iter().zip(ids).zip(known) {
            if known.as_ref().is_some_and(|trace| trace.status.is_final()) {
                continue;
            }
            if known.is_none() {
                tracing.start_trace(run.trace).await?;
                new.traces += 1;
            }
            let ops = run.spans.into_iter();
            let ops: Vec<_> =
                ops.map(|span| SpanOp { id: span.id, action: SpanAction::Record(Box::new(span)) }).collect();
            new.spans += ops.len() as u64;
            tracing.record_end(id, ops, run.completion).await?;
        }
        Ok(())
    }

    /// Records a score that is not there yet; whether it was not.
    async fn judge(&self, score: NewScore) -> ServiceResult<bool> {
        let known = self.services.scores.of_targets(&[score.target]).await?;
        if known.iter().flatten().any(|known| Some(known.id) == score.id) {
            return Ok(false);
        }
        self.services.scores.record(score).await?;
        Ok(true)
    }
}
