//! Judges: what they are shown, what they answer, and what becomes of those that give no verdict.

use serde_json::{Value, json};

use super::{assert_consistent, create, evaluator, judged, scores, server, tally, trace};
use crate::support::Server;

const JUDGES: &str = r#"
scripts:
  yes:
    turns:
      - text: '{"reasoning": "It says: {{input}}", "answer": true}'
  fine:
    turns:
      - text: '{"reasoning": "It is fine.", "answer": true}'
  tone:
    turns:
      - text: "```json\n{\"reasoning\": \"No greeting.\", \"answer\": \"rude\"}\n```"
  grade:
    turns:
      - text: '{"reasoning": "Nearly.", "answer": 4.5}'
  prose:
    turns:
      - text: I like it.
      - text: I like it very much.
  learns:
    turns:
      - text: I like it.
      - text: '{"reasoning": "It is fine.", "answer": true}'
  nothing:
    turns:
      - text: ' '
      - text: ' '
  high:
    turns:
      - text: '{"reasoning": "Best.", "answer": 11}'
      - text: '{"reasoning": "Best.", "answer": 11}'
  odd:
    turns:
      - text: '{"reasoning": "Hm.", "answer": "neutral"}'
      - text: '{"reasoning": "Hm.", "answer": "neutral"}'
  down:
    turns:
      - text: Never.
        fail: { kind: unavailable, message: nobody there }
  stumbles:
    turns:
      - text: '{"reasoning": "At last.", "answer": true}'
        fail: { kind: rate_limited, times: 2 }
"#;

fn judge(model: &str, rubric: &str, answer: Value) -> Value {
    json!({ "judge": { "model": { "name": format!("scripted/{model}") }, "rubric": rubric, "answer": answer } })
}

fn boolean(model: &str) -> Value {
    judge(model, "Is this polite? {{output}}", json!({ "boolean": true }))
}

fn grade(model: &str) -> Value {
    judge(model, "Grade this: {{output}}", json!({ "number": { "min": 1, "max": 5, "passing": 4 } }))
}

fn tone(model: &str) -> Value {
    let tones = json!({ "categories": { "categories": ["polite", "rude"], "passing": ["polite"] } });
    judge(model, "The tone of {{output}}?", tones)
}

