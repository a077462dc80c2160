//! What stands between a document and the schema: it refuses what would cost too much, before any
//! work is done for it.
//!
//! The library expands fragments without memory before it validates, so that chained fragments of
//! 1 kB take it seconds, in which no time-out can interrupt it. Here, in this order:
//!
//! 1. `scan` bounds the text's length, brackets and tokens, so that parsing is cheap and shallow;
//! 2. the text is parsed, once: the parsed document is what is handed on;
//! 3. `measure` bounds depth, fields, aliases and directives with fragments written out, each fragment
//!    being visited once, and finds cycles;
//! 4. `cost` weighs the chosen operation by the lists of the schema and the pages asked for.
//!
//! All of it takes time in proportion to the text. The rules of GraphQL stay with the library's
//! validation, except those that it does not check: required variables, the single root field of a
//! subscription. This module must not know a transport.

mod cost;
mod error;
mod inputs;
mod introspection;
mod measure;
mod scan;
mod shape;
mod subscription;
#[cfg(test)]
mod tests;

use async_graphql::{
    Positioned, Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
    },
};

pub(crate) use self::subscription::{hoist_root, root_field_mut};
use self::{cost::Weigher, inputs::Inputs, shape::Shape};
pub use self::{
    error::{Fault, GuardError},
    shape::{FieldWeight, ShapeError},
};
use crate::config::limits::{DocumentLimits, SelectionLimits};

/// The guard of one schema.
#[derive(Debug)]
pub struct Guard {
    shape: Shape,
    document: DocumentLimits,
    selection: SelectionLimits,
}

/// A document that may be executed.
#[derive(Debug)]
pub struct Admitted {
    /// The document, parsed.
    pub document: ExecutableDocument,
    /// What the chosen operation is.
    pub operation: OperationType,
    /// What the guard takes it to cost, in fields.
    pub cost: u64,
}

impl Guard {
    /// The guard of the schema whose text is `sdl`, with what is known better about some fields.
    ///
    /// # Errors
    /// When the text cannot be read, or a weight names a field that is not there.
    pub fn new(
        sdl: &str,
        weights: &[FieldWeight],
        document: DocumentLimits,
        selection: SelectionLimits,
    ) -> Result<Self, ShapeError> {
        Ok(Self { shape: Shape::new(sdl, weights)?, document, selection })
    }

    /// Judges a request, and parses its document.
    ///
    /// # Errors
    /// When the request breaks a rule or a limit; nothing was executed then.
    pub fn admit(
        &self,
        source: &str,
        operation_name: Option<&str>,
        variables: &Variables,
    ) -> Result<Admitted, GuardError> {
        scan::scan(source, &self.document)?;
        let document = parse_query(source)?;
        let chosen = choose(&document, operation_name)?;
        let operation = chosen.node.ty;
        let inputs = Inputs::new(&chosen.node, variables);
        measure::measure(&document, &inputs, &self.selection)?;
        inputs.check_required()?;
        if operation == OperationType::Subscription {
            subscription::check_single_root(&document, chosen)?;
        }
        let cost = self.weigh(&document, chosen, &inputs)?;
        Ok(Admitted { document, operation, cost })
    }

    fn weigh(
        &self,
        document: &ExecutableDocument,
        operation: &Positioned<OperationDefinition>,
        inputs: &Inputs<'_>,
    ) -> Result<u64, GuardError> {
        let root = self.shape.root(match operation.node.ty {
            OperationType::Query => 0,
            OperationType::Mutation => 1,
            OperationType::Subscription => 2,
        });
        let weigher = Weigher::new(&self.shape, &document.fragments, inputs, &self.selection);
        let cost = weigher.weigh(root, &operation.node.selection_set.node);
        if cost > self.selection.cost {
            return Err(GuardError::limit(format!(
                "The operation costs about {cost} fields; {} is the most. Ask for smaller pages, or for a page of `spans` instead of whole trees.",
                self.selection.cost
            ))
            .at(operation.pos));
        }
        Ok(cost)
    }
}

/// The operation that a request means.
fn choose<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, GuardError> {
    let unknown = |name: &str| {
        GuardError::new(Fault::Operation, format!("The document has no operation named \"{name}\"."))
    };
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get(name).ok_or_else(|| unknown(name))
        }
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.values();
            if let (Some(only), None) = (all.next(), all.next()) {
                return Ok(only);
            }
            let message = "The document has several operations: say which with operationName.";
            Err(GuardError::new(Fault::Operation, message.to_owned()))
        }
    }
}
