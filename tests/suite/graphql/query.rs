//! Queries: every condition means what it says, whatever index it is answered from, in every order, page by page.

use std::collections::BTreeMap;

use dendro::service::query::QueryLimits;
use serde_json::{Value, json};

use crate::support::Server;

const TRACES: i64 = 60;

/// A trace, as its number makes it.
#[derive(Debug, Clone)]
struct Sample {
    number: i64,
    id: String,
}

impl Sample {
    fn runs(&self) -> bool {
        self.number % 10 == 9
    }
    fn fails(&self) -> bool {
        self.number % 4 == 0 && !self.runs()
    }
    fn user(&self) -> String {
        format!("user-{}", self.number % 3)
    }
    fn model(&self) -> &'static str {
        ["small-1", "large-1", "tiny"][usize::try_from(self.number % 3).unwrap()]
    }
    fn tool(&self) -> &'static str {
        ["search", "book"][usize::try_from(self.number % 2).unwrap()]
    }
    /// In milliseconds: no two are the same.
    fn duration(&self) -> i64 {
        100 + (self.number * 37) % TRACES
    }
    fn tokens(&self) -> i64 {
        10 + (self.number * 7) % TRACES
    }
    /// In cents; every fifth is not known.
    fn cost(&self) -> Option<i64> {
        (self.number % 5 != 0).then_some((self.number * 11) % TRACES)
    }
    fn score(&self) -> Option<f64> {
        (self.number % 6 == 0).then_some([0.25, 0.75][usize::try_from(self.number / 6 % 2).unwrap()])
    }
}

fn moment(millis: i64) -> String {
    format!("2025-01-01T00:{:02}:{:02}.{:03}Z", millis / 60_000, millis / 1000 % 60, millis % 1000)
}

async fn ask(server: &Server, document: &str, input: Value) {
    let data = server.data(document, json!({"input": input})).await;
    for payload in data.as_object().unwrap().values() {
        assert_eq!(payload["refusal"], Value::Null);
    }
}

async fn sample(server: &Server, number: i64, talk: &Value) -> Sample {
    let id = format!("11111111-1111-4111-8111-{number:012}");
    let sample = Sample { number, id: id.clone() };
    let start = number * 1_000;
    ask(
        server,
        "mutation($input: StartTraceInput!) { startTrace(input: $input) { refusal { message } } }",
        json!({"traceId": id, "name": format!("Run {number}"), "userId": sample.user(), "sessionId": format!("s{}", number % 7),
          "conversationId": talk, "startTime": moment(start)}),
    )
    .await;
    let root = format!("22222222-2222-4222-8222-{number:012}");
    let create = "mutation($input: CreateSpanInput!) { createSpan(input: $input) { refusal { message } } }";
    ask(server, create, json!({"traceId": id, "spanId": root, "operationType": "LLM_CALL", "name": "think", "model": sample.model(),
        "tokens": {"input": sample.tokens()}, "costUsd": sample.cost().map(|cents| cents as f64 / 100.0),
        "startTime": moment(start), "endTime": moment(start + 50), "attributes": {"tier": number % 3, "label": format!("L{}", number % 2)}}))
    .await;
    ask(server, create, json!({"traceId": id, "parentSpanId": root, "operationType": "TOOL_CALL", "name": "call", "toolName": sample.tool(),
        "startTime": moment(start + 10), "endTime": moment(start + 20), "status": if sample.fails() { "ERROR" } else { "OK" }}))
    .await;
    if let Some(score) = sample.score() {
        ask(
            server,
            "mutation($input: RecordScoreInput!) { recordScore(input: $input) { refusal { message } } }",
            json!({"target": {"traceId": id}, "name": "quality", "value": {"number": score}, "source": "RULE"}),
        )
        .await;
    }
    if !sample.runs() {
        ask(
            server,
            "mutation($input: CompleteTraceInput!) { completeTrace(input: $input) { refusal { message } } }",
            json!({"traceId": id, "status": if sample.fails() { "FAILED" } else { "COMPLETED" }, "endTime": moment(start + sample.duration())}),
        )
        .await;
    }
    sample
}

async fn samples(server: &Server) -> Vec<Sample> {
    let mut talks = Vec::new();
    for tag in ["beta", "stable"] {
        let made = server
            .data(
                "mutation($tag: String!) { createConversation(input: {tags: [$tag]}) { conversation { conversationId } } }",
                json!({"tag": tag}),
            )
            .await;
        talks.push(made["createConversation"]["conversation"]["conversationId"].clone());
    }
    let mut all = Vec::new();
    for number in 0..TRACES {
        all.push(sample(server, number, &talks[usize::from(number % 5 == 0)]).await);
        if number == TRACES / 2 {
            // Indexes of what is over have these, and not yet those that follow.
            assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
        }
    }
    all
}

