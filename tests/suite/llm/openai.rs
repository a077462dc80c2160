//! Servers that speak as OpenAI does.

use std::time::Duration;

use dendro::{
    llm::{ModelSettings, Models, ProviderConfig, ProviderKind},
    model::{
        Json,
        chat::ChatPart,
        ledger::{CountingRule, TokenCounts},
        message::MessageRole,
    },
};
use futures_util::StreamExt;
use serde_json::json;

use super::{KEY, ask, call, config, model, request, result, said, tool, user};
use crate::support::providers::{FakeProviders, Piece, Reply, Tokens};

#[tokio::test]
async fn text_and_reasoning_come_in_pieces() {
    let wait = Piece::Wait(Duration::from_millis(20));
    let pieces = [
        Piece::Thinking("Let me "),
        Piece::Thinking("see."),
        wait.clone(),
        Piece::Text("Hel"),
        wait,
        Piece::Text("lo."),
    ];
    let tokens = Tokens { input: 50, output: 9, cache_read: 40, cache_write: 6, reasoning: 4 };
    let server = FakeProviders::new([Reply::said(pieces).with_tokens(tokens)]).await;
    let heard = ask(&*model(&server, ProviderKind::OpenAi), request([user("Hi")])).await.unwrap();
    assert_eq!(heard.thinking, ["Let me ", "see."]);
    assert_eq!(heard.text, ["Hel", "lo."]);
    let answer = heard.answer();
    assert_eq!(
        answer.message.parts,
        [ChatPart::Reasoning("Let me see.".to_owned()), ChatPart::Text("Hello.".to_owned())]
    );
    assert_eq!(answer.message.role, MessageRole::Assistant);
    assert_eq!(answer.message.finish_reason.as_deref(), Some("stop"));
    assert_eq!(
        answer.tokens,
        Some(TokenCounts {
            input: Some(50),
            output: Some(9),
            cache_read: Some(40),
            cache_write: Some(6),
            reasoning: Some(4),
            total: Some(59),
        })
    );
    assert_eq!(answer.rule, CountingRule::Inclusive);
    assert_eq!(answer.model.as_deref(), Some("answering-1"));
    assert_eq!(answer.response_id.as_deref(), Some("chatcmpl-1"));
}

#[tokio::test]
async fn reasoning_that_is_larger_than_the_output_stands_beside_it() {
    let tokens = Tokens { input: 5, output: 9, reasoning: 30, ..Tokens::default() };
    let server = FakeProviders::new([Reply::text("42").with_tokens(tokens)]).await;
    let heard = ask(&*model(&server, ProviderKind::OpenAi), request([user("Hi")])).await.unwrap();
    assert_eq!(heard.answer().rule, CountingRule::ReasoningExclusive);
}

#[tokio::test]
async fn the_request_says_all_that_was_asked() {
    let server = FakeProviders::new([Reply::text("Done.")]).await;
    let model = model(&server, ProviderKind::OpenAi);
    let mut asked = request([
        user("Add."),
        said(
            MessageRole::Assistant,
            [
                ChatPart::Reasoning("Two sums.".to_owned()),
                ChatPart::Text("Both.".to_owned()),
                call("c1", "add", r#"{"x":1}"#),
                call("c2", "add", r#""{x: bad""#),
            ],
        ),
        result(Some("c1"), None, "one"),
        result(None, Some("add"), "two"),
    ]);
    asked.system = Some("Be brief.".to_owned());
    asked.tools = vec![tool("add")];
    asked.settings = ModelSettings {
        temperature: Some(0.5),
        top_p: Some(0.9),
        max_tokens: Some(100),
        stop: vec!["END".to_owned()],
        seed: Some(7),
        reasoning_effort: Some("low".to_owned()),
        answer_schema: Some((
            "sum".to_owned(),
            Json::parse(r#"{"type":"object","properties":{"sum":{"type":"integer"}},"required":["sum"]}"#)
                .unwrap(),
        )),
    };
    ask(&*model, asked).await.unwrap();
    let sent = &server.asked()[0];
    assert_eq!(sent.path, "/v1/chat/completions");
    assert_eq!(sent.headers["authorization"], format!("Bearer {KEY}"));
    let body = &sent.body;
    let function = |arguments: serde_json::Value| json!({"name": "add", "arguments": arguments.to_string()});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Add."},
            {
                "role": "assistant", "content": "Both.", "reasoning_content": "Two sums.",
                "tool_calls": [
                    {"type": "function", "id": "c1", "function": function(json!({"x": 1}))},
                    {"type": "function", "id": "c2", "function": function(json!({"invalid_arguments": "{x: bad"}))},
                ],
            },
            {"role": "tool", "content": "one", "tool_call_id": "c1"},
            {"role": "tool", "content": "two", "tool_call_id": "c2"},
        ])
    );
    assert_eq!(body["model"], "asked-1");
    assert_eq!(body["stream"], true);
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    assert_eq!(body["temperature"], 0.5);
    assert_eq!(body["top_p"], 0.9);
    assert_eq!(body["max_tokens"], 100);
    assert_eq!(body["stop"], json!(["END"]));
    assert_eq!(body["seed"], 7);
    assert_eq!(body["reasoning_effort"], "low");
    assert_eq!(body["response_format"]["json_schema"]["name"], "sum");
    assert_eq!(body["tools"][0]["function"]["name"], "add");
    assert_eq!(body["tools"][0]["function"]["parameters"]["properties"]["x"]["type"], "integer");
}

