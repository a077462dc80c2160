//! Judges: what a rubric's variables stand for, and what a model says of it.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use super::{
    Evaluators,
    ready::Ready,
    subject::Subject,
    texts::{plain, text_of},
    verdict::{Found, Verdict},
};
use crate::{
    model::{
        Json,
        agent::{RunFailureKind, template},
        chat::{ChatMessage, ChatPart},
        evaluator::{Judge, TextSide},
        span::{OperationType, SpanBody, SpanHead},
    },
    semconv::view,
    service::{ServiceError, ServiceResult, agents::Judging},
    store::StoreError,
};

/// Calls of tools that `{{tools}}` shows at most: the first.
const CALLS: usize = 1_000;

/// How long a judge waits for a place among the runs that go on, between two looks.
const FULL_WAIT: Duration = Duration::from_millis(200);

impl Evaluators {
    /// Has a model judge.
    pub(super) async fn ask_judge(
        &self,
        judge: &Judge,
        ready: &Ready,
        subject: &Subject,
        expected: Option<&Json>,
    ) -> ServiceResult<Found> {
        let mut values = BTreeMap::new();
        for name in template::variables(&judge.rubric) {
            let value = match self.value(name, subject, expected).await? {
                Ok(value) => value,
                Err(reason) => return Ok(Found::Skipped(reason)),
            };
            let most = self.context.evaluation.judge_bytes;
            if value.len() > most {
                let reason =
                    format!("`{name}` has {} bytes; a judge is shown no more than {most}", value.len());
                return Ok(Found::Skipped(reason));
            }
            values.insert(name.to_owned(), value);
        }
        let judging = Judging {
            evaluator: ready.reference.clone(),
            definition: ready.definition.to_json()?,
            judge: judge.clone(),
            values,
        };
        let begun = loop {
            match self.agents.judge(judging.clone()).await {
                Err(ServiceError::Overloaded { retry_after }) => {
                    tokio::time::sleep(retry_after.min(FULL_WAIT)).await;
                }
                begun => break begun?,
            }
        };
        let judged_in = begun.trace;
        let Some(ended) = begun.ended().await else {
            return Ok(Found::Failed("the end of the judging could not be kept".to_owned()));
        };
        if let Some(failure) = ended.failure {
            return match failure.kind {
                // Nobody has judged, and whoever asked goes on with the next start of the server.
                RunFailureKind::Interrupted => Err(StoreError::Closed.into()),
                _ => Ok(Found::Failed(failure.message)),
            };
        }
        let said = ended.text.unwrap_or_default();
        Ok(match judge.answer.verdict(&said) {
            Ok(verdict) => Found::Verdict(Verdict {
                value: verdict.value,
                passed: verdict.passed,
                comment: verdict.reasoning,
                judged_in,
            }),
            Err(why) => Found::Failed(why),
        })
    }

    /// What a variable stands for; inside, why it stands for nothing.
    async fn value(
        &self,
        name: &str,
        subject: &Subject,
        expected: Option<&Json>,
    ) -> ServiceResult<Result<String, String>> {
        Ok(match name {
            "input" => self.part(subject, TextSide::Input).await?.ok_or_else(|| "it has no input".to_owned()),
            "output" => {
                self.part(subject, TextSide::Output).await?.ok_or_else(|| "it has no output".to_owned())
            }
            "expected" => expected
                .map(plain)
                .ok_or_else(|| "the rubric shows what is expected, and nothing is expected here".to_owned()),
            "transcript" => {
                self.transcript(subject).await?.ok_or_else(|| "nothing was said in it".to_owned())
            }
            _ => Ok(self.tools(subject).await?),
        })
    }

    async fn part(&self, subject: &Subject, part: TextSide) -> ServiceResult<Option<String>> {
        let Some(span) = subject.span() else {
            let body = &subject.body;
            return Ok(match part {
                TextSide::Input => body.user_input.clone(),
                TextSide::Output => body.final_output.clone(),
            });
        };
        let bodies = self.tracing.bodies_of(subject.trace().id, &[span]).await?;
        Ok(bodies.get(&span.id).and_then(|body| text_of(span.operation_type, body, part)))
    }

    /// All that was said: the messages of the last call of a model among those that stand highest, for that one was
    /// given all that was said before. Where there is none, what went in and what came out.
    async fn transcript(&self, subject: &Subject) -> ServiceResult<Option<String>> {
        let calls = subject.nodes().filter(|(.., head)| head.operation_type == OperationType::LlmCall);
        let last =
            calls.min_by_key(|(_, node, head)| (node.depth, std::cmp::Reverse((head.start_time, head.id))));
        let Some((.., head)) = last else { return self.asked_and_answered(subject).await };
        let bodies = self.tracing.bodies_of(subject.trace().id, &[head]).await?;
        let (given, answered) = bodies.get(&head.id).map(view::chat).unwrap_or_default();
        let said: Vec<_> = given.iter().chain(&answered).map(written).collect();
        if said.is_empty() { self.asked_and_answered(subject).await } else { Ok(Some(said.join("\n\n"))) }
    }

    async fn asked_and_answered(&self, subject: &Subject) -> ServiceResult<Option<String>> {
        let (input, output) =
            (self.part(subject, TextSide::Input).await?, self.part(subject, TextSide::Output).await?);
        let input = input.map(|text| format!("USER: {text}"));
        let output = output.map(|text| format!("ASSISTANT: {text}"));
        let said: Vec<_> = input.into_iter().chain(output).collect();
        Ok((!said.is_empty()).then(|| said.join("\n\n")))
    }

    /// The calls of tools, each with what it was called with and what came of it.
    async fn tools(&self, subject: &Subject) -> ServiceResult<String> {
        let is_call = |head: &&SpanHead| head.operation_type == OperationType::ToolCall;
        let calls: Vec<_> = subject.in_order_of_start().into_iter().filter(is_call).collect();
        if calls.is_empty() {
            return Ok("(no tools were called)".to_owned());
        }
        let shown = calls.get(..CALLS.min(calls.len())).unwrap_or_default();
        let bodies = self.tracing.bodies_of(subject.trace().id, shown).await?;
        let mut text = String::new();
        for head in shown {
            let body = bodies.get(&head.id);
            let tool = head.details.tool_name.as_deref().unwrap_or(&head.name);
            let inputs = body.and_then(SpanBody::read_inputs).map(|inputs| plain(&inputs));
            let result = match (body.and_then(view::tool_result), &head.status_message) {
                (Some(result), _) => plain(&result),
                (None, Some(message)) => format!("failed: {message}"),
                (None, None) => format!("({})", head.status),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{tool}({}) → {result}", inputs.unwrap_or_default());
        }
        if calls.len() > shown.len() {
            let _ = writeln!(text, "and {} more calls", calls.len() - shown.len());
        }
        Ok(text.trim_end().to_owned())
    }
}

/// A message as people read it.
fn written(message: &ChatMessage) -> String {
    let part = |part: &ChatPart| match part {
        ChatPart::Text(text) => Some(text.clone()),
        ChatPart::Reasoning(_) => None,
        ChatPart::ToolCall { name, arguments, .. } => Some(format!("calls {name}({})", arguments.text())),
        ChatPart::ToolResult { name, result, .. } => {
            let name = name.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
            Some(format!("{name}{}", plain(result)))
        }
        ChatPart::Media { modality, .. } => Some(format!("[{}]", modality.as_deref().unwrap_or("media"))),
        ChatPart::Other(json) => Some(json.text().to_owned()),
    };
    let parts: Vec<_> = message.parts.iter().filter_map(part).collect();
    format!("{}: {}", message.role, parts.join("\n"))
}
