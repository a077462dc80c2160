//! Calling the tools that a model asks for, at the same time. What fails is told to the model, which may try again.

use futures_util::{FutureExt, StreamExt, stream};

use super::{
    memory,
    output::OutputEvent,
    results::{Known, Reused},
    run::{At, Run, failed, outputs},
    task::Task,
};
use crate::{
    llm::ModelAnswer,
    model::{
        Json,
        agent::RunFailure,
        chat::{ChatMessage, ChatPart},
        message::{MessageRole, NewMessage, NewToolCall},
        span::{OperationType, SpanBody, SpanChanges, SpanDetails, SpanLink, SpanStatus},
        text::shortened,
    },
    service::ServiceError,
    tools::{ToolError, ToolErrorKind, ToolOutput},
};

/// Tools that are called at the same time.
const TOOLS_AT_ONCE: usize = 16;

/// The attribute of a span whose result was recorded in another run and used again.
const REUSED: &str = "dendro.reused";

/// Bytes that are kept of a name that is none.
const NAME_BYTES: usize = 60;

/// A call of a tool.
pub(super) struct Call {
    id: String,
    name: String,
    arguments: Json,
}

impl Run {
    /// The calls of tools in an answer, each with an id of its own.
    pub(super) fn calls_of(&self, answer: &ModelAnswer) -> Vec<Call> {
        let mut calls: Vec<Call> = Vec::new();
        for (id, name, arguments) in answer.message.tool_calls() {
            let given = id.filter(|id| !id.is_empty() && calls.iter().all(|call| call.id != **id));
            let id = given.map_or_else(|| self.new_call_id(), str::to_owned);
            calls.push(Call { id, name: self.name_of(name), arguments: arguments.clone() });
        }
        calls
    }

    /// The name of a tool that a model asks for, such that it can be kept: models write anything.
    fn name_of(&self, name: &str) -> String {
        if self.context.limits.name("name", name).is_ok() {
            return name.to_owned();
        }
        let shown = shortened(name, NAME_BYTES).replace(char::is_control, "\u{fffd}");
        if shown.trim().is_empty() { "(no name)".to_owned() } else { shown }
    }

    /// An id that no model gives; some providers take no longer ones.
    fn new_call_id(&self) -> String {
        format!("call_{}", self.context.ids.next().simple())
    }

    /// Says in the conversation which tools the model asks for. There are models that give the same ids in every
    /// turn: where the conversation has one of them already, the calls get others.
    async fn tell_asked(&self, answer: &ModelAnswer, calls: &mut [Call]) -> Result<(), RunFailure> {
        match self.add(vec![self.asking(answer, calls)]).await {
            Err(ServiceError::Refused(_)) => {
                for call in calls.iter_mut() {
                    call.id = self.new_call_id();
                }
                self.add(vec![self.asking(answer, calls)]).await?;
            }
            told => drop(told?),
        }
        Ok(())
    }

    fn asking(&self, answer: &ModelAnswer, calls: &[Call]) -> NewMessage {
        let asked = calls.iter().map(|call| NewToolCall {
            id: None,
            call_id: Some(call.id.clone()),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
        });
        NewMessage {
            content: answer.message.text(),
            tool_calls: asked.collect(),
            ..self.said(MessageRole::Assistant, answer)
        }
    }

    /// Calls the tools that the model asks for, at the same time, and tells the conversation. Answers what the model
    /// is told: what it said, and the results.
    pub(super) async fn call_tools(
        &self,
        at: &At,
        answer: &ModelAnswer,
        mut calls: Vec<Call>,
    ) -> Result<Vec<ChatMessage>, RunFailure> {
        self.tell_asked(answer, &mut calls).await?;
        let called: Vec<_> = calls.iter().map(|call| self.call_tool(at, call).boxed()).collect();
        let results: Vec<_> = stream::iter(called).buffered(TOOLS_AT_ONCE).collect().await;
        let told = calls.iter().zip(&results).map(|(call, result)| NewMessage {
            tool_call_id: Some(call.id.clone()),
            ..self.of_run(NewMessage::text(MessageRole::Tool, text_of(result)))
        });
        self.add(told.collect()).await?;
        let asked = with_calls(answer, &calls);
        let results = calls.into_iter().zip(results);
        let results = results.map(|(call, result)| memory::tool_result(&call.id, &call.name, result));
        Ok(std::iter::once(asked).chain(results).collect())
    }

