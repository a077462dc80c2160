//! The page on OpenTelemetry says what the tables of the conventions say.

use std::{fs, path::Path};

/// The texts in the tables of a module: constants that end with a line `];`.
fn words<'a>(source: &'a str, tables: &[&str]) -> Vec<&'a str> {
    let begins = |table: &&str| source.find(&format!("\npub(super) const {table}: "));
    let table = |begin: usize| source[begin..].split("\n];").next().unwrap();
    let texts = |table: &'a str| table.split('"').skip(1).step_by(2);
    tables.iter().filter_map(begins).map(table).flat_map(texts).collect()
}

#[test]
fn every_attribute_that_is_asked_is_on_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/opentelemetry.md")).unwrap();
    let (mut count, mut missing) = (0, Vec::new());
    for file in fs::read_dir(root.join("src/semconv")).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        let names = words(&source, &["FIELDS", "OPERATIONS"]).into_iter().map(|name| format!("`{name}`"));
        let lists = words(&source, &["LISTS"]).into_iter().map(|name| format!("`{name}.N.…`"));
        let all: Vec<_> = names.chain(lists).collect();
        count += all.len();
        missing.extend(all.into_iter().filter(|name| !page.contains(name)));
    }
    assert!(count > 250, "only {count} names were found in src/semconv");
    assert!(missing.is_empty(), "docs/opentelemetry.md does not name {missing:?}");
}
