//! The description of the API: the one in the repository, and the one that is served.

use dendro::rest::{self, Pages};
use serde_json::Value;

use super::bed::Bed;

const PAGES: Pages = Pages { most: 1_000, most_spans: 50_000 };

#[test]
fn the_checked_in_description_is_the_programs() {
    let kept =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json")).unwrap_or_default();
    let built = format!("{:#}\n", rest::description(&PAGES).unwrap());
    if kept != built {
        let place = kept.lines().zip(built.lines()).position(|(kept, built)| kept != built);
        let line = place.unwrap_or_else(|| kept.lines().count().min(built.lines().count())) + 1;
        panic!("openapi.json differs from the program's at line {line}. Write it anew with `make openapi`.");
    }
}

#[tokio::test]
async fn what_is_served_is_the_same() {
    let bed = Bed::start().await;
    assert_eq!(bed.shown("/openapi.json").await, rest::description(&PAGES).unwrap());
}

/// Everything is described, and every reference leads somewhere.
#[test]
fn everything_is_described() {
    let api = rest::description(&PAGES).unwrap();
    let mut faults = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for field in ["summary", "operationId", "tags"] {
                if operation[field].is_null() {
                    faults.push(format!("{method} {path} has no {field}"));
                }
            }
            for param in operation["parameters"].as_array().into_iter().flatten() {
                if param["description"].as_str().is_none_or(str::is_empty) {
                    faults.push(format!("{method} {path}: {} is not described", param["name"]));
                }
            }
        }
    }
    for (name, schema) in api["components"]["schemas"].as_object().unwrap() {
        described(name, schema, &mut faults);
    }
    references(&api, &api, &mut faults);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn described(name: &str, schema: &Value, faults: &mut Vec<String>) {
    for part in schema["allOf"].as_array().into_iter().flatten() {
        described(name, part, faults);
    }
    for (field, of) in schema["properties"].as_object().into_iter().flatten() {
        let texts = std::iter::once(of).chain(of["anyOf"].as_array().into_iter().flatten());
        if !texts.into_iter().any(|of| of["description"].as_str().is_some_and(|text| !text.is_empty())) {
            faults.push(format!("{name}.{field} is not described"));
        }
    }
}

fn references(api: &Value, within: &Value, faults: &mut Vec<String>) {
    match within {
        Value::Object(members) => {
            if let Some(to) = members.get("$ref").and_then(Value::as_str)
                && api.pointer(to.trim_start_matches('#')).is_none()
            {
                faults.push(format!("{to} leads nowhere"));
            }
            members.values().for_each(|member| references(api, member, faults));
        }
        Value::Array(items) => items.iter().for_each(|item| references(api, item, faults)),
        _ => {}
    }
}
