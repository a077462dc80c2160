//! Carrying out a run to its end, whatever that is: what it did is kept, those who wait are told, and nothing of it
//! is left open. A run that was cut off with its process is ended by the next.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;

use super::{
    Agents,
    output::OutputEvent,
    recorder::{Recorder, patiently},
    run::{Answered, Run},
    runs::Place,
    task::Task,
};
use crate::{
    model::{
        ConversationId, Json, PlanId, StepId, TraceId, TurnId,
        agent::{RunFailure, RunFailureKind},
        message::{Message, MessageRole, MessageType, NewMessage},
        page::PageRequest,
        plan::StepAction,
        span::{SpanAction, SpanChanges, SpanCompletion, SpanOp, SpanStatus},
        trace::{Trace, TraceCompletion, TraceStatus},
    },
    service::{
        ServiceError, ServiceResult,
        conversations::{HistoryOrder, HistoryRequest},
    },
    store::{
        Direction, KeyRange,
        key::Key,
        keyspace::{self, AgentRun, RunTask},
    },
};

/// A run that is over.
#[derive(Debug, Clone)]
pub struct EndedRun {
    /// How it ended.
    pub status: TraceStatus,
    /// Its trace, as it ended, where it is recorded.
    pub trace: Option<Trace>,
    /// What the agent answered.
    pub text: Option<String>,
    /// The message with the answer, or with why there is none; of a run in a conversation.
    pub answer: Option<Message>,
    /// Why there is no answer.
    pub failure: Option<RunFailure>,
}

/// Messages among which a turn's last one is looked for: others may have spoken since.
const LAST_MESSAGES: usize = 50;

/// Marks of runs that are read at a time.
const PAGE: usize = 500;

impl Agents {
    /// Runs an agent to its end. `None`: the end could not be kept; the next start of the server ends it.
    pub(super) async fn carry_out(&self, run: Run, place: Place) -> Option<EndedRun> {
        let mut stop = place.stop.clone();
        let driven = AssertUnwindSafe(run.drive()).catch_unwind();
        let outcome = tokio::select! {
            outcome = driven => outcome.unwrap_or_else(|_| {
                Err(RunFailure::new(RunFailureKind::Internal, "the run broke off"))
            }),
            stopped = stop.wait_for(Option::is_some) => {
                let kind = stopped.ok().and_then(|kind| *kind).unwrap_or(RunFailureKind::Cancelled);
                Err(RunFailure::new(kind, why(kind)))
            }
        };
        let Run { recorder, task, trace, .. } = run;
        let end = self.end(recorder, &task, trace, outcome).await;
        let end =
            end.inspect_err(|error| tracing::error!(%trace, %error, "the end of a run is not kept")).ok();
        place.output.put(match &end {
            Some(end) => OutputEvent::End {
                status: end.status,
                message_id: end.answer.as_ref().map(|answer| answer.id),
                error: end.failure.as_ref().map(|failure| failure.message.clone()),
            },
            None => OutputEvent::End {
                status: TraceStatus::Failed,
                message_id: None,
                error: Some("the end of the run could not be kept".to_owned()),
            },
        });
        end
    }

    async fn end(
        &self,
        recorder: Arc<Recorder>,
        task: &Task,
        trace: TraceId,
        outcome: Result<Answered, RunFailure>,
    ) -> ServiceResult<EndedRun> {
        let (text, mut answer, failure) = match outcome {
            Ok(Answered { text, message }) => (Some(text), message, None),
            Err(failure) => (None, None, Some(failure)),
        };
        if let (Some(failure), Task::Talk { conversation, turn, .. }) = (&failure, task) {
            answer = self.tell_failure(*conversation, (*turn, trace), failure.clone()).await;
        }
        let status = match failure.as_ref().map(|failure| failure.kind) {
            None => TraceStatus::Completed,
            Some(RunFailureKind::Cancelled) => TraceStatus::Cancelled,
            Some(_) => TraceStatus::Failed,
        };
        let completion = TraceCompletion { status, final_output: text.clone(), end_time: None };
        let ended = match recorder.finish(completion).await {
            // The trace is gone: nothing is left that a mark could stand for.
            Err(error @ ServiceError::Refused(_)) => Err(error),
            ended => Ok(ended?),
        };
        if let Task::Step { plan, step, .. } = task {
            let action = match &failure {
                None => StepAction::Complete { result: text.clone() },
                Some(failure) => ending(failure),
            };
            self.end_step(*plan, *step, action).await?;
        }
        self.unmark(keyspace::AGENT_RUN, &trace).await?;
        Ok(EndedRun { status, trace: ended?, text, answer, failure })
    }

    /// Says in the conversation why there is no answer.
    async fn tell_failure(
        &self,
        conversation: ConversationId,
        (turn, trace): (TurnId, TraceId),
        failure: RunFailure,
    ) -> Option<Message> {
        let message = NewMessage {
            message_type: Some(MessageType::Error),
            turn_id: Some(turn),
            trace_id: Some(trace),
            metadata: Some(Json::of(&serde_json::json!({ "failure": failure.kind.text() }))),
            ..NewMessage::text(MessageRole::Assistant, &failure.message)
        };
        let add = || self.conversations.add_messages(conversation, vec![message.clone()]).boxed();
        match patiently(add).await {
            Ok(mut added) => added.pop(),
            Err(error) => {
                tracing::warn!(%trace, %error, "a conversation is not told why there is no answer");
                None
            }
        }
    }

