//! Use cases and their rules: conversations, plans, tracing, components, scores.
//!
//! A service checks what it is given, applies the model's rules, and keeps the outcome in the store.
//! It knows nothing of GraphQL, HTTP or OTLP, and packs no key.

mod context;
mod error;
pub mod listing;
pub mod tracing;

pub use self::{
    context::Context,
    error::{ServiceError, ServiceResult},
};
