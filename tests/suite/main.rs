//! The integration tests: one binary, a folder for each area of the crate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says by a panic that it failed"
)]

mod assets;
mod browser;
mod cli;
mod engine;
mod graphql;
mod http;
mod import;
mod layers;
mod service;
mod support;
mod tracing;
