//! Rules: each of them passes, fails, and is left out where what it looks at is not there.

use serde_json::{Value, json};

use super::{
    assert_consistent, end, evaluator, judged, over, plain, references, running, says, scores, start, tally,
    trace,
};

fn passes(comment: &str) -> Option<(bool, String)> {
    Some((true, comment.to_owned()))
}

fn fails(comment: &str) -> Option<(bool, String)> {
    Some((false, comment.to_owned()))
}

#[tokio::test]
async fn texts_are_compared() {
    let server = plain().await;
    let there = trace(&server, Some("There, at 42.\n"), &[]).await;
    let silent = trace(&server, None, &[]).await;
    let exact = |expected: &str| json!({ "exact": { "expected": expected } });
    assert_eq!(says(&server, exact("There, at 42."), &there).await, passes("is what is expected"));
    let other = says(&server, exact("Here."), &there).await;
    assert_eq!(other, fails("is \"There, at 42.\n\", expected \"Here.\""));
    assert_eq!(says(&server, exact("Where."), &silent).await, None);
    // What the example expects is not known of a trace that is no example.
    assert_eq!(says(&server, json!({ "exact": {} }), &there).await, None);
    let contains = |texts: Value, mode: &str| json!({ "contains": { "texts": texts, "mode": mode } });
    let has = says(&server, contains(json!(["There", "42"]), "ALL"), &there).await;
    assert_eq!(has, passes("has \"There\", \"42\""));
    assert_eq!(says(&server, contains(json!(["there"]), "ANY"), &there).await, fails("lacks \"there\""));
    assert_eq!(says(&server, contains(json!(["secret"]), "NONE"), &there).await, passes("lacks \"secret\""));
    let regex = |pattern: &str, negate: bool| json!({ "regex": { "pattern": pattern, "negate": negate } });
    assert_eq!(says(&server, regex(r"at \d+", false), &there).await, passes("\"at 42\" matches"));
    assert_eq!(says(&server, regex(r"at \d+", true), &there).await, fails("\"at 42\" matches"));
    assert_eq!(says(&server, regex("^Nowhere", false), &there).await, fails("nothing matches"));
    let asked =
        json!({ "contains": { "texts": ["WHERE"], "ignoreCase": true, "source": { "side": "INPUT" } } });
    assert_eq!(says(&server, asked, &silent).await, passes("has \"WHERE\""));
    assert_consistent(&server).await;
}

#[tokio::test]
async fn texts_of_spans_are_looked_at_each() {
    let server = plain().await;
    let search = |output: Value| json!({ "operationType": "TOOL_CALL", "name": "tool search", "toolName": "search", "outputs": output });
    let spans = [search(json!("found one")), search(json!({ "found": 2 })), json!({ "name": "think" })];
    let found = trace(&server, None, &spans).await;
    let of =
        |text: &str, spans: Value| json!({ "contains": { "texts": [text], "source": { "spans": spans } } });
    let named = json!({ "name": "search" });
    assert_eq!(
        says(&server, of("found", named.clone()), &found).await,
        passes("`tool search`: has \"found\"")
    );
    assert_eq!(says(&server, of("one", named), &found).await, fails("`tool search`: lacks \"one\""));
    let typed = json!({ "operationType": "RETRIEVAL" });
    assert_eq!(says(&server, of("found", typed), &found).await, None);
    // The model said nothing.
    assert_eq!(says(&server, of("found", json!({ "name": "think" })), &found).await, None);
}

