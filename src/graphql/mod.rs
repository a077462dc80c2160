//! The GraphQL schema and what stands before it. This layer calls services and nothing below them.

pub mod guard;
