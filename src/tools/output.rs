//! What a tool answered, cut to its bound.

use super::ToolOutput;
use crate::model::Json;

/// Bytes that the words on a cut take at most.
const NOTE: usize = 80;

/// The answer, cut so that the whole of it is at most `limit` bytes as JSON, the quotes included. A text is
/// cut between two characters; any other document becomes the text of its beginning.
pub(super) fn bounded(result: Json, limit: usize) -> ToolOutput {
    let whole = result.text().len();
    if whole <= limit {
        return ToolOutput { result, truncated: false };
    }
    let text = result.read::<String>().unwrap_or_else(|_| result.text().to_owned());
    let kept = beginning(&text, limit.saturating_sub(NOTE));
    let note = format!("{kept}\n(cut here: {} of {} bytes)", kept.len(), text.len());
    ToolOutput { result: Json::string(&note), truncated: true }
}

/// As much of a text as takes `limit` bytes in a JSON string.
fn beginning(text: &str, limit: usize) -> &str {
    let mut bytes = 0_usize;
    for (at, character) in text.char_indices() {
        bytes = bytes.saturating_add(match character {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..='\u{1f}' => 6,
            other => other.len_utf8(),
        });
        if bytes > limit {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        for text in ["ü".repeat(400), "\u{1}".repeat(400), "\"\n".repeat(400), "🦀".repeat(200)] {
            for limit in 256..264 {
                let output = bounded(Json::string(&text), limit);
                assert!(output.truncated && output.result.text().len() <= limit, "{}", output.result.text());
                let cut: String = output.result.read().unwrap();
                let (kept, note) = cut.rsplit_once('\n').unwrap();
                assert!(text.starts_with(kept) && !kept.is_empty());
                assert_eq!(note, format!("(cut here: {} of {} bytes)", kept.len(), text.len()));
            }
        }
    }

    #[test]
    fn a_document_is_kept_whole_or_becomes_a_text() {
        let whole = Json::from_value(&serde_json::json!({"list": vec![1; 50]})).unwrap();
        assert_eq!(bounded(whole.clone(), 256), ToolOutput { result: whole, truncated: false });
        let long = Json::from_value(&vec![1; 500]).unwrap();
        let text: String = bounded(long, 256).result.read().unwrap();
        assert!(text.starts_with("[1,1,") && text.ends_with("of 1001 bytes)"));
    }
}
