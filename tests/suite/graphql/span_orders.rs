//! Spans in every order: the same are found, and they stand as they would if all were read and put in order.

use std::collections::HashMap;

use dendro::service::query::QueryLimits;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::moment;
use crate::support::{Server, property};

/// A span: its parent (by its number; there may be no such, and spans may stand in a circle), its start, and what it
/// tells.
#[derive(Debug, Clone)]
struct Sample {
    parent: Option<usize>,
    start: i64,
    duration: Option<i64>,
    cents: Option<i64>,
    tokens: Option<i64>,
    is_call: bool,
    tier: i64,
}

#[derive(Debug, Clone)]
struct Traced {
    start: i64,
    is_over: bool,
    spans: Vec<Sample>,
}

fn sample() -> impl Strategy<Value = Sample> {
    let few = || prop::option::of(0_i64..3);
    (prop::option::of(0_usize..7), 0_i64..4, few(), few(), few(), any::<bool>(), 0_i64..3).prop_map(
        |(parent, start, duration, cents, tokens, is_call, tier)| Sample {
            parent,
            start,
            duration,
            cents,
            tokens,
            is_call,
            tier,
        },
    )
}

fn traces() -> impl Strategy<Value = Vec<Traced>> {
    let spans = prop::collection::vec(sample(), 0..6);
    let trace = (0_i64..3, any::<bool>(), spans);
    prop::collection::vec(trace.prop_map(|(start, is_over, spans)| Traced { start, is_over, spans }), 1..5)
}

fn trace_id(trace: usize) -> String {
    format!("00000000-0000-4000-9000-{trace:012}")
}

fn span_id(trace: usize, span: usize) -> String {
    format!("00000000-0000-4000-8000-{trace:06}{span:06}")
}

async fn record(server: &Server, traces: &[Traced]) {
    const START: &str =
        "mutation($input: StartTraceInput!) { startTrace(input: $input) { refusal { message } } }";
    const SPANS: &str = "mutation($spans: [CreateSpanInput!]!) {
      createSpans(input: {spans: $spans}) { results { refusal { message } } } }";
    const END: &str =
        "mutation($input: CompleteTraceInput!) { completeTrace(input: $input) { refusal { message } } }";
    for (number, trace) in traces.iter().enumerate() {
        let id = trace_id(number);
        server.data(START, json!({"input": {"traceId": id, "startTime": moment(trace.start)}})).await;
        let input = |(place, span): (usize, &Sample)| {
            json!({
                "traceId": id, "spanId": span_id(number, place), "name": "span",
                "parentSpanId": span.parent.filter(|parent| *parent != place).map(|parent| span_id(number, parent)),
                "operationType": if span.is_call { "LLM_CALL" } else { "AGENT" },
                "startTime": moment(span.start),
                "endTime": span.duration.map(|duration| moment(span.start + duration)),
                "costUsd": span.cents.map(|cents| cents as f64 / 100.0),
                "tokens": span.tokens.map(|tokens| json!({"input": tokens})),
                "attributes": {"tier": span.tier},
            })
        };
        let spans: Vec<_> = trace.spans.iter().enumerate().map(input).collect();
        if !spans.is_empty() {
            let made = server.data(SPANS, json!({"spans": spans})).await;
            let results = made["createSpans"]["results"].as_array().unwrap();
            assert!(results.iter().all(|result| result["refusal"].is_null()), "{made}");
        }
        if trace.is_over {
            server.data(END, json!({"input": {"traceId": id, "endTime": moment(9)}})).await;
        }
    }
}

const QUERY: &str =
    "query($where: SpanWhere, $traces: TraceWhere, $order: SpanOrderInput, $first: Int, $after: String) {
  querySpans(where: $where, traces: $traces, orderBy: $order, first: $first, after: $after) {
    nodes { spanId traceId placement depth } pageInfo { hasNextPage endCursor } } }";

