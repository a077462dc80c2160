//! What is peculiar to subscriptions: they have exactly one root field, which the library neither
//! checks nor finds where it stands in a fragment.

use async_graphql::{
    Name, Positioned,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection,
        SelectionSet,
    },
};

use super::error::{Fault, GuardError};

/// Refuses a subscription that has not exactly one root field, or an introspective one. The document
/// must be measured already.
pub(super) fn check_single_root(
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
) -> Result<(), GuardError> {
    let mut fields = Vec::new();
    let mut sets = vec![&operation.node.selection_set.node];
    while let Some(set) = sets.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => fields.push(&field.node),
                Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let fragment = document.fragments.get(&spread.node.fragment_name.node);
                    sets.extend(fragment.map(|fragment| &fragment.node.selection_set.node));
                }
            }
        }
    }
    match fields.as_slice() {
        [only] if !only.name.node.starts_with("__") => Ok(()),
        _ => {
            let message = "A subscription must have exactly one root field.".to_owned();
            Err(GuardError::new(Fault::Invalid, message).at(operation.pos))
        }
    }
}

/// Where a subscription's root field stands.
struct Place {
    /// The fragment that it stands in; `None` for the operation itself.
    fragment: Option<Name>,
    /// The directives of the fragments around it.
    conditions: Vec<Positioned<Directive>>,
}

/// The root field of a subscription, wherever it stands.
pub(crate) fn root_field_mut<'a>(
    document: &'a mut ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a mut Positioned<Field>> {
    let place = place(document, name)?;
    let set = match place.fragment {
        None => &mut chosen_mut(&mut document.operations, name)?.node.selection_set.node,
        Some(fragment) => &mut document.fragments.get_mut(&fragment)?.node.selection_set.node,
    };
    field_mut(set)
}

/// Puts a copy of a root field that stands in a fragment into the operation itself: the library looks
/// for it nowhere else, and would answer nothing. Validation takes the two for one.
pub(crate) fn hoist_root(document: &mut ExecutableDocument, name: Option<&str>) {
    let Some(place) = place(document, name) else { return };
    let Some(mut root) = root_field_mut(document, name).map(|root| root.clone()) else { return };
    root.node.directives.extend(place.conditions);
    if let Some(operation) = chosen_mut(&mut document.operations, name) {
        let items = &mut operation.node.selection_set.node.items;
        if !items.iter().any(|item| matches!(item.node, Selection::Field(_))) {
            items.push(Positioned::new(Selection::Field(root), operation.pos));
        }
    }
}

fn place(document: &ExecutableDocument, name: Option<&str>) -> Option<Place> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => operation,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name)?,
        (DocumentOperations::Multiple(operations), None) => operations.values().next()?,
    };
    place_in(document, &operation.node.selection_set.node, None)
}

fn place_in(document: &ExecutableDocument, set: &SelectionSet, fragment: Option<&Name>) -> Option<Place> {
    set.items.iter().find_map(|selection| {
        let mut place = match &selection.node {
            Selection::Field(_) => {
                return Some(Place { fragment: fragment.cloned(), conditions: Vec::new() });
            }
            Selection::InlineFragment(inline) => {
                place_in(document, &inline.node.selection_set.node, fragment)?
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                place_in(document, &document.fragments.get(name)?.node.selection_set.node, Some(name))?
            }
        };
        place.conditions.extend(selection.node.directives().iter().cloned());
        Some(place)
    })
}

/// The first field of a set or of the inline fragments in it.
fn field_mut(set: &mut SelectionSet) -> Option<&mut Positioned<Field>> {
    set.items.iter_mut().find_map(|selection| match &mut selection.node {
        Selection::Field(field) => Some(field),
        Selection::InlineFragment(inline) => field_mut(&mut inline.node.selection_set.node),
        Selection::FragmentSpread(_) => None,
    })
}

fn chosen_mut<'a>(
    operations: &'a mut DocumentOperations,
    name: Option<&str>,
) -> Option<&'a mut Positioned<OperationDefinition>> {
    match (operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get_mut(name),
        (DocumentOperations::Multiple(operations), None) => operations.values_mut().next(),
    }
}
