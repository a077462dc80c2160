//! The HTTP side of the API over real connections, on a toy schema that has what the protocols need.

mod access;
mod bad_input;
mod clients;
mod events;
mod get;
mod guard;
mod persisted;
mod post;
mod real;
mod server;
mod socket;
mod toy;
