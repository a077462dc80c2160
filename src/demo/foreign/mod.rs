//! An assistant of another system: its runs are recorded span by span, as systems do that tell Dendro what
//! they did. It searches documents and has a sub-agent, which the agents that run here have not.

mod step;
mod story;

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use serde_json::json;

use self::{
    step::{Outcome, Step},
    story::Story,
};
use super::{Demo, author::Author};
use crate::{
    model::{
        Json, SpanId, TraceId,
        component::{ComponentRef, ComponentType, NewComponentVersion},
        message::{MessageRole, NewMessage},
        span::{OperationType, SpanOp},
        trace::{NewTrace, TraceBody, TraceCompletion, TraceStatus},
    },
    service::{ServiceResult, Services, tracing::SpanWrite},
};

/// What the assistant is made of.
#[derive(Clone)]
pub(super) struct Assistant {
    prompt: ComponentRef,
    /// The prompt of its sub-agent.
    checker: ComponentRef,
    retriever: ComponentRef,
}

impl Assistant {
    /// Registers what it is made of. Doing it again changes nothing.
    pub(super) async fn register(services: &Services) -> ServiceResult<Self> {
        let prompt = |text: &str| Json::of(&json!({ "template": text, "scripted": true }));
        let index = Json::of(&json!({ "index": "library", "topK": 3, "rerank": true, "scripted": true }));
        let desk = prompt("You answer from the library. Cite every source.");
        let checker = prompt("You check claims against their sources, one by one.");
        Ok(Self {
            prompt: part(services, "prompts/desk", ComponentType::Prompt, desk).await?,
            checker: part(services, "prompts/fact-checker", ComponentType::Prompt, checker).await?,
            retriever: part(services, "retrievers/library", ComponentType::Retriever, index).await?,
        })
    }
}

async fn part(
    services: &Services,
    id: &str,
    component_type: ComponentType,
    definition: Json,
) -> ServiceResult<ComponentRef> {
    let new = NewComponentVersion {
        component_id: id.to_owned(),
        component_type,
        version_name: Some("v1".to_owned()),
        definition,
        created_by: Some("dendro demo".to_owned()),
        description: None,
        tags: vec!["scripted".to_owned()],
        state: None,
    };
    let version = services.components.register(new).await?.version;
    Ok(ComponentRef { component_id: version.component_id, version_hash: version.version_hash })
}

/// Records a run: the question, what was done, the answer.
pub(super) async fn record(demo: &Demo, author: &mut Author) -> ServiceResult<()> {
    let Story { title, user, question, answer, root } = story::write(author, &demo.assistant);
    let conversation = demo.services.conversations.create(demo.conversation(&title, user)).await?.id;
    let (turn, trace) = (demo.ids.next().into(), demo.ids.next().into());
    let said = |role, text: &str| NewMessage { turn_id: Some(turn), ..NewMessage::text(role, text) };
    let new = NewTrace {
        id: Some(trace),
        name: Some("desk".to_owned()),
        user_id: Some(user.to_owned()),
        body: TraceBody { metadata: Some(demo.label()), ..TraceBody::default() },
        ..NewTrace::default()
    };
    let question = said(MessageRole::User, &question);
    demo.services.conversations.add_message(conversation, question, Some(new)).await?;
    let outcome = Player { demo, trace }.play(&root, None).await?;
    let (status, final_output) = match outcome {
        Outcome::Played => (TraceStatus::Completed, Some(answer)),
        Outcome::CutOff => (TraceStatus::Cancelled, None),
    };
    if let Some(answer) = &final_output {
        let answer = NewMessage { trace_id: Some(trace), ..said(MessageRole::Assistant, answer) };
        demo.services.conversations.add_message(conversation, answer, None).await?;
    }
    let completion = TraceCompletion { status, final_output, end_time: None };
    demo.services.tracing.complete_trace(trace, completion).await?;
    Ok(())
}

/// Plays a run and records it while it plays.
struct Player<'a> {
    demo: &'a Demo,
    trace: TraceId,
}

impl Player<'_> {
    /// Plays a step with all that happens in it.
    fn play<'s>(&'s self, step: &'s Step, parent: Option<SpanId>) -> BoxFuture<'s, ServiceResult<Outcome>> {
        async move {
            let id = self.demo.ids.next().into();
            self.write(step.begin(id, parent)).await?;
            self.last(step, id).await?;
            let outcome = if self.demo.is_stopped() { Outcome::CutOff } else { self.inner(step, id).await? };
            self.write(step.end(id, outcome)).await?;
            Ok(outcome)
        }
        .boxed()
    }

    async fn inner(&self, step: &Step, id: SpanId) -> ServiceResult<Outcome> {
        if step.at_once {
            let outcomes = join_all(step.inner.iter().map(|inner| self.play(inner, Some(id)))).await;
            let outcomes: Vec<_> = outcomes.into_iter().collect::<ServiceResult<_>>()?;
            return Ok(outcomes.into_iter().find(|outcome| *outcome == Outcome::CutOff).unwrap_or_default());
        }
        for inner in &step.inner {
            if self.play(inner, Some(id)).await? == Outcome::CutOff {
                return Ok(Outcome::CutOff);
            }
        }
        Ok(Outcome::Played)
    }

    /// Lets the time of the step itself pass. A model's answer begins before it ends.
    async fn last(&self, step: &Step, id: SpanId) -> ServiceResult<()> {
        if step.operation == OperationType::LlmCall {
            let asked = self.demo.clock.now();
            self.demo.rest(1).await;
            self.write(step::first_token(id, asked, self.demo.clock.now())).await?;
        }
        self.demo.rest(step.beats).await;
        Ok(())
    }

    async fn write(&self, op: SpanOp) -> ServiceResult<()> {
        self.demo.services.tracing.write_span(SpanWrite { trace_id: self.trace, op }).await?;
        Ok(())
    }
}
