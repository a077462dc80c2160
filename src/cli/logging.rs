//! The log, on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::config::{LogConfig, LogFormat};

/// What is never logged, whatever the filter says: `genai` logs what a provider answers to a call that
/// failed, and some repeat the key in it. What failed is told by whoever called.
const NEVER: &str = "genai=off";

/// Starts the log. A command that ends by itself tells in its own words what it does: it logs what is
/// wrong only, unless the filter was chosen.
pub(super) fn start(config: &LogConfig, serves: bool) {
    let chosen = *config != LogConfig::default();
    let filter = if serves || chosen {
        EnvFilter::new(&config.filter)
    } else {
        EnvFilter::default().add_directive(LevelFilter::WARN.into())
    };
    let filter = match NEVER.parse() {
        Ok(never) => filter.add_directive(never),
        Err(_) => filter,
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match config.format {
        LogFormat::Text => log.with_ansi(stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
