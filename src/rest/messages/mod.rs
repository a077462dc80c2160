//! Messages: what is said in conversations, and runs of agents that answer.

mod inputs;
mod views;

use axum::{extract::State, http::Uri};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::inputs::MessageOrder;
use self::{
    inputs::{AddMessage, ListMessages, Saying},
    views::{Message, Said},
};
use super::{
    Rest,
    answer::Answer,
    conversations::{self, unless_of_the_path},
    page::{self, Listed},
    problem::Problem,
    request::{At, Body, Query},
    traces::Trace,
};
use crate::{
    model::{ConversationId, MessageId, Refusal, message::NewMessage, refusal::Entity, trace::NewTrace},
    service::agents::UserInput,
};

pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get))
}

/// List a conversation's messages
///
/// Its history: its own messages and those it shares with the conversations it branched off.
#[utoipa::path(
    get, path = "/conversations/{conversationId}/messages", tag = "Messages", operation_id = "listMessages",
    params(("conversationId" = Uuid, Path, description = "The conversation."), ListMessages),
    responses((status = 200, description = "A page of the history.", body = Listed<Message>)),
)]
async fn list(
    State(rest): State<Rest>,
    uri: Uri,
    At(id): At<ConversationId>,
    Query(wanted): Query<ListMessages>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit, wanted.after.clone(), page::usual(rest.pages.most))?;
    conversations::find(&rest, id).await?;
    let request = wanted.into_request(id, page);
    let found = rest.services.conversations.histories(&[request]).await?.pop().unwrap_or_default();
    Listed::of(found, |(_, row)| Message::from(row)).answer(&uri)
}

/// Say something
///
/// Adds a message. With `trace`, the trace of the run that answers it is started in the same commit. With `agent`, an
/// agent of this server answers: `traceId` names the run, whose spans can be followed while it goes on.
#[utoipa::path(
    post, path = "/conversations/{conversationId}/messages", tag = "Messages", operation_id = "addMessage",
    params(("conversationId" = Uuid, Path, description = "The conversation.")),
    request_body = AddMessage,
    responses((status = 201, description = "The message, and what it set off.", body = Said)),
)]
async fn add(
    State(rest): State<Rest>,
    At(id): At<ConversationId>,
    Body(said): Body<AddMessage>,
) -> Result<Answer, Problem> {
    let said = match said.into_model(id)? {
        Saying::Add(new) => tell(&rest, id, *new).await?,
        Saying::Ask(input, wait) => ask(&rest, input, wait).await?,
    };
    let location = format!("/messages/{}", said.message.id());
    Answer::created(&said, &location)
}

/// A message
#[utoipa::path(
    get, path = "/messages/{messageId}", tag = "Messages", operation_id = "getMessage",
    params(("messageId" = Uuid, Path, description = "The message.")),
    responses((status = 200, description = "The message.", body = Message)),
)]
async fn get(State(rest): State<Rest>, At(id): At<MessageId>) -> Result<Answer, Problem> {
    let found = rest.services.conversations.messages(&[id]).await?.pop().flatten();
    let found = found.ok_or_else(|| Refusal::not_found("messageId", Entity::Message, id))?;
    Answer::ok(&Message::from(found))
}

async fn tell(
    rest: &Rest,
    id: ConversationId,
    (message, trace): (NewMessage, Option<NewTrace>),
) -> Result<Said, Problem> {
    let added = rest.services.conversations.add_message(id, message, trace).await;
    let added = added.map_err(|error| unless_of_the_path(error.into()))?;
    Ok(Said {
        trace_id: added.message.trace_id.map(|id| id.uuid()),
        message: added.message.into(),
        trace: added.trace.map(Trace::from),
        answer: None,
        failure: None,
    })
}

async fn ask(rest: &Rest, input: UserInput, wait: bool) -> Result<Said, Problem> {
    let begun = rest.services.agents.begin(input).await;
    let begun = begun.map_err(|error| of_agent(error.into()))?;
    let (trace_id, trace, message) = (begun.trace_id, begun.trace.clone(), begun.message.clone());
    let ended = if wait { begun.ended().await } else { None };
    let (answer, failure, trace) = match ended {
        Some(ended) => (ended.answer, ended.failure, ended.trace),
        None => (None, None, trace),
    };
    Ok(Said {
        message: message.into(),
        trace_id: Some(trace_id.uuid()),
        trace: trace.map(Trace::from),
        answer: answer.map(Message::from),
        failure: failure.map(Into::into),
    })
}

/// What is wrong with the agent that is asked, under the names that its fields have here.
fn of_agent(problem: Problem) -> Problem {
    let problem = unless_of_the_path(problem);
    let renamed = [
        ("agentId", "agent.agentId"),
        ("componentId", "agent.agentId"),
        ("versionHash", "agent.versionHash"),
        ("label", "agent.label"),
        ("traceId", "agent.traceId"),
    ];
    match renamed.iter().find(|(field, _)| problem.is_of(field)) {
        Some((_, field)) => problem.of(field),
        None => problem,
    }
}
