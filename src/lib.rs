//! Dendro keeps what AI agents said and did: conversations, plans, traces with live span trees, and
//! the exact component versions behind every span.
//!
//! Data flows one way: `{graphql, rest, http, otlp} → service → store → engine`. Everything may use
//! `model`, which uses nothing. `ARCHITECTURE.md` shows the house; `tests/suite/layers.rs` holds the
//! arrows.

pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod engine;
pub mod export;
pub mod graphql;
pub mod http;
pub mod live;
pub mod llm;
pub mod model;
pub mod otlp;
pub mod rest;
pub mod search;
pub mod semconv;
pub mod service;
pub mod store;
pub mod tools;
mod written;
