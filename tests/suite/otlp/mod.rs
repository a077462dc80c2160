//! OpenTelemetry in: what real clients send, through the doors, and what the API then says of it.

mod bad_input;
mod bad_requests;
pub mod bed;
mod clients;
mod corpus;
mod doors;
mod expected;
mod failing;
mod flood;
mod fuzz;
mod grpc;
mod grpc_door;
mod late;
mod names;
mod order;
mod own_words;
mod real;
mod render;
pub mod samples;
mod turns;
