//! Many conversations: by groups, and against each other.

use dendro::{graphql::page::PageLimits, service::listing::ListLimits};
use serde_json::{Value, json};

use super::{conversation, record, score};
use crate::support::Server;

/// Conversations of a tag: each has one trace with so many calls of a tool, takes that long, and is judged.
async fn conversations(server: &Server, tag: &str, runs: &[(usize, i64, Option<Value>)]) {
    for (calls, length, judged) in runs {
        let input = json!({"tags": [tag, "all"], "userId": format!("user of {tag}"), "modelName": "m"});
        let id = conversation(server, input).await;
        let tool = |_| (None, "TOOL_CALL", "t", (0, Some(1)), json!({}));
        let spans: Vec<_> = (0..*calls).map(tool).collect();
        record(server, json!({"conversationId": id}), 0, Some((*length, "COMPLETED")), &spans).await;
        if let Some(value) = judged {
            score(server, json!({"conversationId": id}), "reward", value.clone()).await;
        }
    }
}

const GROUPS: &str = "query($filter: ConversationFilter, $by: ConversationGrouping, $prefix: String, $score: String! = \"reward\", $least: Float) {
  evaluateConversations(filter: $filter, groupBy: $by, tagPrefix: $prefix, successScore: $score, successThreshold: $least) {
    isPartial groupsLeftOut
    total { key conversationCount success { judgedCount successCount rate interval { low high } } }
    groups { key conversationCount success { judgedCount successCount rate } turns { mean } toolCalls { mean max } tokens { mean } costUsd { mean } durationMs { mean } }
  } }";

#[tokio::test]
async fn groups_are_told_by_their_means() {
    let server = Server::new().await;
    let number = |number: f64| Some(json!({"number": number}));
    conversations(&server, "trial-0", &[(1, 10, number(1.0)), (3, 30, number(0.4)), (2, 20, None)]).await;
    conversations(
        &server,
        "trial-1",
        &[(4, 5, Some(json!({"boolean": true}))), (0, 5, Some(json!({"category": "bad"})))],
    )
    .await;
    let ask = async |variables: Value| server.data(GROUPS, variables).await["evaluateConversations"].clone();
    let found = ask(json!({"by": "TAG", "prefix": "trial-"})).await;
    assert_eq!((&found["isPartial"], &found["groupsLeftOut"]), (&json!(false), &json!(0)));
    assert_eq!(
        found["groups"],
        json!([
            {"key": "trial-0", "conversationCount": 3, "success": {"judgedCount": 2, "successCount": 1, "rate": 0.5},
             "turns": {"mean": 1.0}, "toolCalls": {"mean": 2.0, "max": 3.0}, "tokens": null, "costUsd": null, "durationMs": {"mean": 20.0}},
            // A category says neither.
            {"key": "trial-1", "conversationCount": 2, "success": {"judgedCount": 1, "successCount": 1, "rate": 1.0},
             "turns": {"mean": 1.0}, "toolCalls": {"mean": 2.0, "max": 4.0}, "tokens": null, "costUsd": null, "durationMs": {"mean": 5.0}},
        ])
    );
    let total = &found["total"];
    assert_eq!((&total["key"], &total["conversationCount"]), (&Value::Null, &json!(5)));
    assert_eq!((&total["success"]["judgedCount"], &total["success"]["successCount"]), (&json!(3), &json!(2)));
    // Another threshold, another score, another grouping, and only some.
    let found = ask(json!({"filter": {"tags": ["trial-0"]}, "least": 0.4, "by": "USER"})).await;
    assert_eq!(found["groups"][0]["key"], "user of trial-0");
    assert_eq!(found["groups"][0]["success"]["successCount"], 2);
    let found = ask(json!({"score": "other", "by": "MODEL"})).await;
    assert_eq!((&found["groups"][0]["key"], &found["total"]["success"]["rate"]), (&json!("m"), &Value::Null));
    assert_eq!(found["total"]["success"]["interval"], Value::Null);
    let tags = ask(json!({"by": "TAG"})).await;
    let keys: Vec<_> = tags["groups"].as_array().unwrap().iter().map(|group| group["key"].clone()).collect();
    assert_eq!(keys, [json!("all"), json!("trial-0"), json!("trial-1")]);
    assert_eq!(ask(json!({"filter": {"tags": ["none"]}})).await["total"]["conversationCount"], 0);
}

const COMPARE: &str = "query($a: ConversationFilter!, $b: ConversationFilter!, $score: String! = \"reward\") { compareConversations(a: $a, b: $b, successScore: $score) {
  inBothCount isPartial
  success { difference interval { low high } method outcome a { rate } b { rate } }
  toolCalls { a { count mean deviation median } b { count mean } difference interval { low high } method outcome medianDifference medianInterval { low high } medianMethod }
  turns { difference interval { low } outcome medianInterval { low } }
  costUsd { a { count } difference outcome }
  durationMs { difference outcome }
} }";

