//! What the inputs of several entities share.

use async_graphql::{ID, InputObject};

use super::{
    ids,
    scalar::{Given, OptionalGiven},
};
use crate::model::{
    Refusal,
    component::{ComponentRef, VersionHash},
};

/// A version of a component.
#[derive(InputObject)]
pub(super) struct ComponentRefInput {
    /// The component: its global ID or its own.
    component_id: ID,
    /// The hash that names the version.
    version_hash: String,
}

impl ComponentRefInput {
    pub(super) fn into_model(self) -> Result<ComponentRef, Refusal> {
        Ok(ComponentRef {
            component_id: ids::read_component("componentId", &self.component_id)?,
            version_hash: VersionHash::parse("versionHash", &self.version_hash)?,
        })
    }
}

/// The items of a list, each read by `read`; a refusal names the item by its number.
pub(super) fn number<T, U>(
    items: Option<Vec<T>>,
    field: &str,
    read: impl Fn(T) -> Result<U, Refusal>,
) -> Result<Vec<U>, Refusal> {
    let items = items.unwrap_or_default().into_iter().enumerate();
    items
        .map(|(index, item)| read(item).map_err(|refusal| refusal.below(&format!("{field}.{index}"))))
        .collect()
}

/// Milliseconds as nanoseconds.
pub(super) fn nanos(millis: Option<Given<f64>>, field: &str) -> Result<Option<u64>, Refusal> {
    let Some(millis) = millis.read(field)? else { return Ok(None) };
    let nanos = (millis * 1e6).round();
    if !(0.0..1.8e19).contains(&nanos) {
        return Err(Refusal::invalid(field, format!("{millis} is not a duration of 0 or more")));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    Ok(Some(nanos as u64))
}
