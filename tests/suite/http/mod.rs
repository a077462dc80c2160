//! The HTTP side of the API over real connections, on a toy schema that has what the protocols need.

mod access;
mod bad_input;
mod get;
mod guard;
mod post;
mod server;
mod toy;