#[tokio::test]
async fn json_is_checked_by_its_schema() {
    let server = plain().await;
    let schema = json!({
        "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"],
    });
    let rule = json!({ "jsonSchema": { "schema": schema } });
    let good = trace(&server, Some(r#"{"city": "Berlin"}"#), &[]).await;
    assert_eq!(says(&server, rule.clone(), &good).await, passes("is JSON of the schema"));
    let wrong = trace(&server, Some(r#"{"city": 3}"#), &[]).await;
    let (passed, comment) = says(&server, rule.clone(), &wrong).await.unwrap();
    assert!(!passed && comment.starts_with("/city: "), "{comment}");
    let prose = trace(&server, Some("It is Berlin."), &[]).await;
    let (passed, comment) = says(&server, rule.clone(), &prose).await.unwrap();
    assert!(!passed && comment.contains("not valid JSON"), "{comment}");
    let silent = trace(&server, None, &[]).await;
    assert_eq!(says(&server, rule, &silent).await, None);
}

#[tokio::test]
async fn budgets_hold_what_is_known() {
    let server = plain().await;
    let call =
        |cost: Value, tokens: Value| json!({ "model": "none-such", "costUsd": cost, "tokens": tokens });
    let used = |input: u64, output: u64| json!({ "input": input, "output": output });
    let known =
        trace(&server, None, &[call(json!(0.25), used(1_000, 200)), call(json!(0.05), used(34, 0))]).await;
    let (latency, cost) =
        (|ms: u64| json!({ "latency": { "maxMs": ms } }), |usd: f64| json!({ "cost": { "maxUsd": usd } }));
    assert_eq!(says(&server, latency(2_000), &known).await, passes("took 2,000 ms, budget 2,000"));
    assert_eq!(says(&server, latency(1_999), &known).await, fails("took 2,000 ms, budget 1,999"));
    assert_eq!(says(&server, cost(0.3), &known).await, passes("cost $0.30, budget $0.30"));
    assert_eq!(says(&server, cost(0.29), &known).await, fails("cost $0.30, budget $0.29"));
    let tokens = |budgets: Value| json!({ "tokens": budgets });
    let total = says(&server, tokens(json!({ "maxTotal": 1_234, "maxOutput": 200 })), &known).await;
    assert_eq!(total, passes("used 1,234 tokens, budget 1,234; used 200 output tokens, budget 200"));
    let input = says(&server, tokens(json!({ "maxInput": 1_000 })), &known).await;
    assert_eq!(input, fails("used 1,034 input tokens, budget 1,000"));
    // One call whose price nobody knows: above a budget is above it, and below it is not known.
    let partly = trace(&server, None, &[call(json!(0.25), used(1, 1)), call(Value::Null, used(1, 1))]).await;
    assert_eq!(says(&server, cost(0.2), &partly).await, fails("cost $0.25, budget $0.20"));
    assert_eq!(says(&server, cost(1.0), &partly).await, None);
    let unknown = trace(&server, None, &[call(Value::Null, Value::Null)]).await;
    assert_eq!(says(&server, cost(1.0), &unknown).await, None);
    assert_eq!(says(&server, tokens(json!({ "maxTotal": 1 })), &unknown).await, None);
    let empty = trace(&server, None, &[]).await;
    assert_eq!(says(&server, cost(1.0), &empty).await, None);
    assert!(says(&server, latency(5_000), &empty).await.unwrap().0);
}

#[tokio::test]
async fn a_sum_above_covers_the_calls_below() {
    let server = plain().await;
    let (top, below) = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002");
    let agent = json!({ "spanId": top, "operationType": "AGENT", "name": "agent", "costUsd": 0.5 });
    let call =
        json!({ "spanId": below, "parentSpanId": top, "model": "none-such", "tokens": { "input": 5 } });
    let covered = trace(&server, None, &[agent, call]).await;
    let said = says(&server, json!({ "cost": { "maxUsd": 0.5 } }), &covered).await;
    assert_eq!(said, passes("cost $0.50, budget $0.50"));
}

#[tokio::test]
async fn calls_of_tools_are_counted() {
    let server = plain().await;
    let call = |tool: &str, inputs: Value| json!({ "operationType": "TOOL_CALL", "name": tool, "toolName": tool, "inputs": inputs });
    let spans = [
        call("search", json!({ "q": "Berlin" })),
        call("read", json!("{\"page\": 1}")),
        call("search", json!({ "q": "Rome" })),
    ];
    let called = trace(&server, None, &spans).await;
    let silent = trace(&server, None, &[]).await;
    let rule = |tools: Value, order: bool| json!({ "toolCalled": { "tools": tools, "inOrder": order } });
    let search = rule(json!([{ "name": "search" }]), false);
    assert_eq!(says(&server, search.clone(), &called).await, passes("called search, read, search"));
    assert_eq!(
        says(&server, search, &silent).await,
        fails("`search` was called 0 times, expected at least 1")
    );
    let once = rule(json!([{ "name": "search", "max": 1 }]), false);
    assert_eq!(says(&server, once, &called).await, fails("`search` was called 2 times, expected 1"));
    let never = rule(json!([{ "name": "delete", "min": 0, "max": 0 }]), false);
    assert_eq!(says(&server, never, &silent).await, passes("called no tools"));
    let order = rule(json!([{ "name": "read" }, { "name": "search" }]), true);
    assert!(says(&server, order, &called).await.unwrap().0);
    let order = rule(json!([{ "name": "search", "min": 2 }, { "name": "read" }]), true);
    let said = says(&server, order, &called).await;
    assert_eq!(said, fails("called search, read, search, expected the order search, read"));
    let with = |arguments: Value| rule(json!([{ "name": "read", "arguments": arguments }]), false);
    assert!(says(&server, with(json!({ "page": 1.0 })), &called).await.unwrap().0);
    let said = says(&server, with(json!({ "page": 2 })), &called).await;
    assert_eq!(said, fails("`read` was called 0 times with these arguments, expected at least 1"));
    // With what it was called is not recorded.
    let bare = trace(&server, None, &[json!({ "operationType": "TOOL_CALL", "name": "read" })]).await;
    assert_eq!(says(&server, with(json!({ "page": 1 })), &bare).await, None);
}

#[tokio::test]
async fn errors_are_found() {
    let server = plain().await;
    let failed = json!({
        "operationType": "TOOL_CALL", "name": "search", "status": "ERROR", "statusMessage": "nobody there",
    });
    let no_errors = json!({ "noErrors": {} });
    let well = trace(&server, None, &[json!({})]).await;
    assert_eq!(says(&server, no_errors.clone(), &well).await, passes("no errors in 1 spans"));
    let bad = trace(&server, None, &vec![failed; 5]).await;
    let said = says(&server, no_errors.clone(), &bad).await;
    let three = "`search`: nobody there; `search`: nobody there; `search`: nobody there; and 2 more";
    assert_eq!(said, fails(&format!("5 spans ended with an error: {three}")));
    let of_models = json!({ "noErrors": { "operationType": "LLM_CALL" } });
    assert_eq!(says(&server, of_models.clone(), &bad).await, None);
    assert!(says(&server, of_models, &well).await.unwrap().0);
    let empty = running(&server, &[]).await;
    end(&server, &empty, None, "FAILED").await;
    assert_eq!(says(&server, no_errors.clone(), &empty).await, fails("the run failed"));
    let goes_on = running(&server, &[json!({})]).await;
    assert_eq!(says(&server, no_errors, &goes_on).await, None);
}

#[tokio::test]
async fn spans_are_judged_each_with_what_is_below() {
    let server = plain().await;
    let ids = [1, 2, 3].map(|number| format!("00000000-0000-4000-8000-{number:012}"));
    let agent =
        json!({ "spanId": ids[0], "operationType": "AGENT", "name": "agent", "endTime": super::moment(900) });
    let tool = |id: &str, status: &str| json!({ "spanId": id, "parentSpanId": ids[0], "operationType": "TOOL_CALL", "name": "search", "status": status });
    let found = trace(&server, None, &[agent, tool(&ids[1], "OK"), tool(&ids[2], "ERROR")]).await;
    let (fast, clean) = (
        evaluator(&server, "fast", json!({ "latency": { "maxMs": 100 } })).await,
        evaluator(&server, "clean", json!({ "noErrors": {} })).await,
    );
    let input = |spans: Value| {
        json!({
            "evaluators": references(&[&fast, &clean]), "traces": { "ids": [found] }, "target": { "spans": spans },
        })
    };
    let id = start(&server, input(json!({ "operationType": "TOOL_CALL" }))).await;
    assert_eq!(tally(&over(&server, &id).await), [4, 3, 1, 0, 0]);
    let id = start(&server, input(json!({ "name": "agent" }))).await;
    // It took longer, and a span below it failed.
    assert_eq!(tally(&over(&server, &id).await), [2, 0, 2, 0, 0]);
    let id = start(&server, input(json!({ "name": "nobody" }))).await;
    assert_eq!(tally(&over(&server, &id).await), [0, 0, 0, 2, 0]);
    const SPANS: &str = "query($id: ID!) { trace(id: $id) { scores { name } spans(first: 9) { nodes {
      name scores { name booleanValue trace { traceId } }
    } } } }";
    let seen = server.data(SPANS, json!({ "id": found })).await["trace"].clone();
    assert_eq!(seen["scores"], json!([]));
    for span in seen["spans"]["nodes"].as_array().unwrap() {
        assert_eq!(span["scores"].as_array().unwrap().len(), 2, "{span}");
    }
    assert_consistent(&server).await;
}

