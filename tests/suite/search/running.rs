//! Traces that go on are searched too, as many as may be looked through; what is left out is counted.

use dendro::search::SearchConfig;
use serde_json::{Value, json};

use super::{complete, configured, follow, found, search, server, span, start};
use crate::support::Server;

async fn begin(server: &Server, number: usize, text: &str) -> String {
    let input = json!({
        "traceId": format!("44444444-4444-4444-8444-{number:012}"),
        "name": format!("run {number}"),
        "userInput": text,
        "startTime": format!("2025-01-01T00:00:{number:02}Z"),
    });
    start(server, input).await
}

/// The names of the traces of all hits, page by page.
async fn paged(server: &Server, text: &str, first: usize) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = search(server, json!({ "text": text, "first": first, "after": after })).await;
        names.extend(page["nodes"].as_array().unwrap().iter().map(|hit| {
            let span = hit["span"]["name"].as_str().unwrap_or_default();
            format!("{}/{span}", hit["trace"]["name"].as_str().unwrap())
        }));
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(page["totalCount"], names.len());
            return names;
        }
        assert_ne!(page["pageInfo"]["endCursor"], after, "a page that does not go on");
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test]
async fn what_a_trace_says_is_found_while_it_goes_on() {
    let server = server().await;
    let trace = begin(&server, 1, "Where do puffins breed?").await;
    let call = json!({ "operationType": "TOOL_CALL", "name": "look up", "inputs": { "bird": "puffin" } });
    span(&server, &trace, call).await;
    follow(&server).await;
    assert_eq!(found(&server, "puffin*").await, ["run 1", "look up"]);
    assert_eq!(found(&server, "puffin* -breed").await, ["look up"]);
    assert_eq!(found(&server, "\"puffins breed\"").await, ["run 1"]);
    let hits = search(&server, json!({ "text": "puffin", "in": ["INPUT"] })).await;
    assert_eq!(hits["nodes"][0]["excerpt"]["text"], "puffin");
    assert_eq!((&hits["totalCount"], &hits["unsearchedTraceCount"]), (&json!(1), &json!(0)));
    assert_eq!(search(&server, json!({ "text": "puffin", "in": ["OUTPUT"] })).await["totalCount"], 0);

    const QUERY: &str = "query($where: TraceWhere) { queryTraces(where: $where) { nodes { name } } }";
    let with = async |text: Value| {
        server.data(QUERY, json!({ "where": text })).await["queryTraces"]["nodes"].clone()
    };
    assert_eq!(with(json!({ "text": { "query": "puffin" } })).await, json!([{ "name": "run 1" }]));
    assert_eq!(with(json!({ "not": { "text": { "query": "puffin" } } })).await, json!([]));

    // Between its end and its place in the index it is left out, and that is told.
    complete(&server, &trace, "On islands.").await;
    let hits = search(&server, json!({ "text": "puffin" })).await;
    assert_eq!((&hits["totalCount"], &hits["unsearchedTraceCount"]), (&json!(0), &json!(1)));
    follow(&server).await;
    let hits = search(&server, json!({ "text": "puffin" })).await;
    assert_eq!((&hits["totalCount"], &hits["unsearchedTraceCount"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn pages_go_through_what_is_indexed_and_what_goes_on() {
    let server = server().await;
    let mut expected = Vec::new();
    for number in 0..9 {
        let trace = begin(&server, number, "the same words").await;
        for place in 0..number % 3 {
            let name = format!("span {place}");
            let at = format!("2025-01-01T00:01:{place:02}Z");
            let input = json!({ "operationType": "AGENT", "name": name, "outputs": "the same words",
                "startTime": at, "endTime": at });
            span(&server, &trace, input).await;
        }
        if number % 2 == 0 {
            complete(&server, &trace, "").await;
        }
        let spans = (0..number % 3).map(|place| format!("run {number}/span {place}"));
        let own = std::iter::once(format!("run {number}/"));
        expected.splice(0..0, own.chain(spans));
    }
    follow(&server).await;
    for first in [1, 2, 3, 5, 100] {
        assert_eq!(paged(&server, "same", first).await, expected, "{first}");
    }
}

#[tokio::test]
async fn no_more_is_looked_through_than_is_allowed_and_the_rest_is_counted() {
    let server = configured(&SearchConfig { running_spans: 4, ..SearchConfig::default() }).await;
    for (number, spans) in [(1, 1), (2, 5), (3, 2), (4, 0), (5, 0)] {
        let trace = begin(&server, number, "newt").await;
        for _ in 0..spans {
            span(&server, &trace, json!({ "operationType": "AGENT", "name": "a" })).await;
        }
    }
    follow(&server).await;
    // 5 and 4 have no spans, and count as one each; 3 has two; of 2 and 1 there is no room for either.
    let hits = search(&server, json!({ "text": "newt" })).await;
    assert_eq!((&hits["totalCount"], &hits["unsearchedTraceCount"]), (&json!(3), &json!(2)));
    assert_eq!(found(&server, "newt").await, ["run 5", "run 4", "run 3"]);

    let none = configured(&SearchConfig { running_spans: 0, ..SearchConfig::default() }).await;
    begin(&none, 1, "newt").await;
    follow(&none).await;
    let hits = search(&none, json!({ "text": "newt" })).await;
    assert_eq!((&hits["totalCount"], &hits["unsearchedTraceCount"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn what_came_late_is_counted_until_it_is_followed() {
    let server = server().await;
    let trace = begin(&server, 1, "stork").await;
    complete(&server, &trace, "").await;
    follow(&server).await;
    let late = json!({ "operationType": "AGENT", "name": "late", "outputs": "stork" });
    span(&server, &trace, late).await;
    // The index has it as it was.
    let hits = search(&server, json!({ "text": "stork" })).await;
    assert_eq!((hits["nodes"].as_array().unwrap().len(), &hits["unsearchedTraceCount"]), (1, &json!(1)));
    follow(&server).await;
    assert_eq!(found(&server, "stork").await, ["run 1", "late"]);
}
