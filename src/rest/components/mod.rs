//! `/components`: registering versions, finding them, labelling them.
//!
//! IDs of components have slashes: in a path each is written `%2F`.

mod inputs;
mod views;

use axum::{extract::State, http::Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    inputs::{ListComponents, PointLabel, RegisterVersion},
    views::{Component, ComponentVersion},
};
use super::{
    Rest,
    answer::Answer,
    page::{self, Listed},
    problem::Problem,
    request::{At, Body, Expected, Query},
    traces::PageOnly,
};
use crate::{
    model::{
        self, Refusal,
        component::{VersionHash, VersionSelector},
        refusal::Entity,
    },
    service::components::{IsExpected, Labelled},
};

/// What is escaped in a segment of a path: all but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(versions, register))
        .routes(routes!(version))
        .routes(routes!(definition))
        .routes(routes!(labelled, point, remove))
}

/// List components
///
/// By their IDs.
#[utoipa::path(
    get, path = "/components", tag = "Components", operation_id = "listComponents",
    params(ListComponents),
    responses((status = 200, description = "A page of the list.", body = Listed<Component>)),
)]
async fn list(
    State(rest): State<Rest>,
    uri: Uri,
    Query(wanted): Query<ListComponents>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit, wanted.after.clone(), page::usual(rest.pages.most))?;
    let found = rest.services.components.list(&wanted.filter(), &page).await?;
    Listed::of(found, |(_, row)| Component::from(row)).answer(&uri)
}

/// A component
#[utoipa::path(
    get, path = "/components/{componentId}", tag = "Components", operation_id = "getComponent",
    params(("componentId" = String, Path, description = "The component; slashes are written `%2F`.")),
    responses((status = 200, description = "The component.", body = Component)),
)]
async fn get(State(rest): State<Rest>, At(id): At<String>) -> Result<Answer, Problem> {
    Answer::ok(&Component::from(find(&rest, id).await?))
}

/// List a component's versions
///
/// The one registered last first.
#[utoipa::path(
    get, path = "/components/{componentId}/versions", tag = "Components", operation_id = "listVersions",
    params(("componentId" = String, Path, description = "The component; slashes are written `%2F`."), PageOnly),
    responses((status = 200, description = "A page of the list.", body = Listed<ComponentVersion>)),
)]
async fn versions(
    State(rest): State<Rest>,
    uri: Uri,
    At(id): At<String>,
    Query(wanted): Query<PageOnly>,
) -> Result<Answer, Problem> {
    let page = page::request(wanted.limit, wanted.after, page::usual(rest.pages.most))?;
    let id = find(&rest, id).await?.id;
    let found = rest.services.components.versions_of(&[id], &page).await?.pop().unwrap_or_default();
    Listed::of(found, |(_, row)| ComponentVersion::from(row)).answer(&uri)
}

/// Register a version
///
/// And the component with its first version. Content that the component has already is not registered again: its
/// version is answered as it is, with 200.
#[utoipa::path(
    post, path = "/components/{componentId}/versions", tag = "Components", operation_id = "registerVersion",
    params(("componentId" = String, Path, description = "The component; slashes are written `%2F`.")),
    request_body = RegisterVersion,
    responses(
        (status = 201, description = "The new version.", body = ComponentVersion),
        (status = 200, description = "The version that has this content already.", body = ComponentVersion),
    ),
)]
async fn register(
    State(rest): State<Rest>,
    At(id): At<String>,
    Body(new): Body<RegisterVersion>,
) -> Result<Answer, Problem> {
    let registered = rest.services.components.register(new.into_model(id)).await?;
    let version = registered.version;
    let component = utf8_percent_encode(&version.component_id, SEGMENT);
    let location = format!("/components/{component}/versions/{}", version.version_hash);
    let version = ComponentVersion::from(version);
    if registered.created { Answer::created(&version, &location) } else { Answer::ok(&version) }
}

/// A version
#[utoipa::path(
    get, path = "/components/{componentId}/versions/{versionHash}", tag = "Components", operation_id = "getVersion",
    params(
        ("componentId" = String, Path, description = "The component; slashes are written `%2F`."),
        ("versionHash" = String, Path, description = "The hash that names the version.", pattern = "^[0-9a-fA-F]{64}$"),
    ),
    responses((status = 200, description = "The version.", body = ComponentVersion)),
)]
async fn version(
    State(rest): State<Rest>,
    At((id, hash)): At<(String, VersionHash)>,
) -> Result<Answer, Problem> {
    let found = rest.services.components.resolve(&id, &VersionSelector::Hash(hash)).await?;
    Answer::ok(&ComponentVersion::from(found))
}

