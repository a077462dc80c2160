//! Series: what traces that are over add up to, by time and by what they have in common.

use serde_json::{Value, json};

use super::{Run, moment};
use crate::support::Server;

const SERIES: &str = "query($input: TimeSeriesInput!) { timeSeries(input: $input) {
  from until groupedBy leftOutCount
  groups { value
    total { traces { ...measure } spans { ...measure } scores { name count mean yesRate categories { category count } } }
    points { start traces { count } } } } }
fragment measure on SeriesMeasure { count failedCount failureRate inputTokens outputTokens totalCostUsd
  durationMs { count mean standardDeviation } tokens { mean } costUsd { mean } }";

/// The series of the day of the runs.
async fn series(server: &Server, group_by: &str) -> Value {
    assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
    let input =
        json!({"from": moment(0), "until": "2025-01-02T00:00:00Z", "bucket": "DAY", "groupBy": group_by});
    server.data(SERIES, json!({"input": input})).await["timeSeries"].clone()
}

fn group<'a>(series: &'a Value, value: &str) -> &'a Value {
    let groups = series["groups"].as_array().unwrap();
    groups.iter().find(|group| group["value"] == value).unwrap_or_else(|| panic!("{value}: {series:#}"))
}

async fn is_sound(server: &Server) {
    let report = server.store.check(&|_, _| ()).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.problems);
}

/// Two runs as [`Run`] draws them: each takes 1,000 ms; its two model calls take 300 ms each, read 100 tokens, write 20
/// and cost 0.25 dollars.
#[tokio::test]
async fn traces_that_are_over_are_counted_by_what_they_have_in_common() {
    let server = Server::new().await;
    for _ in 0..2 {
        Run::record(&server).await;
    }
    let all = series(&server, "ALL").await;
    assert_eq!(
        (&all["from"], &all["until"]),
        (&json!("2025-01-01T00:00:00.000000000Z"), &json!("2025-01-02T00:00:00.000000000Z"))
    );
    assert_eq!(
        group(&all, "")["total"]["traces"],
        json!({"count": "2", "failedCount": "0", "failureRate": 0.0, "inputTokens": "400", "outputTokens": "80", "totalCostUsd": 1.0,
          "durationMs": {"count": "2", "mean": 1000.0, "standardDeviation": 0.0}, "tokens": {"mean": 240.0}, "costUsd": {"mean": 0.5}})
    );
    // 1,000, 300, 200, 100 and 300 ms, twice: their mean is 3,800 / 10.
    let spans = &group(&all, "")["total"]["spans"];
    assert_eq!((&spans["count"], &spans["durationMs"]["mean"]), (&json!("10"), &json!(380.0)));
    let models = series(&server, "MODEL").await;
    assert_eq!(
        group(&models, "small-1")["total"]["spans"],
        json!({"count": "4", "failedCount": "0", "failureRate": 0.0, "inputTokens": "400", "outputTokens": "80", "totalCostUsd": 1.0,
          "durationMs": {"count": "4", "mean": 300.0, "standardDeviation": 0.0}, "tokens": {"mean": 120.0}, "costUsd": {"mean": 0.25}})
    );
    let operations = series(&server, "OPERATION").await;
    for (operation, count, mean) in [
        ("AGENT", "2", 1000.0),
        ("LLM_CALL", "4", 300.0),
        ("TOOL_CALL", "2", 200.0),
        ("RETRIEVAL", "2", 100.0),
    ] {
        let spans = &group(&operations, operation)["total"]["spans"];
        assert_eq!(
            (&spans["count"], &spans["durationMs"]["mean"]),
            (&json!(count), &json!(mean)),
            "{operation}"
        );
    }
    is_sound(&server).await;
}

#[tokio::test]
async fn what_comes_later_is_counted_anew_and_not_again() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    let before = series(&server, "ALL").await;
    // A late span, an error, and a score.
    let late = json!({"traceId": trace, "operationType": "TOOL_CALL", "name": "late", "startTime": moment(900), "endTime": moment(950), "status": "ERROR"});
    let created = server
        .data(
            "mutation($input: CreateSpanInput!) { createSpan(input: $input) { refusal { message } } }",
            json!({"input": late}),
        )
        .await;
    assert_eq!(created["createSpan"]["refusal"], Value::Null);
    for number in [0.25, 0.75] {
        let score = json!({"target": {"traceId": trace}, "name": "quality", "value": {"number": number}});
        server
            .data(
                "mutation($input: RecordScoreInput!) { recordScore(input: $input) { refusal { message } } }",
                json!({"input": score}),
            )
            .await;
    }
    let after = series(&server, "ALL").await;
    let count = |series: &Value| group(series, "")["total"]["spans"]["count"].clone();
    assert_eq!((count(&before), count(&after)), (json!("5"), json!("6")));
    assert_eq!(group(&after, "")["total"]["spans"]["failedCount"], "1");
    assert_eq!(
        group(&after, "")["total"]["scores"],
        json!([{"name": "quality", "count": "2", "mean": 0.5, "yesRate": null, "categories": []}])
    );
    // Following everything again comes to the same.
    server.services.followers.start_again().await.unwrap();
    assert_eq!(series(&server, "ALL").await, after);
    is_sound(&server).await;
}

