//! The interface `Span` and its object types, over one Rust type.
//!
//! The library's derive wants a Rust type for each object type, each with a copy of every field. All
//! of ours have the same shape, so the types are put into the registry here, from the fields that
//! [`Common`] and [`Details`] declare.

use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::Field,
    registry::{MetaField, MetaType, MetaTypeId, ObjectBuilder, Registry},
    resolver_utils::{ContainerType, resolve_container},
};

use super::{
    Span,
    details::{Details, Kind, of_kind},
    fields::Common,
};
use crate::model::span::OperationType;

const MEANING: &str =
    "One operation in a trace. Which it is, its object type says; what all kinds have in common is here.";

impl ContainerType for Span {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match Common(self).resolve_field(ctx).await? {
            Some(value) => Ok(Some(value)),
            None => Details(self).resolve_field(ctx).await,
        }
    }
}

impl OutputType for Span {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Span")
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(of_kind(self.head.operation_type).name)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Interface, |registry| {
            let common = fields::<Common<'_>>(registry);
            let details = fields::<Details<'_>>(registry);
            for kind in OperationType::ALL.iter().copied().map(of_kind) {
                for interface in [Self::type_name().as_ref(), "Node"] {
                    registry.add_implements(kind.name, interface);
                }
                registry.types.insert(kind.name.to_owned(), object(&kind, &common, &details));
            }
            registry.add_implements(&Self::type_name(), "Node");
            MetaType::Interface {
                name: Self::type_name().into_owned(),
                description: Some(MEANING.to_owned()),
                fields: common,
                possible_types: kinds().map(str::to_owned).collect(),
                extends: false,
                keys: None,
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: Some(std::any::type_name::<Self>()),
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            }
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

/// The names of the object types.
pub(in crate::graphql) fn kinds() -> impl Iterator<Item = &'static str> {
    OperationType::ALL.iter().copied().map(|operation| of_kind(operation).name)
}

/// The fields that `T` declares. `T` itself is no type of the schema: nothing refers to it, so the
/// registry drops it.
fn fields<T: OutputType>(registry: &mut Registry) -> IndexMap<String, MetaField> {
    match registry.create_fake_output_type::<T>() {
        MetaType::Object { fields, .. } => fields,
        _ => IndexMap::new(),
    }
}

fn object(
    kind: &Kind,
    common: &IndexMap<String, MetaField>,
    details: &IndexMap<String, MetaField>,
) -> MetaType {
    let own = kind.fields.iter().filter_map(|name| details.get_key_value(*name));
    let fields = common.iter().chain(own).map(|(name, field)| (name.clone(), field.clone())).collect();
    ObjectBuilder::new(kind.name, fields).description(Some(kind.meaning.to_owned())).build()
}