/// A version's content
///
/// The JSON that was registered, as it was written. It never changes, so it may be kept for good.
#[utoipa::path(
    get, path = "/components/{componentId}/versions/{versionHash}/definition", tag = "Components",
    operation_id = "getDefinition",
    params(
        ("componentId" = String, Path, description = "The component; slashes are written `%2F`."),
        ("versionHash" = String, Path, description = "The hash that names the version.", pattern = "^[0-9a-fA-F]{64}$"),
    ),
    responses((status = 200, description = "The content.", body = super::scalar::Document)),
)]
async fn definition(
    State(rest): State<Rest>,
    At((id, hash)): At<(String, VersionHash)>,
) -> Result<Answer, Problem> {
    let found = rest.services.components.resolve(&id, &VersionSelector::Hash(hash)).await?;
    let answer = Answer::text(found.definition.text().as_bytes().to_vec());
    Ok(answer.tagged(format!("\"{hash}\"")).for_good())
}

/// The version that a label points at
#[utoipa::path(
    get, path = "/components/{componentId}/labels/{label}", tag = "Components", operation_id = "getLabel",
    params(
        ("componentId" = String, Path, description = "The component; slashes are written `%2F`."),
        ("label" = String, Path, description = "The label."),
    ),
    responses((status = 200, description = "The version.", body = ComponentVersion)),
)]
async fn labelled(
    State(rest): State<Rest>,
    At((id, label)): At<(String, String)>,
) -> Result<Answer, Problem> {
    shown(rest.services.components.resolve(&id, &VersionSelector::Label(label)).await?)
}

/// Make a label point at a version
///
/// A label never points at a version that is `RETIRED`. With `If-Match` only where it still points at the version that
/// was read, and that is as it was: 412 otherwise. The `ETag` of the answer is the label's.
#[utoipa::path(
    put, path = "/components/{componentId}/labels/{label}", tag = "Components", operation_id = "setLabel",
    params(
        ("componentId" = String, Path, description = "The component; slashes are written `%2F`."),
        ("label" = String, Path, description = "The label."),
        ("If-Match" = Option<String>, Header, description = "The ETag of the label that is to be moved."),
    ),
    request_body = PointLabel,
    responses((status = 200, description = "The component as it stands.", body = Component)),
)]
async fn point(
    State(rest): State<Rest>,
    At((id, label)): At<(String, String)>,
    expected: Expected,
    Body(wanted): Body<PointLabel>,
) -> Result<Answer, Problem> {
    let hash = VersionHash::parse("versionHash", &wanted.version_hash)?;
    let labelled = set_label(&rest, (&id, &label), Some(hash), &expected).await.map_err(|problem| {
        // The component is the path's; the version is the body's.
        if problem.is_of("versionHash") { problem.in_body() } else { problem }
    })?;
    let answer = Answer::ok(&Component::from(labelled.component))?;
    match labelled.version {
        Some(version) => Ok(answer.tagged(shown(version)?.tag())),
        None => Ok(answer),
    }
}

/// Remove a label
///
/// With `If-Match` only where it still points at the version that was read, and that is as it was: 412 otherwise.
#[utoipa::path(
    delete, path = "/components/{componentId}/labels/{label}", tag = "Components", operation_id = "removeLabel",
    params(
        ("componentId" = String, Path, description = "The component; slashes are written `%2F`."),
        ("label" = String, Path, description = "The label."),
        ("If-Match" = Option<String>, Header, description = "The ETag of the label that is to be removed."),
    ),
    responses((status = 200, description = "The component as it stands.", body = Component)),
)]
async fn remove(
    State(rest): State<Rest>,
    At((id, label)): At<(String, String)>,
    expected: Expected,
) -> Result<Answer, Problem> {
    let labelled = set_label(&rest, (&id, &label), None, &expected).await?;
    Answer::ok(&Component::from(labelled.component))
}

/// Moves or removes a label, where it is as the client expects it.
async fn set_label(
    rest: &Rest,
    (id, label): (&str, &str),
    version: Option<VersionHash>,
    expected: &Expected,
) -> Result<Labelled, Problem> {
    let is_expected = |version: Option<&model::component::ComponentVersion>| {
        let tag = version.and_then(|version| shown(version.clone()).ok()).map(|shown| shown.tag());
        expected.allows(tag.as_deref())
    };
    let condition = expected.is_given().then_some::<&IsExpected<'_>>(&is_expected);
    let labelled = rest.services.components.set_label_if(id, label, version, condition).await?;
    labelled.ok_or_else(Problem::stale)
}

fn shown(version: model::component::ComponentVersion) -> Result<Answer, Problem> {
    Answer::ok(&ComponentVersion::from(version))
}

/// The component, which must be there.
async fn find(rest: &Rest, id: String) -> Result<model::component::Component, Problem> {
    let found = rest.services.components.components(std::slice::from_ref(&id)).await?.pop().flatten();
    Ok(found.ok_or_else(|| Refusal::not_found("componentId", Entity::Component, id))?)
}
