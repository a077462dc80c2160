//! `/conversations/{conversationId}/evaluation`: how a conversation went.
//!
//! The figures are the model's; `docs/analysis.md` defines them.

mod parts;
mod views;

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::views::ConversationEvaluation;
use super::{
    Rest,
    answer::Answer,
    page,
    problem::Problem,
    request::{At, Query},
    scalar::Written,
};
use crate::model::{ConversationId, Refusal, refusal::Entity};

pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::new().routes(routes!(evaluate))
}

/// What of an evaluation is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ShowEvaluation {
    /// Whether its branches, and theirs, count too.
    #[param(value_type = Option<bool>)]
    with_branches: Option<Written<bool>>,
    /// Entries of each list of figures at most; 50 where nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<Written<u32>>,
}

/// How a conversation went
///
/// Over its turns: the traces with one turn's ID, or a trace that names none.
#[utoipa::path(
    get, path = "/conversations/{conversationId}/evaluation", tag = "Analysis", operation_id = "evaluateConversation",
    params(("conversationId" = Uuid, Path, description = "The conversation."), ShowEvaluation),
    responses((status = 200, description = "The evaluation.", body = ConversationEvaluation)),
)]
async fn evaluate(
    State(rest): State<Rest>,
    At(id): At<ConversationId>,
    Query(wanted): Query<ShowEvaluation>,
) -> Result<Answer, Problem> {
    let most = page::request(wanted.limit, None, page::usual(rest.pages.most))?.first;
    let with_branches = wanted.with_branches.is_some_and(|Written(wanted)| wanted);
    let found =
        rest.services.conversation_evaluations.conversations(&[(id, with_branches)]).await?.pop().flatten();
    let found = found.ok_or_else(|| Refusal::not_found("conversationId", Entity::Conversation, id))?;
    Answer::ok(&ConversationEvaluation::of(&found, most))
}
