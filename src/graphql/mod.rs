//! The GraphQL schema and what stands before it. This layer calls services and nothing below them.

mod enums;
mod error;
pub mod guard;
mod ids;
mod loader;
pub mod page;
mod refusal;
mod scalar;
pub mod text;
