//! Data flows one way: `{graphql, rest, http, otlp} → service → store → engine`, and everything may use
//! `model`, which uses nothing. This reads the paths in the sources and holds the arrows.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What each part of the crate may use, besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    // Values as JSON has them, for all who read and write them.
    ("written", &["model"]),
    // What attributes mean is as pure as the model.
    ("semconv", &["model"]),
    ("engine", &[]),
    ("store", &["engine", "model"]),
    // Of the store only who is told of commits, and of what: see `FEW`.
    ("live", &["model", "store"]),
    // Words and where they stand, whatever they are of.
    ("search", &["model"]),
    ("service", &["live", "llm", "model", "search", "semconv", "store", "tools", "written"]),
    ("graphql", &["config", "model", "semconv", "service", "written"]),
    ("http", &["config", "graphql"]),
    ("otlp", &["model", "semconv", "service"]),
    // Columns and values, whatever they are of.
    ("export", &["model", "service"]),
    ("rest", &["export", "model", "service", "written"]),
    // Sections of the configuration are the limits that those whom it configures declare.
    ("config", &["engine", "graphql", "llm", "model", "otlp", "search", "service", "store", "tools"]),
    ("llm", &["model"]),
    // A demo brings what its models say and its tools, as a program around Dendro would.
    ("demo", &["llm", "model", "service", "tools"]),
    ("tools", &["model"]),
    ("app", ALL),
    ("cli", AND_APP),
    ("lib", AND_APP),
    ("main", &["app", "cli"]),
];

const ALL: &[&str] = &[
    "config", "engine", "export", "graphql", "http", "live", "llm", "model", "otlp", "rest", "search",
    "semconv", "service", "store", "tools", "written",
];

const AND_APP: &[&str] = &[
    "app", "cli", "config", "demo", "engine", "export", "graphql", "http", "live", "llm", "model", "otlp",
    "rest", "search", "semconv", "service", "store", "tools", "written",
];

/// Where only a few names of a part may be used.
const FEW: &[(&str, &str, &[&str])] = &[
    ("live", "store", &["Observer", "Touched"]),
    ("graphql", "config", &["limits"]),
    ("config", "graphql", &["page"]),
    ("config", "search", &["SearchConfig"]),
    ("config", "tools", &["ToolsConfig", "WrongSetting"]),
    ("config", "llm", &["Models", "ModelsConfig"]),
    ("config", "engine", &["EngineConfig", "EngineKind", "MAX_KEY_BYTES", "MAX_VALUE_BYTES"]),
];

/// A path in the sources: `crate::part::name`.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    line: usize,
    part: String,
    /// What follows the part, where that is one name.
    name: Option<String>,
}

