//! Something said to an agent, and the run that answers it, shown as it goes on.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::{
    api::{Api, ApiError, Event, Follower, News, Totals},
    console::Console,
    screen::Look,
    signals::Signal,
    spans::Spans,
    words::{count, dollars, json_line, line, millis},
};
use crate::model::{agent::RunFailureKind, trace::TraceStatus};

/// Bytes that are shown of what a tool is called with, and of what it answers.
const ARGUMENTS_BYTES: usize = 160;
const RESULT_BYTES: usize = 240;

/// Columns that what is no speech stands to the right.
const MARGIN: usize = 2;

/// Columns for a level of spans; levels that are shown at most.
const LEVEL: usize = 2;
const LEVELS: usize = 16;

/// How long a server is waited for, to be told that a run is not wanted any more.
const CANCEL_TIME: Duration = Duration::from_secs(10);

/// How a run ended, as far as it was watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// There is an answer.
    Answered,
    /// There is none.
    Failed,
    /// It was stopped.
    Cancelled,
    /// The user leaves.
    Left,
}

/// A run that is shown.
pub(super) struct Turn<'a> {
    pub api: &'a Api,
    pub console: &'a mut Console,
    /// The run's trace.
    pub trace: &'a str,
    /// Whether it is recorded.
    pub is_recorded: bool,
}

/// What the end of a run says.
#[derive(Default)]
struct End {
    status: Option<TraceStatus>,
    message_id: Option<String>,
    error: Option<String>,
}

/// What is to be known of a run while it goes on.
#[derive(Default)]
struct Progress {
    spans: Spans,
    /// Whether something that it put out is missing.
    gap: bool,
    is_cancelled: bool,
    end: Option<End>,
}

