//! Traces and spans, through the services: whatever is written, in whatever order, by however many,
//! and whatever fails meanwhile.

mod bodies;
mod check;
mod failures;
mod live;
mod model;
mod overload;
mod sequences;
mod tree;
mod writers;
