//! REST as clients see it: every resource over real connections.

mod agents;
mod bad_input;
mod bed;
mod components;
mod conditions;
mod conversations;
mod description;
mod docs;
mod pages;
mod schemathesis;
mod traces;
