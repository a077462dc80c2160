//! Texts that very many traces have, in conditions: those are gone through from the newest on, and need not all be
//! known.

use std::sync::Arc;

use dendro::{
    engine::MemoryEngine,
    search::{Index, SearchConfig},
    service::query::QueryLimits,
};
use serde_json::{Value, json};

use super::{follow, span};
use crate::support::Server;

/// More than are looked up whatever else is asked for.
const TRACES: usize = 540;

/// Traces that started a second after each other. All say "harbour"; each tenth is Ada's; each hundredth goes on, from
/// number 5 on.
async fn server(texts: usize) -> Server {
    let index = Index::in_memory(&SearchConfig::default(), 1).unwrap();
    let limits = QueryLimits { texts, ..QueryLimits::default() };
    let server = Server::searching_within(Arc::new(MemoryEngine::default()), Arc::new(index), limits).await;
    let numbers: Vec<_> = (0..TRACES).collect();
    for some in numbers.chunks(40) {
        let begin = |number: &usize| {
            let (minute, second) = (number / 60, number % 60);
            let user = if is_adas(number) { "ada" } else { "bert" };
            format!(
                "t{number}: startTrace(input: {{traceId: \"{}\", name: \"{number}\", userId: \"{user}\", \
                 userInput: \"the harbour at night\", startTime: \"2025-01-01T00:{minute:02}:{second:02}Z\"}}) \
                 {{ refusal {{ message }} }}",
                id(*number)
            )
        };
        let end = |number: &&usize| {
            format!(
                "t{number}: completeTrace(input: {{traceId: \"{}\", status: COMPLETED}}) {{ refusal {{ message }} }}",
                id(**number)
            )
        };
        let begun: Vec<_> = some.iter().map(begin).collect();
        let ended: Vec<_> = some.iter().filter(|number| !goes_on(number)).collect();
        let ended: Vec<_> = ended.iter().map(end).collect();
        for all in [begun, ended] {
            let answer = server.data(&format!("mutation {{ {} }}", all.join(" ")), json!({})).await;
            assert!(answer.as_object().unwrap().values().all(|one| one["refusal"].is_null()), "{answer}");
        }
    }
    follow(&server).await;
    server
}

fn id(number: usize) -> String {
    format!("55555555-5555-4555-8555-{number:012}")
}

fn is_adas(number: &usize) -> bool {
    number % 10 == 5
}

fn goes_on(number: &usize) -> bool {
    number % 100 == 5
}

/// The names of all that is found, page by page.
async fn paged(server: &Server, condition: &Value, order: &Value) -> Vec<usize> {
    const QUERY: &str = "query($where: TraceWhere, $order: TraceOrderInput, $after: String) {
      queryTraces(where: $where, orderBy: $order, first: 70, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } }";
    let (mut names, mut after) = (Vec::new(), Value::Null);
    loop {
        let variables = json!({ "where": condition, "order": order, "after": after });
        let page = server.data(QUERY, variables).await["queryTraces"].clone();
        let nodes = page["nodes"].as_array().unwrap();
        names.extend(nodes.iter().map(|node| node["name"].as_str().unwrap().parse::<usize>().unwrap()));
        if page["pageInfo"]["hasNextPage"] == false {
            return names;
        }
        assert_ne!(page["pageInfo"]["endCursor"], after, "a page that does not go on");
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn newest_first(holds: impl Fn(&usize) -> bool) -> Vec<usize> {
    (0..TRACES).rev().filter(|number| holds(number)).collect()
}

const PLAN: &str = "query($where: TraceWhere, $order: TraceOrderInput) {
  explainTraceQuery(where: $where, orderBy: $order) { source traceCount hasMoreTraces } }";

#[tokio::test]
async fn they_are_found_from_the_newest_on_however_many_there_are() {
    let server = server(510).await;
    let harbour = json!({ "text": { "query": "harbour" } });
    assert_eq!(paged(&server, &harbour, &Value::Null).await, newest_first(|_| true));
    let plan = server.data(PLAN, json!({ "where": harbour })).await["explainTraceQuery"].clone();
    assert_eq!(plan, json!({ "source": "TEXT", "traceCount": "201", "hasMoreTraces": true }));

    // With another condition, within bounds of time, and those that go on alone.
    let mut condition = harbour.clone();
    condition["userIds"] = json!(["ada"]);
    assert_eq!(paged(&server, &condition, &Value::Null).await, newest_first(is_adas));
    let mut condition = harbour.clone();
    condition["startTime"] = json!({ "from": "2025-01-01T00:00:20Z", "to": "2025-01-01T00:08:50Z" });
    assert_eq!(paged(&server, &condition, &Value::Null).await, newest_first(|at| (20..530).contains(at)));
    let mut condition = harbour.clone();
    condition["statuses"] = json!(["RUNNING"]);
    assert_eq!(paged(&server, &condition, &Value::Null).await, newest_first(goes_on));

    // What has to know all of them says how it need not.
    let refused = server.errors(
        "query($where: TraceWhere) { queryTraces(where: $where, orderBy: {field: START_TIME, direction: ASC}) { nodes { name } } }",
        json!({ "where": harbour }),
    );
    let refused = refused.await.remove(0);
    assert_eq!(refused["extensions"]["field"], "where.text.query");
    assert!(
        refused["message"].as_str().unwrap().contains("more than 510 traces have this text"),
        "{refused}"
    );
}

#[tokio::test]
async fn where_all_may_be_known_few_others_are_looked_at() {
    let server = server(10_000).await;
    let condition = json!({ "text": { "query": "harbour" }, "userIds": ["ada"] });
    assert_eq!(paged(&server, &condition, &Value::Null).await, newest_first(is_adas));
    let plan = server.data(PLAN, json!({ "where": condition })).await["explainTraceQuery"].clone();
    assert_eq!(plan["source"], "NAMED");
    let oldest = json!({ "field": "START_TIME", "direction": "ASC" });
    let mut reversed = newest_first(|_| true);
    reversed.reverse();
    assert_eq!(paged(&server, &json!({ "text": { "query": "harbour" } }), &oldest).await, reversed);
}

#[tokio::test]
async fn spans_are_found_in_them() {
    let server = server(510).await;
    for number in [3, 105, 300, 539] {
        let call = json!({ "operationType": "TOOL_CALL", "name": format!("call {number}") });
        span(&server, &id(number), call).await;
    }
    follow(&server).await;
    let query = "query($after: String) { querySpans(where: {operationTypes: [TOOL_CALL]}, traces: {text: {query: \"harbour\"}}, first: 3, after: $after) {
      nodes { name } pageInfo { hasNextPage endCursor } } }";
    let page = server.data(query, json!({})).await["querySpans"].clone();
    assert_eq!(
        page["nodes"],
        json!([{ "name": "call 539" }, { "name": "call 300" }, { "name": "call 105" }])
    );
    let page =
        server.data(query, json!({ "after": page["pageInfo"]["endCursor"] })).await["querySpans"].clone();
    assert_eq!(page["nodes"], json!([{ "name": "call 3" }]));
    assert_eq!(page["pageInfo"]["hasNextPage"], false);
}
