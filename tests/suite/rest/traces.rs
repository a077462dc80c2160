//! Traces and their spans, what they tell, and judgements of them.

use reqwest::Method;
use serde_json::{Value, json};

use super::bed::{Bed, NOBODY};

/// A trace of a run with a model call below an agent and a span whose parent never came.
async fn recorded(bed: &Bed) -> String {
    let start = json!({ "name": "run", "userInput": "Hi", "startTime": "2025-01-01T00:00:00Z", "metadata": { "x": 1.50 } });
    let trace = bed.made("/traces", start).await["traceId"].as_str().unwrap().to_owned();
    let spans = format!("/traces/{trace}/spans");
    let at = |seconds: u32| format!("2025-01-01T00:00:{seconds:02}Z");
    let agent = json!({ "operationType": "AGENT", "name": "helper", "startTime": at(0), "endTime": at(10) });
    let agent = bed.made(&spans, agent).await["spanId"].clone();
    let call = json!({
        "operationType": "LLM_CALL", "name": "chat", "parentSpanId": agent, "startTime": at(1), "endTime": at(4),
        "model": "gpt-x", "tokens": { "input": 9_007_199_254_740_993_u64, "output": 5 }, "costUsd": 0.25,
        "inputs": { "q": [1, 2.50] }, "timeToFirstTokenMs": 12.5,
    });
    bed.made(&spans, call).await;
    let lost =
        json!({ "operationType": "TOOL_CALL", "name": "search", "parentSpanId": NOBODY, "startTime": at(5) });
    let lost = bed.made(&spans, lost).await;
    let path = format!("{spans}/{}", lost["spanId"].as_str().unwrap());
    let end = json!({ "status": "ERROR", "endTime": at(6), "statusMessage": "no net", "attributes": { "a": true } });
    let ended = bed.send(Method::PATCH, &path, end.clone()).await;
    assert_eq!((ended.status, &ended.body["status"]), (200, &json!("ERROR")), "{}", ended.text);
    bed.send(Method::PATCH, &path, end).await.is_problem(409, "ILLEGAL_TRANSITION", "");
    let ended = bed
        .post(&format!("/traces/{trace}/complete"), json!({ "finalOutput": "Bye", "endTime": at(11) }))
        .await;
    assert_eq!((ended.status, &ended.body["durationMs"]), (200, &json!(11_000.0)), "{}", ended.text);
    trace
}

#[tokio::test]
async fn a_trace_shows_its_tree_in_pre_order_with_bodies_where_asked() {
    let bed = Bed::start().await;
    let trace = recorded(&bed).await;
    let shown = bed.get(&format!("/traces/{trace}?include=bodies")).await;
    assert!(shown.text.contains(r#""inputs":{"q":[1,2.5]}"#), "{}", shown.text);
    let body = shown.body;
    assert_eq!(
        (&body["userInput"], &body["finalOutput"], &body["status"]),
        (&json!("Hi"), &json!("Bye"), &json!("COMPLETED"))
    );
    assert_eq!(
        (&body["spanCount"], &body["errorCount"], &body["totalCostUsd"]),
        (&json!(3), &json!(1), &json!(0.25))
    );
    // 64 bits, to the last digit.
    assert_eq!(body["inputTokens"].as_u64(), Some(9_007_199_254_740_993));
    let spans = body["spans"]["items"].as_array().unwrap();
    let line = |span: &Value| {
        let place = &span["place"];
        (
            span["name"].clone(),
            place["placement"].clone(),
            place["depth"].clone(),
            place["descendantCount"].clone(),
        )
    };
    let lines: Vec<_> = spans.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            (json!("helper"), json!("ROOT"), json!(0), json!(1)),
            (json!("chat"), json!("CHILD"), json!(1), json!(0)),
            (json!("search"), json!("ORPHAN"), json!(0), json!(0)),
        ]
    );
    assert_eq!(spans[1]["place"]["aboveSpanId"], spans[0]["spanId"]);
    assert_eq!(spans[2]["body"]["attributes"], json!({ "a": true }));
    assert!(body["spans"]["next"].is_null());
    let small = bed.shown(&format!("/traces/{trace}")).await;
    assert!(small["spans"]["items"].as_array().unwrap().iter().all(|span| span["body"].is_null()));

    let one = bed.shown(&format!("/traces/{trace}/spans/{}", spans[1]["spanId"].as_str().unwrap())).await;
    assert_eq!(one, spans[1]);
    bed.get(&format!("/traces/{trace}/spans/{NOBODY}")).await.is_problem(404, "NOT_FOUND", "spanId");
    let longest = bed.shown(&format!("/traces/{trace}/spans?order=DURATION&limit=1")).await;
    assert_eq!(longest["items"][0]["name"], "helper");
    assert_eq!(
        bed.all(&format!("/traces/{trace}/spans?limit=1&type=LLM_CALL&type=TOOL_CALL")).await.len(),
        2
    );
}

