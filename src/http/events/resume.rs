//! Resuming a subscription over SSE where it broke off, by `Last-Event-ID`.
//!
//! A root field of the subscription type can be resumed if it takes an argument `after` and its items
//! have a field `cursor`, or else `revision`, that can be given as `after`. For such a field:
//!
//! - The cursor is selected beside whatever the client selected, under a name of its own; it is taken
//!   out of each item again and becomes the event's `id`. So it does not matter what the client asked
//!   for. An item whose cursor is null has no `id`: the browser keeps the last one.
//! - A browser that lost the connection asks for the same URL again and adds `Last-Event-ID`. That
//!   value takes the place of `after`, whether it stood there as a variable, as a literal, or not at
//!   all.
//!
//! The schema's side of it: an item's cursor must cover everything up to and with that item, so where
//! several items share one revision, only the last of them may have it as its `cursor`.

use std::collections::HashMap;

use async_graphql::{
    Name, Pos, Positioned, Value as ConstValue,
    parser::{
        parse_schema,
        types::{
            BaseType, Field, FieldDefinition, InlineFragment, Selection, SelectionSet, Type, TypeCondition,
            TypeDefinition, TypeKind, TypeSystemDefinition,
        },
    },
};
use async_graphql_value::Value;

use crate::http::{error::Refusal, gateway::Operation, reply::Reply};

/// The name under which the cursor is selected. Names that begin so are not for clients.
const CURSOR: &str = "__resume_cursor";

/// What can be a cursor, the better first.
const FIELDS: [&str; 2] = ["cursor", "revision"];

const AFTER: &str = "after";

/// The root fields that can be resumed.
#[derive(Debug, Default)]
pub(crate) struct Resumables(HashMap<String, Resumable>);

/// How a root field is resumed.
#[derive(Debug, PartialEq, Eq)]
struct Resumable {
    /// Whether `after` is an `Int`.
    integer: bool,
    /// The types that items can have, where they can have several, with the field of each that is its
    /// cursor.
    cursors: Vec<(Option<String>, &'static str)>,
}

/// Takes the cursor out of a subscription's items.
pub(super) struct Cursor {
    /// The name of the root field in a response.
    key: Name,
}

impl Resumables {
    /// Finds the fields in a schema's text. A text that cannot be read has none; the guard, which reads
    /// the same text, says so.
    pub(crate) fn new(sdl: &str) -> Self {
        let Ok(document) = parse_schema(sdl) else { return Self::default() };
        let mut types = HashMap::new();
        let mut root = "Subscription".to_owned();
        for definition in document.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    if let Some(name) = schema.node.subscription {
                        root = name.node.to_string();
                    }
                }
                TypeSystemDefinition::Type(ty) => {
                    types.insert(ty.node.name.node.to_string(), ty.node);
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        let fields = types.get(&root).map_or(&[][..], fields);
        let found = fields.iter().filter_map(|field| {
            let resumable = Resumable::of(&field.node, &types)?;
            Some((field.node.name.node.to_string(), resumable))
        });
        Self(found.collect())
    }

    /// Makes an operation tell its cursors, and go on after the last one that the client has.
    ///
    /// # Errors
    /// When that one cannot be a cursor of this operation.
    pub(super) fn apply(
        &self,
        operation: &mut Operation,
        last: Option<&str>,
    ) -> Result<Option<Cursor>, Refusal> {
        let Some(field) = operation.root_field_mut() else { return Ok(None) };
        let Some(resumable) = self.0.get(field.node.name.node.as_str()) else { return Ok(None) };
        let key = field.node.response_key().node.clone();
        let position = field.pos;
        let selections = resumable.cursors.iter().map(|(ty, cursor)| select(ty.as_deref(), cursor, position));
        field.node.selection_set.node.items.extend(selections);
        if let Some(last) = last {
            let after = resumable.parse(last)?;
            if let Some(variable) = set_after(field, after.clone()) {
                operation.set_variable(variable, after);
            }
        }
        Ok(Some(Cursor { key }))
    }
}

impl Resumable {
    fn of(field: &FieldDefinition, types: &HashMap<String, TypeDefinition>) -> Option<Self> {
        let after = field.arguments.iter().find(|argument| argument.node.name.node == *AFTER)?;
        let item = named(&field.ty.node)?;
        let cursors = match &types.get(item)?.kind {
            TypeKind::Union(union) => {
                let members = union.members.iter().map(|member| member.node.as_str());
                let cursors = members
                    .filter_map(|member| Some((Some(member.to_owned()), cursor_field(types.get(member)?)?)));
                cursors.collect()
            }
            _ => vec![(None, cursor_field(types.get(item)?)?)],
        };
        let integer = named(&after.node.ty.node) == Some("Int");
        (!cursors.is_empty()).then_some(Self { integer, cursors })
    }