impl Turn<'_> {
    /// Shows the run to its end.
    pub(super) async fn show(mut self) -> anyhow::Result<Ended> {
        let mut progress = Progress::default();
        let mut follower = Follower::new(self.api, self.trace);
        while progress.end.is_none() {
            tokio::select! {
                news = follower.next() => match news.context("the run is not seen any more, and may go on")? {
                    News::Events { gap, events } => self.events(&mut progress, gap, events)?,
                    News::Lost(error) => self.note(Look::Red, &format!("{error}; trying again"))?,
                    News::Over => progress.end = Some(End::default()),
                },
                signal = self.console.signals.next() => {
                    let again = std::mem::replace(&mut progress.is_cancelled, true);
                    if !again {
                        self.cancel().await?;
                    }
                    if again || signal == Signal::End {
                        return Ok(Ended::Left);
                    }
                }
            }
        }
        let Progress { gap, end, .. } = progress;
        self.end(gap, end.unwrap_or_default()).await
    }

    fn events(&mut self, progress: &mut Progress, gap: bool, events: Vec<Event>) -> std::io::Result<()> {
        if gap {
            progress.gap = true;
            self.note(Look::Red, "something that the agent put out is missing here")?;
        }
        let screen = &mut self.console.screen;
        for event in events {
            let tool = MARGIN + LEVEL * progress.spans.tool_depth().min(LEVELS);
            match event {
                Event::Text { text } => screen.answer(&text)?,
                Event::Thinking { text } => screen.thinking(&text)?,
                Event::Span(change) => {
                    let told = progress.spans.change(&change, Instant::now());
                    if let Some((depth, told)) = told.filter(|_| screen.spans) {
                        screen.line(Look::Dim, MARGIN + LEVEL * depth.min(LEVELS), &told)?;
                    }
                }
                Event::ToolCall { tool_name, arguments } => {
                    let arguments = json_line(&arguments, ARGUMENTS_BYTES);
                    let name = line(&tool_name, ARGUMENTS_BYTES);
                    screen.line(Look::Dim, tool, &format!("▸ tool {name} {arguments}"))?;
                }
                Event::ToolResult { result, failed } => {
                    let (look, sign) = if failed { (Look::Red, '✗') } else { (Look::Dim, '→') };
                    screen.line(
                        look,
                        tool + LEVEL,
                        &format!("{sign} {}", json_line(&result, RESULT_BYTES)),
                    )?;
                }
                Event::Retry { message } => {
                    let message = line(&message, RESULT_BYTES);
                    let told =
                        format!("↻ {message}\nWhat this attempt said is void; the model is asked again.");
                    screen.line(Look::Red, MARGIN, &told)?;
                }
                Event::End { status, message_id, error } => {
                    progress.end = Some(End { status: Some(status), message_id, error });
                }
                Event::Other => {}
            }
        }
        Ok(())
    }

    /// Stops the run. That it is over already is no failure.
    async fn cancel(&mut self) -> std::io::Result<()> {
        self.note(Look::Dim, "stopping…")?;
        match tokio::time::timeout(CANCEL_TIME, self.api.cancel(self.trace)).await {
            Ok(Ok(()) | Err(ApiError::Refused(_))) => Ok(()),
            Ok(Err(error)) => self.note(Look::Red, &format!("the run is not stopped: {error}")),
            Err(_) => self.note(Look::Red, "the server takes its time to stop the run"),
        }
    }

    /// Tells how the run ended, and what it took.
    async fn end(&mut self, gap: bool, end: End) -> anyhow::Result<Ended> {
        let totals = if self.is_recorded { self.api.totals(self.trace).await } else { Ok(None) };
        let (took, totals) = match totals {
            Ok(Some(totals)) => (summed(&totals), Some(totals)),
            Ok(None) => ("This run is not recorded.".to_owned(), None),
            // The answer is there all the same.
            Err(error) => (format!("What it took is not known: {error}"), None),
        };
        let status = end.status.or(totals.as_ref().map(|totals| totals.status));
        if gap && let Some(output) = totals.as_ref().and_then(|totals| totals.final_output.as_ref()) {
            self.console.screen.end_paragraph()?;
            self.console.screen.answer(output)?;
        }
        self.note(Look::Dim, &took)?;
        match status {
            Some(TraceStatus::Completed) => return Ok(Ended::Answered),
            Some(TraceStatus::Cancelled) => self.note(Look::Red, "Stopped. What was said so far stays.")?,
            _ => {
                let kind = match &end.message_id {
                    Some(message) => self.api.failure(message).await?,
                    None => None,
                };
                let error = end
                    .error
                    .as_deref()
                    .unwrap_or("the run ended without an answer; the conversation says why");
                self.note(Look::Red, &failed(kind, error))?;
            }
        }
        Ok(if status == Some(TraceStatus::Cancelled) { Ended::Cancelled } else { Ended::Failed })
    }

    fn note(&mut self, look: Look, text: &str) -> std::io::Result<()> {
        self.console.screen.line(look, MARGIN, text)
    }
}

/// What a run took, on one line.
fn summed(totals: &Totals) -> String {
    let mut told: Vec<_> = totals.duration_ms.map(millis).into_iter().collect();
    told.push(count(totals.span_count, "span"));
    told.push(format!("{} tokens in, {} out", totals.input_tokens, totals.output_tokens));
    told.push(totals.total_cost_usd.map_or_else(|| "cost unknown".to_owned(), dollars));
    if totals.error_count > 0 {
        told.push(count(totals.error_count, "error"));
    }
    told.join(" · ")
}

/// Why there is no answer, and what to do.
fn failed(kind: Option<RunFailureKind>, error: &str) -> String {
    let error = line(error, 1_000);
    let Some(kind) = kind else { return format!("✗ {error}") };
    let advice = match kind {
        RunFailureKind::ModelFailed => {
            "`/retry` asks again. If it stays, see the agent's model and its provider's key: `dendro config`."
        }
        RunFailureKind::StepLimit
        | RunFailureKind::TokenLimit
        | RunFailureKind::CostLimit
        | RunFailureKind::TimeLimit => {
            "Ask for less at a time, or give the agent higher `limits` with `createAgent`."
        }
        RunFailureKind::Cancelled => "`/retry` asks again.",
        RunFailureKind::Interrupted => "`/retry` asks again, once the server is back.",
        RunFailureKind::InvalidVerdict => "Make the rubric clearer, or choose another model.",
        RunFailureKind::InvalidPlan => "Say the goal otherwise, or choose another model.",
        RunFailureKind::Internal => "The server's log says more.",
    };
    format!("✗ {kind}: {error}\n{advice}")
}