    /// Ends an attempt at a step. A plan that was given up meanwhile has ended it already.
    async fn end_step(&self, plan: PlanId, step: StepId, action: StepAction) -> ServiceResult<()> {
        match patiently(|| self.plans.advance(plan, step, action.clone()).boxed()).await {
            Ok(_) | Err(ServiceError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends the runs that were cut off with an earlier process; answers how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_interrupted(&self) -> ServiceResult<usize> {
        let (mut ended, mut range) = (0, KeyRange::all());
        loop {
            let part = (range.clone(), Direction::Forward, PAGE);
            let Some(page) = self.context.store.scan_many(keyspace::AGENT_RUN, vec![part]).await?.pop()
            else {
                return Ok(ended);
            };
            let Some(last) = page.items.last() else { return Ok(ended) };
            range = range.after(&last.key.encode());
            for found in page.items {
                if self.runs.output(found.key).is_none() {
                    self.end_interrupted_run(found.key, found.record).await?;
                    ended += 1;
                }
            }
        }
    }

    async fn end_interrupted_run(&self, trace: TraceId, mark: AgentRun) -> ServiceResult<()> {
        let interrupted = || RunFailure::new(RunFailureKind::Interrupted, why(RunFailureKind::Interrupted));
        let found = self.tracing.traces(&[trace]).await?.pop().flatten();
        let status = found.as_ref().map(|found| found.status);
        if let RunTask::Talk { conversation, turn } = mark.task {
            let is_open = match status {
                Some(status) => status == TraceStatus::Running,
                // It was held back: only the conversation knows.
                None => !self.is_answered(conversation, turn).await?,
            };
            if is_open {
                self.tell_failure(conversation, (turn, trace), interrupted()).await;
            }
        }
        if status == Some(TraceStatus::Running) {
            let ops = self.open_spans(trace).await?;
            let completion =
                TraceCompletion { status: TraceStatus::Failed, final_output: None, end_time: None };
            self.tracing.record_end(trace, ops, completion).await?;
        }
        if let RunTask::Step { plan, step } = mark.task {
            // A step whose run was over is not carried out again.
            let action = match status {
                Some(TraceStatus::Completed) => {
                    let body = self.tracing.trace_bodies(&[trace]).await?.pop().flatten();
                    StepAction::Complete { result: body.and_then(|body| body.final_output) }
                }
                Some(TraceStatus::Failed) => StepAction::Fail { error: "The agent failed.".to_owned() },
                _ => StepAction::Interrupt,
            };
            self.end_step(plan, step, action).await?;
        }
        self.unmark(keyspace::AGENT_RUN, &trace).await
    }

    /// Whether the last that was said in a turn is its answer.
    async fn is_answered(&self, conversation: ConversationId, turn: TurnId) -> ServiceResult<bool> {
        let request = HistoryRequest {
            conversation_id: conversation,
            order: HistoryOrder::NewestFirst,
            page: PageRequest { first: LAST_MESSAGES, after: None },
            roles: None,
            from_last_summary: false,
        };
        let found = self.conversations.histories(&[request]).await?.pop();
        let last = found.into_iter().flat_map(|page| page.items).map(|(_, message)| message);
        let said = last.filter(|message| message.message_type != MessageType::Summary);
        let of_turn = { said }.find(|message| message.turn_id == Some(turn));
        Ok(of_turn.is_some_and(|last| last.role == MessageRole::Assistant && last.tool_calls.is_empty()))
    }

    /// The ends of a trace's spans that still go on.
    async fn open_spans(&self, trace: TraceId) -> ServiceResult<Vec<SpanOp>> {
        let open = self.tracing.choose_heads(trace, |_, heads| {
            let running = heads.iter().filter(|head| head.status == SpanStatus::Running);
            running.map(|head| head.id).collect::<Vec<_>>()
        });
        let now = self.context.now();
        let end = |id| {
            let status_message = Some(why(RunFailureKind::Interrupted).to_owned());
            let changes = SpanChanges { status_message, ..SpanChanges::default() };
            let completion = SpanCompletion { status: SpanStatus::Cancelled, end_time: Some(now), changes };
            SpanOp { id, action: SpanAction::Complete(Box::new(completion)) }
        };
        Ok(open.await?.into_iter().map(end).collect())
    }
}

/// How an attempt at a step ends that gave no result.
fn ending(failure: &RunFailure) -> StepAction {
    match failure.kind {
        RunFailureKind::Interrupted => StepAction::Interrupt,
        _ => StepAction::Fail { error: failure.message.clone() },
    }
}

const fn why(kind: RunFailureKind) -> &'static str {
    match kind {
        RunFailureKind::Interrupted => "The server stopped while the agent was at work.",
        _ => "The run was stopped.",
    }
}