#[tokio::test]
async fn traces_are_found_by_address_and_by_body() {
    let bed = Bed::start().await;
    let trace = recorded(&bed).await;
    bed.made("/traces", json!({ "sessionId": "s", "userId": "ada" })).await;
    for (query, filter, count) in [
        ("status=COMPLETED", json!({ "statuses": ["COMPLETED"] }), 1),
        ("status=COMPLETED&status=RUNNING", json!({ "statuses": ["COMPLETED", "RUNNING"] }), 2),
        ("sessionId=s&userId=ada", json!({ "sessionIds": ["s"], "userIds": ["ada"] }), 1),
        ("hasErrors=true", json!({ "span": { "statuses": ["ERROR"] } }), 1),
        ("name=RU", json!({ "name": { "contains": "RU" } }), 1),
        ("to=2025-01-01T00:00:00Z", json!({ "startTime": { "to": "2025-01-01T00:00:00Z" } }), 0),
        ("componentId=none", json!({ "component": { "componentId": "none" } }), 0),
    ] {
        assert_eq!(bed.all(&format!("/traces?{query}")).await.len(), count, "{query}");
        let found = bed.post("/traces/query", json!({ "where": filter, "limit": 10 })).await;
        assert_eq!(found.body["items"].as_array().unwrap().len(), count, "{query}: {}", found.text);
    }
    let first =
        bed.post("/traces/query", json!({ "orderBy": { "direction": "ASC" }, "limit": 1 })).await.body;
    let rest = bed
        .post("/traces/query", json!({ "orderBy": { "direction": "ASC" }, "after": first["next"] }))
        .await
        .body;
    assert_eq!((&first["items"][0]["traceId"], rest["items"].as_array().unwrap().len()), (&json!(trace), 1));
    bed.post("/traces/query", json!({ "limit": 0 })).await.is_problem(422, "BAD_USER_INPUT", "limit");
    bed.get("/traces?versionHash=abc").await.is_problem(400, "BAD_USER_INPUT", "versionHash");
    bed.post("/traces", json!({ "conversationId": NOBODY })).await.is_problem(
        422,
        "NOT_FOUND",
        "conversationId",
    );
}

#[tokio::test]
async fn spans_are_found_by_body_in_every_order() {
    let bed = Bed::start().await;
    let trace = recorded(&bed).await;
    bed.made("/traces", json!({ "userId": "ada" })).await;
    let names = async |asked: Value| {
        let (mut names, mut asked) = (Vec::new(), asked);
        loop {
            let page = bed.post("/spans/query", asked.clone()).await;
            assert_eq!(page.status, 200, "{}", page.text);
            let items = page.body["items"].as_array().unwrap();
            names.extend(items.iter().map(|span| span["name"].as_str().unwrap().to_owned()));
            asked["after"] = page.body["next"].clone();
            if asked["after"].is_null() {
                return names;
            }
        }
    };
    for (asked, expected) in [
        (json!({}), vec!["helper", "chat", "search"]),
        (json!({ "where": { "placements": ["ORPHAN"] } }), vec!["search"]),
        (json!({ "traces": { "userIds": ["ada"] } }), vec![]),
        (json!({ "orderBy": { "field": "DURATION", "direction": "ASC" } }), vec!["search", "chat", "helper"]),
        (json!({ "orderBy": { "field": "COST" } }), vec!["chat", "search", "helper"]),
        (json!({ "where": { "costUsd": { "min": 0 } }, "orderBy": { "field": "TOKENS" } }), vec!["chat"]),
        (
            json!({ "where": { "attribute": { "key": "a", "is": true } }, "orderBy": { "field": "DURATION" } }),
            vec!["search"],
        ),
    ] {
        assert_eq!(names(asked.clone()).await, expected, "{asked}");
        let mut short = asked.clone();
        short["limit"] = json!(1);
        assert_eq!(names(short).await, expected, "{asked}");
    }
    let asked = json!({ "where": { "tools": [] }, "include": ["bodies"], "limit": 2 });
    let with_bodies = bed.post("/spans/query", asked).await.body;
    assert_eq!(with_bodies["items"][1]["body"]["inputs"], json!({ "q": [1, 2.5] }));
    assert_eq!(with_bodies["items"][1]["traceId"], trace);
    assert_eq!(with_bodies["items"][1]["place"]["depth"], 1);
    for (asked, field) in [
        (json!({ "limit": 1_001 }), "limit"),
        (json!({ "where": { "durationMs": {} } }), "where.durationMs"),
        (json!({ "traces": { "name": {} } }), "traces.name"),
        (json!({ "orderBy": { "field": "NAME" } }), "orderBy.field"),
        (json!({ "after": "x" }), "after"),
        (json!({ "include": ["all"] }), "include.0"),
    ] {
        bed.post("/spans/query", asked).await.is_problem(422, "BAD_USER_INPUT", field);
    }
}

