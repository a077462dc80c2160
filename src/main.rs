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
    give_memory_back_at_once();
    dendro::cli::main()
}

/// Has the allocator give pages back as soon as nothing is in them. By itself it waits for its next call, which a
/// server with nothing to do does not make: it would keep what starting it took, as much again as it needs. Whoever
/// sets `MIMALLOC_PURGE_DELAY` (in milliseconds) has it otherwise.
#[expect(unsafe_code, reason = "the allocator's settings are C; this is set before there are other threads")]
fn give_memory_back_at_once() {
    /// `mi_option_purge_delay`, for which the crate has no name.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: it stores a number in a table of options, and is not thread-safe: no other thread runs yet.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, 0) }
}
