//! The values that an operation is given: its variables, with their defaults, and how much of them
//! there is.

use std::collections::HashMap;

use async_graphql::{
    Positioned, Value as ConstValue, Variables,
    parser::types::{Directive, OperationDefinition},
};
use async_graphql_value::Value;

use super::error::{Fault, GuardError};

/// Bytes of text that count as one unit, which is about what one more value takes.
const BYTES_A_UNIT: usize = 64;

/// An operation's variables.
pub(super) struct Inputs<'a> {
    variables: &'a Variables,
    operation: &'a OperationDefinition,
    units: HashMap<&'a str, u64>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(operation: &'a OperationDefinition, variables: &'a Variables) -> Self {
        let units = variables.iter().map(|(name, value)| (name.as_str(), const_units(value))).collect();
        Self { variables, operation, units }
    }

    /// Refuses where a variable that must have a value has none.
    pub(super) fn check_required(&self) -> Result<(), GuardError> {
        for definition in &self.operation.variable_definitions {
            let name = &definition.node.name.node;
            let given = self.variables.get(name);
            let missing = match given {
                Some(ConstValue::Null) => !definition.node.var_type.node.nullable,
                Some(_) => false,
                None => !definition.node.var_type.node.nullable && definition.node.default_value.is_none(),
            };
            if missing {
                let message = format!(
                    "Variable \"${name}\" of type {} must have a value.",
                    definition.node.var_type.node
                );
                return Err(GuardError::new(Fault::Variable, message).at(definition.pos));
            }
        }
        Ok(())
    }

    /// How much input a value is, variables filled in.
    pub(super) fn units(&self, value: &Value) -> u64 {
        match value {
            Value::Variable(name) => self.units.get(name.as_str()).copied().unwrap_or(1),
            Value::List(items) => sum(items.iter().map(|item| self.units(item))),
            Value::Object(fields) => sum(fields.values().map(|field| self.units(field))),
            Value::String(text) => text_units(text),
            _ => 1,
        }
    }

    /// The number that a value stands for, if it is one; a negative number is 0.
    pub(super) fn number(&self, value: &Value) -> Option<u64> {
        match value {
            Value::Number(number) => clamp(number),
            Value::Variable(name) => match self.variable(name)? {
                ConstValue::Number(number) => clamp(number),
                _ => None,
            },
            _ => None,
        }
    }

    /// How many items a value holds, if it is a list.
    pub(super) fn length(&self, value: &Value) -> Option<u64> {
        match value {
            Value::List(items) => Some(items.len() as u64),
            Value::Variable(name) => match self.variable(name)? {
                ConstValue::List(items) => Some(items.len() as u64),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether `@skip` or `@include` takes a selection out.
    pub(super) fn skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let condition = directive.node.get_argument("if").and_then(|value| self.truth(&value.node));
            matches!(
                (directive.node.name.node.as_str(), condition),
                ("skip", Some(true)) | ("include", Some(false))
            )
        })
    }

    fn truth(&self, value: &Value) -> Option<bool> {
        match value {
            Value::Boolean(truth) => Some(*truth),
            Value::Variable(name) => match self.variable(name)? {
                ConstValue::Boolean(truth) => Some(*truth),
                _ => None,
            },
            _ => None,
        }
    }

    fn variable(&self, name: &str) -> Option<&ConstValue> {
        self.variables.get(name).or_else(|| {
            let definitions = &self.operation.variable_definitions;
            let definition = definitions.iter().find(|definition| definition.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|value| &value.node)
        })
    }
}

fn const_units(value: &ConstValue) -> u64 {
    match value {
        ConstValue::List(items) => sum(items.iter().map(const_units)),
        ConstValue::Object(fields) => {
            sum(fields.iter().map(|(name, field)| text_units(name).saturating_add(const_units(field))))
        }
        ConstValue::String(text) => text_units(text),
        ConstValue::Binary(bytes) => 1 + (bytes.len() / BYTES_A_UNIT) as u64,
        _ => 1,
    }
}

fn text_units(text: &str) -> u64 {
    1 + (text.len() / BYTES_A_UNIT) as u64
}

fn sum(units: impl Iterator<Item = u64>) -> u64 {
    units.fold(1, u64::saturating_add)
}

fn clamp(number: &serde_json::Number) -> Option<u64> {
    number.as_u64().or_else(|| number.as_i64().map(|_| 0))
}
