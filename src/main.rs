//! The `dendro` program: arguments, configuration, run.

use std::process::ExitCode;

// Allocation is most of what answering a GraphQL query costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dendro::cli::main()
}
