//! OpenTelemetry in: what real clients send, through the doors, and what the API then says of it.

mod bed;
mod clients;
mod corpus;
mod expected;
mod render;
