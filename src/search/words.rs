//! What a word is: runs of letters and digits, without case and accents. The same rule cuts what is indexed, what
//! is looked for, and the texts in which the matching places are marked.
//!
//! Scripts that put no space between words are cut into characters, and a word of them is looked for as a phrase.

use std::ops::Range;

use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RemoveLongFilter, TextAnalyzer, Token, TokenStream, Tokenizer,
};

/// Bytes of a word from which on it is not indexed: hashes are shorter, and data that was written as text is not.
pub(super) const LONG_WORD: usize = 129;

/// A word in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The word as it is compared.
    pub text: String,
    /// Where it stands, in bytes.
    pub at: Range<usize>,
}

/// What cuts texts that are indexed.
pub(super) fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(Words::default())
        .filter(RemoveLongFilter::limit(LONG_WORD))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

/// The words of a text, those too that are too long to be indexed.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut analyzer =
        TextAnalyzer::builder(Words::default()).filter(LowerCaser).filter(AsciiFoldingFilter).build();
    let mut stream = analyzer.token_stream(text);
    let mut words = Vec::new();
    stream.process(&mut |token| {
        let at = token.offset_from..token.offset_to;
        words.push(Word { text: token.text.clone(), at });
    });
    words
}

#[derive(Debug, Clone, Default)]
struct Words {
    token: Token,
}

struct WordStream<'a> {
    text: &'a str,
    /// Up to where it has been cut, in bytes.
    at: usize,
    token: &'a mut Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { text, at: 0, token: &mut self.token }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let (text, token) = (self.text, &mut *self.token);
        let rest = text.get(self.at..).unwrap_or_default();
        let Some(start) = rest.find(char::is_alphanumeric) else { return false };
        let from = self.at + start;
        // Most words are nothing but ASCII, and are taken whole.
        let rest = text.get(from..).unwrap_or_default();
        let plain = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (plain, rest) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        token.text.clear();
        token.text.push_str(plain);
        let mut end = from + plain.len();
        for character in rest.chars() {
            let is_first = end == from;
            // An accent that was written apart from its letter is left out, as the others are.
            if !is_mark(character) {
                if !character.is_alphanumeric() || (stands_alone(character) && !is_first) {
                    break;
                }
                token.text.push(character);
            }
            end += character.len_utf8();
            if is_first && stands_alone(character) {
                break;
            }
        }
        (token.offset_from, token.offset_to) = (from, end);
        token.position = token.position.wrapping_add(1);
        self.at = end;
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Whether a character is an accent by itself.
const fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

/// Whether a character is of a script without spaces between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer.
const fn stands_alone(character: char) -> bool {
    matches!(character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_lose_case_and_accents() {
        assert_eq!(texts("Größe: get_weather(\"Zürich\")"), ["grosse", "get", "weather", "zurich"]);
        assert_eq!(texts("cafe\u{301} NAÏVE e-mail v2.0"), ["cafe", "naive", "e", "mail", "v2", "0"]);
        assert_eq!(texts("Русский ТЕКСТ"), ["русский", "текст"]);
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_characters() {
        assert_eq!(texts("東京の天気 ok"), ["東", "京", "の", "天", "気", "ok"]);
        assert_eq!(texts("서울 날씨"), ["서울", "날씨"]);
    }

    /// The rule, a character after the other.
    fn plainly(text: &str) -> Vec<&str> {
        let (mut words, mut from) = (Vec::new(), None);
        let all: Vec<_> = text.char_indices().chain([(text.len(), ' ')]).collect();
        for (at, character) in all {
            let goes_on = character.is_alphanumeric() && !stands_alone(character);
            let is_part = goes_on || (from.is_some() && is_mark(character));
            if !is_part {
                words.extend(from.take().map(|from| &text[from..at]));
            }
            if stands_alone(character) && character.is_alphanumeric() {
                words.push(&text[at..at + character.len_utf8()]);
            } else if goes_on {
                from = from.or(Some(at));
            }
        }
        words
    }

    proptest! {
        #[test]
        fn words_are_what_the_rule_says(text in "(?s).{0,40}|[a-c0é\u{301} 東の_.-]{0,30}") {
            let cut: Vec<_> = words(&text).into_iter().map(|word| text[word.at].to_owned()).collect();
            prop_assert_eq!(cut, plainly(&text));
        }
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "a, cafe\u{301}!";
        let places: Vec<_> = words(text).into_iter().map(|word| &text[word.at]).collect();
        assert_eq!(places, ["a", "cafe\u{301}"]);
    }
}