/// The spans that a query finds, page by page.
async fn found(server: &Server, asked: &Value, first: usize) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut variables = asked.clone();
        (variables["first"], variables["after"]) = (json!(first), after.clone());
        let page = server.data(QUERY, variables).await["querySpans"].clone();
        let nodes = page["nodes"].as_array().unwrap();
        assert!(nodes.len() <= first);
        ids.extend(nodes.iter().map(|node| node["spanId"].as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            return ids;
        }
        assert_ne!(page["pageInfo"]["endCursor"], after, "a page that does not go on");
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// A span as it stands, with what it is ordered by.
#[derive(Debug, Clone)]
struct Stored {
    id: String,
    trace: String,
    start: String,
    figures: HashMap<&'static str, Option<f64>>,
}

/// All spans, those of the trace that started first before the others, and of each trace as its tree has them.
async fn stored(server: &Server) -> Vec<Stored> {
    let read = server
        .data(
            "{ traces(first: 100) { nodes { spans(first: 100) { nodes {
               spanId traceId startTime durationMs totalTokens costUsd } } } } }",
            json!({}),
        )
        .await;
    let traces = read["traces"]["nodes"].as_array().unwrap();
    let spans = traces.iter().rev().flat_map(|trace| trace["spans"]["nodes"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    spans
        .map(|span| Stored {
            id: text(&span["spanId"]),
            trace: text(&span["traceId"]),
            start: text(&span["startTime"]),
            figures: HashMap::from([
                ("DURATION", span["durationMs"].as_f64()),
                ("COST", span["costUsd"].as_f64()),
                ("TOKENS", span["totalTokens"].as_str().map(|tokens| tokens.parse().unwrap())),
            ]),
        })
        .collect()
}

/// A condition on spans, one on traces, and which are meant.
type Case = (Value, Value, fn(&Traced, &Sample) -> bool);

#[test]
fn spans_stand_in_every_order_as_if_all_were_put_in_order() {
    let cases: [Case; 5] = [
        (json!({}), json!({}), |_, _| true),
        (json!({"operationTypes": ["LLM_CALL"]}), json!({}), |_, span| span.is_call),
        (json!({"attribute": {"key": "tier", "is": 1}}), json!({}), |_, span| span.tier == 1),
        (
            json!({"or": [{"attribute": {"key": "tier", "is": 2}}, {"costUsd": {"min": 0.01}}]}),
            json!({"span": {"operationTypes": ["LLM_CALL"]}}),
            |trace, span| {
                trace.spans.iter().any(|span| span.is_call)
                    && (span.tier == 2 || span.cents.is_some_and(|cents| cents >= 1))
            },
        ),
        (json!({}), json!({"statuses": ["RUNNING"]}), |trace, _| !trace.is_over),
    ];
    property::holds(24, (traces(), 1_usize..6), async |(traces, first)| {
        let server = Server::new().await;
        record(&server, &traces).await;
        let all = stored(&server).await;
        let samples: HashMap<_, _> = (traces.iter().enumerate())
            .flat_map(|(number, trace)| {
                let spans = trace.spans.iter().enumerate();
                spans.map(move |(place, span)| (span_id(number, place), (trace, span)))
            })
            .collect();
        assert_eq!(all.len(), samples.len());
        for (condition, of_traces, is_meant) in &cases {
            let meant = all.iter().filter(|span| {
                let (trace, sample) = samples[&span.id];
                is_meant(trace, sample)
            });
            let meant: Vec<_> = meant.cloned().collect();
            let ids = |spans: &[Stored]| spans.iter().map(|span| span.id.clone()).collect::<Vec<_>>();
            let ask = async |field: &str, direction: &str| {
                let order = json!({"field": field, "direction": direction});
                let asked = json!({"where": condition, "traces": of_traces, "order": order});
                found(&server, &asked, first).await
            };
            assert_eq!(ask("START_TIME", "ASC").await, ids(&meant), "{condition}");
            // The traces turn, each trace's tree does not.
            let mut turned: Vec<_> = meant.chunk_by(|a, b| a.trace == b.trace).collect();
            turned.reverse();
            assert_eq!(ask("START_TIME", "DESC").await, ids(&turned.concat()), "{condition}");
            for field in ["DURATION", "COST", "TOKENS"] {
                let mut sorted = meant.clone();
                sorted.sort_by(|a, b| {
                    // Nothing is less than anything.
                    let figures = a.figures[field].partial_cmp(&b.figures[field]).unwrap();
                    figures.then_with(|| (&a.start, &a.trace, &a.id).cmp(&(&b.start, &b.trace, &b.id)))
                });
                assert_eq!(ask(field, "ASC").await, ids(&sorted), "{condition} by {field}");
                sorted.reverse();
                assert_eq!(ask(field, "DESC").await, ids(&sorted), "{condition} by {field}");
            }
        }
    });
}

fn ten() -> Vec<Traced> {
    let span = |cents| Sample {
        parent: None,
        start: 0,
        duration: Some(1),
        cents: Some(cents),
        tokens: None,
        is_call: true,
        tier: cents % 2,
    };
    let trace =
        |start| Traced { start, is_over: start < 8, spans: vec![span(start), span(start + 10), span(start)] };
    (0..10).map(trace).collect()
}

#[tokio::test]
async fn an_order_that_has_to_look_at_too_much_is_refused_with_advice() {
    let limits = QueryLimits { ranked_spans: 40, ranked_attribute_spans: 20, ..QueryLimits::default() };
    let server = Server::querying(limits).await;
    record(&server, &ten()).await;
    assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
    let order = json!({"field": "COST"});
    let by_cost =
        |condition: Value, traces: Value| json!({"where": condition, "traces": traces, "order": order});
    let attribute = json!({"attribute": {"key": "tier", "is": 0}});
    // 10 traces of 3 spans: some 40 are looked at, a trace itself counts as one.
    assert_eq!(found(&server, &by_cost(json!({}), json!({})), 7).await.len(), 30);
    let errors = server.errors(QUERY, by_cost(attribute.clone(), json!({}))).await;
    assert_eq!(
        (&errors[0]["extensions"]["field"], &errors[0]["extensions"]["code"]),
        (&json!("orderBy"), &json!("LIMIT_EXCEEDED"))
    );
    let message = errors[0]["message"].as_str().unwrap();
    assert!(message.contains("20 are the most") && message.contains("`START_TIME`"), "{message}");
    let less = json!({"startTime": {"from": moment(7)}});
    assert_eq!(found(&server, &by_cost(attribute.clone(), less), 2).await.len(), 3);
    // In the order of time nothing is refused.
    assert_eq!(found(&server, &json!({"where": attribute}), 4).await.len(), 15);
}

#[tokio::test]
async fn an_estimate_that_was_too_low_does_not_let_a_page_look_at_more() {
    let limits = QueryLimits { ranked_spans: 30, ..QueryLimits::default() };
    let server = Server::querying(limits).await;
    // Nothing is counted yet, so that a trace is taken for one span.
    record(&server, &ten()).await;
    let errors = server.errors(QUERY, json!({"order": {"field": "TOKENS"}})).await;
    assert_eq!(errors[0]["extensions"]["field"], "orderBy", "{errors:#?}");
}

#[tokio::test]
async fn a_page_that_looked_at_enough_says_where_to_go_on() {
    let unbounded = Server::new().await;
    record(&unbounded, &ten()).await;
    for (traces_per_page, spans_per_page) in [(100, 4), (100, 1), (1, 1_000)] {
        let limits = QueryLimits { traces_per_page, spans_per_page, ..QueryLimits::default() };
        let server = Server::querying(limits).await;
        record(&server, &ten()).await;
        for asked in [
            json!({}),
            json!({"where": {"attribute": {"key": "tier", "is": 1}}}),
            json!({"order": {"direction": "ASC"}, "traces": {"span": {"costUsd": {"min": 0.13}}}}),
            json!({"where": {"costUsd": {"min": 5}}}),
        ] {
            let whole = found(&unbounded, &asked, 1_000).await;
            assert_eq!(found(&server, &asked, 2).await, whole, "{asked}");
            assert_eq!(found(&server, &asked, 1_000).await, whole, "{asked}");
        }
    }
}
