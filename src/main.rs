//! The `dendro` program: arguments, configuration, run.

fn main() {}
