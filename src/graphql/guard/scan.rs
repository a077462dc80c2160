//! The look at a document's text before it is parsed: length, depth of brackets, number of tokens.
//!
//! The parser calls itself for every bracket, so this must see the same brackets as it does: strings,
//! block strings and comments are skipped by the parser's own rules, and a string that does not end is
//! refused here, because the parser would read it in another way.

use async_graphql::Pos;

use super::error::GuardError;
use crate::config::limits::DocumentLimits;

/// Refuses a text that would be expensive or dangerous to parse.
pub(super) fn scan(source: &str, limits: &DocumentLimits) -> Result<(), GuardError> {
    if source.len() > limits.bytes {
        return Err(GuardError::limit(format!(
            "The document has {} bytes; {} is the most. Pass values as variables.",
            source.len(),
            limits.bytes
        )));
    }
    Scanner { source: source.as_bytes(), at: 0, depth: 0, tokens: 0 }.run(source, limits)
}

struct Scanner<'a> {
    source: &'a [u8],
    at: usize,
    depth: usize,
    tokens: usize,
}

impl Scanner<'_> {
    fn run(mut self, text: &str, limits: &DocumentLimits) -> Result<(), GuardError> {
        while let Some(byte) = self.peek(0) {
            let start = self.at;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => self.at += 1,
                b'#' => self.skip_while(|byte| byte != b'\n' && byte != b'\r'),
                b'"' => {
                    self.tokens += 1;
                    if !self.skip_string() {
                        let place = vec![position(text, start)];
                        return Err(GuardError::syntax("a string does not end", place));
                    }
                }
                byte if is_word(byte) => {
                    self.tokens += 1;
                    self.skip_while(is_word);
                }
                byte => {
                    self.tokens += 1;
                    self.at += 1;
                    match byte {
                        b'{' | b'[' | b'(' => self.depth += 1,
                        b'}' | b']' | b')' => self.depth = self.depth.saturating_sub(1),
                        _ => {}
                    }
                }
            }
            self.check(text, start, limits)?;
        }
        Ok(())
    }

    fn check(&self, text: &str, start: usize, limits: &DocumentLimits) -> Result<(), GuardError> {
        let what = if self.depth > limits.brackets {
            format!("brackets nested deeper than {}", limits.brackets)
        } else if self.tokens > limits.tokens {
            format!("more than {} tokens; pass values as variables", limits.tokens)
        } else {
            return Ok(());
        };
        Err(GuardError::limit(format!("The document has {what}.")).at(position(text, start)))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at + ahead).copied()
    }

    fn looking_at(&self, text: &[u8]) -> bool {
        self.source.get(self.at..).is_some_and(|rest| rest.starts_with(text))
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// Moves behind the string that starts here; `false` if it does not end.
    fn skip_string(&mut self) -> bool {
        if self.looking_at(br#"""""#) {
            self.at += 3;
            return self.skip_block();
        }
        self.at += 1;
        loop {
            match self.peek(0) {
                None | Some(b'\n' | b'\r') => return false,
                Some(b'"') => {
                    self.at += 1;
                    return true;
                }
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
    }

    fn skip_block(&mut self) -> bool {
        while self.at < self.source.len() {
            if self.looking_at(br#"\""""#) {
                self.at += 4;
            } else if self.looking_at(br#"""""#) {
                self.at += 3;
                return true;
            } else {
                self.at += 1;
            }
        }
        false
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.') || !byte.is_ascii()
}

/// The line and column of a byte, both from 1.
fn position(text: &str, byte: usize) -> Pos {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    Pos { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> DocumentLimits {
        DocumentLimits { bytes: 200, brackets: 3, tokens: 12 }
    }

    #[test]
    fn brackets_are_counted_where_the_parser_sees_them() {
        assert!(scan("{a{b{c}}}", &limits()).is_ok());
        assert!(scan("{a{b{c{d}}}}", &limits()).is_err());
        assert!(scan("{a(b:[[1]])}", &limits()).is_err());
        for hidden in [
            r#"{a(b:"{{{{{{")}"#,
            r#"{a(b:"\"{{{{{")}"#,
            r#"{a(b:"""{{ " {{{""")}"#,
            r#"{a(b:"""\"""{{{{{""")}"#,
            "{a #{{{{{{\n}",
        ] {
            assert!(scan(hidden, &limits()).is_ok(), "{hidden}");
        }
        for seen in [r#"{a(b:"" c:{d:{e:[1]}})}"#, "{a #{\r{b{c{d}}}}", r#"{a(b:"""\\"""c:{d:[[1]]})}"#] {
            assert!(scan(seen, &limits()).is_err(), "{seen}");
        }
    }

    #[test]
    fn a_string_that_does_not_end_is_refused_with_its_place() {
        for open in ["{a(b:\"c\n\")}", r#"{a(b:"""c")}"#, r#"{a(b:"\"#] {
            let error = scan(open, &limits()).unwrap_err();
            assert!(error.message.contains("does not end"), "{error:?}");
            assert_eq!(error.locations, [Pos { line: 1, column: 6 }]);
        }
    }

    #[test]
    fn bytes_and_tokens_are_bounded() {
        assert!(scan(&" ".repeat(201), &limits()).is_err());
        assert!(scan("{a b c d e f g h i j}", &limits()).is_ok());
        assert!(scan("{a b c d e f g h i j k}", &limits()).is_err());
    }
}
