//! What all doors share: the service, the bounds, and the way of a request through both.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    buffers::Buffers,
    reply::Outcome,
    request::{self, Signal, Way},
    wire::{self, Encoding},
};
use crate::{
    model::clock::SharedClock,
    service::{ServiceError, ingest::Ingest},
};

/// What one sender may send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpLimits {
    /// Bytes of a request as it is sent. Exporters send some hundred kilobytes; images and whole contexts
    /// make some megabytes.
    pub body_bytes: usize,
    /// Bytes of a request once it is unpacked: gzip makes a thousand of one.
    pub unpacked_bytes: usize,
    /// Bytes of all requests that are worked on at the same time, unpacked. More are told to come back.
    pub bytes_at_once: usize,
    /// Seconds that a sender may take to send a request.
    pub receive_seconds: u64,
}

impl Default for OtlpLimits {
    fn default() -> Self {
        Self { body_bytes: 32 << 20, unpacked_bytes: 64 << 20, bytes_at_once: 128 << 20, receive_seconds: 30 }
    }
}

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It cannot be read, or nothing in it can be taken.
    Malformed(String),
    /// It is too large.
    TooLarge(String),
    /// It took too long to come.
    TooSlow,
    /// Too much is going on: the same request can succeed later.
    Overloaded(Duration),
    /// The store takes nothing for now, which is the operator's to mend: the same request can succeed then.
    Unavailable(Duration),
    /// The server failed at it, and would again.
    Internal,
}

impl Fault {
    /// A request of more than `most` bytes, which this setting allows.
    pub(super) fn too_large(most: usize, setting: &str) -> Self {
        let message =
            format!("more than {most} bytes; send smaller batches, or raise `otlp.limits.{setting}`");
        Self::TooLarge(message)
    }
}

/// The way in, shared by all doors. Cheap to clone.
#[derive(Clone)]
pub struct Otlp {
    ingest: Ingest,
    clock: SharedClock,
    limits: OtlpLimits,
    free: Arc<Semaphore>,
    buffers: Arc<Buffers>,
}

/// Bytes above which a request is read on a thread of its own: it would hold up others for long.
const LARGE: usize = 1 << 20;

/// What a refused sender is told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Otlp {
    /// The way to a service.
    #[must_use]
    pub fn new(ingest: Ingest, clock: SharedClock, limits: OtlpLimits) -> Self {
        let free = Arc::new(Semaphore::new(limits.bytes_at_once.min(Semaphore::MAX_PERMITS)));
        Self { ingest, clock, limits, free, buffers: Arc::default() }
    }

    pub(super) fn limits(&self) -> &OtlpLimits {
        &self.limits
    }

    pub(super) fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    /// Room for so many bytes, until the permit is dropped.
    pub(super) fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Fault> {
        // One that is larger than all the room may come when it is alone.
        let bytes = u32::try_from(bytes.min(self.limits.bytes_at_once)).unwrap_or(u32::MAX);
        Arc::clone(&self.free).try_acquire_many_owned(bytes).map_err(|_| Fault::Overloaded(RETRY_AFTER))
    }

    /// Room for more bytes of a request that comes bit by bit.
    pub(super) fn more_room(
        &self,
        held: &mut Option<OwnedSemaphorePermit>,
        bytes: usize,
    ) -> Result<(), Fault> {
        let has = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let left = self.limits.bytes_at_once.saturating_sub(has);
        if left > 0 {
            let more = self.room(bytes.min(left))?;
            match held {
                Some(held) => held.merge(more),
                None => *held = Some(more),
            }
        }
        Ok(())
    }

    /// Takes a request: what was not refused is durable when this answers.
    pub(super) async fn take(
        &self,
        body: Bytes,
        encoding: Encoding,
        signal: Signal,
    ) -> Result<Outcome, Fault> {
        let read = {
            let (otlp, now) = (self.clone(), self.clock.now());
            let large = body.len() > LARGE;
            let read = move || {
                let export = wire::read(&body, encoding, signal)?;
                let request = request::read(&export, (encoding, signal), Way::Door, &otlp.ingest, now);
                drop(export);
                otlp.buffers.give(body);
                Ok(request)
            };
            if large { tokio::task::spawn_blocking(read).await.map_err(|_| Fault::Internal)? } else { read() }
        };
        let mut request = read.map_err(Fault::Malformed)?;
        let report = std::mem::take(&mut request.report);
        let mut refused = std::mem::take(&mut request.refused);
        refused.extend(self.ingest.record(report).await.map_err(fault)?.refused);
        refused.sort_by_key(|refused| refused.place);
        // An item is refused once, though more than one thing may be wrong with it.
        refused.dedup_by_key(|refused| refused.place);
        let message = request.complaint(signal, &refused).unwrap_or_default();
        if let Some(meant) = request.meant {
            return Err(Fault::Malformed(meant.elsewhere()));
        }
        if request.items > 0 && refused.len() == request.items {
            return Err(Fault::Malformed(format!("nothing of the request was taken: {message}")));
        }
        Ok(Outcome { rejected: refused.len(), message })
    }
}

fn fault(error: ServiceError) -> Fault {
    match error {
        ServiceError::Overloaded { retry_after } => Fault::Overloaded(retry_after),
        ServiceError::Refused(refusal) => Fault::Malformed(refusal.to_string()),
        ServiceError::Store(error) => {
            tracing::error!(%error, "a report was not stored");
            error.retry_after().map_or(Fault::Internal, Fault::Unavailable)
        }
    }
}
