//! What differs between two versions of a component.

use async_graphql::{ID, SimpleObject};

use super::ComponentVersion;
use crate::{
    graphql::{
        ids,
        scalar::{Document, int},
    },
    service::components::{self, VersionDiff},
};

/// What differs between two versions of a component.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ComponentDiff {
    /// Tells comparisons apart.
    id: ID,
    /// The first version.
    before: ComponentVersion,
    /// The second version.
    after: ComponentVersion,
    /// Both definitions, indented and their members sorted, line by line.
    lines: Vec<DiffLine>,
    /// The values that differ.
    changes: Vec<ValueChange>,
}

/// One line of either text, or of both.
#[derive(SimpleObject)]
struct DiffLine {
    /// Tells the lines of a comparison apart.
    id: ID,
    /// Its number in the first text, from 1; null where it was added.
    before: Option<i32>,
    /// Its number in the second text, from 1; null where it was removed.
    after: Option<i32>,
    /// The line, without its end.
    text: String,
}

/// A value that differs.
#[derive(SimpleObject)]
struct ValueChange {
    /// Tells the changes of a comparison apart.
    id: ID,
    /// Where it is, as a JSON pointer (RFC 6901): of what was removed, in the first definition; of everything
    /// else, in the second.
    path: String,
    /// What it was; null where it was added.
    before: Option<Document>,
    /// What it is; null where it was removed.
    after: Option<Document>,
    /// For texts of several lines, such as prompts: the same line by line. Else empty.
    lines: Vec<DiffLine>,
}

impl ComponentDiff {
    pub(in crate::graphql) fn new(diff: VersionDiff) -> Self {
        let VersionDiff { before, after, definition } = diff;
        let name = format!("{} {} {}", before.component_id, before.version_hash, after.version_hash);
        let changes = definition.changes.into_iter().enumerate();
        let change = |(index, change): (usize, components::ValueChange)| {
            let name = format!("{name} change {index}");
            ValueChange {
                id: ids::of_content(&name),
                path: change.path,
                before: change.before.map(Document),
                after: change.after.map(Document),
                lines: lines(&name, change.lines),
            }
        };
        Self {
            id: ids::of_content(&name),
            lines: lines(&name, definition.lines),
            changes: changes.map(change).collect(),
            before: before.into(),
            after: after.into(),
        }
    }
}

fn lines(of: &str, lines: Vec<components::DiffLine>) -> Vec<DiffLine> {
    let line = |(index, line): (usize, components::DiffLine)| DiffLine {
        id: ids::of_content(&format!("{of} line {index}")),
        before: line.before.map(int),
        after: line.after.map(int),
        text: line.text,
    };
    lines.into_iter().enumerate().map(line).collect()
}