#[tokio::test]
async fn a_trace_tells_where_its_time_went_and_a_conversation_how_it_went() {
    let bed = Bed::start().await;
    let trace = recorded(&bed).await;
    let analysis = bed.shown(&format!("/traces/{trace}/analysis")).await;
    assert_eq!((&analysis["isRunning"], &analysis["durationMs"]), (&json!(false), &json!(11_000.0)));
    assert_eq!(analysis["totals"]["spanCount"], 3);
    assert_eq!(analysis["models"][0]["model"], "gpt-x");
    assert_eq!(analysis["models"][0]["costUsd"], 0.25);
    assert_eq!(analysis["slowestSpans"][0]["span"]["name"], "helper");
    assert_eq!(analysis["slowestSpans"][0]["selfTimeMs"], 7_000.0);
    assert_eq!(analysis["probableOrigin"]["statusMessage"], "no net");
    assert_eq!(analysis["firstToken"]["spread"]["p50"], 12.5);
    assert_eq!(analysis["tree"]["isSound"], false);
    assert_eq!(
        bed.shown(&format!("/traces/{trace}/analysis?limit=1")).await["slowestSpans"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    bed.get(&format!("/traces/{NOBODY}/analysis")).await.is_problem(404, "NOT_FOUND", "traceId");

    let conversation = bed.made("/conversations", json!({})).await["conversationId"].clone();
    let conversation = conversation.as_str().unwrap();
    let said = bed
        .made(&format!("/conversations/{conversation}/messages"), json!({ "content": "?", "trace": {} }))
        .await;
    bed.post(
        &format!("/traces/{}/complete", said["traceId"].as_str().unwrap()),
        json!({ "status": "FAILED" }),
    )
    .await;
    let went = bed.shown(&format!("/conversations/{conversation}/evaluation?withBranches=true")).await;
    assert_eq!(
        (&went["turnCount"], &went["messageCount"], &went["failureRate"]),
        (&json!(1), &json!(1), &json!(1.0))
    );
    assert!(went["costUsd"].is_null() && went["errorRate"].is_null(), "what nobody knows is not 0: {went}");
    assert_eq!(went["turns"][0]["traceIds"], json!([said["traceId"]]));
    assert_eq!(bed.all(&format!("/conversations/{conversation}/traces")).await.len(), 1);
}

#[tokio::test]
async fn scores_are_of_one_thing() {
    let bed = Bed::start().await;
    let trace = recorded(&bed).await;
    let spans = bed.shown(&format!("/traces/{trace}/spans")).await;
    let span = spans["items"][0]["spanId"].clone();
    let of_trace = json!({ "target": { "traceId": trace }, "name": "good", "value": { "boolean": true } });
    let made = bed.made("/scores", of_trace).await;
    assert_eq!((&made["source"], &made["value"]), (&json!("HUMAN"), &json!({ "boolean": true })));
    for value in [json!({ "number": 0.5 }), json!({ "category": "fine" })] {
        let target = json!({ "traceId": trace, "spanId": span });
        bed.made("/scores", json!({ "target": target, "name": "span", "value": value, "source": "RULE" }))
            .await;
    }
    assert_eq!(bed.all(&format!("/scores?traceId={trace}")).await, [made]);
    assert_eq!(
        bed.all(&format!("/scores?traceId={trace}&spanId={}&limit=1", span.as_str().unwrap())).await.len(),
        2
    );
    bed.get("/scores").await.is_problem(400, "BAD_USER_INPUT", "target");
    let with = |target: Value, value: Value| json!({ "target": target, "name": "n", "value": value });
    for (body, code, field) in [
        (with(json!({}), json!({ "number": 1 })), "BAD_USER_INPUT", "target"),
        (with(json!({ "traceId": NOBODY }), json!({ "number": 1 })), "NOT_FOUND", "target.traceId"),
        (with(json!({ "messageId": NOBODY }), json!({ "number": 1 })), "NOT_FOUND", "target.messageId"),
        (
            with(json!({ "traceId": trace, "spanId": NOBODY }), json!({ "number": 1 })),
            "NOT_FOUND",
            "target.spanId",
        ),
        (with(json!({ "traceId": trace }), json!({ "category": " " })), "BAD_USER_INPUT", "value.category"),
        (with(json!({ "traceId": trace }), json!({ "number": "1" })), "BAD_USER_INPUT", "value.number"),
    ] {
        bed.post("/scores", body).await.is_problem(422, code, field);
    }
}
