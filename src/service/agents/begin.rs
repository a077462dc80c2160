//! What every run begins with: a place, a mark in the store, a task of its own.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinHandle;

use super::{
    Agents, EndedRun,
    recorder::patiently,
    run::Run,
    runs::{NoPlace, Place},
};
use crate::{
    model::{
        Refusal, TraceId,
        refusal::Entity,
        trace::{NewTrace, Trace},
    },
    service::{ServiceError, ServiceResult, conversations, tracing},
    store::keyspace::{self, AgentRun, RunTask},
};

/// The end of a run, which goes on whoever waits for it.
pub(super) struct Ending(JoinHandle<Option<EndedRun>>);

impl Ending {
    /// Waits until the run is over. `None`: its end could not be kept.
    pub(super) async fn wait(self) -> Option<EndedRun> {
        self.0.await.ok().flatten()
    }
}

impl Agents {
    /// A place for a run, if there is one.
    pub(super) fn place(&self, trace: TraceId) -> ServiceResult<Place> {
        self.runs.begin(trace).map_err(|none| match none {
            NoPlace::Full => ServiceError::Overloaded { retry_after: Duration::from_secs(1) },
            NoPlace::Taken => Refusal::already_exists("traceId", Entity::Trace, trace).into(),
        })
    }

    /// Refuses the id of a trace that is there.
    pub(super) async fn require_new(&self, trace: TraceId) -> ServiceResult<()> {
        match self.tracing.traces(&[trace]).await?.pop().flatten() {
            Some(_) => Err(Refusal::already_exists("traceId", Entity::Trace, trace).into()),
            None => Ok(()),
        }
    }

    /// Marks a run that nothing outside of its trace waits for and starts that, if it is to be recorded: one commit.
    pub(super) async fn start_alone(&self, new: NewTrace, is_traced: bool) -> ServiceResult<Option<Trace>> {
        let context = &self.context;
        let id = new.id.unwrap_or_else(|| context.new_id());
        let new = NewTrace { id: Some(id), ..new };
        let start = || {
            let new = new.clone();
            let started = context.store.transact::<_, ServiceError, _>(move |tx| {
                let new = new.clone();
                Box::pin(async move {
                    if let Some(conversation) = new.conversation_id {
                        conversations::required(tx, conversation).await?;
                    }
                    let trace = if is_traced { Some(tracing::start(context, tx, new).await?) } else { None };
                    tx.put(keyspace::AGENT_RUN, &id, &AgentRun { task: RunTask::Alone })?;
                    Ok(trace)
                })
            });
            started.boxed()
        };
        patiently(start).await
    }

    /// Lets a run go on by itself.
    pub(super) fn set_off(&self, run: Run, place: Place) -> Ending {
        let agents = self.clone();
        Ending(tokio::spawn(async move { agents.carry_out(run, place).await }))
    }
}
