//! Templates of instructions: text with `{{name}}` where the value of a variable is to stand.

use std::collections::BTreeMap;

use crate::model::Refusal;

/// The text with the values of its variables. What stands between braces and is no name stays as it is.
///
/// # Errors
/// When a variable has no value; `field` is what the refusal names.
pub fn filled(template: &str, field: &str, values: &BTreeMap<String, String>) -> Result<String, Refusal> {
    let mut text = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Variable(name) => {
                let missing = || Refusal::invalid(field, format!("the variable `{name}` has no value"));
                text.push_str(values.get(name).ok_or_else(missing)?);
            }
        }
    }
    Ok(text)
}

/// The names of a template's variables, each once, in order.
#[must_use]
pub fn variables(template: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for piece in pieces(template) {
        if let Piece::Variable(name) = piece
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = variable_at(rest) {
            rest = after;
            return Some(Piece::Variable(name));
        }
        // The braces that a variable could begin with, behind the first character.
        let skip = rest.chars().next().map_or(1, char::len_utf8);
        let length = rest.get(skip..).and_then(|text| text.find("{{")).map_or(rest.len(), |at| at + skip);
        let (text, after) = rest.split_at(length);
        rest = after;
        Some(Piece::Text(text))
    })
}

/// The variable that the text begins with, and what follows it.
fn variable_at(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix("{{")?.split_once("}}")?;
    let name = name.trim();
    let is_name = |text: &str| {
        !text.is_empty()
            && text.chars().all(|character| character.is_alphanumeric() || "_-.".contains(character))
    };
    is_name(name).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values_stand_where_their_names_stood() {
        let values = values(&[("user", "Ada"), ("day", "{{user}}")]);
        let text = filled("Hello {{ user }}, it is {{day}}. {{}} {{a b}} {x}", "prompt", &values).unwrap();
        assert_eq!(text, "Hello Ada, it is {{user}}. {{}} {{a b}} {x}");
        assert_eq!(variables("{{a}} {{ b-1.c }} {{a}} {{"), ["a", "b-1.c"]);
    }

    #[test]
    fn a_variable_without_a_value_is_named() {
        let refusal = filled("{{nobody}}", "variables", &BTreeMap::new()).unwrap_err();
        assert_eq!(refusal.to_string(), "variables: the variable `nobody` has no value");
    }

    proptest! {
        #[test]
        fn a_text_without_variables_stays_as_it_is(text in "[{} a-zäß\n]{0,40}") {
            prop_assume!(variables(&text).is_empty());
            prop_assert_eq!(filled(&text, "text", &BTreeMap::new()).unwrap(), text);
        }
    }
}