#[tokio::test]
async fn judging_again_replaces_and_another_version_adds() {
    let server = plain().await;
    let found = trace(&server, Some("There."), &[]).await;
    let rule = |text: &str| json!({ "contains": { "texts": [text] } });
    let id = evaluator(&server, "answers", rule("There")).await;
    for _ in 0..2 {
        assert_eq!(tally(&judged(&server, &[&id], &[&found]).await), [1, 1, 0, 0, 0]);
    }
    let first = scores(&server, &found).await;
    assert_eq!(first.len(), 1);
    // The same content is the same version.
    let again = super::create(&server, "answers", rule("There")).await;
    assert_eq!((&again["created"], &again["evaluator"]["version"]["sequence"]), (&json!(false), &json!(1)));
    let other = super::create(&server, "answers", rule("Here")).await;
    assert_eq!(other["evaluator"]["version"]["sequence"], 2);
    assert_eq!(tally(&judged(&server, &[&id], &[&found]).await), [1, 0, 1, 0, 0]);
    assert_eq!(scores(&server, &found).await.len(), 2);
    const LISTED: &str = "{ evaluators { totalCount nodes { evaluatorId name kind version { sequence } } } }";
    let listed = server.data(LISTED, json!({})).await;
    let expected = json!([{
        "evaluatorId": "evaluators/answers", "name": "answers", "kind": "CONTAINS", "version": { "sequence": 2 },
    }]);
    assert_eq!(listed["evaluators"], json!({ "totalCount": 1, "nodes": expected }));
    const IDS: &str = "{ evaluators { nodes { id } } }";
    let id = server.data(IDS, json!({})).await["evaluators"]["nodes"][0]["id"].clone();
    const NODE: &str = "query($id: ID!) { node(id: $id) { id ... on Evaluator { name } } }";
    let node = server.data(NODE, json!({ "id": id })).await;
    assert_eq!(node["node"], json!({ "id": id, "name": "answers" }));
    const ONE: &str =
        "query($hash: String) { evaluator(id: \"evaluators/answers\", versionHash: $hash) { definition } }";
    let hash = &again["evaluator"]["version"]["versionHash"];
    let one = server.data(ONE, json!({ "hash": hash })).await;
    assert_eq!(one["evaluator"]["definition"]["kind"]["contains"]["texts"], json!(["There"]));
    assert_consistent(&server).await;
}
