//! The HTTP side of the server: what is answered at which path.

pub mod assets;
