//! What people write to look for something: words, `"phrases"`, `-words` that must not be there, and `begin*`.

use std::ops::Range;

use super::{
    SearchConfig, Texts,
    words::{LONG_WORD, Word, words},
};
use crate::model::{Refusal, search::TextKind};

/// Letters that the beginning of a word must have.
const SHORTEST_BEGINNING: usize = 2;

/// What is looked for. Everything must hold of one document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TextQuery {
    clauses: Vec<Clause>,
}

/// A word or a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Clause {
    /// Whether it must not be there.
    pub is_excluded: bool,
    /// The words, one after the other.
    pub words: Vec<String>,
    /// Whether the only word is the beginning of one.
    pub is_beginning: bool,
}

/// Where in a text something was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// The places, in bytes, in their order; none touches another.
    pub places: Vec<Range<usize>>,
    /// How many of the words and phrases that must be there are there.
    pub clauses: usize,
}

impl TextQuery {
    /// Reads a query; `field` is what a client calls it.
    ///
    /// # Errors
    /// When it is too long, asks for nothing, or says what cannot be looked for: what and where is said.
    pub fn parse(field: &str, text: &str, config: &SearchConfig) -> Result<Self, Refusal> {
        if text.len() > config.query_bytes {
            let message = format!("{} bytes are too many; {} at most", text.len(), config.query_bytes);
            return Err(Refusal::limit(field, message));
        }
        let mut clauses = Vec::new();
        for piece in pieces(text).map_err(|message| Refusal::invalid(field, message))? {
            clauses.extend(piece.clause().map_err(|message| Refusal::invalid(field, message))?);
        }
        let count: usize = clauses.iter().map(|clause: &Clause| clause.words.len()).sum();
        if count > config.query_words {
            let message = format!("{count} words are too many; {} at most", config.query_words);
            return Err(Refusal::limit(field, message));
        }
        if clauses.iter().all(|clause| clause.is_excluded) {
            let message = "needs a word that is to be there: letters or digits, without `-` before them";
            return Err(Refusal::invalid(field, message));
        }
        Ok(Self { clauses })
    }

    pub(super) fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// Whether something with these texts has what is looked for in those of some kinds (of any, where none is named):
    /// what the index answers, asked of the texts themselves.
    #[must_use]
    pub fn is_in(&self, texts: &Texts, kinds: &[TextKind]) -> bool {
        let wanted = texts.iter().filter(|(kind, _)| kinds.is_empty() || kinds.contains(kind));
        let texts: Vec<_> = wanted.map(|(_, text)| words(text)).collect();
        let is_there = |clause: &Clause| {
            let begins = |words: &[Word], from: usize| words.get(from..).and_then(|rest| clause.place(rest));
            texts.iter().any(|words| (0..words.len()).any(|from| begins(words, from).is_some()))
        };
        self.clauses.iter().all(|clause| is_there(clause) != clause.is_excluded)
    }

    /// Where in a text that is looked for stands.
    #[must_use]
    pub fn mark(&self, text: &str) -> Marks {
        let words = words(text);
        let mut marks = Marks::default();
        for clause in self.clauses.iter().filter(|clause| !clause.is_excluded) {
            let before = marks.places.len();
            marks.places.extend((0..words.len()).filter_map(|from| clause.place(words.get(from..)?)));
            marks.clauses += usize::from(marks.places.len() > before);
        }
        marks.places.sort_unstable_by_key(|place| (place.start, place.end));
        marks.places.dedup_by(|next, known| {
            let touches = next.start < known.end;
            known.end = if touches { known.end.max(next.end) } else { known.end };
            touches
        });
        marks
    }
}

impl Clause {
    /// Where it stands, if it stands at the beginning of these words.
    fn place(&self, words: &[Word]) -> Option<Range<usize>> {
        let there = words.get(..self.words.len())?;
        let is_it = |(word, wanted): (&Word, &String)| {
            // Long words are not indexed, so they are not found by their beginning.
            let begins = || word.text.starts_with(wanted) && word.text.len() < LONG_WORD;
            if self.is_beginning { begins() } else { word.text == *wanted }
        };
        let all = there.iter().zip(&self.words).all(is_it);
        all.then_some(there.first()?.at.start..there.last()?.at.end)
    }
}

/// A piece of a query, as it was written.
struct Piece<'a> {
    /// The character of the query that it begins with, from 1.
    at: usize,
    text: &'a str,
    is_excluded: bool,
    is_quoted: bool,
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '“' | '”' | '„')
}

