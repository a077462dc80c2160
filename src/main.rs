//! The `dendro` program: arguments, configuration, run.

use std::process::ExitCode;

// Allocation is most of what answering a GraphQL query costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Most of what is allocated lives shortly and is small. Of huge pages each new one is zeroed whole, which
    // costs more than it saves, and a third more memory stays in use. Where it is not to be had, nothing is
    // lost but that.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    dendro::cli::main()
}
