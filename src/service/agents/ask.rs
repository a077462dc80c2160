//! Asking the model: once, or again where it fails in passing. Each attempt is a span of its own.

use futures_util::StreamExt;

use super::{
    given::Given,
    output::OutputEvent,
    recorder::{OpenSpan, as_answer},
    run::{At, Run, failed},
};
use crate::{
    llm::{ModelAnswer, ModelError, ModelErrorKind, ModelEvent, ModelRequest, ModelSettings, ToolDefinition},
    model::{
        Json,
        agent::{RunFailure, RunFailureKind},
        chat::{self, ChatMessage},
        span::{OperationType, SpanBody, SpanChanges, SpanDetails, SpanStatus},
    },
    tools::ToolSpec,
};

impl Run {
    /// Asks the model, again where it fails in passing. Each attempt is a span of its own.
    pub(super) async fn ask(
        &self,
        at: &At,
        request: &ModelRequest,
        given: &Given,
    ) -> Result<ModelAnswer, RunFailure> {
        let given = given.json();
        let mut attempt = 1;
        loop {
            let error = match self.attempt(at, request, given.as_ref()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(delay) = self.backoff.delay(attempt, &error, rand::random()) else {
                return Err(RunFailure::new(RunFailureKind::ModelFailed, error.to_string()));
            };
            self.output.put(OutputEvent::Retry { message: error.to_string() });
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    pub(super) fn request(&self, system: &str, messages: Vec<ChatMessage>) -> ModelRequest {
        let model = &self.agent.model;
        let tool = |spec: &ToolSpec| ToolDefinition {
            name: spec.name.clone(),
            description: spec.description.clone(),
            parameters: spec.parameters.clone(),
        };
        ModelRequest {
            model: self.model_name.clone(),
            system: (!system.is_empty()).then(|| system.to_owned()),
            messages,
            tools: self.specs.iter().map(tool).collect(),
            settings: ModelSettings {
                temperature: model.temperature,
                top_p: model.top_p,
                max_tokens: model.max_tokens,
                stop: model.stop.clone(),
                seed: model.seed,
                reasoning_effort: model.reasoning_effort.clone(),
                answer_schema: None,
            },
        }
    }

    pub(super) async fn attempt(
        &self,
        at: &At,
        request: &ModelRequest,
        given: Option<&Json>,
    ) -> Result<ModelAnswer, ModelError> {
        let name = format!("chat {}", self.model_name);
        let details = SpanDetails {
            model: Some(self.model.shown(&self.model_name)),
            provider: Some(self.provider.clone()),
            ..SpanDetails::default()
        };
        let mut body = SpanBody { inputs: given.cloned(), ..SpanBody::default() };
        if let Some(knows) = at.knows.clone() {
            knows.put(&mut body);
        }
        let changes =
            SpanChanges { details, components: self.parts.model.clone(), body, ..SpanChanges::default() };
        let span = self.start_span(Some(at.parent), (OperationType::LlmCall, &name), changes).await;
        let answer = self.stream(span, request.clone()).await;
        let (status, changes) = match &answer {
            Ok(answer) => (SpanStatus::Ok, answered(answer)),
            Err(error) => (SpanStatus::Error, broken_off(&self.recorder.take_said(span), error)),
        };
        self.end_span(span, (OperationType::LlmCall, &name), status, changes).await;
        answer
    }

    async fn stream(&self, span: OpenSpan, request: ModelRequest) -> Result<ModelAnswer, ModelError> {
        let begun = self.context.now();
        let mut is_first = true;
        let mut pieces = self.model.ask(request).await?;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            if std::mem::take(&mut is_first) {
                let time_to_first_token_nanos = Some(self.context.now().nanos_since(begun));
                let details = SpanDetails { time_to_first_token_nanos, ..SpanDetails::default() };
                self.recorder.update(span, SpanChanges { details, ..SpanChanges::default() }).await;
            }
            match piece {
                ModelEvent::Text(text) => {
                    self.recorder.said(span, &text);
                    self.output.put(OutputEvent::Text(text));
                }
                ModelEvent::Thinking(text) => self.output.put(OutputEvent::Thinking(text)),
                ModelEvent::ToolCall(_) => {}
                ModelEvent::End(answer) => return Ok(answer),
            }
        }
        Err(ModelError::new(ModelErrorKind::CutOff, "the answer ended without its end"))
    }
}

/// What an answer adds to the span of its call.
fn answered(answer: &ModelAnswer) -> SpanChanges {
    SpanChanges {
        details: SpanDetails {
            model: answer.model.clone(),
            finish_reason: answer.message.finish_reason.clone(),
            response_id: answer.response_id.clone(),
            ..SpanDetails::default()
        },
        tokens: answer.tokens,
        rule: answer.tokens.map(|_| answer.rule),
        body: SpanBody { outputs: Some(chat::to_json([answer.message.clone()])), ..SpanBody::default() },
        ..SpanChanges::default()
    }
}

/// What is kept of an answer that broke off.
fn broken_off(said: &str, error: &ModelError) -> SpanChanges {
    let mut changes = failed(&error.to_string(), &error.kind.to_string());
    changes.body.outputs = as_answer(said);
    changes
}
