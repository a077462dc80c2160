//! What differs between two versions: line by line, and value by value.
//!
//! Definitions are compared as what they mean, not as they were written down: members in another order
//! or other white space are no difference, as they are none to the version's hash.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::Value;
use similar::{Algorithm, DiffTag, capture_diff_slices_deadline};

use crate::model::{Json, Refusal};

/// What differs between two definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionDiff {
    /// Both, indented and their members sorted, line by line.
    pub lines: Vec<DiffLine>,
    /// The values that differ.
    pub changes: Vec<ValueChange>,
}

/// One line of either text or of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// Its number in the first text, from 1; `None`: added.
    pub before: Option<usize>,
    /// Its number in the second text, from 1; `None`: removed.
    pub after: Option<usize>,
    /// The line, without its end.
    pub text: String,
}

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueChange {
    /// Where it is, as a JSON pointer (RFC 6901): of what was removed, in the first definition; of
    /// everything else, in the second.
    pub path: String,
    /// What it was; `None`: it was added.
    pub before: Option<Json>,
    /// What it is; `None`: it was removed.
    pub after: Option<Json>,
    /// For texts of several lines, such as prompts: the same line by line. Else empty.
    pub lines: Vec<DiffLine>,
}

/// How long two definitions are compared; then what is left is shown as replaced. The best comparison of
/// two long texts that share nothing would take minutes.
const PATIENCE: Duration = Duration::from_millis(500);

/// Compares two definitions. Takes a while where they are long.
pub(super) fn diff(before: &Json, after: &Json) -> Result<DefinitionDiff, Refusal> {
    let (before, after) = (read(before)?, read(after)?);
    let mut comparison =
        Comparison { until: Instant::now() + PATIENCE, path: String::new(), changes: Vec::new() };
    comparison.values(&before, &after);
    let lines = comparison.lines(&format!("{before:#}"), &format!("{after:#}"));
    Ok(DefinitionDiff { lines, changes: comparison.changes })
}

fn read(json: &Json) -> Result<Value, Refusal> {
    let mut value: Value = json.read().map_err(|error| Refusal::invalid("definition", error.to_string()))?;
    value.sort_all_objects();
    Ok(value)
}

/// A comparison under way.
struct Comparison {
    until: Instant,
    /// Where it is.
    path: String,
    changes: Vec<ValueChange>,
}

impl Comparison {
    fn values(&mut self, before: &Value, after: &Value) {
        match (before, after) {
            (Value::Object(old), Value::Object(new)) => {
                let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                for name in names {
                    let path = name.replace('~', "~0").replace('/', "~1");
                    self.below(&path, old.get(name), new.get(name));
                }
            }
            (Value::Array(old), Value::Array(new)) => self.items(old, new),
            _ if before != after => self.changed(Some(before), Some(after)),
            _ => {}
        }
    }

    /// Items are matched where they are equal, so that one put in at the front does not change all others.
    fn items(&mut self, old: &[Value], new: &[Value]) {
        let texts = |items: &[Value]| items.iter().map(Value::to_string).collect::<Vec<_>>();
        let (olds, news) = (texts(old), texts(new));
        for op in capture_diff_slices_deadline(Algorithm::Myers, &olds, &news, Some(self.until)) {
            if op.tag() == DiffTag::Equal {
                continue;
            }
            let (mut olds, mut news) = (op.old_range(), op.new_range());
            loop {
                let (at_old, at_new) = (olds.next(), news.next());
                let Some(at) = at_new.or(at_old) else { break };
                let (before, after) = (at_old.and_then(|at| old.get(at)), at_new.and_then(|at| new.get(at)));
                self.below(&at.to_string(), before, after);
            }
        }
    }

    fn below(&mut self, name: &str, before: Option<&Value>, after: Option<&Value>) {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(name);
        match (before, after) {
            (Some(before), Some(after)) => self.values(before, after),
            (before, after) => self.changed(before, after),
        }
        self.path.truncate(length);
    }

    fn changed(&mut self, before: Option<&Value>, after: Option<&Value>) {
        let lines = match (before, after) {
            (Some(Value::String(before)), Some(Value::String(after)))
                if before.contains('\n') || after.contains('\n') =>
            {
                self.lines(before, after)
            }
            _ => Vec::new(),
        };
        let (before, after) = (before.map(Json::of), after.map(Json::of));
        self.changes.push(ValueChange { path: self.path.clone(), before, after, lines });
    }

    fn lines(&self, before: &str, after: &str) -> Vec<DiffLine> {
        let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
        let ops = capture_diff_slices_deadline(Algorithm::Myers, &before, &after, Some(self.until));
        let line = |change: similar::Change<&str>| DiffLine {
            before: change.old_index().map(|index| index + 1),
            after: change.new_index().map(|index| index + 1),
            text: change.value().to_owned(),
        };
        ops.iter().flat_map(|op| op.iter_changes(&before, &after)).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(before: &str, after: &str) -> DefinitionDiff {
        diff(&Json::parse(before).unwrap(), &Json::parse(after).unwrap()).unwrap()
    }

    fn changes(before: &str, after: &str) -> Vec<(String, Option<String>, Option<String>)> {
        let text = |json: Option<Json>| json.map(|json| json.text().to_owned());
        let change = |change: ValueChange| (change.path, text(change.before), text(change.after));
        of(before, after).changes.into_iter().map(change).collect()
    }

    fn change(path: &str, before: &str, after: &str) -> (String, Option<String>, Option<String>) {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (path.to_owned(), text(before), text(after))
    }

    #[test]
    fn order_and_space_are_no_difference() {
        let same = of("{\"a\": 1, \"b\": [ 2 ]}", "{\"b\":[2],\"a\":1}");
        assert!(same.changes.is_empty());
        assert!(same.lines.iter().all(|line| line.before.is_some() && line.after.is_some()));
    }

    #[test]
    fn values_are_found_by_their_paths() {
        let found = changes(
            r#"{"a/b": 1, "gone": null, "deep": {"x": [1, 2]}}"#,
            r#"{"a/b": 2, "deep": {"x": [1, 2, 3]}, "new": {}}"#,
        );
        let expected = [
            change("/a~1b", "1", "2"),
            change("/deep/x/2", "", "3"),
            change("/gone", "null", ""),
            change("/new", "", "{}"),
        ];
        assert_eq!(found, expected);
        assert_eq!(changes("1", "[]"), [change("", "1", "[]")]);
    }

    #[test]
    fn an_item_at_the_front_leaves_the_others_alone() {
        assert_eq!(changes("[1, 2, 3]", "[0, 1, 2, 3]"), [change("/0", "", "0")]);
        let renamed = changes(r#"[{"n": "a"}, {"n": "b"}]"#, r#"[{"n": "a"}, {"n": "c"}]"#);
        assert_eq!(renamed, [change("/1/n", "\"b\"", "\"c\"")]);
    }

    #[test]
    fn texts_are_compared_line_by_line() {
        let found =
            of(r#"{"prompt": "Be kind.\nBe short."}"#, r#"{"prompt": "Be kind.\nBe exact.\nBe short."}"#);
        let lines: Vec<_> =
            found.changes[0].lines.iter().map(|line| (line.before, line.after, line.text.as_str())).collect();
        assert_eq!(
            lines,
            [(Some(1), Some(1), "Be kind."), (None, Some(2), "Be exact."), (Some(2), Some(3), "Be short.")]
        );
    }
}
