//! Servers that speak as Anthropic does.

use dendro::{
    llm::ProviderKind,
    model::{
        Json,
        chat::ChatPart,
        ledger::{CountingRule, TokenCounts},
        message::MessageRole,
    },
};
use serde_json::json;

use super::{KEY, ask, call, model, request, result, said, tool, user};
use crate::support::providers::{FakeProviders, Piece, Reply, Tokens};

#[tokio::test]
async fn text_and_tokens_come_whole() {
    let tokens = Tokens { input: 50, output: 9, cache_read: 40, cache_write: 6, reasoning: 0 };
    let reply = Reply::said([Piece::Text("Hel"), Piece::Text("lo.")]).with_tokens(tokens);
    let server = FakeProviders::new([reply]).await;
    let mut asked = request([user("Hi")]);
    asked.system = Some("Be brief.".to_owned());
    asked.settings.max_tokens = Some(100);
    let heard = ask(&*model(&server, ProviderKind::Anthropic), asked).await.unwrap();
    assert_eq!(heard.text, ["Hel", "lo."]);
    let answer = heard.answer();
    assert_eq!(answer.message.text().as_deref(), Some("Hello."));
    assert_eq!(answer.message.finish_reason.as_deref(), Some("end_turn"));
    // Anthropic counts cached tokens beside the input; by here they are in it.
    assert_eq!(
        answer.tokens,
        Some(TokenCounts {
            input: Some(50),
            output: Some(9),
            cache_read: Some(40),
            cache_write: Some(6),
            reasoning: None,
            total: None,
        })
    );
    assert_eq!(answer.rule, CountingRule::Inclusive);
    assert_eq!(answer.model.as_deref(), Some("answering-1"));
    assert_eq!(answer.response_id.as_deref(), Some("msg_1"));
    let sent = &server.asked()[0];
    assert_eq!(sent.path, "/v1/messages");
    assert_eq!(sent.headers["x-api-key"], KEY);
    assert_eq!(sent.body["system"], "Be brief.");
    assert_eq!(sent.body["max_tokens"], 100);
    assert_eq!(sent.body["messages"], json!([{"role": "user", "content": "Hi"}]));
}

#[tokio::test]
async fn reasoning_goes_back_with_its_signature_while_its_turn_lasts() {
    let server = FakeProviders::new([
        Reply::said([
            Piece::Thinking("Two sums."),
            Piece::Text("Both."),
            Piece::Call("c1", "add", &["{\"x\":", " 1}"]),
            Piece::Call("c2", "add", &["{\"x\": 2}"]),
        ]),
        Reply::text("3"),
        Reply::text("You are welcome."),
    ])
    .await;
    let model = model(&server, ProviderKind::Anthropic);
    let mut asked = request([user("Add.")]);
    asked.tools = vec![tool("add")];
    let heard = ask(&*model, asked.clone()).await.unwrap();
    assert_eq!(heard.thinking, ["Two sums."]);
    let calls = [call("c1", "add", r#"{"x":1}"#), call("c2", "add", r#"{"x":2}"#)];
    assert_eq!(heard.calls, calls);
    let answer = heard.answer().message.clone();
    assert_eq!(answer.finish_reason.as_deref(), Some("tool_use"));
    assert_eq!(answer.reasoning().as_deref(), Some("Two sums."));

    asked.messages.extend([answer, result(Some("c1"), None, "one"), result(Some("c2"), None, "two")]);
    ask(&*model, asked.clone()).await.unwrap();
    let tool_use = |id: &str, x: u8| json!({"type": "tool_use", "id": id, "name": "add", "input": {"x": x}});
    let tool_result =
        |id: &str, content: &str| json!({"type": "tool_result", "content": content, "tool_use_id": id});
    let thinking = json!({"type": "thinking", "thinking": "Two sums.", "signature": "signed-0"});
    let text = json!({"type": "text", "text": "Both."});
    assert_eq!(
        server.last_body()["messages"],
        json!([
            {"role": "user", "content": "Add."},
            {"role": "assistant", "content": [thinking, text, tool_use("c1", 1), tool_use("c2", 2)]},
            // The results of calls that were made at once stand in one message.
            {"role": "user", "content": [tool_result("c1", "one"), tool_result("c2", "two")]},
        ])
    );

    let three = said(MessageRole::Assistant, [ChatPart::Text("3".to_owned())]);
    asked.messages.extend([three, user("Thanks.")]);
    ask(&*model, asked).await.unwrap();
    assert_eq!(
        server.last_body()["messages"][1]["content"],
        json!([text, tool_use("c1", 1), tool_use("c2", 2)])
    );
}

#[tokio::test]
async fn arguments_that_are_no_json_are_kept_as_a_text() {
    let server = FakeProviders::new([Reply::said([Piece::Call("c1", "add", &["{\"x\": ", "oops"])])]).await;
    let heard = ask(&*model(&server, ProviderKind::Anthropic), request([user("Hi")])).await.unwrap();
    let arguments = Json::string("{\"x\": oops");
    assert_eq!(
        heard.calls,
        [ChatPart::ToolCall { id: Some("c1".to_owned()), name: "add".to_owned(), arguments }]
    );
}

#[tokio::test]
async fn a_call_without_arguments_has_an_empty_object() {
    let server = FakeProviders::new([Reply::said([Piece::Call("c1", "now", &[])])]).await;
    let heard = ask(&*model(&server, ProviderKind::Anthropic), request([user("Hi")])).await.unwrap();
    assert_eq!(heard.calls, [call("c1", "now", "{}")]);
}