/// Cuts a query at white space and quotes.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(pieces);
        }
        let at = text.chars().count() - rest.chars().count() + 1;
        let signed =
            rest.strip_prefix('-').filter(|rest| rest.starts_with(|next: char| !next.is_whitespace()));
        let is_excluded = signed.is_some();
        rest = signed.unwrap_or(rest);
        if let Some(quoted) = rest.strip_prefix(is_quote) {
            let Some((inside, behind)) = quoted.split_once(is_quote) else {
                return Err(format!("the quote at character {at} is not closed"));
            };
            pieces.push(Piece { at, text: inside, is_excluded, is_quoted: true });
            rest = behind;
        } else {
            let end = rest.find(|next: char| next.is_whitespace() || is_quote(next)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
            pieces.push(Piece { at, text: word, is_excluded, is_quoted: false });
            rest = behind;
        }
    }
}

impl Piece<'_> {
    /// What is to be looked for; nothing where there are only signs.
    fn clause(&self) -> Result<Option<Clause>, String> {
        let Self { at, text, is_excluded, is_quoted } = *self;
        let beginning = text.strip_suffix('*').filter(|_| !is_quoted);
        if !is_quoted && beginning.unwrap_or(text).contains('*') {
            return Err(format!(
                "the word at character {at} has a `*` in it; it can stand only at the end of a word, and in \
                 quotes means itself"
            ));
        }
        let words = words(beginning.unwrap_or(text));
        if let Some(long) = words.iter().find(|word| word.at.len() >= LONG_WORD) {
            let length = long.at.len();
            return Err(format!(
                "a word behind character {at} has {length} bytes; words of {LONG_WORD} and more are not indexed"
            ));
        }
        if beginning.is_some() {
            check_beginning(&words).map_err(|message| format!("the word at character {at} {message}"))?;
        }
        if words.is_empty() {
            return Ok(None);
        }
        let words = words.into_iter().map(|word| word.text).collect();
        Ok(Some(Clause { is_excluded, words, is_beginning: beginning.is_some() }))
    }
}

fn check_beginning(words: &[Word]) -> Result<(), String> {
    match words {
        [] => Err("is a `*` without the beginning of a word before it".to_owned()),
        [word] if word.text.chars().count() < SHORTEST_BEGINNING => {
            Err(format!("ends with `*` and needs {SHORTEST_BEGINNING} letters or digits before it"))
        }
        [_] => Ok(()),
        [.., last] => Err(format!(
            "is several words to the index, and so cannot end with `*`; put the first ones in quotes and the last \
             one, `{}*`, behind them",
            last.text
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<TextQuery, String> {
        TextQuery::parse("text", text, &SearchConfig::default()).map_err(|refusal| refusal.to_string())
    }

    fn written(query: &TextQuery) -> Vec<String> {
        let clause = |clause: &Clause| {
            let sign = if clause.is_excluded { "-" } else { "" };
            format!("{sign}{}{}", clause.words.join("+"), if clause.is_beginning { "*" } else { "" })
        };
        query.clauses.iter().map(clause).collect()
    }

    #[test]
    fn words_phrases_and_what_must_not_be_there() {
        let query = parse(" Rain, \"in  Zürich\"-snow get_weather tem* — -\"a b\" - x“y z”").unwrap();
        let expected = ["rain", "in+zurich", "-snow", "get+weather", "tem*", "-a+b", "x", "y+z"];
        assert_eq!(written(&query), expected);
    }

    #[test]
    fn what_cannot_be_looked_for_is_told() {
        for (text, told) in [
            ("", "text: needs a word that is to be there"),
            ("-a -\"b c\"", "text: needs a word that is to be there"),
            ("?! *", "text: the word at character 4 is a `*` without"),
            ("ü \"b", "text: the quote at character 3 is not closed"),
            ("a b*c", "text: the word at character 3 has a `*` in it"),
            ("a*", "text: the word at character 1 ends with `*` and needs 2 letters"),
            ("get_wea*", "one, `wea*`, behind them"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
        assert!(parse(&"a".repeat(1_001)).unwrap_err().contains("1001 bytes are too many; 1000 at most"));
        assert!(parse(&"a ".repeat(33)).unwrap_err().contains("33 words are too many; 32 at most"));
        assert!(parse(&"a".repeat(129)).unwrap_err().contains("words of 129 and more are not indexed"));
        assert!(parse(&"a".repeat(128)).is_ok());
    }

    #[test]
    fn places_are_marked_once() {
        let text = "The weather in Zürich: get_weather, weathered. In the rain.";
        let marks = parse("weath* weather \"zurich get\" -rain snow").unwrap().mark(text);
        let marked: Vec<_> = marks.places.iter().map(|place| &text[place.clone()]).collect();
        assert_eq!(marked, ["weather", "Zürich: get", "weather", "weathered"]);
        assert_eq!(marks.clauses, 3);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(query in "\\PC{0,60}|[-*\"a “”]{0,20}", text in "\\PC{0,80}|[-a *b]{0,20}") {
            if let Ok(query) = parse(&query) {
                let marks = query.mark(&text);
                for place in &marks.places {
                    prop_assert!(!text[place.clone()].is_empty());
                }
                prop_assert!(marks.places.windows(2).all(|pair| pair[0].end <= pair[1].start));
            }
        }
    }
}
