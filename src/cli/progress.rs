//! Bars that show how far long work is. They hide by themselves where nobody watches a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a bar moves though nothing was counted.
const TICK: Duration = Duration::from_millis(120);

/// A bar for work counted in bytes, as far as their number is known.
pub(super) fn bytes(length: u64) -> ProgressBar {
    if length == 0 {
        return started(ProgressBar::new_spinner(), "{spinner} {prefix} {binary_bytes} {msg}");
    }
    started(ProgressBar::new(length), "{prefix} {bar:30} {binary_bytes}/{binary_total_bytes} {msg} {eta}")
}

/// A sign of life for work of unknown length.
pub(super) fn counter() -> ProgressBar {
    started(ProgressBar::new_spinner(), "{spinner} {prefix} {human_pos} {msg}")
}

fn started(bar: ProgressBar, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.enable_steady_tick(TICK);
    bar
}
