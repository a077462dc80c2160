//! How things are said: times, tokens, costs, and texts of others, which must not drive the terminal.

use std::time::Duration;

use serde_json::Value;

use crate::model::{
    span::{OperationType, SpanStatus},
    text::shortened,
};

/// The text without control characters but newline and tab: with them, whoever wrote it could drive the terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() || ['\n', '\t'].contains(character)).collect()
}

/// The beginning of a text, cleaned and on one line.
pub(super) fn line(text: &str, bytes: usize) -> String {
    // Of a text that is long anyway, no more is looked at than could be shown.
    let text = shortened(text, bytes.saturating_mul(8));
    let words = clean(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(&words, bytes)
}

/// JSON on one line: a text as it is, anything else as it is written.
pub(super) fn json_line(value: &Value, bytes: usize) -> String {
    match value {
        Value::String(text) => line(text, bytes),
        other => line(&other.to_string(), bytes),
    }
}

/// A time as people read it: `12 ms`, `3.4 s`, `2 min 5 s`.
pub(super) fn time(took: Duration) -> String {
    match (took.as_millis(), took.as_secs()) {
        (millis, _) if millis < 1_000 => format!("{millis} ms"),
        (_, secs) if secs < 60 => format!("{:.1} s", took.as_secs_f64()),
        (_, secs) => format!("{} min {} s", secs / 60, secs % 60),
    }
}

/// A time that the API tells.
pub(super) fn millis(millis: f64) -> String {
    time(Duration::try_from_secs_f64(millis / 1_000.0).unwrap_or_default())
}

/// A sum of money. Small ones keep their digits: most calls cost less than a cent.
pub(super) fn dollars(dollars: f64) -> String {
    if dollars == 0.0 || dollars >= 0.1 { format!("${dollars:.2}") } else { format!("${dollars:.6}") }
}

/// A count with its noun, in the singular or in the plural.
pub(super) fn count(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The sign of where a span stands.
pub(super) fn sign(status: SpanStatus) -> char {
    match status {
        SpanStatus::Running => '▸',
        SpanStatus::Ok => '✓',
        SpanStatus::Error => '✗',
        SpanStatus::Cancelled => '–',
    }
}

/// What kind of operation a span is, in a word.
pub(super) fn kind(operation: OperationType) -> String {
    match operation {
        OperationType::LlmCall => "model".to_owned(),
        OperationType::ToolCall => "tool".to_owned(),
        other => other.text().to_lowercase().replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_drives_a_terminal_is_left() {
        let driving = "a\u{1b}[2Jb\r\nc\td\u{7}\u{9b}31m\u{7f}\u{8}e\u{0}\u{1b}]0;title\u{1b}\\";
        assert_eq!(clean(driving), "a[2Jb\nc\td31me]0;title\\");
        assert_eq!(line(" a\n\n b\u{1b}\tc ", 20), "a b c");
        assert_eq!(line(&"x".repeat(1_000), 10), "xxxxxxx…");
    }

    #[test]
    fn figures_are_short() {
        let times = [7, 999, 1_240, 59_940, 125_000].map(|millis| time(Duration::from_millis(millis)));
        assert_eq!(times, ["7 ms", "999 ms", "1.2 s", "59.9 s", "2 min 5 s"]);
        assert_eq!([0.0, 0.000_21, 1.5].map(dollars), ["$0.00", "$0.000210", "$1.50"]);
        assert_eq!((count(1, "span"), count(0, "span")), ("1 span".to_owned(), "0 spans".to_owned()));
    }
}