#[test]
fn every_path_goes_along_an_arrow() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut faults = Vec::new();
    for file in rust_files(&sources) {
        let inside = file.strip_prefix(&sources).unwrap();
        let modules = modules(inside);
        let part = modules.first().map_or("lib", String::as_str);
        let Some(allowed) = allowed.get(part) else {
            faults.push(format!("src/{}: `{part}` has no line in MAY_USE", inside.display()));
            continue;
        };
        for used in uses(&fs::read_to_string(&file).unwrap(), &modules) {
            let few = FEW.iter().find(|(from, to, _)| *from == part && *to == used.part);
            let named = |names: &[&str]| used.name.as_deref().is_some_and(|name| names.contains(&name));
            let wrong = used.part != part
                && MAY_USE.iter().any(|(known, _)| *known == used.part)
                && (!allowed.contains(&used.part.as_str()) || few.is_some_and(|(.., names)| !named(names)));
            if wrong {
                let Use { line, part: to, name } = &used;
                let name = name.as_ref().map(|name| format!(" (`{name}`)")).unwrap_or_default();
                faults.push(format!("src/{}:{line}: {part} → {to}{name} is no arrow", inside.display()));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The modules that a file is in: `store/spans/mod.rs` is `store`, `spans`.
fn modules(file: &Path) -> Vec<String> {
    let mut modules: Vec<_> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if modules.last().is_some_and(|last| ["mod", "lib"].contains(&last.as_str())) {
        modules.pop();
    }
    modules
}

/// The paths in a source that begin at the crate's root, by `crate::` or by enough `super::`.
fn uses(source: &str, modules: &[String]) -> Vec<Use> {
    let code = without_comments_and_texts(source);
    let mut uses = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = &code[..at];
            if before.ends_with(|character: char| character.is_alphanumeric() || character == '_')
                || (start == "super::" && before.ends_with("super::"))
            {
                continue;
            }
            let mut rest = &code[at + start.len()..];
            let mut ups = usize::from(start == "super::");
            while let Some(further) = rest.strip_prefix("super::") {
                (rest, ups) = (further, ups + 1);
            }
            if start == "crate::" || ups == modules.len() {
                uses.extend(first_names(rest).into_iter().map(|(part, name)| Use {
                    line: line_of(&code, name.unwrap_or(part)),
                    part: part.to_owned(),
                    name: name.map(str::to_owned),
                }));
            }
        }
    }
    uses
}

/// The line in which a piece of `code` stands.
fn line_of(code: &str, piece: &str) -> usize {
    let at = piece.as_ptr() as usize - code.as_ptr() as usize;
    code[..at].matches('\n').count() + 1
}

/// The first name, and the second where there is one, of every path in `a::b` or `{a::b, c::{d, e}}`.
fn first_names(rest: &str) -> Vec<(&str, Option<&str>)> {
    let rest = rest.trim_start();
    if rest.starts_with('{') {
        return members(rest)
            .into_iter()
            .flat_map(first_names)
            .filter(|(name, _)| !name.is_empty())
            .collect();
    }
    let part = name_at(rest);
    match rest[part.len()..].strip_prefix("::").map(str::trim_start) {
        Some(group) if group.starts_with('{') => {
            first_names(group).into_iter().map(|(name, _)| (part, Some(name))).collect()
        }
        inner => vec![(part, inner.map(name_at))],
    }
}

/// The members of the group that `rest` begins with.
fn members(rest: &str) -> Vec<&str> {
    let (mut members, mut depth, mut from) = (Vec::new(), 0, 1);
    for (at, character) in rest.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && character == ',') {
            members.push(&rest[from..at]);
            from = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    members
}

fn name_at(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_alphanumeric() && character != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The source with its comments and texts blanked, its lines as they were.
fn without_comments_and_texts(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_text(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            rest[hashes + 2..].find(&end).map_or(rest.len(), |at| hashes + 2 + at + end.len())
        } else if first == '"' {
            closing(rest, '"')
        } else if first == '\'' && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            closing(rest, '\'')
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(rest[..length].chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    code
}

/// For `r"…"` and `r#"…"#`: how many `#` it has.
fn raw_text(rest: &str) -> Option<usize> {
    let hashes = rest.strip_prefix('r')?;
    let text = hashes.trim_start_matches('#');
    text.starts_with('"').then_some(hashes.len() - text.len())
}

/// The length of a text that begins with `quote` and ends with the next one that is not escaped.
fn closing(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let source = r##"
//! [`crate::engine::Tree`] in a comment
use crate::{
    model::{SpanId, summary::Summary},
    store::Store,
};
use super::super::live::{Hub, Topic};
const TEXT: &str = "crate::http"; const QUOTE: char = '"'; const RAW: &str = r#"" crate::otlp"#;
fn name<'a>(of: &'a crate::graphql::Name) -> &'a str { super::cache::slot(of) }
"##;
    let found = uses(source, &["store".to_owned(), "spans".to_owned()]);
    let found: Vec<_> = found
        .iter()
        .map(|used| (used.line, used.part.as_str(), used.name.as_deref().unwrap_or("")))
        .collect();
    let expected = [
        (4, "model", "SpanId"),
        (4, "model", "summary"),
        (5, "store", "Store"),
        (9, "graphql", "Name"),
        (7, "live", "Hub"),
        (7, "live", "Topic"),
    ];
    assert_eq!(found, expected);
}