#[tokio::test]
async fn two_choices_are_told_apart_where_there_is_enough_to_tell() {
    let server = Server::new().await;
    let yes = || Some(json!({"boolean": true}));
    let many = |more: usize| -> Vec<_> {
        (0..12)
            .map(|at| {
                (
                    at % 4 + more,
                    10 * (at as i64 + 1),
                    if at < 9 { yes() } else { Some(json!({"boolean": false})) },
                )
            })
            .collect()
    };
    conversations(&server, "a", &many(5)).await;
    conversations(&server, "b", &many(0)).await;
    conversations(&server, "few", &[(1, 1, yes()), (2, 2, yes())]).await;
    let ask = async |a: &str, b: &str| {
        server.data(COMPARE, json!({"a": {"tags": [a]}, "b": {"tags": [b]}})).await["compareConversations"]
            .clone()
    };
    let found = ask("a", "b").await;
    let calls = &found["toolCalls"];
    // Both sides spread alike: 5 more calls are more whatever the chance.
    assert_eq!(
        (&calls["difference"], &calls["outcome"], &calls["method"]),
        (&json!(5.0), &json!("A_HIGHER"), &json!("WELCH"))
    );
    assert_eq!((&calls["medianDifference"], &calls["medianMethod"]), (&json!(5.0), &json!("BOOTSTRAP")));
    let (low, high) =
        (calls["interval"]["low"].as_f64().unwrap(), calls["interval"]["high"].as_f64().unwrap());
    // A variance of 15/11 on each side, 22 degrees of freedom, t = 2.0739: 5 ± 2.0739 · √(2 · 15 / 11 / 12).
    let reach = 2.073_873 * (2.0 * 15.0 / 11.0 / 12.0_f64).sqrt();
    assert!((low - (5.0 - reach)).abs() < 1e-5 && (high - (5.0 + reach)).abs() < 1e-5, "{calls}");
    assert_eq!(ask("b", "a").await["toolCalls"]["outcome"], "B_HIGHER");
    assert_eq!(ask("a", "b").await, found, "the same again");
    // 9 of 12 on both sides, and the same durations.
    let success = &found["success"];
    assert_eq!(
        (&success["difference"], &success["outcome"], &success["method"]),
        (&json!(0.0), &json!("NOT_SHOWN"), &json!("NEWCOMBE"))
    );
    assert_eq!(found["durationMs"], json!({"difference": 0.0, "outcome": "NOT_SHOWN"}));
    // One turn each: no spread, so nothing says how sure it is. Nobody knows a cost.
    assert_eq!(
        found["turns"],
        json!({"difference": 0.0, "interval": null, "outcome": "NOT_ENOUGH_DATA", "medianInterval": null})
    );
    assert_eq!(found["costUsd"], json!({"a": null, "difference": null, "outcome": "NOT_ENOUGH_DATA"}));
    assert_eq!((&found["inBothCount"], &ask("a", "all").await["inBothCount"]), (&json!(0), &json!(12)));
    let few = ask("a", "few").await;
    assert_eq!(
        (&few["success"]["outcome"], &few["success"]["interval"]),
        (&json!("NOT_ENOUGH_DATA"), &Value::Null)
    );
    assert_eq!(
        (&few["toolCalls"]["outcome"], &few["toolCalls"]["interval"]),
        (&json!("NOT_ENOUGH_DATA"), &Value::Null)
    );
    assert_eq!(few["toolCalls"]["difference"], json!(5.0));
}

#[tokio::test]
async fn what_is_left_out_is_told() {
    let lists = ListLimits { conversations_at_once: 2, ..ListLimits::default() };
    let server = Server::with(PageLimits::default(), lists).await;
    conversations(&server, "a", &[(1, 1, None), (1, 1, None), (1, 1, None)]).await;
    let found = server.data(GROUPS, json!({})).await["evaluateConversations"].clone();
    assert_eq!((&found["isPartial"], &found["total"]["conversationCount"]), (&json!(true), &json!(2)));
    let lists = ListLimits { traces_at_once: 2, ..ListLimits::default() };
    let server = Server::with(PageLimits::default(), lists).await;
    conversations(&server, "a", &[(1, 1, None), (1, 1, None), (1, 1, None)]).await;
    let found = server.data(GROUPS, json!({})).await["evaluateConversations"].clone();
    assert_eq!((&found["isPartial"], &found["total"]["conversationCount"]), (&json!(true), &json!(2)));
}

#[tokio::test]
async fn bad_arguments_are_named() {
    let server = Server::new().await;
    for (field, variables) in [
        ("tagPrefix", json!({"by": "USER", "prefix": "x"})),
        ("tagPrefix", json!({"prefix": "x"})),
        ("successScore", json!({"score": " "})),
        ("filter.createdFrom", json!({"filter": {"createdFrom": "yesterday"}})),
    ] {
        let errors = server.errors(GROUPS, variables).await;
        assert_eq!(errors[0]["extensions"]["field"], field, "{errors:?}");
    }
    for (field, a, b) in [
        ("a.activeTo", json!({"activeTo": "x"}), json!({})),
        ("b.createdTo", json!({}), json!({"createdTo": "x"})),
    ] {
        let errors = server.errors(COMPARE, json!({"a": a, "b": b})).await;
        assert_eq!(errors[0]["extensions"]["field"], field, "{errors:?}");
    }
}
