//! What the guard lets pass and what it refuses, on a small schema of traces and spans.

use std::{fmt::Write, time::Instant};

use async_graphql::Variables;
use serde_json::json;

use super::*;

const SDL: &str = "
    schema { query: Query mutation: Mutation subscription: Subscription }
    scalar JSON
    interface Node { id: ID! }
    type Query {
        trace(id: ID!): Trace
        traces(first: Int = 20, after: String): TraceConnection!
        nodes(ids: [ID!]!): [Node]!
        me: Me!
    }
    type Me { me: Me! name: String! }
    type Mutation { record(input: JSON): Trace! }
    type Subscription { spans(trace: ID!, after: String): Span! }
    type TraceConnection { edges: [TraceEdge!]! nodes: [Trace!]! pageInfo: Boolean! }
    type TraceEdge { node: Trace! cursor: String! }
    type Trace implements Node { id: ID! name: String spans: [Span!]! rootSpans: [Span!]! }
    type Span implements Node { id: ID! name(prefix: JSON): String children: [Span!]! parent: Span trace: Trace! }
";

fn guard() -> Guard {
    let selection = SelectionLimits { assumed_items: 20, ..SelectionLimits::default() };
    Guard::new(SDL, &[], DocumentLimits::default(), selection).unwrap()
}

fn admit_with(source: &str, variables: serde_json::Value) -> Result<Admitted, GuardError> {
    guard().admit(source, None, &Variables::from_json(variables))
}

fn admit(source: &str) -> Result<Admitted, GuardError> {
    admit_with(source, json!({}))
}

fn cost(source: &str) -> u64 {
    admit(source).unwrap().cost
}

fn refusal(source: &str) -> GuardError {
    admit(source).unwrap_err()
}

#[test]
fn pages_multiply_what_is_below_them() {
    assert_eq!(cost("{ trace(id: 1) { id name } }"), 3);
    assert_eq!(cost("{ traces(first: 7) { nodes { id name } } }"), 1 + 1 + 7 * 2);
    assert_eq!(cost("{ traces(last: 7) { edges { cursor node { id } } } }"), 1 + 1 + 7 * 3);
    assert_eq!(cost("{ traces { nodes { id } } }"), 1 + 1 + 20, "the schema's default page");
    assert_eq!(
        cost("{ traces(first: 2000000000) { nodes { id } } }"),
        1 + 1 + 50_000,
        "the field refuses it"
    );
    assert_eq!(cost("{ traces(first: -1) { nodes { id } } }"), 2, "the field refuses it");
    assert_eq!(cost("{ traces(first: 7) { pageInfo } }"), 2);
}

#[test]
fn pages_and_switches_may_be_variables() {
    let query = "query($n: Int = 3, $full: Boolean!) {
        traces(first: $n) { nodes { id name @include(if: $full) } } }";
    assert_eq!(admit_with(query, json!({"full": true})).unwrap().cost, 2 + 3 * 2);
    assert_eq!(admit_with(query, json!({"full": false})).unwrap().cost, 2 + 3);
    assert_eq!(admit_with(query, json!({"full": false, "n": 9})).unwrap().cost, 2 + 9);
}

#[test]
fn a_fragment_costs_what_its_place_makes_it_cost() {
    let query = "{ a: traces(first: 2) { ...F } b: traces(first: 5) { ...F } }
        fragment F on TraceConnection { nodes { ...G } }
        fragment G on Trace { id name }";
    assert_eq!(cost(query), (2 + 2 * 2) + (2 + 5 * 2));
}

#[test]
fn unpaged_lists_are_assumed_and_ids_counted() {
    assert_eq!(cost("{ trace(id: 1) { spans { id } } }"), 2 + 20);
    assert_eq!(cost("{ nodes(ids: [1, 2, 3]) { id } }"), 1 + 3);
}

#[test]
fn levels_of_a_tree_add_and_do_not_multiply() {
    let levels = |n: usize| {
        let open = "children { id ".repeat(n);
        format!("{{ trace(id: 1) {{ rootSpans {{ id {open} {} }} }} }}", "} ".repeat(n))
    };
    assert_eq!(cost(&levels(1)), 2 + 20 * 3);
    assert_eq!(cost(&levels(20)), 2 + 20 * (1 + 2 * 20));
    let zigzag = "parent { children { ".repeat(4);
    let source = format!("{{ trace(id: 1) {{ spans {{ {zigzag} id {} }} }} }}", "} } ".repeat(4));
    assert_eq!(refusal(&source).fault, Fault::Limit, "each child is met once for every sibling");
}

#[test]
fn weights_say_what_the_schema_does_not() {
    let weights = [FieldWeight { field: "Trace.spans".to_owned(), items: Some(500), cost: Some(4) }];
    let guard = Guard::new(SDL, &weights, DocumentLimits::default(), SelectionLimits::default()).unwrap();
    let admitted = guard.admit("{ trace(id: 1) { spans { id } } }", None, &Variables::default());
    assert_eq!(admitted.unwrap().cost, 1 + 4 + 500);
}

/// Each fragment spreads the next one twice: written out, twice as much for every 30 bytes.
fn chained(levels: usize) -> String {
    let mut source = "{me{...A0}}".to_owned();
    for level in 0..levels {
        let next = level + 1;
        write!(source, "fragment A{level} on Me{{me{{...A{next}}}...A{next}}}").unwrap();
    }
    write!(source, "fragment A{levels} on Me{{name}}").unwrap();
    source
}

#[test]
fn chained_fragments_are_refused_at_once() {
    for levels in [22, 30, 45, 500] {
        let source = chained(levels);
        let start = Instant::now();
        let error = refusal(&source);
        let took = start.elapsed();
        assert_eq!(error.fault, Fault::Limit);
        assert!(took.as_millis() < 1_000, "{} bytes took {took:?}", source.len());
    }
}