    fn parse(&self, last: &str) -> Result<ConstValue, Refusal> {
        if !self.integer {
            return Ok(ConstValue::String(last.to_owned()));
        }
        let number: i64 = last.parse().map_err(|_| {
            Refusal::bad_request("\"Last-Event-ID\" must be one that this subscription sent.")
        })?;
        Ok(ConstValue::from(number))
    }
}

impl Cursor {
    /// Takes the cursor out of an item; it is one line of text.
    pub(super) fn take(&self, reply: &mut Reply) -> Option<String> {
        let ConstValue::Object(data) = reply.data_mut()? else { return None };
        let ConstValue::Object(item) = data.get_mut(&self.key)? else { return None };
        let text = match item.shift_remove(CURSOR)? {
            ConstValue::String(text) => text,
            ConstValue::Number(number) => number.to_string(),
            _ => return None,
        };
        let is_line = !text.is_empty() && !text.contains(['\n', '\r', '\0']);
        is_line.then_some(text)
    }
}

/// Puts the value in the place of `after`, or names the variable that it is to be given to.
fn set_after(field: &mut Positioned<Field>, after: ConstValue) -> Option<Name> {
    let position = field.pos;
    let arguments = &mut field.node.arguments;
    let Some((_, value)) = arguments.iter_mut().find(|(name, _)| name.node == *AFTER) else {
        let name = Positioned::new(Name::new(AFTER), position);
        arguments.push((name, Positioned::new(after.into_value(), position)));
        return None;
    };
    if let Value::Variable(variable) = &value.node {
        return Some(variable.clone());
    }
    value.node = after.into_value();
    None
}

fn select(ty: Option<&str>, cursor: &str, position: Pos) -> Positioned<Selection> {
    let name = |name: &str| Positioned::new(Name::new(name), position);
    let field = Field {
        alias: Some(name(CURSOR)),
        name: name(cursor),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::default(),
    };
    let field = Positioned::new(Selection::Field(Positioned::new(field, position)), position);
    let Some(ty) = ty else { return field };
    let inline = InlineFragment {
        type_condition: Some(Positioned::new(TypeCondition { on: name(ty) }, position)),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet { items: vec![field] }, position),
    };
    Positioned::new(Selection::InlineFragment(Positioned::new(inline, position)), position)
}

fn cursor_field(ty: &TypeDefinition) -> Option<&'static str> {
    let has = |name: &&str| fields(ty).iter().any(|field| field.node.name.node == **name);
    FIELDS.into_iter().find(has)
}

fn fields(ty: &TypeDefinition) -> &[Positioned<FieldDefinition>] {
    match &ty.kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        _ => &[],
    }
}

fn named(ty: &Type) -> Option<&str> {
    match &ty.base {
        BaseType::Named(name) => Some(name),
        BaseType::List(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resumable_fields_are_found_in_the_schema() {
        let resumables = Resumables::new(
            "schema { query: Q subscription: S }
             type Q { a: Int }
             type S {
                plain(after: String): Item!
                number(after: Int!): Both!
                mixed(after: ID): Any!
                noAfter: Item!
                noCursor(after: String): Bare!
                scalar(after: String): Int!
                list(after: String): [Item!]!
             }
             type Item { revision: Int! }
             type Both { revision: Int! cursor: String }
             type Bare { name: String }
             union Any = Item | Both | Bare",
        );
        let expected = [
            ("plain", Resumable { integer: false, cursors: vec![(None, "revision")] }),
            ("number", Resumable { integer: true, cursors: vec![(None, "cursor")] }),
            (
                "mixed",
                Resumable {
                    integer: false,
                    cursors: vec![(Some("Item".to_owned()), "revision"), (Some("Both".to_owned()), "cursor")],
                },
            ),
        ];
        assert_eq!(
            resumables.0,
            expected.into_iter().map(|(name, found)| (name.to_owned(), found)).collect()
        );
    }
}
