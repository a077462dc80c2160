//! `/conversations`: beginning, finding, changing, branching and deleting them.

mod inputs;
mod views;

use axum::{extract::State, http::Uri};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::{inputs::ConversationOrder, views::Conversation};
use self::{
    inputs::{
        BranchConversation, CreateConversation, DeleteConversation, ListConversations, UpdateConversation,
    },
    views::Deleted,
};
use super::{
    Rest,
    answer::{Answer, revision_tag},
    page::{self, Listed},
    problem::Problem,
    request::{At, Body, Expected, Query},
    scalar::Written,
};
use crate::{
    model::{self, ConversationId, Refusal, refusal::Entity},
    service::conversations::DeleteBranches,
};

pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(branch))
}

/// List conversations
///
/// The one that was active last comes first, where nothing else is said.
#[utoipa::path(
    get, path = "/conversations", tag = "Conversations", operation_id = "listConversations",
    params(ListConversations),
    responses((status = 200, description = "A page of the list.", body = Listed<Conversation>)),
)]
async fn list(
    State(rest): State<Rest>,
    uri: Uri,
    Query(wanted): Query<ListConversations>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit, wanted.after.clone(), page::usual(rest.pages.most))?;
    let order = wanted.order.unwrap_or_default().into();
    let found = rest.services.conversations.list(&wanted.filter(), order, &page).await?;
    Listed::of(found, |(_, row)| Conversation::from(row)).answer(&uri)
}

/// Begin a conversation
#[utoipa::path(
    post, path = "/conversations", tag = "Conversations", operation_id = "createConversation",
    request_body = CreateConversation,
    responses((status = 201, description = "The new conversation.", body = Conversation)),
)]
async fn create(State(rest): State<Rest>, Body(new): Body<CreateConversation>) -> Result<Answer, Problem> {
    let created = rest.services.conversations.create(new.into_model()).await?;
    made(created)
}

/// A conversation
#[utoipa::path(
    get, path = "/conversations/{conversationId}", tag = "Conversations", operation_id = "getConversation",
    params(("conversationId" = Uuid, Path, description = "The conversation.")),
    responses((status = 200, description = "The conversation.", body = Conversation)),
)]
async fn get(State(rest): State<Rest>, At(id): At<ConversationId>) -> Result<Answer, Problem> {
    shown(find(&rest, id).await?)
}

/// Change a conversation
///
/// With `If-Match` only where it is still as it was read: 412 otherwise.
#[utoipa::path(
    patch, path = "/conversations/{conversationId}", tag = "Conversations", operation_id = "updateConversation",
    params(
        ("conversationId" = Uuid, Path, description = "The conversation."),
        ("If-Match" = Option<String>, Header, description = "The ETag of the state that is to be changed."),
    ),
    request_body = UpdateConversation,
    responses((status = 200, description = "The conversation as it is now.", body = Conversation)),
)]
async fn update(
    State(rest): State<Rest>,
    At(id): At<ConversationId>,
    expected: Expected,
    Body(change): Body<UpdateConversation>,
) -> Result<Answer, Problem> {
    let conversations = &rest.services.conversations;
    let updated = conversations.update_if(id, change.into_model(), expected.revisions().as_deref()).await?;
    shown(updated.ok_or_else(Problem::stale)?)
}

/// Delete a conversation
///
/// It goes with its messages, traces, plans and scores. With `If-Match` only where it is still as it was read:
/// 412 otherwise.
#[utoipa::path(
    delete, path = "/conversations/{conversationId}", tag = "Conversations", operation_id = "deleteConversation",
    params(
        ("conversationId" = Uuid, Path, description = "The conversation."),
        ("If-Match" = Option<String>, Header, description = "The ETag of the state that is to be deleted."),
        DeleteConversation,
    ),
    responses((status = 200, description = "What was deleted.", body = Deleted)),
)]
async fn delete(
    State(rest): State<Rest>,
    At(id): At<ConversationId>,
    expected: Expected,
    Query(wanted): Query<DeleteConversation>,
) -> Result<Answer, Problem> {
    let branches = match wanted.delete_branches {
        Some(Written(true)) => DeleteBranches::Delete,
        _ => DeleteBranches::Refuse,
    };
    let deleted =
        rest.services.conversations.delete_if(id, branches, expected.revisions().as_deref()).await?;
    Answer::ok(&Deleted::from(deleted.ok_or_else(Problem::stale)?))
}

/// Branch a conversation
///
/// The branch goes on after a message of the conversation, with its settings. Nothing is copied: both share what was
/// said up to that message.
#[utoipa::path(
    post, path = "/conversations/{conversationId}/branches", tag = "Conversations", operation_id = "branchConversation",
    params(("conversationId" = Uuid, Path, description = "The conversation to branch off.")),
    request_body = BranchConversation,
    responses((status = 201, description = "The branch.", body = Conversation)),
)]
async fn branch(
    State(rest): State<Rest>,
    At(id): At<ConversationId>,
    Body(wanted): Body<BranchConversation>,
) -> Result<Answer, Problem> {
    let from = wanted.message_id.into();
    let branched = rest.services.conversations.branch(id, from, wanted.title).await;
    made(branched.map_err(|error| unless_of_the_path(error.into()))?)
}

/// The conversation, which must be there.
pub(super) async fn find(
    rest: &Rest,
    id: ConversationId,
) -> Result<model::conversation::Conversation, Problem> {
    let found = rest.services.conversations.get_many(&[id]).await?.pop().flatten();
    Ok(found.ok_or_else(|| Refusal::not_found("conversationId", Entity::Conversation, id))?)
}

/// A problem with what the body of a request below a conversation names, where it is not the conversation itself that
/// is missing.
pub(super) fn unless_of_the_path(problem: Problem) -> Problem {
    if problem.is_of("conversationId") { problem } else { problem.in_body() }
}

fn shown(row: model::conversation::Conversation) -> Result<Answer, Problem> {
    let tag = revision_tag(row.revision);
    Ok(Answer::ok(&Conversation::from(row))?.tagged(tag))
}

fn made(row: model::conversation::Conversation) -> Result<Answer, Problem> {
    let (location, tag) = (format!("/conversations/{}", row.id), revision_tag(row.revision));
    Ok(Answer::created(&Conversation::from(row), &location)?.tagged(tag))
}
