//! A run's spans as a tree, 80 columns wide.

use super::{
    api::Skeleton,
    words::{count, dollars, kind, line, millis, sign},
};
use crate::model::{span::OperationType, text::shortened};

/// Columns of what a span is.
const WIDTH: usize = 44;

/// Columns that names are pushed to the right at most: deeper ones stand under each other.
const DEEPEST: usize = 24;

/// Spans that are shown; of the rest only the number.
const MOST: usize = 500;

/// The tree, a line each.
pub(super) fn lines(spans: &Skeleton) -> Vec<String> {
    let mut lines = vec![row("span", "time", "tokens", "cost")];
    lines.extend((0..spans.depths.len().min(MOST)).map(|place| span(spans, place)));
    if let Some(more @ 1..) = spans.depths.len().checked_sub(MOST) {
        lines.push(format!("… and {}", count(u64::try_from(more).unwrap_or(u64::MAX), "more span")));
    }
    lines
}

fn span(spans: &Skeleton, place: usize) -> String {
    let at = |list: &[Option<f64>]| list.get(place).copied().flatten();
    let indent = spans.depths.get(place).map_or(0, |depth| (depth * 2).min(DEEPEST));
    let sign = spans.statuses.get(place).map_or(' ', |status| sign(*status));
    let operation = spans.operation_types.get(place).copied().unwrap_or(OperationType::Custom);
    let what = format!("{:indent$}{sign} {} {}", "", kind(operation), line(spans.name(place), WIDTH));
    let time = at(&spans.durations_ms).map_or_else(|| "…".to_owned(), millis);
    let tokens = spans.tokens(place).map(|tokens| tokens.to_string()).unwrap_or_default();
    row(&what, &time, &tokens, &at(&spans.costs_usd).map(dollars).unwrap_or_default())
}

fn row(what: &str, time: &str, tokens: &str, cost: &str) -> String {
    // Bytes are at least as many as columns, but for a few scripts: then a row is wider, and still whole.
    let what = if what.chars().count() > WIDTH { shortened(what, WIDTH) } else { what.to_owned() };
    format!("{what:WIDTH$} {time:>11} {tokens:>9} {cost:>11}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_fits_into_80_columns() {
        let spans = serde_json::json!({
            "depths": [0, 1, 30], "names": ["guide", "chat large-1", "a name that is very long and then some"],
            "nameIndexes": [0, 1, 2], "operationTypes": ["AGENT", "LLM_CALL", "TOOL_CALL"],
            "statuses": ["OK", "OK", "RUNNING"], "durationsMs": [1240.0, 900.5, null],
            "totalTokens": [null, "123456", null], "costsUsd": [null, 0.00021, null],
        });
        let lines = lines(&serde_json::from_value(spans).unwrap());
        assert_eq!(
            lines[..3],
            [
                "span                                                time    tokens        cost",
                "✓ agent guide                                      1.2 s",
                "  ✓ model chat large-1                            900 ms    123456   $0.000210",
            ]
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        assert!(lines[3].trim_start().starts_with("▸ tool a name"), "{lines:#?}");
    }
}
