//! What the library's errors about input values leave to be guessed: which field of the input it is, where
//! a program can read it, and which values would do. It knows the errors by their text, as the library
//! gives nothing else; what it does not know stays as it is.

use std::collections::HashMap;

use async_graphql::{
    ErrorExtensionValues, ServerError,
    parser::{
        parse_schema,
        types::{TypeKind, TypeSystemDefinition},
    },
};

/// What can be said of a schema's input values.
pub(super) struct Hints {
    /// The values of each enum, as a sentence lists them.
    enums: HashMap<String, String>,
}

impl Hints {
    /// The hints for a schema. A text that is none gives no hints.
    pub(super) fn new(sdl: &str) -> Self {
        let definitions = parse_schema(sdl).map(|document| document.definitions).unwrap_or_default();
        let types = definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some(ty.node),
            _ => None,
        });
        let enums = types.filter_map(|ty| match ty.kind {
            TypeKind::Enum(values) => {
                let values: Vec<_> =
                    values.values.iter().map(|value| value.node.value.node.to_string()).collect();
                Some((ty.name.node.to_string(), values.join(", ")))
            }
            _ => None,
        });
        Self { enums: enums.collect() }
    }

    /// Adds what is known to errors about input values.
    pub(super) fn add(&self, errors: &mut [ServerError]) {
        for error in errors {
            let Some((path, fault)) = parts(&error.message) else { continue };
            let field = field(path, fault);
            let right = self.right(fault).map(|values| format!("; it has {values}"));
            error.message.extend(right);
            error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("field", field);
        }
    }

    fn right(&self, fault: &str) -> Option<&str> {
        let name = quoted(fault.strip_prefix("enumeration type ")?)?;
        self.enums.get(name).map(String::as_str)
    }
}

/// The path to the value and what is wrong with it.
fn parts(message: &str) -> Option<(&str, &str)> {
    message.strip_prefix("Invalid value for argument \"")?.split_once("\", ")
}

/// The name by which refusals call the field: its path within the argument `input`, or the argument.
fn field(path: &str, fault: &str) -> String {
    let member =
        fault.strip_prefix("unknown field ").or_else(|| fault.strip_prefix("field ")).and_then(quoted);
    let path = match member {
        Some(member) => format!("{path}.{member}"),
        None => path.to_owned(),
    };
    path.strip_prefix("input.").map_or_else(|| path.clone(), str::to_owned)
}

/// What stands between quotation marks at the beginning of a text.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.split_once('"').map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use async_graphql::Value;

    use super::*;

    #[test]
    fn the_field_and_what_would_do_are_told() {
        let hints = Hints::new("enum Role { USER TOOL } type Query { a: Role }");
        for (message, field, end) in [
            (
                "Invalid value for argument \"input.messages.1.role\", enumeration type \"Role\" does not \
                 contain the value \"X\"",
                "messages.1.role",
                "the value \"X\"; it has USER, TOOL",
            ),
            ("Invalid value for argument \"first\", expected type \"Int\"", "first", "type \"Int\""),
            ("Invalid value for argument \"input\", unknown field \"x\" of type \"T\"", "x", "\"T\""),
            (
                "Invalid value for argument \"input.a\", field \"b\" of type \"T\" is required but not provided",
                "a.b",
                "provided",
            ),
        ] {
            let mut errors = [ServerError::new(message, None)];
            hints.add(&mut errors);
            let [error] = &errors;
            assert!(error.message.ends_with(end), "{}", error.message);
            let extensions = error.extensions.as_ref().unwrap();
            assert_eq!(extensions.get("field"), Some(&Value::from(field)));
        }
    }

    #[test]
    fn other_errors_stay_as_they_are() {
        let mut errors = [ServerError::new("Unknown field \"a\" on type \"Query\".", None)];
        Hints::new("not a schema").add(&mut errors);
        assert!(errors[0].extensions.is_none());
    }
}
