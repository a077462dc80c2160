//! Filters of components.

use async_graphql::InputObject;

use crate::{model::component::ComponentType, service::components::ComponentFilter};

/// Which components. All that is given must hold.
#[derive(Default, InputObject)]
#[graphql(name = "ComponentFilter")]
pub(super) struct ComponentFilterInput {
    /// Of this type.
    component_type: Option<ComponentType>,
    /// With this text in the ID that their owner chose, whatever the case of its letters.
    text: Option<String>,
    /// With this label.
    label: Option<String>,
}

impl From<ComponentFilterInput> for ComponentFilter {
    fn from(filter: ComponentFilterInput) -> Self {
        let ComponentFilterInput { component_type, text, label } = filter;
        Self { component_type, id_contains: text, label }
    }
}