#[tokio::test]
async fn a_name_stays_as_it_is_and_so_does_an_effort_that_only_the_provider_knows() {
    let server = FakeProviders::new([Reply::text("1"), Reply::text("2"), Reply::text("3")]).await;
    let model = model(&server, ProviderKind::OpenAi);
    for (name, effort) in [("qwen-max", None), ("team::qwen", None), ("qwen", Some("utmost"))] {
        let mut asked = request([user("Hi")]);
        asked.model = name.to_owned();
        asked.settings.reasoning_effort = effort.map(str::to_owned);
        ask(&*model, asked).await.unwrap();
        let body = server.last_body();
        assert_eq!((body["model"].as_str(), body["reasoning_effort"].as_str()), (Some(name), effort));
    }
}

#[tokio::test]
async fn without_a_key_no_header_is_sent() {
    let server = FakeProviders::new([Reply::text("Hi")]).await;
    let mut config = config(&server, ProviderKind::OpenAi);
    let provider = ProviderConfig { key: None, ..config.providers["test"].clone() };
    config.providers.insert("local".to_owned(), provider);
    let models = Models::with_environment(&config, |_| None).unwrap();
    ask(&*models.resolve("local/qwen2.5").unwrap().0, request([user("Hi")])).await.unwrap();
    let asked = server.asked();
    assert!(!asked[0].headers.contains_key("authorization"), "{:?}", asked[0].headers);
}

#[tokio::test]
async fn calls_come_whole_one_or_several_at_once() {
    let server = FakeProviders::new([
        Reply::said([Piece::Call("c1", "add", &["{\"x\"", ": 1}"])]),
        Reply::said([
            Piece::Text("Both."),
            Piece::Call("c1", "add", &["{\"x\":", "1}"]),
            Piece::Call("c2", "now", &[]),
        ]),
    ])
    .await;
    let model = model(&server, ProviderKind::OpenAi);
    let mut asked = request([user("Hi")]);
    asked.tools = vec![tool("add"), tool("now")];
    let heard = ask(&*model, asked.clone()).await.unwrap();
    assert_eq!(heard.calls, [call("c1", "add", r#"{"x": 1}"#)]);
    assert_eq!(heard.answer().message.parts, heard.calls);
    assert_eq!(heard.answer().message.finish_reason.as_deref(), Some("tool_calls"));
    let heard = ask(&*model, asked).await.unwrap();
    assert_eq!(heard.calls, [call("c1", "add", r#"{"x":1}"#), call("c2", "now", "{}")]);
    assert_eq!(heard.answer().message.text().as_deref(), Some("Both."));
}

#[tokio::test]
async fn arguments_that_are_no_json_are_kept_as_a_text() {
    let server = FakeProviders::new([Reply::said([Piece::Call("c1", "add", &["{\"x\": ", "oops"])])]).await;
    let heard = ask(&*model(&server, ProviderKind::OpenAi), request([user("Hi")])).await.unwrap();
    assert_eq!(heard.calls, [call("c1", "add", r#""{\"x\": oops""#)]);
}

#[tokio::test]
async fn a_dropped_answer_ends_the_request() {
    let pieces = [Piece::Text("Hel"), Piece::Hang];
    let server = FakeProviders::new([Reply::said(pieces), Reply::Silence]).await;
    let model = model(&server, ProviderKind::OpenAi);
    let mut stream = model.ask(request([user("Hi")])).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    drop(stream);
    tokio::time::timeout(Duration::from_secs(20), server.client_left()).await.expect("the server notices");
}

#[tokio::test]
async fn a_dropped_question_ends_the_request() {
    let server = FakeProviders::new([Reply::Silence]).await;
    let model = model(&server, ProviderKind::OpenAi);
    let asked = tokio::spawn(async move { model.ask(request([user("Hi")])).await.map(drop) });
    while server.asked().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    asked.abort();
    tokio::time::timeout(Duration::from_secs(20), server.client_left()).await.expect("the server notices");
}