#[test]
fn cycles_and_single_roots_are_checked() {
    let error = refusal("{ me { ...A } } fragment A on Me { me { ...B } } fragment B on Me { ...A }");
    assert_eq!(error.fault, Fault::Invalid);
    assert!(error.message.contains("spreads itself"), "{error}");
    let unused = refusal("{ me { name } } fragment A on Me { ...A }");
    assert_eq!(unused.fault, Fault::Invalid);
    for many in [
        "subscription { a: spans(trace: 1) { id } b: spans(trace: 1) { id } }",
        "subscription { spans(trace: 1) { id } ...F } fragment F on Subscription { b: spans(trace: 2) { id } }",
        "subscription { __typename }",
    ] {
        assert_eq!(refusal(many).fault, Fault::Invalid, "{many}");
    }
    assert!(admit("subscription { ...F } fragment F on Subscription { spans(trace: 1) { id } }").is_ok());
}

#[test]
fn every_limit_names_itself() {
    let many = |part: &str, n: usize| format!("{{ me {{ {} }} }}", part.repeat(n));
    let aliases: String = (0..201).fold(String::new(), |all, n| all + &format!("a{n}: name "));
    let cases = [
        (format!("{{ me {{ {aliases} }} }}"), "200 aliases"),
        (many("name @skip(if: false) ", 101), "100 directives"),
        (format!("{{ {} }}", "me { name } ".repeat(51)), "50 fields at the root"),
        (format!("{{ {}name{} }}", "me{".repeat(51), "}".repeat(51)), "deeper than 50"),
        (format!("{{{}a{}}}", "a{".repeat(64), "}".repeat(64)), "brackets nested deeper than 64"),
        (many("name ", 10_001), "10000 tokens"),
        (format!("# {}\n{{ me {{ name }} }}", "x".repeat(128 << 10)), "bytes"),
        (
            format!("{{ me {{ {} }} }} fragment F on Me {{ {} }}", "...F ".repeat(60), "name ".repeat(200)),
            "10000 fields",
        ),
        (
            "{ traces(first: 2000) { nodes { spans { children { trace { spans { id name } } } } } } }"
                .to_owned(),
            "1000000 is the most",
        ),
    ];
    for (source, said) in cases {
        let error = refusal(&source);
        assert_eq!(error.fault, Fault::Limit, "{said}: {error}");
        assert!(error.message.contains(said), "{said}: {error}");
    }
}

#[test]
fn a_large_variable_is_paid_for_wherever_it_is_used() {
    let large = json!({ "v": vec![0; 300_000] });
    let once = "mutation($v: JSON) { record(input: $v) { id } }";
    assert_eq!(admit_with(once, large.clone()).unwrap().cost, 2 + 300_001 / 16);
    let uses = "name(prefix: $v) ".repeat(10);
    let often = format!("query($v: JSON) {{ trace(id: 1) {{ spans {{ {uses} }} }} }}");
    let error = admit_with(&often, large).unwrap_err();
    assert!(error.message.contains("large variable"), "{error}");
}

#[test]
fn the_operation_is_chosen_by_name() {
    let two = "query A { me { name } } mutation B { record { id } }";
    let choose = |name: Option<&str>| guard().admit(two, name, &Variables::default());
    assert_eq!(choose(Some("A")).unwrap().operation, OperationType::Query);
    assert_eq!(choose(Some("B")).unwrap().operation, OperationType::Mutation);
    assert_eq!(choose(Some("C")).unwrap_err().fault, Fault::Operation);
    assert_eq!(choose(None).unwrap_err().fault, Fault::Operation);
}

#[test]
fn a_required_variable_must_be_there() {
    let query = "query($id: ID!, $n: Int! = 3) { trace(id: $id) { id } traces(first: $n) { pageInfo } }";
    assert!(admit_with(query, json!({"id": "1"})).is_ok());
    for variables in [json!({}), json!({"id": null}), json!({"id": "1", "n": null})] {
        let error = admit_with(query, variables).unwrap_err();
        assert_eq!(error.fault, Fault::Variable);
        assert!(error.message.contains("must have a value"), "{error}");
    }
}

#[test]
fn a_syntax_error_does_not_quote_the_document() {
    let source = format!("{{ me {{ name(x: \"{}\" }} }}", "secret".repeat(1000));
    let error = refusal(&source);
    assert_eq!(error.fault, Fault::Syntax);
    assert!(error.message.len() < 200 && !error.message.contains("secret"), "{error}");
    assert_eq!(error.locations.len(), 1);
    assert!(refusal("").message.starts_with("Syntax error: expected"));
}

#[test]
fn introspection_does_not_go_round() {
    let nested = |n: usize| {
        let around = "...F".repeat(n.min(1));
        let rounds = "possibleTypes { fields { type { ".repeat(n);
        let ends = "} } } ".repeat(n);
        format!(
            "{{ __type(name: \"Node\") {{ name {around} }} }} fragment F on __Type {{ {rounds} name {ends} }}"
        )
    };
    assert!(admit(&nested(1)).is_ok());
    assert!(refusal(&nested(2)).message.contains("__type nests lists of types deeper than 2"));
    let own = "{ trace(id: 1) { fields { fields { fields } } } }";
    assert!(admit(own).is_ok(), "such names elsewhere are not meant");
}

#[test]
fn introspection_passes() {
    let admitted = admit(include_str!("../../../tests/suite/http/introspection.graphql")).unwrap();
    assert!(admitted.cost < 100_000, "{}", admitted.cost);
}