const QUERY: &str = "query($where: TraceWhere, $order: TraceOrderInput, $first: Int, $after: String) {
  queryTraces(where: $where, orderBy: $order, first: $first, after: $after) {
    nodes { traceId } pageInfo { hasNextPage endCursor } } }";

/// The IDs that a query finds, page by page.
async fn found(server: &Server, condition: &Value, order: &Value, first: i32) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), Value::Null);
    loop {
        let variables = json!({"where": condition, "order": order, "first": first, "after": after});
        let page = server.data(QUERY, variables).await["queryTraces"].clone();
        let nodes = page["nodes"].as_array().unwrap();
        ids.extend(nodes.iter().map(|node| node["traceId"].as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            return ids;
        }
        assert_ne!(page["pageInfo"]["endCursor"], after, "a page that does not go on");
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// A condition, and whether a sample fulfils it.
type Case = (Value, fn(&Sample) -> bool);

fn cases() -> Vec<Case> {
    vec![
        (json!({}), |_| true),
        (json!({"statuses": ["FAILED"]}), Sample::fails),
        (json!({"statuses": ["RUNNING"]}), Sample::runs),
        (json!({"userIds": ["user-1"]}), |s| s.number % 3 == 1),
        (json!({"userIds": ["user-1", "user-2"]}), |s| s.number % 3 != 0),
        (json!({"sessionIds": ["s3"], "statuses": ["FAILED"]}), |s| s.number % 7 == 3 && s.fails()),
        (json!({"tags": ["stable"]}), |s| s.number % 5 == 0),
        (json!({"models": ["tiny"]}), |s| s.model() == "tiny"),
        (json!({"name": {"contains": "RUN 1"}}), |s| s.number == 1 || (10..20).contains(&s.number)),
        (json!({"name": {"is": "Run 1"}}), |s| s.number == 1),
        (json!({"startTime": {"from": moment(10_000), "to": moment(20_000)}}), |s| {
            (10..20).contains(&s.number)
        }),
        (json!({"durationMs": {"min": 110, "max": 120}}), |s| {
            !s.runs() && (110..=120).contains(&s.duration())
        }),
        (json!({"costUsd": {"min": 0.5}}), |s| s.cost().is_some_and(|cents| cents >= 50)),
        (json!({"costUsd": {"max": 0.1}}), |s| s.cost().is_some_and(|cents| cents <= 10)),
        (json!({"totalTokens": {"max": 15}}), |s| s.tokens() <= 15),
        (json!({"errorCount": {"min": 1}}), Sample::fails),
        (json!({"score": {"name": "quality"}}), |s| s.score().is_some()),
        (json!({"score": {"name": "quality", "number": {"max": 0.5}, "sources": ["RULE"]}}), |s| {
            s.score() == Some(0.25)
        }),
        (json!({"score": {"name": "quality", "sources": ["HUMAN"]}}), |_| false),
        (json!({"span": {"tools": ["book"]}}), |s| s.tool() == "book"),
        (json!({"span": {"tools": ["search"], "statuses": ["ERROR"]}}), |s| {
            s.tool() == "search" && s.fails()
        }),
        (json!({"span": {"attribute": {"key": "tier", "is": 2}}}), |s| s.number % 3 == 2),
        (json!({"span": {"attribute": {"key": "tier", "number": {"min": 1}}, "models": ["large-1"]}}), |s| {
            s.number % 3 == 1
        }),
        (json!({"span": {"attribute": {"key": "label", "contains": "l1"}}}), |s| s.number % 2 == 1),
        (json!({"span": {"attribute": {"key": "none"}}}), |_| false),
        (json!({"not": {"statuses": ["FAILED"]}}), |s| !s.fails()),
        (json!({"not": {"span": {"attribute": {"key": "tier", "is": 0}}}}), |s| s.number % 3 != 0),
        (json!({"or": [{"statuses": ["FAILED"]}, {"models": ["tiny"]}]}), |s| {
            s.fails() || s.model() == "tiny"
        }),
        (
            json!({"or": [{"span": {"attribute": {"key": "tier", "is": 0}}}, {"score": {"name": "quality"}}]}),
            |s| s.number % 3 == 0 || s.score().is_some(),
        ),
        (
            json!({"and": [{"userIds": ["user-0"]}, {"not": {"or": [{"statuses": ["RUNNING"]}, {"costUsd": {"min": 0.2}}]}}]}),
            |s| s.number % 3 == 0 && !s.runs() && s.cost().is_none_or(|cents| cents < 20),
        ),
        (json!({"or": []}), |_| false),
        (json!({"statuses": [], "and": []}), |_| true),
    ]
}

#[tokio::test]
async fn every_condition_means_what_it_says_in_every_order() {
    let server = Server::new().await;
    let samples = samples(&server).await;
    let by_id: BTreeMap<_, _> = samples.iter().map(|sample| (sample.id.clone(), sample.clone())).collect();
    // Some of them are counted, the others are due: what is found is the same.
    for caught_up in [false, true] {
        if caught_up {
            assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
        }
        for (condition, holds) in cases() {
            let mut meant: Vec<_> = samples.iter().filter(|sample| holds(sample)).cloned().collect();
            let ids = |samples: &[Sample]| samples.iter().map(|sample| sample.id.clone()).collect::<Vec<_>>();
            assert_eq!(
                found(&server, &condition, &json!({"direction": "ASC"}), 7).await,
                ids(&meant),
                "{condition}"
            );
            meant.reverse();
            assert_eq!(found(&server, &condition, &Value::Null, 1_000).await, ids(&meant), "{condition}");
            if !caught_up {
                continue;
            }
            stand_by_figures(&server, &condition, &meant).await;
        }
    }
    assert_eq!(by_id.len(), samples.len());
}

/// Holds that of these samples those that are over are found in the order of each figure, both ways.
async fn stand_by_figures(server: &Server, condition: &Value, meant: &[Sample]) {
    let mut meant: Vec<_> = meant.iter().filter(|sample| !sample.runs()).collect();
    for (field, key) in [
        ("DURATION", Sample::duration as fn(&Sample) -> i64),
        ("TOKENS", Sample::tokens),
        ("COST", |sample| sample.cost().map_or(0, |cents| cents + 1)),
    ] {
        meant.sort_by_key(|sample| (key(sample), sample.number));
        let ids: Vec<_> = meant.iter().map(|sample| sample.id.clone()).collect();
        let ascending = found(server, condition, &json!({"field": field, "direction": "ASC"}), 7).await;
        assert_eq!(ascending, ids, "{condition} by {field}");
        let mut descending = found(server, condition, &json!({"field": field}), 5).await;
        descending.reverse();
        assert_eq!(descending, ids, "{condition} by {field}");
    }
}

#[tokio::test]
async fn orders_are_the_same_where_the_index_that_has_them_is_gone_through() {
    let server = Server::querying(QueryLimits { sorted: 1, ..QueryLimits::default() }).await;
    let samples = samples(&server).await;
    server.services.followers.catch_up().await.unwrap();
    for (condition, holds) in cases() {
        let meant: Vec<_> = samples.iter().filter(|sample| holds(sample)).cloned().collect();
        stand_by_figures(&server, &condition, &meant).await;
    }
    let plan = server
        .data(
            "{ explainTraceQuery(where: {models: [\"tiny\"]}, orderBy: {field: COST}) { source traceCount sorts } }",
            json!({}),
        )
        .await;
    assert_eq!(plan["explainTraceQuery"], json!({"source": "ALL", "traceCount": "54", "sorts": false}));
}

/// More traces than a plan counts at first, which no series has counted yet.
#[tokio::test]
async fn a_plan_counts_traces_that_no_series_has_counted() {
    let server = Server::new().await;
    for _ in 0..13 {
        let starts: Vec<_> = (0..40)
            .map(|number| {
                format!("t{number}: startTrace(input: {{name: \"run\"}}) {{ trace {{ traceId }} }}")
            })
            .collect();
        server.data(&format!("mutation {{ {} }}", starts.join(" ")), json!({})).await;
    }
    let explain = "{ explainTraceQuery(where: {statuses: [RUNNING]}) { traceCount hasMoreTraces } }";
    let plan = server.data(explain, json!({})).await;
    assert_eq!(plan["explainTraceQuery"], json!({"traceCount": "520", "hasMoreTraces": false}));
}

#[tokio::test]
async fn spans_are_found_in_the_order_of_their_traces() {
    let server = Server::new().await;
    let samples = samples(&server).await;
    let query = "query($where: SpanWhere, $traces: TraceWhere, $after: String) {
      querySpans(where: $where, traces: $traces, first: 4, after: $after) {
        nodes { name trace { traceId } } pageInfo { hasNextPage endCursor } } }";
    for (condition, traces, names, holds) in [
        (json!({"statuses": ["ERROR"]}), json!({}), vec!["call"], Sample::fails as fn(&Sample) -> bool),
        (
            json!({"attribute": {"key": "tier", "is": 1}}),
            json!({"userIds": ["user-1"]}),
            vec!["think"],
            |s| s.number % 3 == 1,
        ),
        (json!({}), json!({"statuses": ["RUNNING"]}), vec!["think", "call"], Sample::runs),
        (
            json!({"or": [{"tools": ["book"]}, {"models": ["tiny"]}], "not": {"depth": {"min": 1}}}),
            json!({}),
            vec!["think"],
            |s| s.model() == "tiny",
        ),
    ] {
        let (mut found, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = server
                .data(query, json!({"where": condition, "traces": traces, "after": after}))
                .await["querySpans"]
                .clone();
            for node in page["nodes"].as_array().unwrap() {
                found.push((node["trace"]["traceId"].clone(), node["name"].clone()));
            }
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        let meant = samples.iter().rev().filter(|sample| holds(sample));
        let meant: Vec<_> = meant.flat_map(|s| names.iter().map(|name| (json!(s.id), json!(name)))).collect();
        assert_eq!(found, meant, "{condition}");
    }
}

#[tokio::test]
async fn a_plan_takes_the_index_that_leaves_least() {
    let server = Server::new().await;
    samples(&server).await;
    server.services.followers.catch_up().await.unwrap();
    let query = "query($where: TraceWhere, $order: TraceOrderInput) { explainTraceQuery(where: $where, orderBy: $order) {
      source traceCount hasMoreTraces spanEstimate readsAttributes sorts } }";
    for (condition, order, source, count, sorts) in [
        (json!({}), json!({}), "ALL", "60", false),
        (json!({"userIds": ["user-1"], "statuses": ["RUNNING"]}), json!({}), "STATUS", "6", false),
        (json!({"models": ["tiny"]}), json!({}), "MODEL", "18", false),
        (json!({"models": ["tiny"]}), json!({"field": "COST"}), "MODEL", "18", true),
        (json!({"span": {"tools": ["book"]}}), json!({}), "TOOL", "24", false),
        (json!({"costUsd": {"min": 0.58}}), json!({}), "FIGURE", "1", true),
        (json!({"statuses": ["FAILED", "RUNNING"]}), json!({}), "ALL", "60", false),
    ] {
        let plan = server.data(query, json!({"where": condition, "order": order})).await["explainTraceQuery"]
            .clone();
        assert_eq!(
            (&plan["source"], &plan["traceCount"], &plan["sorts"]),
            (&json!(source), &json!(count), &json!(sorts)),
            "{condition}"
        );
    }
}

