//! The guard as a client meets it, with the library's validation behind it.

use std::{fmt::Write, time::Instant};

use serde_json::json;

use super::server::{Server, post};

fn chained(levels: usize) -> String {
    let mut source = "{tree{...A0}}".to_owned();
    for level in 0..levels {
        let next = level + 1;
        write!(source, "fragment A{level} on Tree{{child{{...A{next}}}...A{next}}}").unwrap();
    }
    write!(source, "fragment A{levels} on Tree{{depth}}").unwrap();
    source
}

#[tokio::test]
async fn chained_fragments_are_refused_within_50_ms() {
    let server = Server::start().await;
    post(&server, json!({ "query": "{ hello }" })).await;
    let source = chained(20);
    assert!(source.len() < 1100, "{}", source.len());
    let start = Instant::now();
    let answer = post(&server, json!({ "query": source })).await;
    let took = start.elapsed();
    assert_eq!((answer.status, answer.code()), (400, "QUERY_TOO_COMPLEX"));
    assert!(took.as_millis() < 50, "{took:?}");
}

#[tokio::test]
async fn the_full_introspection_query_passes() {
    let server = Server::start().await;
    let answer = post(&server, json!({ "query": include_str!("introspection.graphql") })).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert!(answer.body["data"]["__schema"]["types"].as_array().unwrap().len() > 10);
}

#[tokio::test]
async fn the_deepest_query_that_is_let_in_is_answered() {
    let server = Server::start().await;
    let deep = |levels: usize| {
        format!("{{ tree {{ {} depth {} }} }}", "child { ".repeat(levels), "}".repeat(levels))
    };
    let answer = post(&server, json!({ "query": deep(48) })).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let refused = post(&server, json!({ "query": deep(52) })).await;
    assert_eq!(refused.code(), "QUERY_TOO_COMPLEX");
}

/// Documents that pass the guard's limits just so must not keep the library busy for long.
#[tokio::test]
async fn the_worst_that_passes_is_validated_in_time() {
    let server = Server::start().await;
    let fragments = (0..60).fold(String::new(), |mut all, n| {
        let next = (n + 1) % 61;
        write!(all, "fragment F{n} on Tree {{ {} ...F{next} }} ", "depth(x: 1) depth ".repeat(2)).unwrap();
        all
    });
    let flat = "hello(name: \"a\") hello(name: \"b\") ".repeat(25);
    let sets = "child { ...F0 } ".repeat(35);
    let wrapped = |inner: &str| format!("{{ {} {inner} {} }}", "...{ ".repeat(45), "}".repeat(45));
    for source in [
        wrapped(&"hello hello(name: \"x\") ".repeat(24)),
        format!("{{ tree {} }}", wrapped(&"depth depth(x: 1) ".repeat(1_350))),
        format!("{{ tree {{ {} }} }}", "depth depth: depth ".repeat(100)),
        format!("{{ {flat} }}"),
        format!("{{ tree {{ {sets} }} }} {fragments} fragment F60 on Tree {{ depth }}"),
        format!("{{ tree {{ {} }} }}", "nope ".repeat(9_000)),
        format!("{{ hello(name: [{}]) }}", "1 ".repeat(9_000)),
        format!("query({}) {{ hello }}", "$a: Int ".repeat(2_400)),
    ] {
        let start = Instant::now();
        let answer = post(&server, json!({ "query": source })).await;
        let took = start.elapsed();
        assert!(took.as_secs_f32() < 3.0, "{took:?} for {}", &source[..60]);
        assert!(answer.body["errors"].as_array().is_none_or(|errors| errors.len() <= 20));
        println!("{took:?} {} {}", answer.code(), &source[..60]);
    }
}
