//! What the guard knows of a schema: which fields are lists, and how long they may be. Built once,
//! from the schema's own text, and never asked for anything at run time but look-ups.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Value,
    parser::{
        parse_schema,
        types::{
            BaseType, FieldDefinition, InputValueDefinition, ServiceDocument, Type, TypeKind,
            TypeSystemDefinition,
        },
    },
};
use thiserror::Error;

use super::introspection;

/// What is known better than the schema's text says it about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldWeight {
    /// The field, as `Type.field`. A field of an interface stands for that of every implementor.
    pub field: String,
    /// How many items the list is taken to have; `None` leaves it as derived.
    pub items: Option<u64>,
    /// What the field itself costs, in units of an ordinary field; `None` leaves it at 1.
    pub cost: Option<u64>,
}

/// Why the guard cannot be built.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ShapeError {
    /// The schema's text cannot be read.
    #[error("the schema cannot be read: {0}")]
    Schema(String),
    /// A weight is given to a field that is not there.
    #[error("a weight names the field {0}, which the schema does not have")]
    UnknownField(String),
}

/// A schema's fields, as far as cost goes.
#[derive(Debug)]
pub(super) struct Shape {
    types: HashMap<String, TypeShape>,
    roots: [String; 3],
}

/// A type with fields.
#[derive(Debug, Default)]
pub(super) struct TypeShape {
    fields: HashMap<String, FieldShape>,
    interfaces: HashSet<String>,
}

/// A field of a type.
#[derive(Debug, Clone)]
pub(super) struct FieldShape {
    /// The name of the type of its value, or of its items.
    pub(super) of: String,
    /// Whether the value is a list.
    pub(super) list: bool,
    /// Whether the value, or each item, is a relative of the field's owner: a step along a tree.
    pub(super) kin: bool,
    /// The paging arguments, `first` and `last`, where it takes any.
    pub(super) paging: Option<Paging>,
    /// How many items the list is taken to have, where somebody knows better than the default.
    pub(super) items: Option<u64>,
    /// What the field itself costs.
    pub(super) cost: u64,
}

/// What a field does with its paging arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paging {
    /// How many items there are where a query does not say, if the schema says so.
    pub(super) default: Option<u64>,
}

impl Shape {
    /// Reads a schema's text (SDL).
    pub(super) fn new(sdl: &str, weights: &[FieldWeight]) -> Result<Self, ShapeError> {
        let mut shape =
            Self { types: HashMap::new(), roots: ["Query", "Mutation", "Subscription"].map(str::to_owned) };
        let document = parse(sdl)?;
        let lists = introspection::lists(&document);
        shape.read(document);
        shape.read(parse(introspection::SDL)?);
        shape.set_introspection(&lists);
        for weight in weights {
            shape.weigh(weight)?;
        }
        Ok(shape)
    }

    /// The type of the operation's root: 0 for queries, 1 for mutations, 2 for subscriptions.
    pub(super) fn root(&self, operation: usize) -> Option<&TypeShape> {
        self.roots.get(operation).and_then(|name| self.ty(name))
    }

    pub(super) fn ty(&self, name: &str) -> Option<&TypeShape> {
        self.types.get(name)
    }

    fn read(&mut self, document: ServiceDocument) {
        for definition in document.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let named = [schema.node.query, schema.node.mutation, schema.node.subscription];
                    for (root, name) in self.roots.iter_mut().zip(named) {
                        if let Some(name) = name {
                            *root = name.node.to_string();
                        }
                    }
                }
                TypeSystemDefinition::Type(ty) => self.add(ty.node.name.node.as_str(), ty.node.kind),
                TypeSystemDefinition::Directive(_) => {}
            }
        }
    }

    fn add(&mut self, name: &str, kind: TypeKind) {
        let (implements, fields) = match kind {
            TypeKind::Object(object) => (object.implements, object.fields),
            TypeKind::Interface(interface) => (interface.implements, interface.fields),
            _ => return,
        };
        let interfaces: HashSet<String> = implements.iter().map(|name| name.node.to_string()).collect();
        let ty = self.types.entry(name.to_owned()).or_default();
        for field in fields {
            let mut shape = FieldShape::new(&field.node);
            shape.kin = shape.of == name || interfaces.contains(&shape.of);
            ty.fields.insert(field.node.name.node.to_string(), shape);
        }
        ty.interfaces.extend(interfaces);
    }

    fn set_introspection(&mut self, lists: &[(&str, &str, u64)]) {
        for (ty, field, items) in lists {
            if let Some(field) = self.types.get_mut(*ty).and_then(|ty| ty.fields.get_mut(*field)) {
                field.items = Some(*items);
            }
        }
        let [query, ..] = &self.roots;
        if let Some(query) = self.types.get_mut(query) {
            query.fields.insert("__schema".to_owned(), FieldShape::single("__Schema"));
            query.fields.insert("__type".to_owned(), FieldShape::single("__Type"));
        }
    }

    fn weigh(&mut self, weight: &FieldWeight) -> Result<(), ShapeError> {
        let unknown = || ShapeError::UnknownField(weight.field.clone());
        let (owner, field) = weight.field.split_once('.').ok_or_else(unknown)?;
        if self.ty(owner).and_then(|ty| ty.field(field)).is_none() {
            return Err(unknown());
        }
        let relatives =
            self.types.iter_mut().filter(|(name, ty)| *name == owner || ty.interfaces.contains(owner));
        for shape in relatives.filter_map(|(_, ty)| ty.fields.get_mut(field)) {
            shape.items = weight.items.or(shape.items);
            shape.cost = weight.cost.unwrap_or(shape.cost);
        }
        Ok(())
    }
}

