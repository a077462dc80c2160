//! Which names an entry goes by: patterns, and their combinations.

use serde::Deserialize;

/// A condition that a name meets or does not. Names come in lower case.
#[derive(Debug)]
pub(super) enum Clause {
    Text(Pattern),
    Any(Box<[Clause]>),
    All(Box<[Clause]>),
    Not(Box<Clause>),
}

/// A condition as it is written in a file.
#[derive(Deserialize)]
#[serde(untagged, expecting = "is not a text, a list, {\"all\": […]} or {\"not\": …}")]
pub(super) enum WrittenClause {
    Text(String),
    Any(Vec<WrittenClause>),
    All { all: Vec<WrittenClause> },
    Not { not: Box<WrittenClause> },
}

/// A text with a `#` for each digit, and what may surround it.
#[derive(Debug)]
pub(super) struct Pattern {
    text: Box<str>,
    more_before: bool,
    more_after: bool,
}

impl Clause {
    /// The clause that a file has, or what is wrong with it.
    pub(super) fn new(written: WrittenClause) -> Result<Self, String> {
        let each = |clauses: Vec<WrittenClause>| clauses.into_iter().map(Self::new).collect::<Result<_, _>>();
        Ok(match written {
            WrittenClause::Text(text) => Self::Text(Pattern::new(&text)?),
            WrittenClause::Any(clauses) => Self::Any(each(clauses)?),
            WrittenClause::All { all } => Self::All(each(all)?),
            WrittenClause::Not { not } => Self::Not(Box::new(Self::new(*not)?)),
        })
    }

    /// The clause that only this name meets.
    pub(super) fn exactly(name: &str) -> Self {
        Self::Text(Pattern { text: name.to_lowercase().into(), more_before: false, more_after: false })
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Text(pattern) => pattern.matches(name),
            Self::Any(clauses) => clauses.iter().any(|clause| clause.matches(name)),
            Self::All(clauses) => clauses.iter().all(|clause| clause.matches(name)),
            Self::Not(clause) => !clause.matches(name),
        }
    }
}

impl Pattern {
    fn new(written: &str) -> Result<Self, String> {
        let after_start = written.strip_prefix('*');
        let rest = after_start.unwrap_or(written);
        let before_end = rest.strip_suffix('*');
        let text = before_end.unwrap_or(rest);
        if text.is_empty() || text.contains('*') {
            return Err(format!("`{written}` is not a text with `*` only at its ends"));
        }
        Ok(Self {
            text: text.to_lowercase().into(),
            more_before: after_start.is_some(),
            more_after: before_end.is_some(),
        })
    }

    fn matches(&self, name: &str) -> bool {
        let (text, name) = (self.text.as_bytes(), name.as_bytes());
        let Some(more) = name.len().checked_sub(text.len()) else { return false };
        match (self.more_before, self.more_after) {
            (false, false) => more == 0 && alike(text, name),
            (false, true) => alike(text, name),
            (true, false) => name.get(more..).is_some_and(|end| alike(text, end)),
            (true, true) => name.windows(text.len()).any(|part| alike(text, part)),
        }
    }
}

/// Whether a name begins as a pattern says, `#` standing for a digit. The name is no shorter.
pub(super) fn alike(pattern: &[u8], name: &[u8]) -> bool {
    pattern.iter().zip(name).all(|(&wanted, &is)| wanted == is || (wanted == b'#' && is.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(json: &str) -> Result<Clause, String> {
        Clause::new(serde_json::from_str(json).map_err(|error| error.to_string())?)
    }

    #[test]
    fn patterns_match_whole_names_unless_they_are_open() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            (r#""GPT-4o""#, &["gpt-4o"], &["gpt-4o-mini", "gpt-4", "", "a gpt-4o"]),
            (r#""o1*""#, &["o1", "o1-mini"], &["o", "go1"]),
            (r#""*/kimi""#, &["x/kimi", "/kimi"], &["kimi", "x/kimi-k2"]),
            (r#""*claude*""#, &["claude", "us.anthropic.claude-3"], &["claud", "cl-aude"]),
            (r#""o3-####-##""#, &["o3-2025-04"], &["o3-2025-4a", "o3-2025-04-16"]),
            (r#"["a", "b*"]"#, &["a", "bc"], &["ac"]),
            (
                r#"{"all": ["g*", {"not": ["*-tts", "*-tts-*"]}]}"#,
                &["g", "g-ttsx"],
                &["g-tts", "g-tts-1", "h"],
            ),
        ];
        for (json, yes, no) in cases {
            let clause = clause(json).unwrap();
            assert!(yes.iter().all(|name| clause.matches(name)), "{json} and {yes:?}");
            assert!(!no.iter().any(|name| clause.matches(name)), "{json} and {no:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for json in [r#""""#, r#""*""#, r#""**""#, r#""a*b""#, r#"["a", ""]"#] {
            assert!(clause(json).unwrap_err().contains("`*` only at its ends"), "{json}");
        }
        assert_eq!(
            clause(r#"{"none": []}"#).unwrap_err(),
            r#"is not a text, a list, {"all": […]} or {"not": …}"#
        );
    }
}
