//! What executing an operation costs, by the schema's lists and the page sizes that it asks for.
//!
//! A fragment's cost is a straight line: a fixed part and a part for each item of the page that the
//! field above it asked for, so that every fragment is weighed once for each way of standing and never
//! once for each page size.
//!
//! Trees are the exception to "each level multiplies": a step from nodes to their children reaches each
//! node of the tree at most once, however many levels are asked for, so it counts as one item a node.
//! That ends where a query first steps up, to parents, and then down again: from there each child is
//! met once for every sibling.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned,
    parser::types::{Field, FragmentDefinition, Selection, SelectionSet},
};

use super::{
    inputs::Inputs,
    shape::{FieldShape, Shape, TypeShape},
};
use crate::config::limits::SelectionLimits;

/// Units of input values that cost as much as one field.
const INPUT_UNITS_A_FIELD: u64 = 16;

/// What a selection costs: `fixed`, and `each` for every item of the page above it.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    fixed: u64,
    each: u64,
}

/// How a selection set stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Stand {
    /// Whether the field above was asked for a page, which the lists here are then cut to.
    paged: bool,
    /// Whether a step up a tree was taken to come here.
    climbed: bool,
}

/// How many items a field's value has.
enum Items {
    Known(u64),
    /// As many as the page that the field above was asked for.
    Page,
}

/// Weighs one operation.
pub(super) struct Weigher<'a> {
    shape: &'a Shape,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    inputs: &'a Inputs<'a>,
    limits: &'a SelectionLimits,
    known: HashMap<(&'a str, Stand), Line>,
}

impl<'a> Weigher<'a> {
    pub(super) fn new(
        shape: &'a Shape,
        fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
        inputs: &'a Inputs<'a>,
        limits: &'a SelectionLimits,
    ) -> Self {
        Self { shape, fragments, inputs, limits, known: HashMap::new() }
    }

    /// The cost of an operation's selections. The fragments must be known to be free of cycles.
    pub(super) fn weigh(mut self, root: Option<&'a TypeShape>, set: &'a SelectionSet) -> u64 {
        self.set(root, set, Stand { paged: false, climbed: false }).fixed
    }

    fn set(&mut self, ty: Option<&'a TypeShape>, set: &'a SelectionSet, stand: Stand) -> Line {
        let mut line = Line::default();
        for selection in set.items.iter().map(|selection| &selection.node) {
            if self.inputs.skipped(selection.directives()) {
                continue;
            }
            let part = match selection {
                Selection::Field(field) => self.field(ty, &field.node, stand),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, stand),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let ty = condition.map_or(ty, |condition| self.shape.ty(&condition.node.on.node));
                    self.set(ty, &inline.node.selection_set.node, stand)
                }
            };
            line.fixed = line.fixed.saturating_add(part.fixed);
            line.each = line.each.saturating_add(part.each);
        }
        line
    }

    fn fragment(&mut self, name: &'a Name, stand: Stand) -> Line {
        if let Some(line) = self.known.get(&(name.as_str(), stand)) {
            return *line;
        }
        let Some(fragment) = self.fragments.get(name) else { return Line::default() };
        let ty = self.shape.ty(&fragment.node.type_condition.node.on.node);
        let line = self.set(ty, &fragment.node.selection_set.node, stand);
        self.known.insert((name, stand), line);
        line
    }

    fn field(&mut self, ty: Option<&'a TypeShape>, field: &'a Field, stand: Stand) -> Line {
        let shape = ty.and_then(|ty| ty.field(&field.name.node));
        let own = shape.map_or(1, |shape| shape.cost).saturating_add(self.input_cost(field));
        let Some(shape) = shape else {
            let below = self.set(None, &field.selection_set.node, Stand { paged: false, climbed: false });
            return Line { fixed: own.saturating_add(below.fixed), each: 0 };
        };
        let page = self.page(shape, field);
        let climbed = shape.kin && (stand.climbed || !shape.list);
        let below_stand = Stand { paged: page.is_some() && !shape.list, climbed };
        let below = self.set(self.shape.ty(&shape.of), &field.selection_set.node, below_stand);
        let item = below.fixed.saturating_add(below.each.saturating_mul(page.unwrap_or(0)));
        match self.items(shape, field, page, stand) {
            Items::Known(items) => Line { fixed: own.saturating_add(item.saturating_mul(items)), each: 0 },
            Items::Page => Line { fixed: own, each: item },
        }
    }

    fn items(&self, shape: &FieldShape, field: &Field, page: Option<u64>, stand: Stand) -> Items {
        if !shape.list {
            return Items::Known(1);
        }
        if let Some(page) = page {
            return Items::Known(page);
        }
        if let Some(ids) = field.get_argument("ids").and_then(|ids| self.inputs.length(&ids.node)) {
            return Items::Known(ids);
        }
        if stand.paged {
            return Items::Page;
        }
        let walks_down = shape.kin && !stand.climbed;
        let assumed = if walks_down { 1 } else { self.limits.assumed_items };
        Items::Known(shape.items.unwrap_or(assumed))
    }

    /// The page that a field is asked for, if it takes one.
    fn page(&self, shape: &FieldShape, field: &Field) -> Option<u64> {
        let default = shape.paging?.default;
        let asked = ["first", "last"].into_iter().filter_map(|argument| {
            field.get_argument(argument).and_then(|value| self.inputs.number(&value.node))
        });
        let page = asked.max().or(default).unwrap_or(self.limits.default_page);
        Some(page.min(self.limits.max_page))
    }

    fn input_cost(&self, field: &Field) -> u64 {
        let units = field.arguments.iter().map(|(_, value)| self.inputs.units(&value.node));
        units.fold(0, u64::saturating_add) / INPUT_UNITS_A_FIELD
    }
}
