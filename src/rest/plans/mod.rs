//! `/plans`: finding and showing them. They are made and carried out through GraphQL.

mod views;

use axum::{extract::State, http::Uri};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use self::views::Plan;
use super::{
    Rest,
    answer::{Answer, revision_tag},
    conversations,
    page::{self, Listed},
    problem::Problem,
    request::{At, Query, id},
    scalar::Written,
    traces::PageOnly,
    words,
};
use crate::{
    model::{ConversationId, PlanId, Refusal, refusal::Entity},
    service::plans::{self, PlanFilter},
};

pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(of_conversation))
}

/// Which plans. All that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ListPlans {
    /// Of this conversation.
    conversation_id: Option<Uuid>,
    /// In this state; in any of them, where it is given several times.
    #[serde(default)]
    status: Vec<words::PlanStatus>,
    /// With this text in its title, whatever the case of its letters.
    title: Option<String>,
    /// Which come first; `NEWEST_FIRST` where nothing is said.
    order: Option<PlanOrder>,
    /// Plans of the page at most; 50 where nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<Written<u32>>,
    /// Go on behind this cursor: `next` of the page before.
    after: Option<String>,
}

/// How plans are ordered.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum PlanOrder {
    /// The one made last comes first.
    #[default]
    NewestFirst,
    /// The one made first comes first.
    OldestFirst,
}

impl From<PlanOrder> for plans::PlanOrder {
    fn from(order: PlanOrder) -> Self {
        match order {
            PlanOrder::NewestFirst => Self::NewestFirst,
            PlanOrder::OldestFirst => Self::OldestFirst,
        }
    }
}

/// List plans
///
/// The one made last comes first, where nothing else is said.
#[utoipa::path(
    get, path = "/plans", tag = "Plans", operation_id = "listPlans",
    params(ListPlans),
    responses((status = 200, description = "A page of the list.", body = Listed<Plan>)),
)]
async fn list(
    State(rest): State<Rest>,
    uri: Uri,
    Query(wanted): Query<ListPlans>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit, wanted.after, page::usual(rest.pages.most))?;
    let filter = PlanFilter {
        conversation_id: id(wanted.conversation_id),
        statuses: wanted.status.into_iter().map(|status| status.0).collect(),
        title_contains: wanted.title,
    };
    let found = rest.services.plans.list(&filter, wanted.order.unwrap_or_default().into(), &page).await?;
    Listed::of(found, |(_, row)| Plan::from(row)).answer(&uri)
}

/// A plan with its steps
#[utoipa::path(
    get, path = "/plans/{planId}", tag = "Plans", operation_id = "getPlan",
    params(("planId" = Uuid, Path, description = "The plan.")),
    responses((status = 200, description = "The plan.", body = Plan)),
)]
async fn get(State(rest): State<Rest>, At(id): At<PlanId>) -> Result<Answer, Problem> {
    let found = rest.services.plans.get_many(&[id]).await?.pop().flatten();
    let plan = found.ok_or_else(|| Refusal::not_found("planId", Entity::Plan, id))?;
    let tag = revision_tag(plan.revision);
    Ok(Answer::ok(&Plan::from(plan))?.tagged(tag))
}

/// List a conversation's plans
///
/// The newest first.
#[utoipa::path(
    get, path = "/conversations/{conversationId}/plans", tag = "Plans", operation_id = "listConversationPlans",
    params(("conversationId" = Uuid, Path, description = "The conversation."), PageOnly),
    responses((status = 200, description = "A page of the list.", body = Listed<Plan>)),
)]
async fn of_conversation(
    State(rest): State<Rest>,
    uri: Uri,
    At(id): At<ConversationId>,
    Query(wanted): Query<PageOnly>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit, wanted.after, page::usual(rest.pages.most))?;
    conversations::find(&rest, id).await?;
    let found = rest.services.plans.for_conversations(&[id], &page).await?.pop().unwrap_or_default();
    Listed::of(found, |(_, row)| Plan::from(row)).answer(&uri)
}
