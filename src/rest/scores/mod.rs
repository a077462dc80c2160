//! `/scores`: recording judgements and finding those of a thing.

mod inputs;
mod views;

use axum::{extract::State, http::Uri};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    inputs::{JudgedThing, ListScores, RecordScore},
    views::Score,
};
use super::{
    Rest,
    answer::Answer,
    page::{self, Listed},
    problem::Problem,
    request::{At, Body, Query, id},
};
use crate::model::{
    MessageId, Refusal, ScoreId,
    refusal::Entity,
    score::{NewScore, ScoreSource, ScoreTarget},
};

pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::new().routes(routes!(list, record)).routes(routes!(get))
}

/// List the scores of a thing
///
/// Of a conversation, a message, a trace, or a span together with its trace.
#[utoipa::path(
    get, path = "/scores", tag = "Scores", operation_id = "listScores",
    params(ListScores),
    responses((status = 200, description = "A page of the list.", body = Listed<Score>)),
)]
async fn list(
    State(rest): State<Rest>,
    uri: Uri,
    Query(wanted): Query<ListScores>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit, wanted.after.clone(), page::usual(rest.pages.most))?;
    let target = target(&rest, wanted.thing()).await.map_err(Problem::in_url)?;
    let found = rest.services.scores.list(&target, &page).await?;
    Listed::of(found, |(_, row)| Score::from(row)).answer(&uri)
}

/// Record a score
///
/// Of something that exists. A score with the same ID is replaced; recording the same again changes nothing.
#[utoipa::path(
    post, path = "/scores", tag = "Scores", operation_id = "recordScore",
    request_body = RecordScore,
    responses((status = 201, description = "The score.", body = Score)),
)]
async fn record(State(rest): State<Rest>, Body(new): Body<RecordScore>) -> Result<Answer, Problem> {
    let target = target(&rest, new.target).await.map_err(|problem| of_target(problem.in_body()))?;
    let new = NewScore {
        id: id(new.score_id),
        target,
        name: new.name,
        value: new.value.into(),
        comment: new.comment,
        source: new.source.map_or(ScoreSource::Human, |source| source.0),
        evaluator: None,
        judged_in: None,
        judged_revision: None,
    };
    let recorded = rest.services.scores.record(new).await;
    let recorded = recorded.map_err(|error| of_target(Problem::from(error).in_body()))?;
    let location = format!("/scores/{}", recorded.id);
    Answer::created(&Score::from(recorded), &location)
}

/// A score
#[utoipa::path(
    get, path = "/scores/{scoreId}", tag = "Scores", operation_id = "getScore",
    params(("scoreId" = Uuid, Path, description = "The score.")),
    responses((status = 200, description = "The score.", body = Score)),
)]
async fn get(State(rest): State<Rest>, At(id): At<ScoreId>) -> Result<Answer, Problem> {
    let found = rest.services.scores.get_many(&[id]).await?.pop().flatten();
    let found = found.ok_or_else(|| Refusal::not_found("scoreId", Entity::Score, id))?;
    Answer::ok(&Score::from(found))
}

/// The one thing that is meant.
async fn target(rest: &Rest, thing: JudgedThing) -> Result<ScoreTarget, Problem> {
    match thing {
        JudgedThing { conversation_id: Some(id), message_id: None, trace_id: None, span_id: None } => {
            Ok(ScoreTarget::Conversation(id.into()))
        }
        JudgedThing { conversation_id: None, message_id: Some(id), trace_id: None, span_id: None } => {
            of_message(rest, id.into()).await
        }
        JudgedThing { conversation_id: None, message_id: None, trace_id: Some(trace), span_id: None } => {
            Ok(ScoreTarget::Trace(trace.into()))
        }
        JudgedThing {
            conversation_id: None,
            message_id: None,
            trace_id: Some(trace),
            span_id: Some(span),
        } => Ok(ScoreTarget::Span(trace.into(), span.into())),
        _ => {
            let message =
                "name one thing: `conversationId`, `messageId`, `traceId`, or `spanId` with its `traceId`";
            Err(Refusal::invalid("target", message).into())
        }
    }
}

async fn of_message(rest: &Rest, id: MessageId) -> Result<ScoreTarget, Problem> {
    let found = rest.services.conversations.messages(&[id]).await?.pop().flatten();
    let found = found.ok_or_else(|| Refusal::not_found("messageId", Entity::Message, id))?;
    Ok(ScoreTarget::Message(found.conversation_id, id))
}

/// What is wrong with the target, under the names that its fields have here.
fn of_target(problem: Problem) -> Problem {
    let renamed = [
        ("conversationId", "target.conversationId"),
        ("messageId", "target.messageId"),
        ("traceId", "target.traceId"),
        ("spanId", "target.spanId"),
    ];
    match renamed.iter().find(|(field, _)| problem.is_of(field)) {
        Some((_, field)) => problem.of(field),
        None => problem,
    }
}
