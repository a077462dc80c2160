//! The scripted model.

use std::time::Duration;

use dendro::{
    llm::{Model, ModelErrorKind, ModelRequest, Models, ModelsConfig, Scripted},
    model::{
        Json,
        chat::{ChatMessage, ChatPart},
        ledger::{CountingRule, TokenCounts},
        message::MessageRole,
    },
};
use futures_util::StreamExt;

use super::{Heard, ask, call, hear, request, result, said, tool, user};

fn scripts(turns: &str) -> Scripted {
    Scripted::parse(&format!("scripts:\n  s:\n{turns}")).unwrap()
}

fn of(script: &str, messages: impl Into<Vec<ChatMessage>>) -> ModelRequest {
    ModelRequest { model: script.to_owned(), ..request(messages) }
}

async fn answer(model: &dyn Model, messages: &[ChatMessage]) -> Heard {
    ask(model, of("s", messages)).await.unwrap()
}

async fn text(model: &dyn Model, messages: &[ChatMessage]) -> String {
    answer(model, messages).await.text.concat()
}

fn assistant(text: &str) -> ChatMessage {
    said(MessageRole::Assistant, [ChatPart::Text(text.to_owned())])
}

#[tokio::test]
async fn turns_answer_one_after_another() {
    let model = scripts(
        "    turns: [{ text: one }, { text: two }]\n    otherwise: { text: 'no more for {{input}}' }",
    );
    let mut messages = vec![user("a")];
    for expected in ["one", "two", "no more for a"] {
        // The same again and again: nothing is kept between requests.
        for _ in 0..2 {
            assert_eq!(text(&model, &messages).await, expected);
        }
        messages.push(assistant(expected));
    }
}

#[tokio::test]
async fn without_a_turn_left_it_refuses() {
    let model = scripts("    turns: [{ text: one }]");
    let error = ask(&model, of("s", [user("a"), assistant("one"), user("b")])).await.unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::Refused);
    assert_eq!(error.message, "the script `s` has no turn for this; 1 answers were given so far");
    let error = ask(&model, of("t", [user("a")])).await.unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::UnknownModel);
}