#[tokio::test]
async fn what_is_deleted_counts_no_more() {
    let server = Server::new().await;
    let talk = server
        .data(
            "mutation { createConversation(input: {tags: [\"beta\"]}) { conversation { conversationId } } }",
            json!({}),
        )
        .await["createConversation"]["conversation"]["conversationId"]
        .clone();
    let trace = server
        .data(
            "mutation($id: ID!, $start: DateTime) { startTrace(input: {conversationId: $id, userId: \"ada\", startTime: $start}) { trace { traceId } } }",
            json!({"id": talk, "start": moment(0)}),
        )
        .await["startTrace"]["trace"]["traceId"]
        .clone();
    let running = series(&server, "ALL").await;
    assert_eq!(running["groups"], json!([]), "one that goes on does not count");
    server
        .data(
            "mutation($id: ID!, $end: DateTime) { completeTrace(input: {traceId: $id, status: FAILED, endTime: $end}) { refusal { message } } }",
            json!({"id": trace, "end": moment(10)}),
        )
        .await;
    for (by, value) in [("ALL", ""), ("USER", "ada"), ("TAG", "beta")] {
        let counted = series(&server, by).await;
        let traces = &group(&counted, value)["total"]["traces"];
        assert_eq!((&traces["count"], &traces["failureRate"]), (&json!("1"), &json!(1.0)), "{by}");
        // Nobody told of tokens or costs: that is not the same as none.
        assert_eq!((&traces["totalCostUsd"], &traces["costUsd"]["mean"]), (&Value::Null, &Value::Null));
    }
    is_sound(&server).await;
    server
        .data(
            "mutation($id: ID!) { deleteConversation(input: {conversationId: $id}) { refusal { message } } }",
            json!({"id": talk}),
        )
        .await;
    for by in ["ALL", "USER", "TAG"] {
        assert_eq!(series(&server, by).await["groups"], json!([]), "{by}");
    }
    is_sound(&server).await;
}

/// The marks of a backlog are read part by part; those that come meanwhile before the place that was reached must
/// have their turn too.
#[tokio::test]
async fn a_trace_is_followed_wherever_its_id_stands_among_others() {
    let server = Server::new().await;
    let over = async |id: String| {
        server
            .data("mutation($id: ID!, $start: DateTime) { startTrace(input: {traceId: $id, startTime: $start}) { refusal { message } } }", json!({"id": id, "start": moment(0)}))
            .await;
        server
            .data("mutation($id: ID!, $end: DateTime) { completeTrace(input: {traceId: $id, endTime: $end}) { refusal { message } } }", json!({"id": id, "end": moment(10)}))
            .await;
    };
    for number in 0..300 {
        over(format!("ffffffff-ffff-4fff-8fff-{number:012}")).await;
    }
    let followers = server.services.followers.clone();
    let following = tokio::spawn(async move { followers.run().await });
    let caught_up = async || {
        while !server.services.followers.is_caught_up().await.unwrap() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    caught_up().await;
    over("00000000-0000-4000-8000-000000000001".to_owned()).await;
    let waited = tokio::time::timeout(std::time::Duration::from_secs(20), caught_up()).await;
    following.abort();
    assert!(waited.is_ok(), "it is not followed");
    let all = series(&server, "ALL").await;
    assert_eq!(group(&all, "")["total"]["traces"]["count"], "301");
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_with_advice() {
    let server = Server::new().await;
    for (input, field, advice) in [
        (
            json!({"from": "2020-01-01T00:00:00Z", "until": moment(0), "bucket": "FIVE_MINUTES"}),
            "input.bucket",
            "coarser bucket",
        ),
        (json!({"from": moment(0), "until": moment(0), "bucket": "HOUR"}), "input.until", "later than"),
        (json!({"from": "yesterday", "bucket": "HOUR"}), "input.from", "yesterday"),
        (
            json!({"from": moment(0), "until": moment(1), "bucket": "HOUR", "values": ["x"]}),
            "input.values",
            "groupBy",
        ),
        (
            json!({"from": moment(0), "until": moment(1), "bucket": "HOUR", "first": 0}),
            "input.first",
            "from 1 to",
        ),
    ] {
        let errors = server.errors(SERIES, json!({"input": input})).await;
        let text = errors[0]["message"].as_str().unwrap();
        assert_eq!(errors[0]["extensions"]["field"], field, "{errors:#?}");
        assert!(text.contains(advice), "{text}");
    }
}