impl TypeShape {
    pub(super) fn field(&self, name: &str) -> Option<&FieldShape> {
        self.fields.get(name)
    }
}

impl FieldShape {
    fn new(field: &FieldDefinition) -> Self {
        let (of, list) = named(&field.ty.node);
        let arguments = field.arguments.iter().map(|argument| &argument.node);
        let pages: Vec<_> =
            arguments.filter(|argument| matches!(argument.name.node.as_str(), "first" | "last")).collect();
        let default = pages.iter().find_map(|argument| default_number(argument));
        let paging = (!pages.is_empty()).then_some(Paging { default });
        Self { of, list, kin: false, paging, items: None, cost: 1 }
    }

    fn single(of: &str) -> Self {
        Self { of: of.to_owned(), list: false, kin: false, paging: None, items: None, cost: 1 }
    }
}

fn parse(sdl: &str) -> Result<ServiceDocument, ShapeError> {
    parse_schema(sdl).map_err(|error| ShapeError::Schema(error.to_string()))
}

fn named(ty: &Type) -> (String, bool) {
    match &ty.base {
        BaseType::Named(name) => (name.to_string(), false),
        BaseType::List(item) => (named(item).0, true),
    }
}

fn default_number(argument: &InputValueDefinition) -> Option<u64> {
    match &argument.default_value.as_ref()?.node {
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = "
        schema { query: Root }
        interface Node { id: ID! }
        type Root { spans(first: Int = 30, after: String): SpanConnection! nodes(ids: [ID!]!): [Node]! }
        type SpanConnection { nodes: [Span!]! }
        interface Span implements Node { id: ID! children: [Span!]! parent: Span }
        type ToolSpan implements Span & Node { id: ID! children: [Span!]! parent: Span tags: [String!]! }
    ";

    #[test]
    fn lists_pages_and_trees_are_known() {
        let shape = Shape::new(SDL, &[]).unwrap();
        let spans = shape.root(0).unwrap().field("spans").unwrap();
        assert_eq!((spans.list, spans.paging), (false, Some(Paging { default: Some(30) })));
        let tool = shape.ty("ToolSpan").unwrap();
        assert!(tool.field("children").unwrap().list && tool.field("children").unwrap().kin);
        assert!(!tool.field("parent").unwrap().list && tool.field("parent").unwrap().kin);
        assert!(tool.field("tags").unwrap().list && !tool.field("tags").unwrap().kin);
        assert!(shape.root(1).is_none());
        assert!(shape.root(0).unwrap().field("__schema").is_some());
    }

    #[test]
    fn a_weight_of_an_interface_holds_for_its_types() {
        let weight = |field: &str| FieldWeight { field: field.to_owned(), items: Some(7), cost: Some(3) };
        let shape = Shape::new(SDL, &[weight("Span.children")]).unwrap();
        for ty in ["Span", "ToolSpan"] {
            let field = shape.ty(ty).unwrap().field("children").unwrap();
            assert_eq!((field.items, field.cost), (Some(7), 3), "{ty}");
        }
        let unknown = Shape::new(SDL, &[weight("Span.nope")]).unwrap_err();
        assert_eq!(unknown, ShapeError::UnknownField("Span.nope".to_owned()));
    }
}
