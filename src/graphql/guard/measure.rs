//! The size of a document with every fragment written out where it is spread: what validation will
//! walk through, and how deep. Every fragment is measured once, so this takes time in proportion to
//! the text, whatever the fragments do. It knows nothing of the schema.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned,
    parser::types::{Directive, ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet},
};
use async_graphql_value::Value;

use super::{
    error::{Fault, GuardError},
    inputs::Inputs,
    introspection,
};
use crate::config::limits::SelectionLimits;

/// What a selection set amounts to, fragments written out.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    selections: u64,
    aliases: u64,
    directives: u64,
    /// Fields of the set itself, those of its fragments included.
    width: u64,
    /// Levels of fields and fragments below.
    depth: u64,
    /// Levels of the lists that lead to types, should this be a question for the schema.
    type_lists: u64,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.width = self.width.saturating_add(other.width);
        self.depth = self.depth.max(other.depth);
        self.type_lists = self.type_lists.max(other.type_lists);
    }
}

/// Refuses a document that is too large once its fragments are written out, or whose fragments spread
/// themselves.
pub(super) fn measure(
    document: &ExecutableDocument,
    inputs: &Inputs<'_>,
    limits: &SelectionLimits,
) -> Result<(), GuardError> {
    let mut measure = Measure {
        fragments: &document.fragments,
        known: HashMap::new(),
        open: HashSet::new(),
        inputs,
        input_units: 0,
        limits,
    };
    let mut total = Size::default();
    for (_, operation) in document.operations.iter() {
        let mut size = measure.set(&operation.node.selection_set, 0)?;
        size.directives = size.directives.saturating_add(measure.directives(&operation.node.directives)?);
        if size.width > limits.root_fields {
            return Err(over("fields at the root", limits.root_fields).at(operation.pos));
        }
        total.add(size);
        measure.check(total)?;
    }
    // A fragment that nothing spreads is an error, but validation walks through it to find that out.
    for (name, fragment) in &document.fragments {
        measure.fragment(name, fragment, 0)?;
    }
    Ok(())
}

struct Measure<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    known: HashMap<&'a str, Size>,
    open: HashSet<&'a str>,
    inputs: &'a Inputs<'a>,
    input_units: u64,
    limits: &'a SelectionLimits,
}

impl<'a> Measure<'a> {
    fn set(&mut self, set: &'a Positioned<SelectionSet>, above: u64) -> Result<Size, GuardError> {
        if above > self.limits.depth {
            return Err(self.too_deep().at(set.pos));
        }
        let mut size = Size::default();
        for selection in &set.node.items {
            size.add(self.selection(&selection.node, above)?);
            self.check(size)?;
        }
        Ok(size)
    }

    fn selection(&mut self, selection: &'a Selection, above: u64) -> Result<Size, GuardError> {
        let mut size = match selection {
            Selection::Field(field) => self.field(&field.node, above)?,
            Selection::InlineFragment(inline) => self.set(&inline.node.selection_set, above + 1)?,
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                match self.fragments.get_key_value(name) {
                    Some((name, fragment)) => self.fragment(name, fragment, above + 1).map_err(|error| {
                        if error.locations.is_empty() { error.at(spread.pos) } else { error }
                    })?,
                    None => Size::default(),
                }
            }
        };
        size.selections = size.selections.saturating_add(1);
        size.depth = size.depth.saturating_add(1);
        size.directives = size.directives.saturating_add(self.directives(selection.directives())?);
        Ok(size)
    }

    fn field(&mut self, field: &'a Field, above: u64) -> Result<Size, GuardError> {
        self.arguments(&field.arguments)?;
        let mut size = if field.selection_set.node.items.is_empty() {
            Size::default()
        } else {
            self.set(&field.selection_set, above + 1)?
        };
        size.width = 1;
        let name = field.name.node.as_str();
        size.type_lists = size.type_lists.saturating_add(u64::from(introspection::is_list(name)));
        if introspection::is_root(name) && size.type_lists > introspection::NESTED_LISTS {
            let message = format!("{name} nests lists of types deeper than {}.", introspection::NESTED_LISTS);
            return Err(GuardError::limit(message).at(field.name.pos));
        }
        size.aliases = size.aliases.saturating_add(u64::from(field.alias.is_some()));
        Ok(size)
    }

    fn fragment(
        &mut self,
        name: &'a Name,
        fragment: &'a Positioned<FragmentDefinition>,
        above: u64,
    ) -> Result<Size, GuardError> {
        if let Some(size) = self.known.get(name.as_str()) {
            return if above.saturating_add(size.depth) > self.limits.depth.saturating_add(1) {
                Err(self.too_deep())
            } else {
                Ok(*size)
            };
        }
        if !self.open.insert(name) {
            let message = format!("The fragment {name} spreads itself.");
            return Err(GuardError::new(Fault::Invalid, message));
        }
        let mut size = self.set(&fragment.node.selection_set, above)?;
        size.directives = size.directives.saturating_add(self.directives(&fragment.node.directives)?);
        self.open.remove(name.as_str());
        self.known.insert(name, size);
        Ok(size)
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>]) -> Result<u64, GuardError> {
        for directive in directives {
            self.arguments(&directive.node.arguments)?;
        }
        Ok(directives.len() as u64)
    }

    fn arguments(
        &mut self,
        arguments: &'a [(Positioned<Name>, Positioned<Value>)],
    ) -> Result<(), GuardError> {
        for (_, value) in arguments {
            self.input_units = self.input_units.saturating_add(self.inputs.units(&value.node));
            if self.input_units > self.limits.input_units {
                let message = format!(
                    "The arguments name more than {} units of values; use a large variable in fewer places.",
                    self.limits.input_units
                );
                return Err(GuardError::limit(message).at(value.pos));
            }
        }
        Ok(())
    }

    fn check(&self, size: Size) -> Result<(), GuardError> {
        if size.selections > self.limits.fields {
            Err(over("fields, fragments written out", self.limits.fields))
        } else if size.aliases > self.limits.aliases {
            Err(over("aliases", self.limits.aliases))
        } else if size.directives > self.limits.directives {
            Err(over("directives", self.limits.directives))
        } else {
            Ok(())
        }
    }

    fn too_deep(&self) -> GuardError {
        GuardError::limit(format!(
            "The document nests fields and fragments deeper than {}.",
            self.limits.depth
        ))
    }
}

fn over(what: &str, limit: u64) -> GuardError {
    GuardError::limit(format!("The document has more than {limit} {what}."))
}