#[tokio::test]
async fn what_says_nothing_or_too_much_is_refused_by_its_field() {
    let server = Server::new().await;
    let mut deep = json!({"statuses": ["FAILED"]});
    for _ in 0..9 {
        deep = json!({"not": deep});
    }
    server.data(QUERY, json!({"where": deep})).await;
    let too_deep = json!({"not": deep});
    let many: Vec<_> = (0..201).map(|number| json!({"name": {"is": number.to_string()}})).collect();
    for (condition, field, text) in [
        (too_deep, "where.not.not.not.not.not.not.not.not.not.not", "levels deep"),
        (json!({"or": many}), "where.or.199", "more than 200"),
        (json!({"name": {"is": "a", "contains": "b"}}), "where.name", "one of"),
        (json!({"name": {}}), "where.name", "one of"),
        (json!({"durationMs": {}}), "where.durationMs", "`min`"),
        (json!({"durationMs": {"min": 2, "max": 1}}), "where.durationMs.max", "less than `min`"),
        (json!({"costUsd": {"min": -1}}), "where.costUsd.min", "0 or more"),
        (json!({"startTime": {"from": moment(2), "to": moment(1)}}), "where.startTime.to", "later than"),
        (json!({"traceIds": ["x"]}), "where.traceIds.0", "x"),
        (
            json!({"span": {"score": {"name": "q", "boolean": true, "categories": ["a"]}}}),
            "where.span.score",
            "at most one",
        ),
        (
            json!({"span": {"attribute": {"key": "a", "is": 1, "contains": "b"}}}),
            "where.span.attribute",
            "at most one",
        ),
        (
            json!({"component": {"componentId": "a", "versionHash": "xyz"}}),
            "where.component.versionHash",
            "64",
        ),
    ] {
        let errors = server.errors(QUERY, json!({"where": condition})).await;
        assert_eq!(errors[0]["extensions"]["field"], field, "{errors:#?}");
        assert!(errors[0]["message"].as_str().unwrap().contains(text), "{errors:#?}");
    }
}
