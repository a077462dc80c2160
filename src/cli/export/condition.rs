//! `dendro export --where`: a condition from the command line, or from a file.

use std::fs;

use crate::{model::query::TraceCondition, written::condition::TraceWhere};

/// Bytes of a file with a condition that are read: more than any condition has.
const MOST_BYTES: u64 = 8 << 20;

/// The condition that was given: as it stands, or as `@` and the name of its file.
pub(super) fn read(given: &str) -> Result<TraceCondition, String> {
    let Some(path) = given.strip_prefix('@') else { return parse(given) };
    let wrong = |error: std::io::Error| format!("--where: cannot read {path}: {error}");
    let bytes = fs::metadata(path).map_err(wrong)?.len();
    if bytes > MOST_BYTES {
        return Err(format!("--where: {path} has {bytes} bytes, and {MOST_BYTES} are the most"));
    }
    parse(&fs::read_to_string(path).map_err(wrong)?)
}

fn parse(text: &str) -> Result<TraceCondition, String> {
    TraceWhere::parse("where", text).map_err(|refusal| refusal.to_string())
}
