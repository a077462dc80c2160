//! Reads JSON that is nearly right: a text cut inside of an emoji leaves half of it behind as an escape,
//! which JavaScript and Python write down and which is no character.

use serde_json::{Value, from_str};

/// The value that a text is; `None` if it is no JSON.
pub(super) fn parse(text: &str) -> Option<Value> {
    from_str(text).ok().or_else(|| from_str(&mended(text)?).ok())
}

/// The text with a replacement character for each half of one; `None` if there is none.
fn mended(text: &str) -> Option<String> {
    if !(text.contains("\\ud") || text.contains("\\uD")) {
        return None;
    }
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let (kept, length) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (None, 12),
            (Some(0xd800..=0xdfff), _) => (Some("\\ufffd"), 6),
            // A backslash and what it escapes, which may be one too.
            _ => (None, escape.char_indices().nth(2).map_or(escape.len(), |(at, _)| at)),
        };
        let (escape, behind) = escape.split_at_checked(length)?;
        mended.push_str(kept.unwrap_or(escape));
        rest = behind;
    }
    mended.push_str(rest);
    Some(mended)
}

/// The code unit that `\uXXXX` stands for.
fn unit(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_characters_are_replaced() {
        let read = |text: &str| parse(text).map(|value| value.as_str().map(str::to_owned));
        assert_eq!(read(r#""a\ud83d""#), Some(Some("a\u{fffd}".to_owned())));
        assert_eq!(
            read(r#""\udc80\ud83d\ude00 \\ud83d \n""#),
            Some(Some("\u{fffd}😀 \\ud83d \n".to_owned()))
        );
        assert_eq!(read(r#""\ud83d"#), None);
        assert_eq!(read(r"\ud83d\"), None);
        assert_eq!(read("\"\\ud83d\\é\""), None);
    }
}
