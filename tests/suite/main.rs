//! The integration tests: one binary, a folder for each area of the crate.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says by a panic that it failed, and is read for what it proves"
)]

mod agents;
mod analysis;
mod assets;
mod browser;
mod cli;
mod demo;
mod docs;
mod durability;
mod engine;
mod examples;
mod export_tables;
mod graphql;
mod http;
mod import;
mod layers;
mod llm;
mod otlp;
mod otlp_files;
mod records;
mod rest;
mod search;
mod service;
mod support;
mod tools;
mod tracing;
