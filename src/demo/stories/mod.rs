//! What the agents are asked, and how their runs go.

mod coding;
mod research;
mod support;

use super::{author::Author, cast::Stage, step::Script};

/// Makes up a run.
pub(super) fn write(author: &mut Author, stage: Stage) -> Script {
    match author.between(0, 2) {
        0 => research::write(author),
        1 => support::write(author, stage),
        _ => coding::write(author, stage),
    }
}