/// The spans of a trace: their types, names, states, and the components that they name.
async fn spans(server: &Server, trace: &Value) -> Vec<String> {
    const SPANS: &str = "query($id: ID!) { trace(id: $id) { spans(first: 50) { nodes {
      operationType name status components { componentId }
    } } } }";
    let found = server.data(SPANS, json!({ "id": trace })).await;
    let line = |span: &Value| {
        let components: Vec<_> = span["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["componentId"].as_str().unwrap())
            .collect();
        let text = |name: &str| span[name].as_str().unwrap().to_owned();
        format!("{} {} {} [{}]", text("operationType"), text("name"), text("status"), components.join(" "))
    };
    found["trace"]["spans"]["nodes"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn a_judge_answers_yes_or_no_words_or_numbers() {
    let server = server(JUDGES).await;
    let found = trace(&server, Some("There."), &[]).await;
    let ids = [
        evaluator(&server, "polite", boolean("yes")).await,
        evaluator(&server, "tone", tone("tone")).await,
        evaluator(&server, "grade", grade("grade")).await,
    ];
    let ended = judged(&server, &[&ids[0], &ids[1], &ids[2]], &[&found]).await;
    assert_eq!(tally(&ended), [3, 2, 1, 0, 0], "{ended}");
    let mut scores = scores(&server, &found).await;
    scores.sort_by_key(|score| score["name"].to_string());
    let values = |score: &Value| {
        [
            &score["name"],
            &score["comment"],
            &score["booleanValue"],
            &score["categoryValue"],
            &score["numberValue"],
        ]
        .map(Clone::clone)
    };
    assert_eq!(values(&scores[0]), [json!("grade"), json!("Nearly."), Value::Null, Value::Null, json!(4.5)]);
    let polite = json!("It says: Is this polite? There.");
    assert_eq!(values(&scores[1]), [json!("polite"), polite, json!(true), Value::Null, Value::Null]);
    assert_eq!(
        values(&scores[2]),
        [json!("tone"), json!("No greeting."), Value::Null, json!("rude"), Value::Null]
    );
    assert!(scores.iter().all(|score| score["source"] == "MODEL"));
    // The judging is a trace of its own, which names what judged by which rubric.
    let judging = &scores[1]["judgingTrace"];
    assert_eq!((&judging["name"], &judging["status"]), (&json!("evaluators/polite"), &json!("COMPLETED")));
    assert_eq!(
        spans(&server, &judging["traceId"]).await,
        [
            "EVALUATION evaluators/polite OK [evaluators/polite]",
            "LLM_CALL chat yes OK [prompts/evaluators/polite models/yes evaluators/polite]",
        ]
    );
    assert_consistent(&server).await;
}

#[tokio::test]
async fn nobody_judges_judges() {
    let server = server(JUDGES).await;
    let found = trace(&server, Some("There."), &[]).await;
    let polite = evaluator(&server, "polite", boolean("yes")).await;
    judged(&server, &[&polite], &[&found]).await;
    let judging = scores(&server, &found).await[0]["judgingTrace"]["traceId"].as_str().unwrap().to_owned();
    let fast = evaluator(&server, "fast", json!({ "latency": { "maxMs": 1000 } })).await;
    assert_eq!(tally(&judged(&server, &[&polite, &fast], &[&judging]).await), [0, 0, 0, 2, 0]);
    // A filter does not even select it.
    let input = json!({ "evaluators": [{ "evaluatorId": fast }], "traces": { "filter": {} } });
    let id = super::start(&server, input).await;
    let ended = super::over(&server, &id).await;
    assert_eq!((&ended["selectedCount"], &ended["doneCount"]), (&json!("1"), &json!("1")));
}

#[tokio::test]
async fn a_judge_without_a_verdict_is_an_error_and_no_score() {
    let server = server(JUDGES).await;
    let found = trace(&server, Some("There."), &[]).await;
    let twice = "the judge gave no verdict that can be used, in 2 attempts: ";
    let cases = [
        ("prose", boolean("prose"), format!("{twice}it is no JSON object")),
        ("nothing", boolean("nothing"), format!("{twice}it is no JSON object")),
        ("high", grade("high"), format!("{twice}`answer` is 11, not a number from 1 to 5")),
        ("odd", tone("odd"), format!("{twice}`answer` is \"neutral\", not one of polite, rude")),
        ("down", boolean("down"), "unavailable: nobody there".to_owned()),
    ];
    for (name, kind, message) in cases {
        let id = evaluator(&server, name, kind).await;
        let ended = judged(&server, &[&id], &[&found]).await;
        assert_eq!((tally(&ended), &ended["status"]), ([0, 0, 0, 0, 1], &json!("COMPLETED")), "{name}");
        let error = &ended["errors"][0];
        assert_eq!((&error["message"], &error["traceId"]), (&json!(message), &json!(found)), "{name}");
        assert_eq!(error["evaluator"]["componentId"], json!(id));
    }
    assert_eq!(scores(&server, &found).await, Vec::<Value>::new());
    // The failed judging is recorded too.
    const FAILED: &str = "{ traces(filter: {name: \"evaluators/prose\"}) { nodes { traceId status } } }";
    let failed = server.data(FAILED, json!({})).await["traces"]["nodes"].clone();
    assert_eq!(failed[0]["status"], "FAILED");
    assert_eq!(spans(&server, &failed[0]["traceId"]).await.len(), 3);
    assert_consistent(&server).await;
}

#[tokio::test]
async fn a_judge_is_told_what_was_wrong_and_a_provider_is_asked_again() {
    let server = server(JUDGES).await;
    let found = trace(&server, Some("There."), &[]).await;
    for name in ["learns", "stumbles"] {
        let id = evaluator(&server, name, boolean(name)).await;
        assert_eq!(tally(&judged(&server, &[&id], &[&found]).await), [1, 1, 0, 0, 0], "{name}");
    }
}

#[tokio::test]
async fn a_judge_is_shown_what_was_said_and_called() {
    let server = server(JUDGES).await;
    let call = json!({
        "operationType": "TOOL_CALL", "name": "search", "inputs": { "q": "it" }, "outputs": "on the table",
    });
    let model = json!({
        "inputs": [{ "role": "system", "content": "Be kind." }, { "role": "user", "content": "Where?" }],
        "outputs": [{ "role": "assistant", "content": "On the table." }],
    });
    let found = trace(&server, Some("On the table."), &[call, model]).await;
    let rubric = "IN {{input}} OUT {{output}} SAID {{transcript}} CALLED {{tools}}";
    let id = evaluator(&server, "all", judge("fine", rubric, json!({ "boolean": true }))).await;
    assert_eq!(tally(&judged(&server, &[&id], &[&found]).await), [1, 1, 0, 0, 0]);
    let shown = scores(&server, &found).await[0]["judgingTrace"]["traceId"].clone();
    const ASKED: &str = "query($id: ID!) { trace(id: $id) { userInput systemConfig } }";
    let asked = server.data(ASKED, json!({ "id": shown })).await["trace"].clone();
    let expected = "IN Where is it? OUT On the table. SAID SYSTEM: Be kind.\n\nUSER: Where?\n\nASSISTANT: On the table. \
        CALLED search({\"q\":\"it\"}) → on the table";
    assert_eq!(asked["userInput"], json!(expected));
    assert_eq!(asked["systemConfig"]["kind"]["judge"]["rubric"], json!(rubric));
    // What is not there is not judged: nothing is expected, nothing was answered.
    let expects =
        evaluator(&server, "expects", judge("fine", "{{expected}}?", json!({ "boolean": true }))).await;
    let silent = trace(&server, None, &[]).await;
    assert_eq!(tally(&judged(&server, &[&expects, &id], &[&silent]).await), [0, 0, 0, 2, 0]);
}

#[tokio::test]
async fn what_an_example_expects_is_asked_for_by_others() {
    use dendro::model::{Json, component::VersionSelector, evaluation::Outcome};
    let server = server(JUDGES).await;
    let found = trace(&server, Some("There."), &[]).await.parse().unwrap();
    evaluator(&server, "exact", json!({ "exact": {} })).await;
    evaluator(&server, "same", judge("fine", "{{output}} or {{expected}}?", json!({ "boolean": true })))
        .await;
    let evaluators = &server.services.evaluators;
    for (name, expected, passes) in
        [("exact", "There.", true), ("exact", "Here.", false), ("same", "Here.", true)]
    {
        let id = format!("evaluators/{name}");
        let (version, _) = evaluators.resolve(&id, &VersionSelector::Newest).await.unwrap();
        let expected = Json::string(expected);
        match evaluators.evaluate(&version, found, Some(&expected)).await.unwrap() {
            Outcome::Scored { passed, score } => {
                assert_eq!(passed, Some(passes), "{name}");
                assert_eq!(score.evaluator, Some(version));
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_judge_that_cannot_be_run_is_refused() {
    let server = server(JUDGES).await;
    let refused = |kind: Value| {
        let server = &server;
        async move {
            let made = create(server, "wrong", kind).await;
            (
                made["refusal"]["field"].as_str().unwrap_or_default().to_owned(),
                made["refusal"]["message"].to_string(),
            )
        }
    };
    let nobody =
        json!({ "model": { "name": "nobody/x" }, "rubric": "{{output}}", "answer": { "boolean": true } });
    let (field, message) = refused(json!({ "judge": nobody })).await;
    assert_eq!(field, "kind.judge.model.name");
    assert!(message.contains("no provider is called `nobody`"), "{message}");
    let (field, message) = refused(judge("yes", "Is {{answer}} polite?", json!({ "boolean": true }))).await;
    assert_eq!(field, "kind.judge.rubric");
    assert!(message.contains("nothing is called `answer`"), "{message}");
    let (field, _) = refused(judge("yes", "{{output}}", json!({ "number": { "min": 5, "max": 1 } }))).await;
    assert_eq!(field, "kind.judge.answer.number.max");
    let one = json!({ "categories": { "categories": ["only"] } });
    assert_eq!(refused(judge("yes", "{{output}}", one)).await.0, "kind.judge.answer.categories.categories");
    assert_eq!(
        refused(judge("yes", "{{output}}", json!({ "boolean": false }))).await.0,
        "kind.judge.answer.boolean"
    );
}
