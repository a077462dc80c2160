//! The ways in which agents write a model's name, from as it was sent to what a table is likely to have.

use super::clause::alike;

/// How a name may be written in a table, the likeliest first: as it was sent, without the path before it
/// (`models/`, `openai/`), without its cloud's prefixes (`us.anthropic.`), then each with its date spelled
/// out and without its date.
pub(super) fn spellings(name: &str) -> Vec<String> {
    let short = name.rsplit('/').next().unwrap_or(name);
    let whole = [name, short, without_prefixes(short)];
    let dated = whole.iter().filter_map(|name| with_spelled_date(name));
    let undated = whole.iter().filter_map(|name| split_date(name)).map(|(name, _)| name.to_owned());
    let mut spellings: Vec<String> = Vec::new();
    for spelling in whole.map(str::to_owned).into_iter().chain(dated).chain(undated) {
        if !spelling.is_empty() && !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    }
    spellings
}

/// Without words that end in a point: `us.anthropic.claude-3-haiku` is `claude-3-haiku`, and `gpt-4.1`
/// stays, for `gpt-4` is no word.
fn without_prefixes(mut name: &str) -> &str {
    while let Some((prefix, rest)) = name.split_once('.')
        && prefix.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        name = rest;
    }
    name
}

/// `gpt-4o-20240513` as `gpt-4o-2024-05-13`.
fn with_spelled_date(name: &str) -> Option<String> {
    let (name, date) = split_date(name)?;
    let digits = date.get(1..).filter(|digits| digits.len() == 8)?;
    Some(format!("{name}-{}-{}-{}", digits.get(..4)?, digits.get(4..6)?, digits.get(6..)?))
}

/// The name and the date at its end, with the sign between them.
fn split_date(name: &str) -> Option<(&str, &str)> {
    ["-####-##-##", "-########", "@########"].iter().find_map(|shape| {
        let (name, date) = name.split_at_checked(name.len().checked_sub(shape.len())?)?;
        alike(shape.as_bytes(), date.as_bytes()).then_some((name, date))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_go_from_as_sent_to_likely() {
        assert_eq!(spellings("gpt-4.1"), ["gpt-4.1"]);
        assert_eq!(spellings("models/gemini-2.5-pro"), ["models/gemini-2.5-pro", "gemini-2.5-pro"]);
        assert_eq!(
            spellings("bedrock/us.anthropic.claude-3-haiku-20240307"),
            [
                "bedrock/us.anthropic.claude-3-haiku-20240307",
                "us.anthropic.claude-3-haiku-20240307",
                "claude-3-haiku-20240307",
                "bedrock/us.anthropic.claude-3-haiku-2024-03-07",
                "us.anthropic.claude-3-haiku-2024-03-07",
                "claude-3-haiku-2024-03-07",
                "bedrock/us.anthropic.claude-3-haiku",
                "us.anthropic.claude-3-haiku",
                "claude-3-haiku",
            ]
        );
        assert_eq!(spellings("o3-2025-04-16"), ["o3-2025-04-16", "o3"]);
        assert_eq!(spellings("claude-x@20250101")[2], "claude-x");
    }

    #[test]
    fn odd_names_are_no_trouble() {
        assert_eq!(spellings("/"), ["/"]);
        assert!(spellings("").is_empty());
        assert_eq!(spellings("-20240513"), ["-20240513", "-2024-05-13"]);
        assert_eq!(spellings("é-2024051"), ["é-2024051"]);
        assert_eq!(spellings("a."), ["a."]);
    }
}
