//! Names of tools: which are ones, which are near to another, and how a server's own becomes one.

use std::collections::HashSet;

/// Characters of a name at most: what the providers of models take.
pub(super) const MAX_NAME: usize = 64;

/// Names that are told when another is not there.
const NEAREST: usize = 3;

/// Whether a text is a name: letters, digits, `_` and `-`, at most [`MAX_NAME`].
pub(super) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.chars().all(is_allowed)
}

const fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// The name of a server's tool: both with `_` for what a name cannot hold, cut to [`MAX_NAME`], and with
/// a number at its end where it is taken.
pub(super) fn of_server(server: &str, tool: &str, taken: &HashSet<String>) -> String {
    let clean = |text: &str| -> String {
        text.chars().map(|character| if is_allowed(character) { character } else { '_' }).collect()
    };
    let whole = format!("{}_{}", clean(server), clean(tool));
    let cut = |length: usize| whole.chars().take(length).collect::<String>();
    let mut name = cut(MAX_NAME);
    let mut number = 2_usize;
    while taken.contains(&name) {
        let end = format!("_{number}");
        name = cut(MAX_NAME.saturating_sub(end.len())) + &end;
        number = number.saturating_add(1);
    }
    name
}

/// The names most like `wanted`, the nearest first; those that have little in common are left out.
pub(super) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: String = wanted.chars().take(MAX_NAME).flat_map(char::to_lowercase).collect();
    let mut near: Vec<_> = names
        .map(|name| {
            let lower = name.to_ascii_lowercase();
            let is_part =
                wanted.len() > 2 && (lower.contains(wanted.as_str()) || wanted.contains(lower.as_str()));
            (if is_part { 1 } else { distance(&wanted, &lower) }, name)
        })
        .filter(|(distance, name)| *distance <= name.len().max(wanted.len()) / 2)
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).take(NEAREST).collect()
}

/// How many characters are to be changed, added or taken away (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, one) in from.chars().enumerate() {
        let mut left = line.saturating_add(1);
        let mut corner = line;
        for (above, other) in row.iter_mut().skip(1).zip(&to) {
            let changed = corner.saturating_add(usize::from(one != *other));
            corner = *above;
            left = changed.min(left.saturating_add(1)).min(above.saturating_add(1));
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = line.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_calls_its_tools_becomes_a_name() {
        let mut taken = HashSet::new();
        for (tool, name) in [
            ("read.file", "files_read_file"),
            ("read/file", "files_read_file_2"),
            ("größe", "files_gr__e"),
            ("", "files_"),
        ] {
            assert_eq!(of_server("files", tool, &taken), name);
            taken.insert(name.to_owned());
        }
        let long = of_server("files", &"x".repeat(100), &taken);
        assert_eq!(long.len(), MAX_NAME);
        taken.insert(long.clone());
        let second = of_server("files", &"x".repeat(100), &taken);
        assert!(second.ends_with("x_2") && is_name(&second) && second != long);
    }

    #[test]
    fn the_nearest_names_are_told() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        let names = ["calculator", "current_time", "read_url", "files_read"];
        let near = |wanted| nearest(wanted, names.into_iter());
        assert_eq!(near("Calculater"), ["calculator"]);
        assert_eq!(near("time"), ["current_time"]);
        assert_eq!(near("readurl"), ["read_url"]);
        assert!(near("zzzzzz").is_empty());
    }
}