#[tokio::test]
async fn an_answer_has_reasoning_text_calls_and_tokens() {
    let model = scripts(
        r#"
    turns:
      - thinking: Look it up.
        text: "One moment, please: {{input}}"
        tool_calls:
          - { name: add, arguments: { x: 1, of: ["{{input}}", { y: "<{{ input }}>" }] }, id: mine }
          - { name: now }
          - { name: broken, arguments: "{x: {{input}}" }
        tokens: { input: 100, output: 20, cache_read: 80, cache_write: 5, reasoning: 7 }
        finish_reason: done
"#,
    );
    let heard = answer(&model, &[user("Q")]).await;
    assert_eq!(heard.thinking, ["Look ", "it ", "up."]);
    assert_eq!(heard.text, ["One ", "moment, ", "please: ", "Q"]);
    assert_eq!(
        heard.calls,
        [
            call("mine", "add", r#"{"x":1,"of":["Q",{"y":"<Q>"}]}"#),
            call("call_1_2", "now", "{}"),
            call("call_1_3", "broken", r#""{x: Q""#),
        ]
    );
    let end = heard.answer();
    let mut parts = vec![
        ChatPart::Reasoning("Look it up.".to_owned()),
        ChatPart::Text("One moment, please: Q".to_owned()),
    ];
    parts.extend(heard.calls.clone());
    assert_eq!(end.message.parts, parts);
    assert_eq!(end.message.finish_reason.as_deref(), Some("done"));
    assert_eq!(
        end.tokens,
        Some(TokenCounts {
            input: Some(100),
            output: Some(20),
            cache_read: Some(80),
            cache_write: Some(5),
            reasoning: Some(7),
            total: None,
        })
    );
    assert_eq!(end.rule, CountingRule::Inclusive);
    assert_eq!(end.model.as_deref(), Some("scripted/s"));
}

#[tokio::test]
async fn tokens_that_are_not_given_are_estimated() {
    let model = scripts("    turns: [{ text: '12345678' }, { tool_calls: [{ name: add }] }]");
    let heard = answer(&model, &[user("123456789")]).await;
    let tokens = heard.answer().tokens.unwrap();
    assert_eq!((tokens.input, tokens.output, tokens.cache_read), (Some(3), Some(2), None));
    assert_eq!(heard.answer().message.finish_reason.as_deref(), Some("stop"));
    let heard = answer(&model, &[user("1"), assistant("2")]).await;
    assert_eq!(heard.answer().message.finish_reason.as_deref(), Some("tool_calls"));
}

const WHEN: &str = r#"
    turns:
      - when: { user: WEATHER }
        tool_calls: [{ name: weather, arguments: { city: "{{input}}" } }]
      - when: { tool: weather, tool_result: sun }
        text: "Fine: {{tool_result}}"
      - when: { tool_result_matches: '(\d+) degrees' }
        text: "{{match.1}} of {{match}}"
      - when: { user_matches: '^add (\d+) to (\d+)$', offered: add }
        text: "{{match.1}}+{{match.2}}{{match.3}}"
      - when: { user: add, step: 1 }
        text: second step
      - text: first in order
      - text: second in order
"#;

#[tokio::test]
async fn a_turn_answers_what_it_names() {
    let model = scripts(WHEN);
    let ask_weather = user("How is the weather?");
    let heard = answer(&model, std::slice::from_ref(&ask_weather)).await;
    assert_eq!(heard.calls, [call("call_1_1", "weather", r#"{"city":"How is the weather?"}"#)]);
    let asked = vec![ask_weather, heard.answer().message.clone()];
    let with = |found: &str| [asked.clone(), vec![result(Some("call_1_1"), None, found)]].concat();
    assert_eq!(text(&model, &with("Sunny")).await, "Fine: Sunny");
    assert_eq!(text(&model, &with("20 degrees")).await, "20 of 20 degrees");
    // Not the turn for the user's words again: a tool spoke last.
    assert_eq!(text(&model, &with("rain")).await, "first in order");
}

#[tokio::test]
async fn the_next_in_order_is_told_from_the_history_alone() {
    let model = scripts(WHEN);
    let mut messages = vec![user("hm")];
    assert_eq!(text(&model, &messages).await, "first in order");
    messages.extend([assistant("first in order"), user("weather")]);
    let heard = answer(&model, &messages).await;
    messages.extend([heard.answer().message.clone(), result(Some("call_2_1"), None, "sun")]);
    assert_eq!(text(&model, &messages).await, "Fine: sun");
    messages.extend([assistant("Fine: sun"), user("hm")]);
    assert_eq!(text(&model, &messages).await, "second in order");
}

#[tokio::test]
async fn steps_and_offered_tools_decide_too() {
    let model = scripts(WHEN);
    let messages = [user("add 1 to 2")];
    let mut asked = of("s", messages.clone());
    assert_eq!(text(&model, &messages).await, "first in order");
    asked.tools = vec![tool("add")];
    assert_eq!(ask(&model, asked).await.unwrap().text.concat(), "1+2");
    assert_eq!(text(&model, &[user("add"), assistant("x")]).await, "second step");
}

#[tokio::test]
async fn results_of_several_tools_can_be_told() {
    let model = scripts(
        "    turns: [{ text: '{{tool_results}}' }]\n    otherwise: { text: '{{tool_results}}|{{tool_result}}' }",
    );
    let calls = said(MessageRole::Assistant, [call("a", "x", "{}"), call("b", "y", "{}")]);
    let sum =
        ChatPart::ToolResult { id: Some("b".to_owned()), name: None, result: Json::parse("[2]").unwrap() };
    let messages = [user("q"), calls, result(Some("a"), None, "one"), said(MessageRole::Tool, [sum])];
    assert_eq!(text(&model, &messages).await, "one\n[2]|[2]");
}

#[tokio::test]
async fn a_failure_comes_at_once_or_after_pieces() {
    let model = scripts(
        r#"
    turns:
      - fail: { kind: rate_limited, retry_after_ms: 1500, message: slow down }
      - text: a b c d
        fail: { kind: cut_off, after_pieces: 2 }
      - text: a b
        tool_calls: [{ name: x }]
        fail: { kind: timed_out, after_pieces: 9 }
"#,
    );
    let error = model.ask(of("s", [user("q")])).await.err().unwrap();
    assert_eq!((error.kind, error.message.as_str()), (ModelErrorKind::RateLimited, "slow down"));
    assert_eq!(error.retry_after, Some(Duration::from_millis(1500)));
    let (heard, error) = hear(&model, of("s", [user("q"), assistant("1")])).await;
    assert_eq!(error.unwrap().kind, ModelErrorKind::CutOff);
    assert_eq!(heard.text, ["a ", "b "]);
    let (heard, error) = hear(&model, of("s", [user("q"), assistant("1"), assistant("2")])).await;
    assert_eq!(error.unwrap().kind, ModelErrorKind::TimedOut);
    assert_eq!((heard.text.len(), heard.calls.len()), (2, 1));
}

#[tokio::test]
async fn so_many_attempts_fail_and_the_next_does_not() {
    let model = scripts("    turns: [{ text: there, fail: { kind: unavailable, times: 2 } }]");
    for question in ["a", "b"] {
        for _ in 0..2 {
            let error = ask(&model, of("s", [user(question)])).await.unwrap_err();
            assert_eq!(error.kind, ModelErrorKind::Unavailable);
        }
        assert_eq!(text(&model, &[user(question)]).await, "there");
    }
}

#[tokio::test(start_paused = true)]
async fn delays_are_kept_before_the_answer_and_before_pieces() {
    let model = scripts("    turns: [{ text: a b c, delay_ms: 60000, piece_delay_ms: 1000 }]");
    let start = tokio::time::Instant::now();
    let mut stream = model.ask(of("s", [user("q")])).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 60);
    assert!(stream.next().await.unwrap().is_ok());
    assert_eq!(start.elapsed().as_secs(), 61);
    while stream.next().await.is_some() {}
    assert_eq!(start.elapsed().as_secs(), 63);
}

#[tokio::test(start_paused = true)]
async fn all_waits_can_be_made_longer_and_shorter() {
    let turns = "    turns: [{ text: a b, delay_ms: 100, piece_delay_ms: 10 }]";
    for (factor, expected) in [(0.0, 0), (0.5, 60), (3.0, 360)] {
        let begun = tokio::time::Instant::now();
        assert_eq!(text(&scripts(turns).slowed_down(factor), &[user("x")]).await, "a b");
        assert_eq!(begun.elapsed(), Duration::from_millis(expected), "{factor}");
    }
}

#[test]
fn a_wrong_file_says_where() {
    for (file, told) in [
        ("scripts: [", "line "),
        ("scripts:\n  s:\n    turns:\n      - txt: a\n", "txt"),
        ("scripts:\n  s:\n    turns:\n      - txt: a\n", "line 4"),
        ("scripts:\n  s:\n    turns:\n      - text: '{{inptu}}'\n", "`{{inptu}}` stands for nothing"),
        (
            "scripts:\n  s:\n    turns:\n      - tool_calls: [{ name: x, arguments: { a: '{{no}}' } }]\n",
            "`{{no}}`",
        ),
        (
            "scripts:\n  s:\n    turns:\n      - text: a\n        when: { user_matches: '(' }\n",
            "is no pattern",
        ),
        ("scripts:\n  s:\n    turns:\n      - text: a\n        fail: { kind: sad }\n", "sad"),
        (
            "scripts:\n  s:\n    turns:\n      - text: a\n      - delay_ms: 5\n",
            "script `s`, turn 2: it needs a `text`",
        ),
        (
            "scripts:\n  s:\n    turns:\n      - text: a\n        when: {}\n",
            "script `s`, turn 1: its `when` names nothing",
        ),
        ("scripts:\n  s: {}\n", "script `s`: it has no turns"),
        ("scripts:\n  s:\n    otherwise: { text: a, when: { user: b } }\n", "`otherwise`: it has no `when`"),
        ("scripts:\n  a b: { turns: [{ text: a }] }\n", "`a b` is no name for a script"),
    ] {
        let error = Scripted::parse(file).unwrap_err().to_string();
        assert!(error.contains(told), "{told} in {error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scripts.yaml");
    assert!(Scripted::read(&path).unwrap_err().to_string().contains("scripts.yaml: "));
    std::fs::write(&path, "scripts: { s: { turns: [{ text: a }] } }").unwrap();
    assert_eq!(Scripted::read(&path).unwrap().names().collect::<Vec<_>>(), ["s"]);
}

#[tokio::test]
async fn the_demo_greets_and_calls_tools() {
    let models = Models::with_environment(&ModelsConfig::default(), |_| None).unwrap();
    let (model, name) = models.resolve("scripted/demo").unwrap();
    let tools = ["calculator", "current_time", "search_conversations"].map(tool);
    let ask = async |messages: &[ChatMessage]| {
        let asked = ModelRequest { tools: tools.to_vec(), ..of(&name.model, messages) };
        ask(&*model, asked).await.unwrap()
    };
    assert!(ask(&[user("Hello there")]).await.text.concat().starts_with("Hello!"));
    let heard = ask(&[user("what is 12 * (3 + 4)?")]).await;
    assert_eq!(heard.calls, [call("call_1_1", "calculator", r#"{"expression":"12 * (3 + 4)"}"#)]);
    let messages =
        [user("what is 12 * (3 + 4)?"), heard.answer().message.clone(), result(Some("call_1_1"), None, "84")];
    assert_eq!(ask(&messages).await.text.concat(), "That makes 84.");
    assert_eq!(ask(&[user("what time is it?")]).await.calls, [call("call_1_1", "current_time", "{}")]);
    assert_eq!(
        ask(&[user("Please search for blue whales.")]).await.calls,
        [call("call_1_1", "search_conversations", r#"{"query":"blue whales"}"#)]
    );
    assert!(ask(&[user("Tell me a joke")]).await.text.concat().contains("Tell me a joke"));
    // Without tools it calls none.
    let heard = super::ask(&*model, of("demo", [user("1 + 1")])).await.unwrap();
    assert!(heard.calls.is_empty());
}

/// The page's example is read as it stands.
#[test]
fn the_page_on_scripts_is_right() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scripted-models.md")).unwrap();
    let examples: Vec<_> =
        page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        Scripted::parse(example).unwrap();
    }
    let file = include_str!("../../../src/llm/scripted/file.rs");
    let fields = [
        "pub(super) struct Turn {",
        "pub(super) struct When {",
        "pub(super) struct Call {",
        "pub(super) struct Fail {",
    ]
    .into_iter()
    .flat_map(|start| file.split(start).nth(1).unwrap().split("\n}").next().unwrap().lines())
    .filter_map(|line| line.trim().strip_prefix("pub ").or(Some(line.trim()))?.split_once(": "))
    .map(|(name, _)| name)
    .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    for field in fields {
        assert!(page.contains(&format!("`{field}`")), "docs/scripted-models.md does not name `{field}`");
    }
}
