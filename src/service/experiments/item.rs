//! The run of one item: begun, waited for, judged, and noted. Or, where an earlier process was in its midst, what came
//! of it.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;

use super::{Experiments, carry::Due, start::trial_agent};
use crate::{
    model::{
        Json, TraceId,
        agent::RunFailureKind,
        dataset::DatasetItem,
        experiment::{Experiment, ExperimentItem, ItemEnd, ItemStatus},
        span::SpanStatus,
        trace::TraceStatus,
    },
    service::{
        ServiceError, ServiceResult,
        agents::{BegunTrial, EndedRun, Trial, patiently},
    },
};

impl Experiments {
    /// Carries the run of an item to its end, unless the server stops before.
    pub(super) async fn carry_item(
        &self,
        experiment: Experiment,
        due: Due,
        stopped: watch::Receiver<bool>,
    ) -> ServiceResult<()> {
        if let Some(before) = &due.before {
            let mut end = self.over(before).await?;
            let most = self.limits().attempts;
            if end.is_none() && before.attempt >= most {
                end = Some(failed(format!("the server stopped in each of {most} attempts at it")));
            }
            if let Some(end) = end {
                return self.settle(&experiment, (&due.item, before), end).await;
            }
        }
        let trace = self.context.new_id();
        let begin = || self.begin_item(experiment.id, (&due.item, due.repetition), trace).boxed();
        let Some(row) = patiently(begin).await? else { return Ok(()) };
        let end = match self.begin_run(&experiment, &due, trace, &stopped).await? {
            Begun::Run(run) => match self.end_of(*run, trace, stopped).await {
                Some(end) => end,
                // The next process finds it where it is.
                None => return Ok(()),
            },
            Begun::Not(end) => end,
            Begun::Closed => return Ok(()),
        };
        self.settle(&experiment, (&due.item, &row), end).await
    }

    async fn begin_run(
        &self,
        experiment: &Experiment,
        due: &Due,
        trace: TraceId,
        stopped: &watch::Receiver<bool>,
    ) -> ServiceResult<Begun> {
        let metadata = serde_json::json!({
            "experimentId": experiment.id.to_string(),
            "datasetItemId": due.item.id.to_string(),
            "repetition": due.repetition,
        });
        let trial = Trial {
            agent: trial_agent(&experiment.setup),
            messages: due.item.content.messages(),
            trace_id: trace,
            metadata: Json::of(&metadata),
        };
        loop {
            match self.agents.begin_trial(trial.clone()).await {
                Ok(begun) => return Ok(Begun::Run(Box::new(begun))),
                Err(ServiceError::Refused(refusal)) => return Ok(Begun::Not(failed(refusal.to_string()))),
                Err(ServiceError::Overloaded { .. }) if self.agents.is_closed() => return Ok(Begun::Closed),
                Err(ServiceError::Overloaded { retry_after }) => self.wait(retry_after, stopped).await,
                Err(error) => return Err(error),
            }
            if *stopped.borrow() {
                return Ok(Begun::Not(cancelled()));
            }
        }
    }

    async fn wait(&self, time: Duration, stopped: &watch::Receiver<bool>) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = until_stopped(stopped.clone()) => {}
            () = self.agents.closed() => {}
        }
    }

    /// Waits for the end of a run, and stops it where the experiment is. `None`: the server stops.
    async fn end_of(
        &self,
        begun: BegunTrial,
        trace: TraceId,
        stopped: watch::Receiver<bool>,
    ) -> Option<ItemEnd> {
        let mut ended = begun.ended().boxed();
        let ended = tokio::select! {
            ended = &mut ended => ended,
            () = until_stopped(stopped) => {
                self.agents.stop_trial(trace);
                ended.await
            }
        };
        let EndedRun { status, text, failure, .. } = ended?;
        match (status, failure) {
            (TraceStatus::Completed, _) => Some(completed(text)),
            (_, Some(failure)) if failure.kind == RunFailureKind::Interrupted => None,
            (_, Some(failure)) if failure.kind == RunFailureKind::Cancelled => Some(cancelled()),
            (_, failure) => Some(failed(failure.map_or_else(String::new, |failure| failure.message))),
        }
    }

    /// Has a run judged, and notes what came of it.
    async fn settle(
        &self,
        experiment: &Experiment,
        (item, row): (&DatasetItem, &ExperimentItem),
        mut end: ItemEnd,
    ) -> ServiceResult<()> {
        if end.status == ItemStatus::Completed {
            let judged = self.judge(&experiment.setup.evaluators, row.trace_id, item).await;
            // A judge that was stopped with the server says nothing of the run: the next process asks again.
            if self.agents.is_closed() && !judged.as_ref().is_ok_and(Vec::is_empty) {
                return Ok(());
            }
            end.evaluator_errors = judged?;
        }
        patiently(|| self.end_item(row, &end).boxed()).await
    }

    /// What came of a run that an earlier process had begun; `None`: it was cut off, or its trace is gone.
    pub(super) async fn over(&self, row: &ExperimentItem) -> ServiceResult<Option<ItemEnd>> {
        let trace = self.tracing.traces(&[row.trace_id]).await?.pop().flatten();
        Ok(match trace.map(|trace| trace.status) {
            None | Some(TraceStatus::Running) => None,
            Some(TraceStatus::Cancelled) => Some(cancelled()),
            Some(TraceStatus::Completed) => {
                let body = self.tracing.trace_bodies(&[row.trace_id]).await?.pop().flatten();
                Some(completed(body.and_then(|body| body.final_output)))
            }
            Some(TraceStatus::Failed) => {
                let top = self.tracing.choose_heads(row.trace_id, |_, heads| {
                    let tops = heads.iter().filter(|head| head.parent_id.is_none());
                    let first = tops.min_by_key(|head| (head.start_time, head.id));
                    first.map(|top| (top.status, top.status_message.clone()))
                });
                // A run that fails says so in its topmost span. Where that is cancelled, or ended well, the server
                // stopped before the trace ended, which the next start has ended as failed.
                match top.await? {
                    Some((SpanStatus::Error, message)) => Some(failed(message.unwrap_or_default())),
                    _ => None,
                }
            }
        })
    }
}

/// Waits until the experiment is stopped.
async fn until_stopped(mut stopped: watch::Receiver<bool>) {
    // Where nobody can say so any more, it is.
    drop(stopped.wait_for(|stopped| *stopped).await);
}

/// A run that was to begin.
enum Begun {
    Run(Box<BegunTrial>),
    /// It did not.
    Not(ItemEnd),
    /// The server stops.
    Closed,
}

fn completed(output: Option<String>) -> ItemEnd {
    ItemEnd { status: ItemStatus::Completed, output, error: None, evaluator_errors: Vec::new() }
}

fn failed(error: String) -> ItemEnd {
    ItemEnd { status: ItemStatus::Failed, output: None, error: Some(error), evaluator_errors: Vec::new() }
}

pub(super) fn cancelled() -> ItemEnd {
    ItemEnd { status: ItemStatus::Cancelled, output: None, error: None, evaluator_errors: Vec::new() }
}
