//! What asking for the schema itself costs. Its lists are as long as the schema makes them, on average:
//! a query for all types meets each field of each type once.
//!
//! An average says nothing of a query that goes round, from an interface to its types to their fields
//! to an interface again. So the lists that lead to types may be nested twice and no deeper; the
//! JavaScript implementation has the same rule, and no tool asks for more.

use async_graphql::parser::types::{ServiceDocument, TypeKind, TypeSystemDefinition};

/// The introspection types, as far as they lead on.
pub(super) const SDL: &str = "
    type __Schema { types: [__Type] queryType: __Type mutationType: __Type subscriptionType: __Type
        directives: [__Directive] }
    type __Type { fields: [__Field] interfaces: [__Type] possibleTypes: [__Type]
        enumValues: [__EnumValue] inputFields: [__InputValue] ofType: __Type }
    type __Field { args: [__InputValue] type: __Type }
    type __InputValue { type: __Type }
    type __EnumValue { name: String }
    type __Directive { locations: [String] args: [__InputValue] }
";

/// The fields through which introspection begins.
const ROOTS: [&str; 2] = ["__schema", "__type"];

/// The lists that lead to types.
const LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

/// How deep those may be nested.
pub(super) const NESTED_LISTS: u64 = 2;

/// Scalars, directives and the introspection types that a schema has without naming them.
const UNNAMED_TYPES: u64 = 16;
const DIRECTIVES: u64 = 8;

pub(super) fn is_root(field: &str) -> bool {
    ROOTS.contains(&field)
}

pub(super) fn is_list(field: &str) -> bool {
    LISTS.contains(&field)
}

/// The length of each list: of `types` as it is, of the others on average.
pub(super) fn lists(document: &ServiceDocument) -> [(&'static str, &'static str, u64); 9] {
    let mut count = Count::default();
    for definition in &document.definitions {
        if let TypeSystemDefinition::Type(ty) = definition {
            count.add(&ty.node.kind);
        }
    }
    let types = count.types + UNNAMED_TYPES;
    let of_types = |all: u64| all.div_ceil(types);
    [
        ("__Schema", "types", types),
        ("__Schema", "directives", DIRECTIVES),
        ("__Type", "fields", of_types(count.fields)),
        ("__Type", "interfaces", of_types(count.interfaces)),
        // Whoever has an interface is a possible type of it.
        ("__Type", "possibleTypes", of_types(count.interfaces + count.members)),
        ("__Type", "enumValues", of_types(count.values)),
        ("__Type", "inputFields", of_types(count.inputs)),
        ("__Field", "args", count.arguments.div_ceil(count.fields.max(1))),
        ("__Directive", "args", 1),
    ]
}

/// How much there is of what introspection lists.
#[derive(Default)]
struct Count {
    types: u64,
    fields: u64,
    arguments: u64,
    interfaces: u64,
    members: u64,
    values: u64,
    inputs: u64,
}

impl Count {
    fn add(&mut self, kind: &TypeKind) {
        self.types += 1;
        let (interfaces, fields) = match kind {
            TypeKind::Object(object) => (&object.implements, &object.fields),
            TypeKind::Interface(interface) => (&interface.implements, &interface.fields),
            TypeKind::Union(union) => return self.members += union.members.len() as u64,
            TypeKind::Enum(of) => return self.values += of.values.len() as u64,
            TypeKind::InputObject(input) => return self.inputs += input.fields.len() as u64,
            TypeKind::Scalar => return,
        };
        self.interfaces += interfaces.len() as u64;
        self.fields += fields.len() as u64;
        self.arguments += fields.iter().map(|field| field.node.arguments.len() as u64).sum::<u64>();
    }
}
