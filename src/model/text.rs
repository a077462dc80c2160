//! Small rules for texts that people gave.

/// The text cut to at most `limit` bytes at a character's edge, with an ellipsis where it was cut.
#[must_use]
pub fn shortened(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let kept = limit.saturating_sub('…'.len_utf8());
    let edge = (0..=kept).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", text.get(..edge).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters() {
        assert_eq!(shortened("grün", 10), "grün");
        assert_eq!(shortened("grünlich", 6), "gr…");
        assert_eq!(shortened("üüü", 2), "…");
    }
}