    async fn call_tool(&self, at: &At, call: &Call) -> Json {
        let details = SpanDetails {
            tool_name: Some(call.name.clone()),
            tool_call_id: Some(call.id.clone()),
            ..SpanDetails::default()
        };
        let mut body = SpanBody { inputs: Some(call.arguments.clone()), ..SpanBody::default() };
        if let Some(knows) = at.knows.clone() {
            knows.put(&mut body);
        }
        let components = self.parts.tools.get(&call.name).cloned().into_iter().collect();
        let changes = SpanChanges { details, components, body, ..SpanChanges::default() };
        let span = self.start_span(Some(at.parent), (OperationType::ToolCall, &call.name), changes).await;
        self.output.put(OutputEvent::ToolCall {
            call_id: call.id.clone(),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
        });
        let (outcome, reused) = self.outcome_of(call).await;
        let is_error = outcome.is_err();
        let (result, status, mut changes) = match outcome {
            Ok(output) => (output.result.clone(), SpanStatus::Ok, outputs(Some(output.result))),
            Err(error) => {
                let told = Json::string(&format!("Error: {error}"));
                let changes = failed(&error.to_string(), &error.kind.to_string());
                (told, SpanStatus::Error, changes)
            }
        };
        if let Some(link) = reused {
            changes.body.attributes = Some(Json::of(&serde_json::json!({ REUSED: true })));
            changes.body.links.push(link);
        }
        self.end_span(span, (OperationType::ToolCall, &call.name), status, changes).await;
        self.output.put(OutputEvent::ToolResult {
            call_id: call.id.clone(),
            result: result.clone(),
            failed: is_error,
        });
        result
    }

    /// What a call comes to, and the span of another run, if it was recorded there.
    async fn outcome_of(&self, call: &Call) -> (Result<ToolOutput, ToolError>, Option<SpanLink>) {
        if !self.specs.iter().any(|spec| spec.name == call.name) {
            return (Err(self.unknown(&call.name)), None);
        }
        if let Task::Alone { results: Some(results), .. } = &self.task {
            match results.find(&call.name, &call.arguments) {
                Known::Result(Reused { outcome, link }) => return (outcome, Some(link)),
                Known::Refused(error) => return (Err(error), None),
                Known::Nothing => {}
            }
        }
        (self.tools.call(&call.name, &call.arguments).await, None)
    }

    /// A tool that the agent may not call is as good as none.
    fn unknown(&self, name: &str) -> ToolError {
        let names: Vec<_> = self.specs.iter().map(|spec| spec.name.as_str()).collect();
        let known = if names.is_empty() {
            "there are no tools".to_owned()
        } else {
            format!("there are: {}", names.join(", "))
        };
        let name = shortened(name, 60);
        ToolError::new(ToolErrorKind::Unknown, format!("there is no tool `{name}`; {known}"))
    }
}

/// An answer as the model is given it again, with the ids under which its calls are answered.
fn with_calls(answer: &ModelAnswer, calls: &[Call]) -> ChatMessage {
    let mut calls = calls.iter();
    let mut message = answer.message.clone();
    for part in &mut message.parts {
        if let ChatPart::ToolCall { id, .. } = part {
            *id = calls.next().map(|call| call.id.clone());
        }
    }
    message
}

/// A result as the text of a message.
fn text_of(result: &Json) -> String {
    result.read::<String>().unwrap_or_else(|_| result.text().to_owned())
}
